"""Numbers in sentences for people."""

from __future__ import annotations

__all__ = ["counted", "share_that_waits"]


def counted(n: int, noun: str) -> str:
    """Return a number with its noun, whose plural is regular.

    Example:
        >>> counted(1, "row"), counted(1200, "row")
        ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"


def share_that_waits(waiting: int, rows: int) -> str:
    """Return how many of some rows wait.

    Example:
        >>> share_that_waits(1, 1), share_that_waits(2, 5)
        ('1 of 1 row waits', '2 of 5 rows wait')
    """
    return f"{waiting:,} of {counted(rows, 'row')} {'waits' if waiting == 1 else 'wait'}"
