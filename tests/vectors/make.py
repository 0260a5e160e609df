"""Write the golden segments that Python and the browser must read alike: `python tests/vectors/make.py`.

`segments.json` says what each `.bin` file holds, or for what reason it is refused. The files are made once and
committed: one that exists is left as it is, since a change of it is a change of the format.

In the index a number that JSON cannot carry exactly is text: an integer beyond 2^53 in decimal, and NaN, ±Inf and −0
as the 16 hexadecimal digits of their bits.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from pathlib import Path

from anonrun.core.limits import DEFAULT_LIMITS, MAX_METRIC_NAME_BYTES, MAX_SEGMENT_COLUMNS, MAX_SEGMENT_FRAMES
from anonrun.core.wire import MAX_ZLIB_RATIO, Frame, encode

HERE = Path(__file__).parent
T0 = 1_795_000_000_000_000
ROWS = range(200)
LONGEST = "🙂" * 256


def bits(pattern: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", pattern))[0]
    return value


def number(value: float) -> float | str:
    if math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0):
        return value
    return struct.pack(">d", value).hex()


def integer(value: int) -> int | str:
    return value if abs(value) <= 2**53 else str(value)


def described(frames: list[Frame]) -> list[dict[str, object]]:
    return [
        {
            "names": list(frame.names),
            "steps": [integer(step) for step in frame.steps],
            "times_us": [integer(time) for time in frame.times_us],
            "columns": [[number(value) for value in column] for column in frame.columns],
        }
        for frame in frames
    ]


def one(value: float = 0.5, *, name: str = "loss", step: int = 0, time_us: int = T0) -> Frame:
    return Frame.of([name], [step], [time_us], [[value]])


NAN_BITS = [
    0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000001, 0x7FFFFFFFFFFFFFFF, 0x7FF0000000000001,
    0xFFF4000000000000, 0xFFFFFFFFFFFFFFFF,
]  # fmt: skip
SMALL_BITS = [
    0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x8000000000000001, 0x000FFFFFFFFFFFFF,
    0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000,
]  # fmt: skip
I64 = [-(2**63), -(2**63) + 1, -(2**53) - 1, -(2**53), -1, 0, 2**53, 2**53 + 1, 2**53 + 3, 2**63 - 1]

FRAMES: dict[str, list[Frame]] = {
    "one_point": [one()],
    "empty": [],
    "two_frames": [
        Frame.of(["train/loss", "lr"], [0, 1, 2], [T0, T0 + 1, T0 + 999_999], [[1.0, 0.5, 0.25], [1e-3, 1e-3, 5e-4]]),
        Frame.of(["val/loss"], [2], [T0 + 1_000_001], [[0.75]]),
    ],
    "extremes": [
        Frame.of(
            ["x"],
            [-(2**53), -1, 0, 2**53, 5, 5],
            [0, -1, 1, T0, T0, T0],
            [[math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308]],
        )
    ],
    "odd_names": [
        Frame.of(["ä", "<b>&amp;", "名前", "🙂", "a" * 256], [1], [T0], [[1.0], [2.0], [3.0], [4.0], [5.0]]),
    ],
    "compressed": [
        Frame.of(
            ["loss", "acc"], ROWS, [T0 + 1000 * i for i in ROWS], [[1 / (1 + i) for i in ROWS], [i / 256 for i in ROWS]]
        )
    ],
    "nan_payloads": [
        Frame.of(["x"], range(len(NAN_BITS)), [T0] * len(NAN_BITS), [[bits(pattern) for pattern in NAN_BITS]])
    ],
    "small_and_large": [
        Frame.of(["x"], range(len(SMALL_BITS)), [T0] * len(SMALL_BITS), [[bits(pattern) for pattern in SMALL_BITS]])
    ],
    "i64_extremes": [Frame.of(["x"], I64, I64, [[float(i) for i in range(len(I64))]])],
    "many_frames": [one(i / 8, name=("a", "b", "c")[i % 3], step=i // 3, time_us=T0 + i) for i in range(60)],
    "many_metrics": [
        Frame.of([f"m/{i}" for i in range(200)], [0], [T0], [[float(i)] for i in range(200)]),
    ],
    "longest_name": [one(name=LONGEST)],
    "names_that_look_alike": [
        Frame.of(["é", "e\u0301", "\ufeffé", " é", "É"], [0], [T0], [[float(i)] for i in range(5)])
    ],
    "steps_out_of_order": [
        Frame.of(["x"], [5, 3, 3, 9, -2], [T0, T0 - 5, T0, T0, T0 + 1], [[1.0, 2.0, 3.0, 4.0, 5.0]])
    ],
}
PLACED = {"last_seq": (1, 2**63 - 2, [one()]), "writer_0": (0, 0, [one()])}
COMPRESSED = {"compressed", "many_frames", "many_metrics"}


def sealed(body: bytes, *, rows: int = 0, points: int = 0, raw_size: int | None = None, **other: int) -> bytes:
    """Return a body under a header with a right checksum, whatever else it says."""
    raw_size = len(body) if raw_size is None else raw_size
    version, codec, flags, seq = (other.get(k, d) for k, d in (("version", 1), ("codec", 0), ("flags", 0), ("seq", 0)))
    head = struct.pack("<4sBBHQQIIII", b"ANRS", version, codec, flags, 1, seq, rows, points, raw_size, len(body))
    return head + struct.pack("<I", zlib.crc32(body, zlib.crc32(head))) + body


def zipped(raw: bytes, packed: bytes | None = None, *, raw_size: int | None = None) -> bytes:
    """Return a compressed segment of one row and one point."""
    body = zlib.compress(raw, 9) if packed is None else packed
    return sealed(body, rows=1, points=1, codec=1, raw_size=len(raw) if raw_size is None else raw_size)


def frame(*names: bytes, count: int | None = None, zero: int = 0, rows: int = 1, cells: int | None = None) -> bytes:
    """Return the bytes of a frame, whatever its names and numbers are."""
    head = struct.pack("<HHI", len(names) if count is None else count, zero, rows)
    head += b"".join(struct.pack("<H", len(name)) + name for name in names)
    return head + bytes(-len(head) % 8) + bytes(8 * (rows * (2 + len(names)) if cells is None else cells))


def _changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _many(body: bytes, times: int, *, points: int) -> bytes:
    raw = body * times
    return sealed(zlib.compress(raw, 9), rows=times, points=times * points, codec=1, raw_size=len(raw))


def _unpack() -> dict[str, bytes]:
    raw = frame(b"x")
    with_dictionary = zlib.compressobj(zdict=b"loss")
    stream = zlib.compress(raw)
    return {
        "no_zlib": zipped(raw, b"not zlib"),
        "no_body": sealed(b"", codec=1),
        "wrong_adler": zipped(raw, stream[:-1] + bytes([stream[-1] ^ 1])),
        "ends_early": zipped(raw, stream[:-6]),
        "lacks_adler": zipped(raw, stream[:-4]),
        "more_than_announced": zipped(raw + bytes(9000), raw_size=len(raw)),
        "less_than_announced": zipped(raw, raw_size=len(raw) + 8),
        "bytes_behind_zlib": zipped(raw, stream + b"\x00"),
        "raw_deflate": zipped(raw, stream[2:-4]),
        "dictionary": zipped(raw, with_dictionary.compress(raw) + with_dictionary.flush()),
    }


def _frame() -> dict[str, bytes]:
    cut_name = struct.pack("<HHIH", 1, 0, 1, 9) + b"abc"
    bodies = {
        "no_metric": frame(count=0),
        "no_row": frame(b"x", rows=0),
        "frame_flags": frame(b"x", zero=1),
        "cut_frame_header": frame(b"x") + bytes(7),
        "cut_name": cut_name,
        "cut_name_length": struct.pack("<HHIB", 1, 0, 1, 1),
        "names_beyond_the_end": struct.pack("<HHI", 65_535, 0, 1),
        "cut_columns": frame(b"x")[:-1],
        "rows_beyond_the_end": _changed(frame(b"x"), 4, b"\xff\xff\xff\xff"),
        "padding": _changed(frame(b"x"), 12, b"\x01"),
        "padding_cut": frame(b"x")[:11],
        "second_frame_cut": frame(b"x") + frame(b"x")[:-8],
    }
    return {name: sealed(body) for name, body in bodies.items()}


def _names() -> dict[str, bytes]:
    names = {
        "empty_name": (b"",),
        "empty_name_behind_others": (b"a", b"b", b""),
        "name_too_long": (b"a" * (MAX_METRIC_NAME_BYTES + 1),),
        "no_utf8": (b"\xff\xff",),
        "utf8_overlong": (b"\xc0\x80",),
        "utf8_surrogate": (b"\xed\xa0\x80",),
        "utf8_beyond_unicode": (b"\xf4\x90\x80\x80",),
        "utf8_cut": (b"a", b"\xf0\x9f\x99"),
        "name_twice": (b"a", b"b", b"a"),
    }
    return {name: sealed(frame(*raw), rows=1, points=len(raw)) for name, raw in names.items()}


def refused() -> dict[str, dict[str, bytes]]:
    """Return, for each reason, bytes that no reader may take."""
    good = encode(FRAMES["two_frames"], writer=1, seq=0)
    packed = encode(FRAMES["compressed"], writer=1, seq=0)
    flipped = bytearray(good)
    flipped[60] ^= 1
    x = frame(b"x")
    nine = frame(*(bytes([c]) for c in b"abcdefghi"))
    most = DEFAULT_LIMITS.segment_raw_bytes
    return {
        "cut_off": {
            "cut_header": good[:43],
            "cut_body": good[:-1],
            "cut_compressed": packed[:-20],
            "trailing": good + b"\x00",
            "second_cut": good + good[:-1],
        },
        "not_a_segment": {"bad_magic": b"ANRX" + good[4:], "zeros": bytes(64)},
        "version": {
            "bad_version": good[:4] + b"\x02" + good[5:],
            "future_version": sealed(x, rows=1, points=1, version=2, codec=7),
            "version_0": sealed(x, rows=1, points=1, version=0),
            "flags": sealed(x, rows=1, points=1, flags=0x8000),
        },
        "codec": {"future_codec": sealed(x, rows=1, points=1, codec=2), "codec_255": sealed(x, codec=255)},
        "too_large": {
            "announces_too_much": sealed(bytes(8), raw_size=most + 1),
            "announces_4_gib": sealed(bytes(8), codec=1, raw_size=2**32 - 1),
            "too_many_frames": _many(x, MAX_SEGMENT_FRAMES + 1, points=1),
            "too_many_columns": _many(nine, MAX_SEGMENT_COLUMNS // 9 + 1, points=9),
        },
        "sizes": {
            "sizes_differ": sealed(x, rows=1, points=1, raw_size=len(x) + 8),
            "no_zlib_unpacks_to_that": sealed(bytes(8), codec=1, raw_size=8 * MAX_ZLIB_RATIO + 1),
            "largest_out_of_nothing": sealed(b"", codec=1, raw_size=most),
        },
        "checksum": {
            "bad_body": bytes(flipped),
            "bad_crc": good[:40] + struct.pack("<I", 0) + good[44:],
            "bad_writer": _changed(good, 8, b"\x02"),
            "bad_compressed": _changed(packed, 60, bytes([packed[60] ^ 0x80])),
        },
        "seq": {
            "seq_too_large": sealed(x, rows=1, points=1, seq=2**63 - 1),
            "largest_seq": sealed(b"", seq=2**64 - 1),
        },
        "counts": {
            "more_rows_than_bytes": sealed(x, rows=2**32 - 1, points=2**32 - 1),
            "fewer_points_than_rows": sealed(x, rows=1, points=0),
            "fewer_rows": sealed(x + x, rows=1, points=2),
            "more_rows": sealed(frame(b"x", b"y"), rows=2, points=2),
            "fewer_points": sealed(frame(b"x", b"y"), rows=1, points=1),
            "nothing_but_counted": sealed(x, rows=0, points=0),
        },
        "unpack": _unpack(),
        "frame": _frame(),
        "name": _names(),
    }


def _keep(name: str, data: bytes) -> None:
    path = HERE / f"{name}.bin"
    if not path.exists():
        path.write_bytes(data)


def main() -> None:
    index: dict[str, object] = {}
    placed = {name: (2**64 - 1, 7, frames) for name, frames in FRAMES.items()} | PLACED
    for name, (writer, seq, frames) in placed.items():
        _keep(name, encode(frames, writer=writer, seq=seq, compress=name in COMPRESSED))
        index[name] = {"writer": str(writer), "seq": integer(seq), "frames": described(frames)}
    raw = frame(b"loss")
    _keep("zlib_larger_than_raw", zipped(raw, zlib.compress(raw, 0)))
    zero = [one(0.0, time_us=0)]
    index["zlib_larger_than_raw"] = {"writer": "1", "seq": 0, "frames": described(zero)}
    both = [encode(FRAMES[name], writer=3, seq=0) for name in ("one_point", "two_frames")]
    _keep("back_to_back", b"".join(both))
    index["back_to_back"] = {"segments": ["one_point", "two_frames"]}
    mixed = ["compressed", "empty", "i64_extremes", "compressed"]
    _keep("mixed_back_to_back", b"".join(encode(FRAMES[name], writer=3, seq=0) for name in mixed))
    index["mixed_back_to_back"] = {"segments": mixed}
    for reason, examples in refused().items():
        for name, data in examples.items():
            _keep(name, data)
            index[name] = {"refused": reason}
    (HERE / "segments.json").write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
