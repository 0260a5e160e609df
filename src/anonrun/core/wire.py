"""The segment: one flush of points, as it is sent, stored, pushed to a page and read back.

`docs/wire.md` has the format with an example, the order of the checks and how versions may evolve.

A segment is a 44-byte header and a body of frames. A frame holds the rows of one set of metrics,
column after column, so that it compresses well and a reader can map arrays onto it without parsing.
All numbers are little-endian.

```
header  0  4  magic "ANRS"
        4  1  version, 1
        5  1  codec of the body: 0 as it is, 1 zlib (RFC 1950)
        6  2  flags, zero
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
        8  …  names: for each metric a u16 length in bytes, 1 … 1,024, and that much UTF-8, no name twice; then
              zeros up to a multiple of 8, counted from the body's first byte
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
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anonrun.core.damage import Reason, SegmentError
from anonrun.core.frames import Frame, Place, encode_frame, frame_at, pieces, places
from anonrun.core.limits import DEFAULT_LIMITS

__all__ = [
    "CODEC_RAW",
    "CODEC_ZLIB",
    "CONTENT_TYPE",
    "HEADER_SIZE",
    "MAX_ZLIB_RATIO",
    "VERSION",
    "Frame",
    "Header",
    "Segment",
    "checked_places",
    "decode",
    "decode_all",
    "encode",
    "encode_all",
    "peek",
    "raw_body",
    "split",
]

CONTENT_TYPE = "application/vnd.anonrun.segment"
VERSION = 1
HEADER_SIZE = 44
CODEC_RAW = 0
CODEC_ZLIB = 1
MAX_ZLIB_RATIO = 1_032
"""No byte of deflate says more: https://zlib.net/zlib_tech.html, "Maximum Compression Factor"."""

_MAGIC = b"ANRS"
_HEADER = struct.Struct("<4sBBHQQIIIII")
_CRC_AT = 40
_COMPRESS_FROM_BYTES = 512
_MAX_SEQ = 1 << 63


class Header(NamedTuple):
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
class Segment:
    """A decoded segment."""

    header: Header
    frames: tuple[Frame, ...]


def encode(frames: Sequence[Frame], *, writer: int, seq: int, compress: bool = True) -> bytes:
    """Return the segment that holds `frames`.

    Args:
        frames: at least the rows that are to be sent; may be empty. What no reader takes (too many frames or too
            large, a name twice) is not noticed here; `encode_all` cuts what is too large for one segment.
        writer: the writer's number, 0 … 2^64 − 1.
        seq: index of the first row in the writer's stream.
        compress: whether a body of more than 512 bytes may be compressed.
    """
    raw = b"".join(map(encode_frame, frames))
    rows = sum(len(f.steps) for f in frames)
    points = sum(len(f.steps) * len(f.names) for f in frames)
    codec, body = CODEC_RAW, raw
    if compress and len(raw) > _COMPRESS_FROM_BYTES:
        small = zlib.compress(raw, 1)
        if len(small) < len(raw):
            codec, body = CODEC_ZLIB, small
    head = _HEADER.pack(_MAGIC, VERSION, codec, 0, writer, seq, rows, points, len(raw), len(body), 0)[:_CRC_AT]
    return head + struct.pack("<I", zlib.crc32(body, zlib.crc32(head))) + body


def encode_all(frames: Iterable[Frame], *, writer: int, seq: int, compress: bool = True) -> bytes:
    """Return as few segments as hold `frames`, back to back: one wherever readers take that; see `encode`."""
    segments = []
    for piece in pieces(frames, DEFAULT_LIMITS.segment_raw_bytes):
        segments.append(encode(piece, writer=writer, seq=seq, compress=compress))
        seq += sum(len(frame.steps) for frame in piece)
    return b"".join(segments) if segments else encode([], writer=writer, seq=seq)


def peek(data: bytes | memoryview, *, offset: int = 0, max_raw_size: int = DEFAULT_LIMITS.segment_raw_bytes) -> Header:
    """Return the header of the segment at `offset` after checking it and its CRC; nothing is decompressed.

    Raises:
        SegmentError: too short, not a segment, of another version or codec, larger than `max_raw_size` when
            decompressed, its CRC does not match, or its numbers cannot be true.
    """
    left = len(data) - offset
    if left < HEADER_SIZE:
        raise SegmentError(Reason.CUT_OFF, f"A segment's header has {HEADER_SIZE} bytes; only {left} are there.")
    magic, version, codec, flags, writer, seq, rows, points, raw_size, body_size, crc = _HEADER.unpack_from(
        data, offset
    )
    if magic != _MAGIC:
        raise SegmentError(Reason.NOT_A_SEGMENT, "These bytes are no segment: it begins with 'ANRS'.")
    if version != VERSION or flags:
        which = f"version {version}" if version != VERSION else f"flags {flags:#06x}"
        raise SegmentError(Reason.VERSION, f"Segment {which} is not known here, only {VERSION}; update anonrun.")
    if codec not in (CODEC_RAW, CODEC_ZLIB):
        raise SegmentError(Reason.CODEC, f"Segment codec {codec} is not known here; update anonrun.")
    if raw_size > max_raw_size:
        raise SegmentError(
            Reason.TOO_LARGE, f"A segment of {raw_size} bytes is over the limit of {max_raw_size}; send smaller ones."
        )
    if raw_size != body_size if codec == CODEC_RAW else raw_size > MAX_ZLIB_RATIO * body_size:
        raise SegmentError(Reason.SIZES, f"A segment's body of {body_size} bytes cannot hold {raw_size}.")
    if body_size > left - HEADER_SIZE:
        raise SegmentError(Reason.CUT_OFF, f"The segment ends after {left} of {HEADER_SIZE + body_size} bytes.")
    view = memoryview(data)
    body_at = offset + HEADER_SIZE
    if zlib.crc32(view[body_at : body_at + body_size], zlib.crc32(view[offset : offset + _CRC_AT])) != crc:
        raise SegmentError(Reason.CHECKSUM, "The segment's checksum does not match its bytes; send it again.")
    if seq + rows >= _MAX_SEQ:
        raise SegmentError(Reason.SEQ, f"Segment seq {seq} is over the limit of 2^63.")
    if 16 * rows + 8 * points > raw_size or points < rows:
        raise SegmentError(Reason.COUNTS, f"A segment of {raw_size} bytes cannot hold {rows} rows, {points} points.")
    return Header(codec, writer, seq, rows, points, raw_size, body_size)


def raw_body(data: bytes | memoryview, header: Header, *, offset: int = 0) -> bytes:
    """Return the body of a segment that `peek` has checked, decompressed, and never more than it announced.

    Raises:
        SegmentError: it does not decompress to what its header says.
    """
    body = memoryview(data)[offset + HEADER_SIZE : offset + header.size]
    if header.codec == CODEC_RAW:
        return bytes(body)
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(body, header.raw_size + 1)
    except zlib.error as exc:
        raise SegmentError(Reason.UNPACK, "The segment's body does not decompress.") from exc
    if len(raw) != header.raw_size or not unpacker.eof or unpacker.unused_data:
        raise SegmentError(Reason.UNPACK, "The segment's body has another size than its header says.")
    return raw


def checked_places(raw: bytes, header: Header) -> list[Place]:
    """Return where the frames of a decompressed body lie; everything that can be wrong with a segment is checked then.

    Raises:
        SegmentError: a frame breaks the format, or they hold another number of rows or points than the header says.
    """
    found = list(places(raw))
    rows = sum(place.rows for place in found)
    points = sum(place.rows * len(place.names) for place in found)
    if (rows, points) != (header.rows, header.points):
        raise SegmentError(Reason.COUNTS, "The segment holds another number of rows or points than its header says.")
    return found


def decode(data: bytes | memoryview, *, offset: int = 0, header: Header | None = None) -> Segment:
    """Return the segment at `offset`, checked in full.

    Args:
        data: the bytes.
        offset: where it begins.
        header: what `peek` returned for it, where that was asked already.

    Raises:
        SegmentError: a checksum, size or count does not hold.

    Example:
        >>> frame = Frame.of(["loss"], [0, 1], [10, 20], [[0.5, 0.25]])
        >>> decode(encode([frame], writer=1, seq=0)).frames[0].columns[0].tolist()
        [0.5, 0.25]
    """
    if header is None:
        header = peek(data, offset=offset)
    raw = raw_body(data, header, offset=offset)
    return Segment(header, tuple(frame_at(raw, place) for place in checked_places(raw, header)))


def split(data: bytes | memoryview) -> Iterator[tuple[int, Header]]:
    """Yield offset and header of each of the segments that stand back to back in `data`, each checked by `peek`.

    Raises:
        SegmentError: on reaching one that is damaged.
    """
    offset = 0
    while offset < len(data):
        header = peek(data, offset=offset)
        yield offset, header
        offset += header.size


def decode_all(data: bytes | memoryview) -> Iterator[Segment]:
    """Yield every one of the segments that stand back to back in `data`."""
    for offset, header in split(data):
        yield decode(data, offset=offset, header=header)
