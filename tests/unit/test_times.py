"""Instants in their three forms."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.times import format_time, from_us, parse_time, to_us


@given(st.integers(-(10**15), 10**17))
def test_microseconds_survive_every_form(us: int) -> None:
    assert to_us(from_us(us)) == us
    assert parse_time(format_time(from_us(us))) == from_us(us)


def test_any_offset_is_understood() -> None:
    east = datetime(2026, 1, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert format_time(east) == "2026-01-01T00:00:00.000000Z"
    assert parse_time("2026-01-01T05:30:00+05:30") == east


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="has no offset"):
        parse_time("2026-01-01T00:00:00")
