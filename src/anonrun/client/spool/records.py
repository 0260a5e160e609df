"""The record: what one call leaves in a part file, byte by byte.

A part is a sequence of records and nothing else. It is complete in itself: it begins with a `HEADER`, and
names every set of metrics (`KEYS`) before the first row that uses it. Its rows are numbered from 0, and are
one writer's stream in the sense of `anonrun.core.wire`. All numbers are little-endian.

```
record  0  4  u32 CRC-32 of bytes 4 … size − 1
        4  4  u32 size of the record, these 12 bytes included
        8  2  u16 kind: 1 HEADER, 2 KEYS, 3 ROW, 4 CHANGE
       10  2  u16 keys: number of the set of metrics, for KEYS and ROW; else 0
HEADER 12  …  UTF-8 JSON {"version": 1, "writer": decimal text of a u64, "pid": …,
              "process": text that only the parts of one process share, "machine": where that pid means something}
KEYS   12  …  UTF-8 JSON list of the metrics' names
ROW    12  8  i64 step
       20  8  i64 time, microseconds since the Unix epoch
       28  …  f64 values, in the order of the set's names
CHANGE 12  …  UTF-8 JSON object: fields of `RunUpdate` that change
```

Pure: bytes in, values out. A record that was cut off by the end of a process is recognised by its size, a
damaged one by its CRC; both leave everything else readable.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

__all__ = [
    "CHANGE",
    "HEADER",
    "HEAD_SIZE",
    "KEYS",
    "MAX_KEYS",
    "MAX_RECORD_SIZE",
    "ROW",
    "head_at",
    "is_sound",
    "names_record",
    "next_sound",
    "pack_json",
    "row_struct",
    "sealed",
]

HEADER, KEYS, ROW, CHANGE = 1, 2, 3, 4
HEAD_SIZE = 12
MAX_RECORD_SIZE = 16 * 2**20
MAX_KEYS = 0xFFFF

_CRC = struct.Struct("<I")
_HEAD = struct.Struct("<IHH")


def row_struct(metrics: int) -> struct.Struct:
    """Return the layout of a row's record after its CRC: size, kind, keys, step, time, values."""
    return struct.Struct(f"<IHHqq{metrics}d")


def sealed(body: bytes) -> bytes:
    """Return the record whose bytes from offset 4 on are `body`."""
    return _CRC.pack(zlib.crc32(body)) + body


def pack_json(kind: int, content: Any, keys: int = 0) -> bytes:  # noqa: ANN401  JSON has no narrower type
    """Return a record whose content is JSON."""
    raw = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    return sealed(_HEAD.pack(HEAD_SIZE + len(raw), kind, keys) + raw)


def names_record(keys: int, names: Sequence[str]) -> bytes:
    """Return the record that names a set of metrics."""
    return pack_json(KEYS, list(names), keys)


def head_at(data: bytes, at: int) -> tuple[int, int, int]:
    """Return size, kind and keys of the record at `at`; at least `HEAD_SIZE` bytes must be there."""
    size, kind, keys = _HEAD.unpack_from(data, at + 4)
    return size, kind, keys


def _plausible(size: int, kind: int) -> bool:
    return HEAD_SIZE <= size <= MAX_RECORD_SIZE and HEADER <= kind <= CHANGE


def is_sound(data: bytes, at: int) -> bool | None:
    """Return whether the record at `at` is whole and undamaged; None where `data` ends before it does."""
    if at + HEAD_SIZE > len(data):
        return None
    size, kind, _ = head_at(data, at)
    if not _plausible(size, kind):
        return False
    if at + size > len(data):
        return None
    (crc,) = _CRC.unpack_from(data, at)
    return bool(zlib.crc32(memoryview(data)[at + 4 : at + size]) == crc)


def next_sound(data: bytes, at: int) -> int | None:
    """Return the offset of the first sound record after `at`, or None where there is none."""
    for candidate in range(at + 1, len(data) - HEAD_SIZE + 1):
        if is_sound(data, candidate):
            return candidate
    return None
