from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.store.sampling import Blocks, Points, Sample, sample

_values = st.floats(allow_nan=True, allow_infinity=True)
_points = st.lists(st.tuples(st.integers(-50, 50), _values), min_size=1, max_size=80)


def points(rows: Sequence[tuple[int, float]]) -> list[Blocks]:
    return [_blocks(rows)]


def _blocks(rows: Sequence[tuple[int, float]]) -> Blocks:
    steps = np.array([step for step, _ in rows], np.int64)
    times = np.arange(len(rows), dtype=np.int64) * 1_000_000
    return Blocks.single(Points(steps, times, np.array([value for _, value in rows], np.float64)), steps)


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def extremes(values: Sequence[float]) -> tuple[float, float]:
    real = [v for v in values if not math.isnan(v)]
    return (min(real), max(real)) if real else (math.nan, math.nan)


@given(rows=_points, buckets=st.integers(1, 40))
def test_every_point_is_in_one_bucket_and_extremes_survive(rows: list[tuple[int, float]], buckets: int) -> None:
    result = sample(points(rows), buckets=buckets)
    ordered = sorted(range(len(rows)), key=lambda i: rows[i][0])
    assert result.total == sum(result.count) == len(rows)
    assert len(result.step) <= buckets
    assert result.step == sorted(result.step)
    at = 0
    for i, count in enumerate(result.count):
        inside = [rows[j] for j in ordered[at : at + count]]
        values = [value for _, value in inside]
        low, high = extremes(values)
        assert result.step[i] == inside[0][0]
        assert result.time_s[i] == ordered[at]
        assert same(result.first[i], values[0])
        assert same(result.last[i], values[-1])
        assert same(result.low[i], low)
        assert same(result.high[i], high)
        at += count


@given(
    sizes=st.lists(st.integers(0, 9_000), min_size=1, max_size=6), buckets=st.integers(1, 2_000), rises=st.booleans()
)
def test_parts_give_what_they_give_as_one(sizes: list[int], buckets: int, rises: bool) -> None:
    rng = np.random.default_rng(sum(sizes))
    n = sum(sizes)
    steps = rng.integers(0, 5 * n + 1, n)
    steps = np.sort(steps) if rises else steps
    values = rng.choice([0.0, 1.0, math.nan, math.inf], n) + rng.random(n)
    whole = Blocks.single(Points(steps, np.arange(n), values), steps)
    edges = np.cumsum([0, *sizes])
    parts = [whole[begin:end] for begin, end in itertools.pairwise(edges)]
    one, several = (dataclasses.asdict(sample(found, buckets=buckets)) for found in ([whole], parts))
    for name in one:
        np.testing.assert_array_equal(one[name], several[name], err_msg=name)


def test_as_many_buckets_as_points_give_the_points_themselves() -> None:
    result = sample(points([(3, 1.0), (1, 2.0), (3, 5.0)]), buckets=3)
    assert (result.step, result.first, result.count) == ([1, 3, 3], [2.0, 1.0, 5.0], [1, 1, 1])


def test_a_range_includes_both_its_ends() -> None:
    rows = [(step, float(step)) for step in range(10)]
    assert sample(points(rows), buckets=99, start=3, end=5).step == [3, 4, 5]
    assert sample(points(rows), buckets=99, start=8).step == [8, 9]
    assert sample(points(rows), buckets=99, end=0).step == [0]


@pytest.mark.parametrize(("start", "end"), [(100, None), (None, -1), (5, 4)])
def test_a_range_without_points_is_empty(start: int | None, end: int | None) -> None:
    rows = [(step, float(step)) for step in range(10)]
    assert sample(points(rows), buckets=9, start=start, end=end) == Sample(0, [], [], [], [], [], [], [], [])


def test_buckets_follow_steps_and_not_numbers_of_points() -> None:
    dense = [(step, 0.0) for step in range(1000)]
    result = sample(points([*dense, (10_000, 1.0)]), buckets=10)
    assert (result.step, result.count) == ([0, 10_000], [1000, 1])


def test_steps_as_far_apart_as_64_bits_allow_are_sampled() -> None:
    rows = [(-(2**63), 1.0), (0, 2.0), (2**63 - 1, 3.0)]
    assert sample(points(rows), buckets=2).count in ([1, 2], [2, 1])


def test_all_points_of_one_step_are_one_bucket() -> None:
    result = sample(points([(5, float(i)) for i in range(9)]), buckets=3)
    assert (result.step, result.count, result.first, result.last) == ([5], [9], [0.0], [8.0])


@pytest.mark.parametrize("far", [math.inf, -math.inf, 1e308, -1e308])
def test_x_may_reach_as_far_as_numbers_do(far: float) -> None:
    x = np.array([-1e308, 0.0, 1.0, 2.0, far])
    values = np.arange(5.0)
    result = sample([Blocks.single(Points(np.arange(5), np.arange(5), values), x)], buckets=2)
    assert result.total == sum(result.count) == 5
    assert result.x == sorted(result.x)
    assert (min(result.low), max(result.high)) == (0.0, 4.0)
