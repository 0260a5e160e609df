"""One column of a chunk as bytes: compressed, with its codec and its own checksum.

```
0  1  codec: 0 as it is, 1 zlib (RFC 1950) of differences in byte planes, 2 pcodec standalone format
1  1  kind: 1 signed 64-bit integers, 2 64-bit floats
2  2  zero
4  4  u32 n: values
8  4  u32 CRC-32 of bytes 0…7 and the payload as it follows
12 …  payload
```

All numbers are little-endian. Values come back bit by bit: NaN payloads, −0 and denormals included. The
checksum is ours because a damaged pcodec payload may decode to wrong values without an error. pcodec is used
where it is installed (https://github.com/pcodec/pcodec); a database may hold columns of both codecs.
NumPy and pcodec are imported when the first column is packed or read: an idle server does without.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from anonrun.errors import DamagedDataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["CODEC_PCODEC", "CODEC_RAW", "CODEC_ZLIB", "HEAD_SIZE", "best_codec", "check_all", "pack", "unpack"]

CODEC_RAW = 0
CODEC_ZLIB = 1
CODEC_PCODEC = 2
HEAD_SIZE = 12

_HEAD = struct.Struct("<BBHI")
_CRC = struct.Struct("<I")
_INTEGERS, _FLOATS = 1, 2
_TYPES = {_INTEGERS: "<i8", _FLOATS: "<f8"}
_ZLIB_LEVEL = 6
_WORTH_PACKING = 8


@cache
def _pcodec() -> ModuleType | None:
    try:
        import pcodec.standalone  # noqa: PLC0415  an idle server does without
    except ImportError:  # no wheel for this machine
        return None
    module: ModuleType = pcodec
    return module


@cache
def _settings(kind: int) -> Any:  # noqa: ANN401  pcodec has no type stubs
    pcodec: Any = _pcodec()
    if kind == _INTEGERS:  # steps and times: told what to look for, it takes a fraction of the time
        return pcodec.ChunkConfig(
            compression_level=4,
            delta_spec=pcodec.DeltaSpec.try_consecutive(1),
            mode_spec=pcodec.ModeSpec.classic(),
        )
    return pcodec.ChunkConfig(compression_level=4)


def best_codec() -> int:
    """Return the codec that new columns get on this machine."""
    return CODEC_ZLIB if _pcodec() is None else CODEC_PCODEC


def pack(values: npt.NDArray[np.int64] | npt.NDArray[np.float64], *, codec: int | None = None) -> bytes:
    """Return a column as bytes.

    Args:
        values: one dimension, 64-bit integers or floats.
        codec: `CODEC_RAW`, `CODEC_ZLIB` or `CODEC_PCODEC`; None for the best there is. A few values stay as they are.
    """
    import numpy as np  # noqa: PLC0415  an idle server does without

    kind = _INTEGERS if values.dtype.kind == "i" else _FLOATS
    values = np.ascontiguousarray(values, dtype=_TYPES[kind])
    if codec is None:
        codec = best_codec()
    if len(values) < _WORTH_PACKING:
        codec = CODEC_RAW
    if codec == CODEC_PCODEC:
        pcodec: Any = _pcodec()
        payload = bytes(pcodec.standalone.simple_compress(values, _settings(kind)))
    elif codec == CODEC_ZLIB:
        bits = values.view("<i8")
        bits = np.diff(bits, prepend=np.int64(0)) if kind == _INTEGERS else bits
        payload = zlib.compress(np.ascontiguousarray(bits.view("u1").reshape(-1, 8).T).tobytes(), _ZLIB_LEVEL)
    else:
        payload = values.tobytes()
    head = _HEAD.pack(codec, kind, 0, len(values))
    return head + _CRC.pack(zlib.crc32(payload, zlib.crc32(head))) + payload


def check_all(columns: Iterable[bytes]) -> bool:
    """Return True where the checksum of each column holds.

    Raises:
        DamagedDataError: one does not.
    """
    for data in columns:
        view = memoryview(data)
        if len(data) < HEAD_SIZE or _CRC.unpack_from(data, 8)[0] != zlib.crc32(view[HEAD_SIZE:], zlib.crc32(view[:8])):
            raise DamagedDataError("A stored column's checksum does not match its bytes.")
    return True


def unpack(data: bytes) -> npt.NDArray[Any]:
    """Return a column's values, as 64-bit integers or floats; not to be written to.

    Raises:
        DamagedDataError: the checksum does not hold, or it needs a codec that is not here.
    """
    import numpy as np  # noqa: PLC0415  an idle server does without

    check_all((data,))
    codec, kind, _, n = _HEAD.unpack_from(data)
    payload = memoryview(data)[HEAD_SIZE:]
    if kind not in _TYPES:
        raise DamagedDataError(f"A stored column has kind {kind}, which this anonrun does not know; update it.")
    if codec == CODEC_PCODEC:
        pcodec: Any = _pcodec()
        if pcodec is None:
            raise DamagedDataError("A stored column needs pcodec, which is not installed here: pip install pcodec")
        values: npt.NDArray[Any] = pcodec.standalone.simple_decompress(bytes(payload))
    elif codec == CODEC_ZLIB:
        planes = np.frombuffer(zlib.decompress(payload), "u1").reshape(8, -1)
        values = np.ascontiguousarray(planes.T).reshape(-1).view("<i8")
        values = np.cumsum(values, dtype=np.int64) if kind == _INTEGERS else values.view("<f8")
    elif codec == CODEC_RAW:
        values = np.frombuffer(payload, _TYPES[kind])
    else:
        raise DamagedDataError(f"A stored column has codec {codec}, which this anonrun does not know; update it.")
    if len(values) != n:
        raise DamagedDataError("A stored column has another number of values than it says.")
    return values.astype(values.dtype.newbyteorder("="), copy=False)
