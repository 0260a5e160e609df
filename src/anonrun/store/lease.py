"""What only one of several processes may do at a time: whoever has the lease, for as long as it lasts.

A lease is a row; taking and renewing are conditional UPDATEs, so that the row's lock decides. A holder that is
killed gives nothing back: its lease runs out. A holder that was only slow learns it from the next renewal, which
belongs into the same transaction as the work: then a step is made by the holder or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, or_, update

from anonrun.store.schema import LEASE
from anonrun.store.transaction import Tx

__all__ = ["Lease"]


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on a task by name.

    Attributes:
        name: of the task.
        holder: who would do it; different for each process.
        ttl_us: microseconds that it lasts after it was taken or renewed.
    """

    name: str
    holder: str
    ttl_us: int

    def take(self, tx: Tx) -> bool:
        """Take the lease where it is free, has run out or is ours; return whether we have it now."""
        row = {"name": self.name, "holder": self.holder, "expires_at": tx.now_us + self.ttl_us}
        if tx.conn.execute(tx.dialect.insert_new(LEASE), row).rowcount == 1:
            return True
        free = or_(LEASE.c.holder == self.holder, LEASE.c.expires_at <= tx.now_us)
        return self._extend(tx, free)

    def renew(self, tx: Tx) -> bool:
        """Have the lease last longer if it is still ours; return whether it is.

        A lease that ran out and that nobody took is still ours.
        """
        return self._extend(tx, LEASE.c.holder == self.holder)

    def release(self, tx: Tx) -> None:
        """Give the lease back if it is ours."""
        tx.conn.execute(delete(LEASE).where(LEASE.c.name == self.name, LEASE.c.holder == self.holder))

    def _extend(self, tx: Tx, condition: ColumnElement[bool]) -> bool:
        done = tx.conn.execute(
            update(LEASE)
            .where(LEASE.c.name == self.name, condition)
            .values(holder=self.holder, expires_at=tx.now_us + self.ttl_us)
        )
        return done.rowcount == 1
