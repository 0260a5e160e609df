"""The golden segments, which every reader must read alike, or refuse for the same reason."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from anonrun.core import wire
from anonrun.core.damage import Reason, SegmentError

VECTORS = Path(__file__).parents[1] / "vectors"
INDEX: dict[str, dict[str, Any]] = json.loads((VECTORS / "segments.json").read_text(encoding="utf-8"))
WHOLE = [name for name, said in INDEX.items() if "frames" in said]
SEVERAL = [name for name, said in INDEX.items() if "segments" in said]
REFUSED = [name for name, said in INDEX.items() if "refused" in said]


def read(name: str) -> bytes:
    return (VECTORS / f"{name}.bin").read_bytes()


def bits_said(value: float | str) -> bytes:
    return bytes.fromhex(value) if isinstance(value, str) else struct.pack(">d", value)


def check_frames(frames: tuple[wire.Frame, ...], said: list[dict[str, Any]]) -> None:
    assert len(frames) == len(said)
    for frame, expected in zip(frames, said, strict=True):
        assert list(frame.names) == expected["names"]
        assert list(frame.steps) == [int(step) for step in expected["steps"]]
        assert list(frame.times_us) == [int(time) for time in expected["times_us"]]
        for column, values in zip(frame.columns, expected["columns"], strict=True):
            assert [struct.pack(">d", value) for value in column] == [bits_said(value) for value in values]


def test_every_golden_file_is_in_the_index_and_the_other_way_round() -> None:
    assert {path.stem for path in VECTORS.glob("*.bin")} == set(INDEX)


@pytest.mark.parametrize("name", WHOLE)
def test_golden_segment_reads_as_described(name: str) -> None:
    said = INDEX[name]
    (segment,) = wire.decode_all(read(name))
    assert (str(segment.header.writer), segment.header.seq) == (said["writer"], int(said["seq"]))
    check_frames(segment.frames, said["frames"])


@pytest.mark.parametrize("name", SEVERAL)
def test_golden_segments_that_stand_back_to_back_are_all_read(name: str) -> None:
    segments = list(wire.decode_all(read(name)))
    assert len(segments) == len(INDEX[name]["segments"])
    for segment, said in zip(segments, INDEX[name]["segments"], strict=True):
        check_frames(segment.frames, INDEX[said]["frames"])


@pytest.mark.parametrize("name", REFUSED)
def test_golden_segment_is_refused_for_the_reason_that_the_index_gives(name: str) -> None:
    with pytest.raises(SegmentError) as caught:
        list(wire.decode_all(read(name)))
    assert caught.value.reason.value == INDEX[name]["refused"]


def test_there_is_a_golden_segment_for_each_reason() -> None:
    assert {INDEX[name]["refused"] for name in REFUSED} == {reason.value for reason in Reason}
