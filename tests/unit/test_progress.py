"""How far a run is: what may be a total, and what is said beyond it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.progress import MOST_STEPS, Progress, total_of


@pytest.mark.parametrize(
    "value", [0, -1, 0.5, math.nan, math.inf, "100", "many", None, True, [], MOST_STEPS + 1, object()]
)
def test_what_cannot_be_a_number_of_steps_is_none(value: object) -> None:
    assert total_of(value) is None


@pytest.mark.parametrize(("value", "steps"), [(1, 1), (1000, 1000), (2e4, 20_000), (MOST_STEPS, MOST_STEPS)])
def test_a_number_of_steps_is_taken(value: object, steps: int) -> None:
    assert total_of(value) == steps


@given(st.integers(-5, 10), st.integers(0, 10**9), st.integers(1, MOST_STEPS))
def test_a_share_is_never_more_than_all_and_never_less_than_nothing(first: int, more: int, total: int) -> None:
    share = Progress(first, first + more, total).share
    assert share is not None
    assert 0 <= share <= 1


@pytest.mark.parametrize("first", [0, 1])
def test_the_last_of_all_steps_is_all_of_them_wherever_counting_begins(first: int) -> None:
    assert Progress(first, first + 99, 100).text.endswith("(100\u202f%)")
    assert Progress(first, first + 98, 100).text.endswith("(99\u202f%)")
