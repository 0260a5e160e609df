"""How much all anonymous runs together take, known well enough to stop in time without counting at each flush.

Counted anew every ten seconds, and before anything is refused; what this process stores in between is added. So it is
exact for one process, and of several each learns within ten seconds what the others stored.
"""

from __future__ import annotations

from sqlalchemy import func, select

from anonrun.store.live import beyond_live
from anonrun.store.schema import RUN
from anonrun.store.transaction import Tx

__all__ = ["Room"]

_COUNT_EVERY_US = 10 * 1_000_000
_TAKEN = beyond_live(
    select(func.coalesce(func.sum(RUN.c.stored_bytes), 0)).where(RUN.c.expires_at.is_not(None)),
    reason="what is not purged yet takes room",
)


class Room:
    """What anonymous runs have taken of the room for them."""

    def __init__(self) -> None:
        self._taken = 0
        self._counted_at: int | None = None

    def has(self, tx: Tx, size_bytes: int, most: int) -> bool:
        """Whether there is room for so much more, of `most` bytes."""
        at = self._counted_at
        if at is None or not 0 <= tx.now_us - at < _COUNT_EVERY_US or self._taken + size_bytes > most:
            self._count(tx)
        return self._taken + size_bytes <= most

    def take(self, size_bytes: int) -> None:
        """Note that so much more is being stored."""
        self._taken += size_bytes

    def _count(self, tx: Tx) -> None:
        self._taken = int(tx.conn.execute(_TAKEN).scalar_one())
        self._counted_at = tx.now_us
