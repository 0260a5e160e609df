"""Write the golden segments that Python and the browser must read alike: `python tests/vectors/make.py`.

`segments.json` says what each `.bin` file holds, or that it is damaged. The files are made once and
committed; a change of them is a change of the format.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

from anonrun.core.wire import Frame, encode

HERE = Path(__file__).parent


def number(value: float) -> float | str:
    """Return what JSON can carry: text for what is not finite, and for −0."""
    if math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0):
        return value
    return repr(float(value))


def described(frames: list[Frame]) -> list[dict[str, object]]:
    return [
        {
            "names": list(frame.names),
            "steps": list(frame.steps),
            "times_us": list(frame.times_us),
            "columns": [[number(value) for value in column] for column in frame.columns],
        }
        for frame in frames
    ]


T0 = 1_795_000_000_000_000
ROWS = range(200)
FRAMES: dict[str, list[Frame]] = {
    "one_point": [Frame.of(["loss"], [0], [T0], [[0.5]])],
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
}


def damaged() -> dict[str, bytes]:
    """Return bytes that no reader may take, each for another reason."""
    good = encode(FRAMES["two_frames"], writer=1, seq=0)
    zipped = encode(FRAMES["compressed"], writer=1, seq=0)
    flipped = bytearray(good)
    flipped[60] ^= 1
    return {
        "bad_magic": b"ANRX" + good[4:],
        "bad_version": good[:4] + b"\x02" + good[5:],
        "bad_body": bytes(flipped),
        "bad_crc": good[:40] + struct.pack("<I", 0) + good[44:],
        "cut_header": good[:43],
        "cut_body": good[:-1],
        "cut_compressed": zipped[:-20],
        "trailing": good + b"\x00",
    }


def main() -> None:
    index: dict[str, object] = {}
    for name, frames in FRAMES.items():
        compress = name == "compressed"
        (HERE / f"{name}.bin").write_bytes(encode(frames, writer=2**64 - 1, seq=7, compress=compress))
        index[name] = {"writer": str(2**64 - 1), "seq": 7, "frames": described(frames)}
    both = [encode(FRAMES[name], writer=3, seq=0) for name in ("one_point", "two_frames")]
    (HERE / "back_to_back.bin").write_bytes(b"".join(both))
    index["back_to_back"] = {"segments": ["one_point", "two_frames"]}
    for name, data in damaged().items():
        (HERE / f"{name}.bin").write_bytes(data)
        index[name] = {"damaged": True}
    (HERE / "segments.json").write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
