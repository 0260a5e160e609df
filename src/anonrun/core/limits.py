"""Sizes and counts that client and server agree on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "DEFAULT_LIMITS",
    "MAX_METRIC_NAME_BYTES",
    "MAX_METRIC_NAME_CHARS",
    "MAX_SEGMENT_COLUMNS",
    "MAX_SEGMENT_FRAMES",
    "Limits",
]

MAX_METRIC_NAME_CHARS = 256
MAX_METRIC_NAME_BYTES = 4 * MAX_METRIC_NAME_CHARS

# A reader's work grows with frames and columns too, and not only with bytes: 8 MB of the smallest frames come out of
# 30 kB of zlib and hold 200,000 of them. A client's flush stays below both limits, since it takes 500 kB of records at
# once: at most 13,889 rows, and 62,500 values and those of one row more.
MAX_SEGMENT_FRAMES = 16_384
MAX_SEGMENT_COLUMNS = 131_072


@dataclass(frozen=True, slots=True)
class Limits:
    """What one anonymous run, and one request, may hold.

    Attributes:
        metrics: metrics in one run.
        points: points in one run.
        media: items of media in one run.
        stored_bytes: bytes of history and media that one run may take in the store.
        request_bytes: body of one request.
        segment_raw_bytes: one segment after decompression.
        flushes_per_s: deliveries to one run in a second; 0 for no limit.
        config_bytes: config as JSON.
        text_chars: any one text (name, notes, a value in the config).
    """

    metrics: int = 1_000
    points: int = 5_000_000
    media: int = 5_000
    stored_bytes: int = 64 * 2**20
    flushes_per_s: int = 20
    request_bytes: int = 2 * 2**20
    segment_raw_bytes: int = 8 * 2**20
    config_bytes: int = 64_000
    text_chars: int = 4_000


DEFAULT_LIMITS = Limits()
