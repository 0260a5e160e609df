"""Expiry and phases, to the microsecond."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from anonrun.core.retention import DEFAULT_RETENTION, Phase, RetentionPolicy, phase, remaining_text

_MADE = datetime(2026, 3, 28, 12, tzinfo=timezone.utc)  # summer time begins in Europe during these seven days
_TICK = timedelta(microseconds=1)


def test_a_run_lives_for_exactly_seven_days() -> None:
    assert DEFAULT_RETENTION == timedelta(days=7)
    assert RetentionPolicy().expires_at(_MADE) - _MADE == timedelta(seconds=604_800)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=7), Phase.DAYS),
        (timedelta(hours=24) + _TICK, Phase.DAYS),
        (timedelta(hours=24), Phase.LAST_DAY),
        (timedelta(hours=1) + _TICK, Phase.LAST_DAY),
        (timedelta(hours=1), Phase.LAST_HOUR),
        (_TICK, Phase.LAST_HOUR),
        (timedelta(0), Phase.EXPIRED),
        (-_TICK, Phase.EXPIRED),
    ],
    ids=str,
)
def test_the_phase_changes_at_its_instant(left: timedelta, expected: Phase) -> None:
    expires_at = RetentionPolicy().expires_at(_MADE)
    assert phase(expires_at, expires_at - left) is expected


def test_a_kept_run_has_no_end() -> None:
    assert phase(None, _MADE) is Phase.KEPT


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(days=7), "7 d 0 h"),
        (timedelta(days=6, hours=23, minutes=59, seconds=59), "6 d 23 h"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(minutes=59, seconds=59), "59 min 59 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=-3), "0 s"),
    ],
    ids=str,
)
def test_what_is_left_is_told_in_two_units_and_never_rounded_up(left: timedelta, text: str) -> None:
    assert remaining_text(left) == text
