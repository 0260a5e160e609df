"""Summaries: one value per metric."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.summary import MetricSummary

_POINTS = st.lists(st.tuples(st.integers(-(2**60), 2**60), st.floats()), min_size=1)


def _same(a: MetricSummary, b: MetricSummary) -> bool:
    return repr(a) == repr(b)


@given(_POINTS, _POINTS)
def test_summing_up_in_two_parts_is_summing_up_the_whole(
    a: list[tuple[int, float]], b: list[tuple[int, float]]
) -> None:
    def of(points: list[tuple[int, float]]) -> MetricSummary:
        return MetricSummary.of([s for s, _ in points], [v for _, v in points])

    parts, whole = of(a).then(of(b)), of(a + b)
    assert (parts.n, parts.last_step, parts.min, parts.max) == (whole.n, whole.last_step, whole.min, whole.max)
    assert _same(MetricSummary.of([0], [parts.last]), MetricSummary.of([0], [whole.last]))


def test_nan_is_a_last_value_but_never_an_extreme() -> None:
    summary = MetricSummary.of([0, 1, 2], [1.0, 2.0, math.nan])
    assert (summary.min, summary.max, summary.n, summary.last_step) == (1.0, 2.0, 3, 2)
    assert math.isnan(summary.last)


def test_nothing_but_nan_has_no_extremes() -> None:
    summary = MetricSummary.of([0], [math.nan])
    assert summary.min is None
    assert summary.max is None
    assert summary.then(MetricSummary.of([1], [3.0])).min == 3.0


def test_infinity_is_an_extreme() -> None:
    summary = MetricSummary.of([0, 1], [math.inf, -math.inf])
    assert (summary.min, summary.max) == (-math.inf, math.inf)
