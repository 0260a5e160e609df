"""The store's clock: microseconds since the Unix epoch, the same for every decision about time.

SQLite has no clock of its own: its database's clock is that of the machine. A server with many workers
takes the database's instead. Nothing else in the server side may ask what time it is.
"""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


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
