"""What differs between databases: how to connect, to insert what may be there already, and to give space back.

All other SQL of the store is the same everywhere. Connections are handed out with transactions begun and
ended explicitly; a writer's begins as a writer, so that it never fails half-way for want of the lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.sql.dml import Insert

__all__ = ["Dialect", "SqliteDialect"]

_OLDEST_SQLITE = (3, 35, 0)  # RETURNING
_WRITES = "anonrun_writes"


class Dialect(Protocol):
    """One kind of database."""

    def engine(self, connections: int) -> Engine:
        """Return an engine that keeps up to `connections` open."""
        ...

    def as_writer(self, conn: Connection) -> Connection:
        """Return the connection so that its transactions begin as a writer's."""
        ...

    def in_transaction(self, conn: Connection) -> bool:
        """Whether the transaction is still there: a full disk makes some databases give it up."""
        ...

    def insert_new(self, table: Table) -> Insert:
        """Return an INSERT that leaves a row alone that is there already."""
        ...

    def upsert(self, table: Table, *, key: tuple[str, ...]) -> Insert:
        """Return an INSERT of whole rows that replaces a row with the same `key`."""
        ...

    def insert_rows(self, conn: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert many rows, all with the same columns."""
        ...

    def give_space_back(self, conn: Connection) -> None:
        """Free what deleted rows took, in bounded time; outside of a transaction."""
        ...


class SqliteDialect:
    """SQLite in one file: write-ahead log, fsync at each commit, deleted content overwritten."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def engine(self, connections: int) -> Engine:
        """Return an engine that keeps up to `connections` open.

        Raises:
            RuntimeError: Python's SQLite is too old.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise RuntimeError(f"Python's SQLite is {sqlite3.sqlite_version}; anonrun needs 3.35 or newer.")
        url = URL.create("sqlite", database=str(self._path))
        engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            connect_args={"check_same_thread": False, "timeout": 10},
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def as_writer(self, conn: Connection) -> Connection:
        """Return the connection so that its transactions begin as a writer's."""
        return conn.execution_options(**{_WRITES: True})

    def in_transaction(self, conn: Connection) -> bool:
        """Whether the transaction is still there: a full disk makes SQLite give it up."""
        dbapi: Any = conn.connection.dbapi_connection
        return bool(dbapi.in_transaction)

    def insert_new(self, table: Table) -> Insert:
        """Return an INSERT that leaves a row alone that is there already."""
        return sqlite.insert(table).on_conflict_do_nothing()

    def upsert(self, table: Table, *, key: tuple[str, ...]) -> Insert:
        """Return an INSERT of whole rows that replaces a row with the same `key`."""
        return _sqlite_upsert(table, key)

    def insert_rows(self, conn: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert many rows, all with the same columns."""
        conn.execute(_insert(table), rows)

    def give_space_back(self, conn: Connection) -> None:
        """Shrink the file a little and empty the write-ahead log, so that deleted bytes are nowhere."""
        dbapi: Any = conn.connection.dbapi_connection
        dbapi.executescript("PRAGMA incremental_vacuum(2000)")  # `execute` would free one page only
        dbapi.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@cache
def _insert(table: Table) -> Insert:
    return table.insert()


@cache
def _sqlite_upsert(table: Table, key: tuple[str, ...]) -> Insert:
    statement = sqlite.insert(table)
    rest = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=rest)


def _prepare(dbapi: sqlite3.Connection, _record: object) -> None:
    dbapi.isolation_level = None  # transactions are ours to begin
    # Before the first table: these two are fixed once a page is written.
    dbapi.execute("PRAGMA page_size = 8192")
    dbapi.execute("PRAGMA auto_vacuum = INCREMENTAL")
    dbapi.execute("PRAGMA journal_mode = WAL").fetchall()
    dbapi.execute("PRAGMA synchronous = FULL")
    dbapi.execute("PRAGMA secure_delete = ON").fetchall()
    dbapi.execute("PRAGMA foreign_keys = ON")
    dbapi.execute("PRAGMA busy_timeout = 10000").fetchall()


def _begin(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE" if conn.get_execution_options().get(_WRITES) else "BEGIN")
