from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.rates import take

_HOUR_US = 3_600_000_000


@given(
    most=st.integers(1, 300),
    span_us=st.integers(1, _HOUR_US),
    gaps=st.lists(st.integers(0, _HOUR_US), min_size=1, max_size=400),
)
def test_in_no_stretch_of_time_is_more_given_than_was_free_and_became_free(
    most: int, span_us: int, gaps: list[int]
) -> None:
    until, now, given_at = 0, 1_000_000_000, list[int]()
    for gap in gaps:
        now += gap
        until, wait = take(until, now, most=most, span_us=span_us)
        if not wait:
            given_at.append(now)
    step = max(1, span_us // most)
    for i, first in enumerate(given_at):
        assert all(j - i + 1 <= most + (at - first) // step for j, at in enumerate(given_at[i:], i))


@given(most=st.integers(1, 300), span_us=st.integers(300, _HOUR_US), now=st.integers(1, 1 << 60))
def test_so_many_are_given_at_once_and_the_next_after_exactly_the_wait_that_was_told(
    most: int, span_us: int, now: int
) -> None:
    until = 0
    for _ in range(most):
        until, wait = take(until, now, most=most, span_us=span_us)
        assert wait == 0
    until, wait = take(until, now, most=most, span_us=span_us)
    assert wait > 0
    assert take(until, now + wait - 1, most=most, span_us=span_us)[1] == 1
    assert take(until, now + wait, most=most, span_us=span_us)[1] == 0


@given(back=st.integers(0, 1 << 50), most=st.integers(1, 300))
def test_a_clock_that_is_set_back_makes_nobody_wait_for_longer_than_two_spans(back: int, most: int) -> None:
    now, until = 1 << 51, 0
    for _ in range(most):
        until, _ = take(until, now, most=most, span_us=_HOUR_US)
    assert take(until, now - back, most=most, span_us=_HOUR_US)[1] <= 2 * _HOUR_US
