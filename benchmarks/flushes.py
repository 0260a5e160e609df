"""Flushes as a client sends them, made before the clock runs."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from anonrun.core.wire import CONTENT_TYPE, Frame, encode
from benchmarks.curves import METRICS, column, times_us

__all__ = ["WRITER", "bodies", "head", "long_series", "wide_row"]

WRITER = 1
_BLOCK = 1_000_000


def bodies(count: int, *, rows: int, metrics: int = len(METRICS), seed: int = 0) -> list[bytes]:
    """Return `count` segments of one stream that follow each other, each of `rows` rows of `metrics` metrics."""
    names = METRICS[:metrics]
    total = count * rows
    columns = [column(name, total, seed=seed) for name in names]
    times = times_us(total, seed=seed)

    def segment(at: int) -> bytes:
        end = at + rows
        frame = Frame(names, array("q", range(at, end)), times[at:end], tuple(values[at:end] for values in columns))
        return encode([frame], writer=WRITER, seq=at)

    return [segment(at) for at in range(0, total, rows)]


def head(path: str, token: str, size: int) -> bytes:
    """Return the head of an HTTP request that sends `size` bytes of segments."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {size}\r\n\r\n"
    ).encode()


def long_series(points: int, *, rows: int = 40_000) -> Iterator[bytes]:
    """Yield the segments of one long series; its noise repeats after a million points."""
    name = METRICS[0]
    block = column(name, min(points, _BLOCK))
    for at in range(0, points, rows):
        size = min(rows, points - at)
        begin = at % len(block)
        values = (block + block)[begin : begin + size] if begin + size > len(block) else block[begin : begin + size]
        steps = array("q", range(at, at + size))
        yield encode([Frame((name,), steps, times_us(size, start=at), (values,))], writer=WRITER, seq=at)


def wide_row(metrics: int, number: int) -> bytes:
    """Return the segment of one row of many metrics."""
    names: Sequence[str] = [f"layer_{i}/norm" for i in range(metrics)]
    return encode(
        [Frame.of(names, [number], [times_us(1, start=number)[0]], [[number + i / 7] for i in range(metrics)])],
        writer=WRITER,
        seq=number,
    )
