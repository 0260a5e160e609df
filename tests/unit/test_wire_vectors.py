from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from anonrun.core import wire
from anonrun.errors import DamagedDataError

VECTORS = Path(__file__).parents[1] / "vectors"
INDEX: dict[str, dict[str, Any]] = json.loads((VECTORS / "segments.json").read_text(encoding="utf-8"))
WHOLE = [name for name, said in INDEX.items() if "frames" in said]
DAMAGED = [name for name, said in INDEX.items() if said.get("damaged")]


def same(value: float, said: float | str) -> bool:
    expected = float(said)
    if math.isnan(expected):
        return math.isnan(value)
    return value == expected and math.copysign(1, value) == math.copysign(1, expected)


@pytest.mark.parametrize("name", WHOLE)
def test_golden_segment_reads_as_described(name: str) -> None:
    said = INDEX[name]
    (segment,) = wire.decode_all((VECTORS / f"{name}.bin").read_bytes())
    assert (str(segment.header.writer), segment.header.seq) == (said["writer"], said["seq"])
    assert len(segment.frames) == len(said["frames"])
    for frame, expected in zip(segment.frames, said["frames"], strict=True):
        assert list(frame.names) == expected["names"]
        assert list(frame.steps) == expected["steps"]
        assert list(frame.times_us) == expected["times_us"]
        for column, values in zip(frame.columns, expected["columns"], strict=True):
            assert all(same(value, text) for value, text in zip(column, values, strict=True))


def test_golden_segments_that_stand_back_to_back_are_all_read() -> None:
    segments = list(wire.decode_all((VECTORS / "back_to_back.bin").read_bytes()))
    assert [len(segment.frames) for segment in segments] == [1, 2]


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_golden_segment_is_refused(name: str) -> None:
    with pytest.raises(DamagedDataError):
        list(wire.decode_all((VECTORS / f"{name}.bin").read_bytes()))
