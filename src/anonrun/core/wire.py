"""The segment: one flush of points, as it is sent, stored, pushed to a page and read back.

A segment is a 44-byte header and a body of frames. A frame holds the rows of one set of metrics,
column after column, so that it compresses well and a reader can map arrays onto it without parsing.
All numbers are little-endian.

```
header  0  4  magic "ANRS"
        4  1  version, 1
        5  1  codec of the body: 0 as it is, 1 zlib (RFC 1950)
        6  2  zero
        8  8  u64 writer: the stream that these rows belong to; a process that writes into a run has one or more
       16  8  u64 seq: index of the first row in that writer's stream, from 0
       24  4  u32 rows
       28  4  u32 points: values in all rows together
       32  4  u32 raw_size: bytes of the body before compression
       36  4  u32 body_size: bytes of the body as it follows
       40  4  u32 CRC-32 of header bytes 0…39 and the body as it follows
frame   0  2  u16 metrics
        2  2  zero
        4  4  u32 rows
        8  …  names: for each metric a u16 length in bytes and that much UTF-8; then zeros up to a multiple of 8
        …  8  × rows  i64 step
        …  8  × rows  i64 time, microseconds since the Unix epoch
        …  8  × rows × metrics  f64 values, one metric's column after the other
```

Rows keep their order within a frame; between frames only their times tell. A writer's segments are
contiguous: `seq` of the next is `seq + rows` of the one before, which is how a receiver sees what it
already has. Values are kept bit by bit: NaN payloads, −0 and denormals come back as they were.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from anonrun.core.limits import DEFAULT_LIMITS, MAX_METRIC_NAME_CHARS
from anonrun.errors import DamagedDataError

__all__ = [
    "CODEC_RAW",
    "CODEC_ZLIB",
    "CONTENT_TYPE",
    "HEADER_SIZE",
    "Frame",
    "Header",
    "Segment",
    "decode",
    "decode_all",
    "encode",
    "frames_of_body",
    "peek",
    "raw_body",
    "split",
]

CONTENT_TYPE = "application/vnd.anonrun.segment"
HEADER_SIZE = 44
CODEC_RAW = 0
CODEC_ZLIB = 1

_VERSION = 1
_MAGIC = b"ANRS"
_HEADER = struct.Struct("<4sBBHQQIIIII")
_FRAME = struct.Struct("<HHI")
_U16 = struct.Struct("<H")
_COMPRESS_FROM_BYTES = 512
_MAX_NAME_BYTES = 4 * MAX_METRIC_NAME_CHARS
_SWAP = sys.byteorder == "big"


@dataclass(frozen=True, slots=True)
class Header:
    """A segment's header; see the module's text for the fields. `size` is that of the whole segment."""

    codec: int
    writer: int
    seq: int
    rows: int
    points: int
    raw_size: int
    body_size: int

    @property
    def size(self) -> int:
        """Bytes of the segment, header included."""
        return HEADER_SIZE + self.body_size


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


@dataclass(frozen=True, slots=True)
class Segment:
    """A decoded segment."""

    header: Header
    frames: tuple[Frame, ...]


def _packed(column: array[int] | array[float]) -> bytes:
    if _SWAP:
        column = column[:]
        column.byteswap()
    return column.tobytes()


def _encode_frame(frame: Frame) -> bytes:
    parts = [_FRAME.pack(len(frame.names), 0, len(frame.steps))]
    for name in frame.names:
        raw = name.encode("utf-8")
        parts += (_U16.pack(len(raw)), raw)
    size = sum(map(len, parts))
    parts.append(bytes(-size % 8))
    parts += (_packed(frame.steps), _packed(frame.times_us))
    parts += map(_packed, frame.columns)
    return b"".join(parts)


def encode(frames: Sequence[Frame], *, writer: int, seq: int, compress: bool = True) -> bytes:
    """Return the segment that holds `frames`.

    Args:
        frames: at least the rows that are to be sent; may be empty.
        writer: the writer's number, 0 … 2^64 − 1.
        seq: index of the first row in the writer's stream.
        compress: whether a body of more than 512 bytes may be compressed.
    """
    raw = b"".join(map(_encode_frame, frames))
    rows = sum(len(f.steps) for f in frames)
    points = sum(len(f.steps) * len(f.names) for f in frames)
    codec, body = CODEC_RAW, raw
    if compress and len(raw) > _COMPRESS_FROM_BYTES:
        small = zlib.compress(raw, 1)
        if len(small) < len(raw):
            codec, body = CODEC_ZLIB, small
    head = _HEADER.pack(_MAGIC, _VERSION, codec, 0, writer, seq, rows, points, len(raw), len(body), 0)
    crc = zlib.crc32(body, zlib.crc32(head[:40]))
    return head[:40] + struct.pack("<I", crc) + body


def peek(data: bytes | memoryview, *, offset: int = 0, max_raw_size: int = DEFAULT_LIMITS.segment_raw_bytes) -> Header:
    """Return the header of the segment at `offset` after checking its CRC; nothing is decompressed.

    Raises:
        DamagedDataError: too short, not a segment, of another version or codec, larger than
            `max_raw_size` when decompressed, or its CRC does not match.
    """
    view = memoryview(data)[offset:]
    if len(view) < HEADER_SIZE:
        raise DamagedDataError(f"A segment's header has {HEADER_SIZE} bytes; only {len(view)} are there.")
    magic, version, codec, zero, writer, seq, rows, points, raw_size, body_size, crc = _HEADER.unpack_from(view)
    if magic != _MAGIC:
        raise DamagedDataError("These bytes are no segment: it begins with 'ANRS'.")
    if version != _VERSION or zero:
        raise DamagedDataError(f"Segment version {version} is not known here, only {_VERSION}; update anonrun.")
    if codec not in (CODEC_RAW, CODEC_ZLIB):
        raise DamagedDataError(f"Segment codec {codec} is not known here; update anonrun.")
    if raw_size > max_raw_size or (codec == CODEC_RAW and raw_size != body_size):
        raise DamagedDataError(f"A segment of {raw_size} bytes is over the limit of {max_raw_size}; send smaller ones.")
    if body_size > len(view) - HEADER_SIZE:
        raise DamagedDataError(f"The segment ends after {len(view)} of {HEADER_SIZE + body_size} bytes.")
    if zlib.crc32(view[HEADER_SIZE : HEADER_SIZE + body_size], zlib.crc32(view[:40])) != crc:
        raise DamagedDataError("The segment's checksum does not match its bytes; send it again.")
    if seq + rows >= 1 << 63:
        raise DamagedDataError(f"Segment seq {seq} is over the limit of 2^63.")
    return Header(codec, writer, seq, rows, points, raw_size, body_size)


def raw_body(data: bytes | memoryview, header: Header, *, offset: int = 0) -> bytes:
    """Return the body of a segment that `peek` has checked, decompressed, and never more than it announced."""
    body = memoryview(data)[offset + HEADER_SIZE : offset + header.size]
    if header.codec == CODEC_RAW:
        return bytes(body)
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(body, header.raw_size + 1)
    except zlib.error as exc:
        raise DamagedDataError("The segment's body does not decompress.") from exc
    if len(raw) != header.raw_size or not unpacker.eof or unpacker.unused_data:
        raise DamagedDataError("The segment's body has another size than its header says.")
    return raw


def _names_at(raw: bytes, at: int, count: int) -> tuple[tuple[str, ...], int]:
    names = []
    for _ in range(count):
        if at + 2 > len(raw):
            raise DamagedDataError("A frame ends within its metric names.")
        (size,) = _U16.unpack_from(raw, at)
        at += 2
        if size > _MAX_NAME_BYTES or at + size > len(raw):
            raise DamagedDataError("A frame ends within its metric names.")
        try:
            names.append(raw[at : at + size].decode("utf-8"))
        except UnicodeDecodeError as exc:
            raise DamagedDataError("A metric's name is not UTF-8.") from exc
        at += size
    return tuple(names), at + -at % 8


def _array_at(kind: str, raw: bytes, at: int, count: int) -> array[int] | array[float]:
    column: array[int] | array[float] = array(kind)
    column.frombytes(raw[at : at + 8 * count])
    if _SWAP:
        column.byteswap()
    return column


def frames_of_body(raw: bytes) -> Iterator[Frame]:
    """Yield the frames of a decompressed body.

    Raises:
        DamagedDataError: the body is cut off or breaks the format.
    """
    at = 0
    while at < len(raw):
        if at + _FRAME.size > len(raw):
            raise DamagedDataError("A frame's header is cut off.")
        count, zero, rows = _FRAME.unpack_from(raw, at)
        if zero or not count or not rows:
            raise DamagedDataError("A frame must hold at least one metric and one row.")
        names, at = _names_at(raw, at + _FRAME.size, count)
        if at + 8 * rows * (2 + count) > len(raw):
            raise DamagedDataError("A frame's columns are cut off.")
        starts = range(at, at + 8 * rows * (2 + count), 8 * rows)
        steps, times, *columns = (_array_at("qqd"[min(i, 2)], raw, start, rows) for i, start in enumerate(starts))
        at = starts.stop
        yield Frame(names, steps, times, tuple(columns))  # type: ignore[arg-type]  # kinds follow from the position


def decode(data: bytes | memoryview, *, offset: int = 0) -> Segment:
    """Return the segment at `offset`, checked in full.

    Raises:
        DamagedDataError: a checksum, size or count does not hold.

    Example:
        >>> frame = Frame.of(["loss"], [0, 1], [10, 20], [[0.5, 0.25]])
        >>> decode(encode([frame], writer=1, seq=0)).frames[0].columns[0].tolist()
        [0.5, 0.25]
    """
    header = peek(data, offset=offset)
    frames = tuple(frames_of_body(raw_body(data, header, offset=offset)))
    rows = sum(len(f.steps) for f in frames)
    points = sum(len(f.steps) * len(f.names) for f in frames)
    if (rows, points) != (header.rows, header.points):
        raise DamagedDataError("The segment holds another number of rows or points than its header says.")
    return Segment(header, frames)


def split(data: bytes | memoryview) -> Iterator[tuple[int, Header]]:
    """Yield offset and header of each of the segments that stand back to back in `data`, each checked by `peek`.

    Raises:
        DamagedDataError: on reaching one that is damaged.
    """
    offset = 0
    while offset < len(data):
        header = peek(data, offset=offset)
        yield offset, header
        offset += header.size


def decode_all(data: bytes | memoryview) -> Iterator[Segment]:
    """Yield every one of the segments that stand back to back in `data`."""
    for offset, _ in split(data):
        yield decode(data, offset=offset)
