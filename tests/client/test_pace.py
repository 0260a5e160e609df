from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anonrun.client.pace import pause_s

_ANY = {
    "age_s": st.floats(0, 1e6),
    "rows": st.integers(0, 10**7),
    "took_s": st.floats(0, 100),
}


def test_after_a_silence_of_any_length_rows_leave_at_once() -> None:
    assert pause_s(age_s=0, rows=0, took_s=0) == 0.05
    assert pause_s(age_s=1e6, rows=0, took_s=30) == 0.05


def test_a_young_run_is_followed_more_closely_than_an_old_one() -> None:
    assert pause_s(age_s=1, rows=1, took_s=0) == 0.1
    assert pause_s(age_s=60, rows=1, took_s=0) == 0.25


def test_many_rows_make_one_request_a_second() -> None:
    assert pause_s(age_s=60, rows=1_000, took_s=0) == 0.5
    assert pause_s(age_s=60, rows=10**6, took_s=0) == 1.0


def test_a_slow_server_is_kept_busy_for_a_tenth_of_its_time_at_most() -> None:
    assert pause_s(age_s=60, rows=1, took_s=0.1) == 0.9
    assert pause_s(age_s=60, rows=1, took_s=60) == 2.0


@given(**_ANY)
def test_the_pause_is_bounded(age_s: float, rows: int, took_s: float) -> None:
    assert 0.05 <= pause_s(age_s=age_s, rows=rows, took_s=took_s) <= 2.0


@given(**_ANY, more=st.integers(1, 10**6))
def test_more_rows_never_make_more_requests(age_s: float, rows: int, took_s: float, more: int) -> None:
    assert pause_s(age_s=age_s, rows=rows + 1 + more, took_s=took_s) >= pause_s(
        age_s=age_s, rows=rows + 1, took_s=took_s
    )
