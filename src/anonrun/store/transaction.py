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
    """

    conn: Connection
    now_us: int
    dialect: Dialect
