"""What a function of the store is given: a connection inside a transaction, and the time at which it happens."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from anonrun.store.dialect import Dialect

__all__ = ["Tx"]


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction.

    Attributes:
        conn: executes statements; whoever made the transaction commits it.
        now_us: the one instant at which everything in it happens, by the store's clock.
        dialect: what differs between databases.
        writes: whether it is a writer's. What a writer finds it holds until the commit, so that what it decides on
            stays as it is, with many workers too.
    """

    conn: Connection
    now_us: int
    dialect: Dialect
    writes: bool = False
