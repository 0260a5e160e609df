"""What the server has done since it started, for `/metrics`."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Counters"]


@dataclass(slots=True)
class Counters:
    """Plain counts; changed on the event loop only.

    Attributes:
        requests: answers by class of status, such as `2xx`.
        points: points that were stored.
        segments: segments that were stored.
        purged: runs that were removed for good.
        sweep_lag_s: how long the oldest run waits to be removed.
        unpurged: runs that wait.
        alarm: whether the sweeper has stopped because the clock looks wrong.
    """

    requests: dict[str, int] = field(default_factory=dict)
    points: int = 0
    segments: int = 0
    purged: int = 0
    sweep_lag_s: float = 0.0
    unpurged: int = 0
    alarm: bool = False

    def answered(self, status: int) -> None:
        """Count an answer."""
        kind = f"{status // 100}xx"
        self.requests[kind] = self.requests.get(kind, 0) + 1
