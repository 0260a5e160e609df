"""The body of a segment: frames, each the rows of one set of metrics, column after column.

Owns the layout after decompression (bytes in, bytes out) and its limits; knows neither header nor codec. Everything
is checked by `places`, which copies nothing, before a column is made; so what is refused costs no memory.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from anonrun.core.damage import Reason, SegmentError
from anonrun.core.limits import MAX_METRIC_NAME_BYTES, MAX_SEGMENT_COLUMNS, MAX_SEGMENT_FRAMES

__all__ = ["Frame", "Place", "doubles_at", "encode_frame", "frame_at", "pieces", "places"]

_HEAD = struct.Struct("<HHI")
_U16 = struct.Struct("<H")
_CACHED_BYTES = 1_024
_SWAP = sys.byteorder == "big"


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows that hold the same metrics.

    Attributes:
        names: the metrics, in the order of `columns`.
        steps: `array('q')` of one step a row.
        times_us: `array('q')` of one time a row, microseconds since the Unix epoch.
        columns: one `array('d')` a metric, each as long as `steps`.
    """

    names: tuple[str, ...]
    steps: array[int]
    times_us: array[int]
    columns: tuple[array[float], ...]

    @staticmethod
    def of(
        names: Sequence[str], steps: Iterable[int], times_us: Iterable[int], columns: Iterable[Iterable[float]]
    ) -> Frame:
        """Build a frame from plain sequences."""
        return Frame(tuple(names), array("q", steps), array("q", times_us), tuple(array("d", c) for c in columns))


class Place(NamedTuple):
    """Where a frame's columns lie in a body: steps at `start`, then times, then values, 8 bytes each.

    A tuple, since a segment may have thousands.
    """

    names: tuple[str, ...]
    rows: int
    start: int

    @property
    def values(self) -> int:
        """Where the first metric's values begin."""
        return self.start + 16 * self.rows

    @property
    def stop(self) -> int:
        """Where the frame ends."""
        return self.start + 8 * self.rows * (2 + len(self.names))


def _packed(column: array[int] | array[float]) -> bytes:
    if _SWAP:
        column = column[:]
        column.byteswap()
    return column.tobytes()


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of a frame; limits are the caller's to keep."""
    parts = [_HEAD.pack(len(frame.names), 0, len(frame.steps))]
    for name in frame.names:
        raw = name.encode("utf-8")
        parts += (_U16.pack(len(raw)), raw)
    size = sum(map(len, parts))
    parts.append(bytes(-size % 8))
    parts += (_packed(frame.steps), _packed(frame.times_us))
    parts += map(_packed, frame.columns)
    return b"".join(parts)


def _end_of_names(raw: bytes, at: int, count: int) -> int:
    """Return where `count` names that begin at `at` end; nothing is copied."""
    stop = len(raw) - 1
    for _ in range(count):
        if at >= stop:
            raise SegmentError(Reason.FRAME, "A frame ends within its metric names.")
        size = raw[at] | raw[at + 1] << 8
        if not 0 < size <= MAX_METRIC_NAME_BYTES:
            raise SegmentError(
                Reason.NAME, f"A metric's name has {size} bytes; it must have 1 to {MAX_METRIC_NAME_BYTES}."
            )
        at += 2 + size
    if at > len(raw):
        raise SegmentError(Reason.FRAME, "A frame ends within its metric names.")
    return at


def _names_of(block: bytes) -> tuple[str, ...]:
    """Return the names in the block that `_end_of_names` has measured."""
    names = []
    at = 0
    while at < len(block):
        end = at + 2 + (block[at] | block[at + 1] << 8)
        try:
            names.append(block[at + 2 : end].decode("utf-8"))
        except UnicodeDecodeError as exc:
            raise SegmentError(Reason.NAME, "A metric's name is not UTF-8.") from exc
        at = end
    if len(set(names)) != len(names):
        raise SegmentError(Reason.NAME, "A frame names a metric twice.")
    return tuple(names)


# A run sends the same names with every flush. Small blocks only, so that nobody can fill the memory with names.
_known_names = lru_cache(maxsize=1_024)(_names_of)


def places(raw: bytes) -> Iterator[Place]:
    """Yield where the frames of a decompressed body lie, each checked in full.

    Raises:
        SegmentError: on reaching a frame that is cut off, breaks the format, or is one too many.
    """
    at = frames = columns = 0
    end = len(raw)
    while at < end:
        if at + _HEAD.size > end:
            raise SegmentError(Reason.FRAME, "A frame's header is cut off.")
        count, zero, rows = _HEAD.unpack_from(raw, at)
        if zero or not count or not rows:
            raise SegmentError(Reason.FRAME, "A frame must hold at least one metric and one row.")
        frames += 1
        columns += count
        if frames > MAX_SEGMENT_FRAMES or columns > MAX_SEGMENT_COLUMNS:
            raise SegmentError(
                Reason.TOO_LARGE,
                f"A segment may hold {MAX_SEGMENT_FRAMES} frames and {MAX_SEGMENT_COLUMNS} columns; send smaller ones.",
            )
        at += _HEAD.size
        names_end = _end_of_names(raw, at, count)
        start = names_end + -names_end % 8
        if start + 8 * rows * (2 + count) > end:
            raise SegmentError(Reason.FRAME, "A frame's columns are cut off.")
        if any(raw[names_end:start]):
            raise SegmentError(Reason.FRAME, "The bytes between a frame's names and columns must be zero.")
        block = raw[at:names_end]
        place = Place(_known_names(block) if len(block) <= _CACHED_BYTES else _names_of(block), rows, start)
        yield place
        at = place.stop


def _column(kind: str, raw: bytes, start: int, stop: int) -> array[int] | array[float]:
    column: array[int] | array[float] = array(kind)
    column.frombytes(memoryview(raw)[start:stop])
    if _SWAP:
        column.byteswap()
    return column


def doubles_at(raw: bytes, start: int, stop: int) -> array[float]:
    """Return the f64 values between two offsets, bit by bit."""
    return _column("d", raw, start, stop)  # type: ignore[return-value]  # the kind says so


def frame_at(raw: bytes, place: Place) -> Frame:
    """Return the frame that `places` found."""
    rows = place.rows
    whole: array[int] = _column("q", raw, place.start, place.values)  # type: ignore[assignment]  # the kind says so
    values = doubles_at(raw, place.values, place.stop)
    columns = tuple(values[at : at + rows] for at in range(0, len(values), rows))
    return Frame(place.names, whole[:rows], whole[rows:], columns)


def pieces(frames: Iterable[Frame], max_size: int) -> Iterator[list[Frame]]:
    """Yield all rows in order, in as few bodies as stay within the limits of one; frames are cut where they must be.

    Args:
        frames: any number of any length. A single row that is too large makes a piece that is too large.
        max_size: bytes that a body may have.
    """
    piece: list[Frame] = []
    size = columns = 0
    for frame in frames:
        width = 8 * (2 + len(frame.names))
        head = _HEAD.size + sum(2 + len(name.encode("utf-8")) for name in frame.names)
        head += -head % 8
        at = 0
        while at < len(frame.steps):
            room = (max_size - size - head) // width
            full = len(piece) >= MAX_SEGMENT_FRAMES or columns + len(frame.names) > MAX_SEGMENT_COLUMNS
            if piece and (full or room < 1):
                yield piece
                piece, size, columns = [], 0, 0
                continue
            part = _rows_of(frame, at, at + max(1, room))
            piece.append(part)
            at += len(part.steps)
            size += head + width * len(part.steps)
            columns += len(frame.names)
    if piece:
        yield piece


def _rows_of(frame: Frame, start: int, stop: int) -> Frame:
    if start == 0 and stop >= len(frame.steps):
        return frame
    part = slice(start, stop)
    return Frame(frame.names, frame.steps[part], frame.times_us[part], tuple(c[part] for c in frame.columns))
