"""The store's clock: microseconds since the Unix epoch, the same for every decision about time.

SQLite has no clock of its own: its database's clock is that of the machine. PostgreSQL's is the server's, so
that many workers on many machines agree; each transaction asks for it once, and in between it is followed.
Nothing else in the server side may ask what time it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["Clock", "FollowingClock", "SystemClock"]


class Clock(Protocol):
    """Tells the time."""

    def now_us(self) -> int:
        """Return microseconds since the Unix epoch."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now_us(self) -> int:
        """Return microseconds since the Unix epoch."""
        return time.time_ns() // 1_000


class FollowingClock:
    """Another machine's clock, as it was told last and as far as this machine has counted since.

    Args:
        passed_ns: nanoseconds that only go forward.
        start_us: the time until it is told one.
    """

    def __init__(self, passed_ns: Callable[[], int] = time.monotonic_ns, start_us: int | None = None) -> None:
        self._passed_ns = passed_ns
        start = time.time_ns() // 1_000 if start_us is None else start_us
        self._ahead_us = start - passed_ns() // 1_000

    def now_us(self) -> int:
        """Return microseconds since the Unix epoch."""
        return self._passed_ns() // 1_000 + self._ahead_us

    def follow(self, now_us: int) -> None:
        """Take over what the other clock shows now."""
        self._ahead_us = now_us - self._passed_ns() // 1_000
