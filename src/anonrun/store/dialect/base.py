"""What the store asks of a database beyond SQL: how to connect, what is an error of whose, and what is quick.

Connections are handed out with transactions begun and ended explicitly. A writer's begins as a writer, so that
it never fails half-way for want of a lock; a reader's sees one snapshot and can change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

from anonrun.store.clock import Clock
from anonrun.store.notify import Heard, News

__all__ = ["Dialect", "upsert_of"]


class Dialect(Protocol):
    """One kind of database, at one place."""

    @property
    def place(self) -> str:
        """Where it is, as it may be shown: never with a password."""
        ...

    @property
    def clock(self) -> Clock:
        """The database's clock, as far as this process knows it without asking."""
        ...

    @property
    def shared(self) -> bool:
        """Whether several processes may serve from it at once."""
        ...

    def engine(self, connections: int) -> Engine:
        """Return an engine that keeps up to `connections` open.

        Raises:
            StoreError: what it takes to connect is not installed, or too old.
        """
        ...

    def check(self, conn: Connection) -> None:
        """Refuse a database that this code cannot keep its promises on.

        Raises:
            StoreError: it is too old, or cannot hold every text.
        """
        ...

    def as_writer(self, conn: Connection) -> Connection:
        """Return the connection so that its transactions begin as a writer's."""
        ...

    def as_reader(self, conn: Connection) -> Connection:
        """Return the connection so that each of its transactions sees one snapshot and changes nothing."""
        ...

    def remaking_tables(self, conn: Connection) -> AbstractContextManager[None]:
        """Have a table that is made anew, as an upgrade may do, take nothing along that refers to it.

        Begins before the transaction and ends after it.
        """
        ...

    def hold_schema(self, conn: Connection) -> None:
        """Wait until nobody else makes or upgrades the schema, and keep it so until the transaction ends."""
        ...

    def now_us(self, conn: Connection) -> int:
        """Return the database's time; asked once a transaction, it is the transaction's."""
        ...

    def in_transaction(self, conn: Connection) -> bool:
        """Whether the transaction is still there: a full disk or a lost connection ends it."""
        ...

    def insert_new(self, table: Table) -> Insert:
        """Return an INSERT that leaves a row alone that is there already."""
        ...

    def upsert(self, table: Table, *, key: tuple[str, ...]) -> Insert:
        """Return an INSERT of whole rows that replaces a row with the same `key`."""
        ...

    def insert_rows(self, conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows in the way that is quickest here; each has the same columns, and none is there yet."""
        ...

    def give_space_back(self, conn: Connection) -> None:
        """Free what deleted rows took, in bounded time; outside of a transaction."""
        ...

    def is_refusal(self, exc: DBAPIError) -> bool:
        """Whether the database cannot serve now, through no fault of the statement."""
        ...

    def is_passing(self, exc: BaseException) -> bool:
        """Whether the same change may succeed if it is made once more, nothing of it having been kept."""
        ...

    def advice(self, exc: DBAPIError) -> str:
        """Return why the database cannot be opened and what to do, as sentences."""
        ...

    def news(self, heard: Heard) -> News:
        """Return what carries news of runs between the processes that share the database.

        Args:
            heard: called, on a thread of its own, with the runs of which other processes have news.
        """
        ...


def upsert_of(insert: Callable[[Table], Any], table: Table, key: tuple[str, ...]) -> Insert:
    """Return an INSERT of whole rows that replaces a row with the same `key`, where `insert` can say so."""
    statement = insert(table)
    rest = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    result: Insert = statement.on_conflict_do_update(index_elements=key, set_=rest)
    return result
