"""The digest of a segment says what its frames would say."""

from __future__ import annotations

import math
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.damage import Reason, SegmentError
from anonrun.core.digest import digest
from anonrun.core.summary import MetricSummary, extremes_of
from anonrun.core.wire import Frame, checked_places, decode, encode, peek, raw_body

_VALUES = st.floats() | st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324])
_FRAME = st.tuples(st.sets(st.sampled_from("abcd"), min_size=1), st.integers(1, 4)).flatmap(
    lambda shape: st.builds(
        Frame.of,
        st.permutations(sorted(shape[0])),
        st.lists(st.integers(-5, 5), min_size=shape[1], max_size=shape[1]),
        st.just([0] * shape[1]),
        st.tuples(*[st.lists(_VALUES, min_size=shape[1], max_size=shape[1]) for _ in shape[0]]),
    )
)


def digest_of(segment: bytes) -> dict[str, MetricSummary]:
    header = peek(segment)
    raw = raw_body(segment, header)
    return digest(raw, checked_places(raw, header))


def bits(summary: MetricSummary) -> tuple[object, ...]:
    return tuple(struct.pack("<d", part) if isinstance(part, float) else part for part in summary)


@given(st.lists(_FRAME, max_size=6))
def test_it_is_the_summary_of_all_values_of_each_metric(frames: list[Frame]) -> None:
    steps: dict[str, list[int]] = {}
    values: dict[str, list[float]] = {}
    for frame in frames:
        for name, column in zip(frame.names, frame.columns, strict=True):
            steps.setdefault(name, []).extend(frame.steps)
            values.setdefault(name, []).extend(column)
    expected = {name: MetricSummary.of(steps[name], values[name]) for name in values}
    found = digest_of(encode(frames, writer=1, seq=0))
    assert list(found) == list(expected)
    for name, summary in found.items():
        whole = expected[name]
        assert (summary.n, summary.last_step, summary.min, summary.max) == whole[:2] + whole[3:]
        assert struct.pack("<d", summary.last) == struct.pack("<d", whole.last)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([math.nan], (None, None), id="NaN only"),
        pytest.param([math.nan, 2.0, 1.0, math.nan], (1.0, 2.0), id="NaN among others"),
        pytest.param([math.inf, -math.inf], (-math.inf, math.inf), id="infinities that add to NaN"),
        pytest.param([1e308, 1e308, -1.0], (-1.0, 1e308), id="a sum that overflows"),
        pytest.param(array("d", [3.0, 1.0]), (1.0, 3.0), id="an array"),
    ],
)
def test_extremes_leave_nan_out_and_nothing_else(values: list[float], expected: tuple[float, float]) -> None:
    assert extremes_of(values) == expected


@pytest.mark.parametrize("name", [" ", "a\nb", "x" * 257, "\u200b"])
def test_a_name_that_may_not_be_logged_is_refused(name: str) -> None:
    segment = encode([Frame.of(["good", name], [1], [1], [[1.0], [2.0]])], writer=1, seq=0)
    assert decode(segment).frames[0].names == ("good", name)
    with pytest.raises(SegmentError) as caught:
        digest_of(segment)
    assert caught.value.reason is Reason.NAME


def test_a_faster_way_to_extremes_is_asked_once_for_each_column_of_several_rows() -> None:
    frames = [Frame.of(["a", "b"], [1, 2], [1, 2], [[1.0, 5.0], [2.0, 3.0]]), Frame.of(["a"], [3], [3], [[9.0]])]
    segment = encode(frames, writer=1, seq=0)
    header = peek(segment)
    raw = raw_body(segment, header)
    asked: list[list[float]] = []

    def extremes(column: array[float]) -> tuple[float | None, float | None]:
        asked.append(column.tolist())
        return extremes_of(column)

    found = digest(raw, checked_places(raw, header), extremes=extremes)
    assert asked == [[1.0, 5.0], [2.0, 3.0]]
    assert bits(found["a"]) == bits(MetricSummary(3, 3, 9.0, 1.0, 9.0))
