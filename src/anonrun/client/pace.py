"""How often the spool is looked at and sent. Pure.

The first rows after a silence leave within a tenth of a second, so that a curve begins where it is looked at. While
rows keep coming, requests become fewer and larger: the pause grows with their number, with the run's age and with the
time that the server takes, which so is kept busy for a small part of its time by one run, however slow it is.
"""

from __future__ import annotations

__all__ = ["pause_s"]

_IDLE_S = 0.05
_QUICK_S = 0.1
_STEADY_S = 0.25
_LONGEST_S = 2.0
_EAGER_S = 10.0
_ROWS_A_SECOND = 2_000  # from so many on, a second's rows make a request worth its overhead
_SHARE = 0.1


def pause_s(*, age_s: float, rows: int, took_s: float) -> float:
    """Return how long to wait before the spool is looked at again.

    Args:
        age_s: how long the run has been going.
        rows: how many were delivered by the last look; 0 where there was nothing.
        took_s: how long that took.

    Example:
        >>> pause_s(age_s=3600, rows=0, took_s=0), pause_s(age_s=3600, rows=100_000, took_s=0.2)
        (0.05, 1.8)
    """
    if not rows:
        return _IDLE_S
    steady = _QUICK_S if age_s < _EAGER_S else _STEADY_S
    load = min(1.0, rows / _ROWS_A_SECOND)
    return min(_LONGEST_S, max(steady, load, took_s * (1 / _SHARE - 1)))
