"""How often something may happen: so many at once, and then as many in a span of time. Pure.

All that is remembered of a rate is one instant: when everything that was taken is free again. (The generic cell rate
algorithm of ATM, ITU-T I.371, which is a token bucket without a clock of its own.)
"""

from __future__ import annotations

__all__ = ["take"]


def take(until_us: int, now_us: int, *, most: int, span_us: int) -> tuple[int, int]:
    """Take one of `most` in each `span_us`.

    Args:
        until_us: the instant that is remembered; 0 where nothing was taken yet.
        now_us: now.
        most: how many are free at the beginning; at least 1.
        span_us: in which all of them become free again.

    Returns:
        The instant to remember, and 0; or the old one, and the microseconds until there is one.

    Example:
        >>> until, waits = 0, []
        >>> for _ in range(3):
        ...     until, wait = take(until, 1_000, most=2, span_us=10)
        ...     waits.append(wait)
        >>> waits
        [0, 0, 5]
    """
    step = max(1, span_us // most)
    # Two who take at once may have read the clock in another order than they take. But what is this far ahead was taken
    # before the clock was set back, and is forgotten, so that nobody waits for longer than two spans.
    start = until_us if now_us < until_us <= now_us + 2 * span_us else now_us
    wait = start - now_us - (most - 1) * step
    return (until_us, wait) if wait > 0 else (start + step, 0)
