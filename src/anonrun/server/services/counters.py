"""What the server has done since it started, for `/metrics`."""

from __future__ import annotations

from dataclasses import dataclass, field

from anonrun.server.exposition import Histogram

__all__ = ["Counters"]

_INGEST_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Counters:
    """Plain counts; changed on the event loop only.

    Attributes:
        requests: answers by class of status, such as `2xx`.
        ingest_s: seconds from a flush's request to its answer, refusals included.
        points: points that were stored.
        segments: segments that were stored.
        media: items of media that were stored.
        purged: runs that were removed for good.
        store_errors: answers and rounds of work that failed since the store could not serve.
        sweep_lag_s: how long the oldest run waits to be removed.
        unpurged: runs that wait.
        alarm: whether the sweeper has stopped because the clock looks wrong.
    """

    requests: dict[str, int] = field(default_factory=dict)
    ingest_s: Histogram = field(default_factory=lambda: Histogram(_INGEST_BOUNDS_S))
    points: int = 0
    segments: int = 0
    media: int = 0
    purged: int = 0
    store_errors: int = 0
    sweep_lag_s: float = 0.0
    unpurged: int = 0
    alarm: bool = False

    def answered(self, status: int) -> None:
        """Count an answer."""
        kind = f"{status // 100}xx"
        self.requests[kind] = self.requests.get(kind, 0) + 1
