"""How long an unclaimed run lives: expiry from creation, policy and now.

Expiry is a fixed distance from the run's creation and is never extended by activity. At the instant
itself the run is gone: `now >= expires_at` means expired, whatever a sweeper has done.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["CLAIM_EXTENSION", "DEFAULT_RETENTION", "Phase", "RetentionPolicy", "phase", "remaining_text"]

DEFAULT_RETENTION = timedelta(days=7)

CLAIM_EXTENSION = timedelta(minutes=10)
"""What a claim that was begun before expiry may add, once, so that signing up at the last minute works."""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long a server keeps anonymous runs.

    Attributes:
        keep: time from creation to expiry.
    """

    keep: timedelta = DEFAULT_RETENTION

    def expires_at(self, created_at: datetime) -> datetime:
        """Return the instant at which a run made at `created_at` stops existing."""
        return created_at + self.keep


class Phase(enum.Enum):
    """What a banner says about a run's remaining life."""

    KEPT = "kept"
    DAYS = "days"
    LAST_DAY = "last_day"
    LAST_HOUR = "last_hour"
    EXPIRED = "expired"


def phase(expires_at: datetime | None, now: datetime) -> Phase:
    """Return the phase of a run at `now`; None for `expires_at` means that it is kept."""
    if expires_at is None:
        return Phase.KEPT
    left = expires_at - now
    if left <= timedelta(0):
        return Phase.EXPIRED
    if left <= timedelta(hours=1):
        return Phase.LAST_HOUR
    if left <= timedelta(hours=24):
        return Phase.LAST_DAY
    return Phase.DAYS


def remaining_text(left: timedelta) -> str:
    """Return the two largest units of a time that is left, rounded down.

    Example:
        >>> remaining_text(timedelta(days=6, hours=23, minutes=59))
        '6 d 23 h'
        >>> remaining_text(timedelta(minutes=9, seconds=5))
        '9 min 5 s'
    """
    total_s = max(0, int(left.total_seconds()))
    days, rest = divmod(total_s, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
