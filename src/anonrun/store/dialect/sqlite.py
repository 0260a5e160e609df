"""SQLite in one file: write-ahead log, fsync at each commit, deleted content overwritten."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.sql.dml import Insert

from anonrun.store.clock import SystemClock
from anonrun.store.dialect.base import upsert_of
from anonrun.store.errors import StoreError
from anonrun.store.notify import Heard, NoNews

__all__ = ["SqliteDialect"]

_OLDEST_SQLITE = (3, 35, 0)  # RETURNING
_WRITES = "anonrun_writes"


class SqliteDialect:
    """An SQLite database. Its clock is this machine's, and one process serves from it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)
        self.clock = SystemClock()
        self.shared = False

    def engine(self, connections: int) -> Engine:
        """Return an engine that keeps up to `connections` open.

        Raises:
            StoreError: Python's SQLite is too old.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StoreError(f"Python's SQLite is {sqlite3.sqlite_version}; anonrun needs 3.35 or newer.")
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

    def check(self, conn: Connection) -> None:
        """Refuse nothing: any file of SQLite's holds what we store."""

    def as_writer(self, conn: Connection) -> Connection:
        """Return the connection so that its transactions begin as a writer's."""
        return conn.execution_options(**{_WRITES: True})

    def as_reader(self, conn: Connection) -> Connection:
        """Return the connection so that each of its transactions sees one snapshot."""
        return conn

    @contextlib.contextmanager
    def remaking_tables(self, conn: Connection) -> Iterator[None]:
        """Have rows stay that refer to a table which is made anew: SQLite would remove them with it, or refuse."""
        dbapi: Any = conn.connection.dbapi_connection
        dbapi.execute("PRAGMA foreign_keys = OFF")  # has no effect within a transaction
        try:
            yield
        finally:
            dbapi.execute("PRAGMA foreign_keys = ON")

    def hold_schema(self, conn: Connection) -> None:
        """Do nothing: a writer's transaction is alone from its beginning."""

    def now_us(self, conn: Connection) -> int:  # noqa: ARG002  the dialects' common signature
        """Return the machine's time."""
        return self.clock.now_us()

    def in_transaction(self, conn: Connection) -> bool:
        """Whether the transaction is still there: a full disk makes SQLite give it up."""
        dbapi: Any = conn.connection.dbapi_connection
        return bool(dbapi.in_transaction)

    def insert_new(self, table: Table) -> Insert:
        """Return an INSERT that leaves a row alone that is there already."""
        return _sqlite_insert_new(table)

    def upsert(self, table: Table, *, key: tuple[str, ...]) -> Insert:
        """Return an INSERT of whole rows that replaces a row with the same `key`."""
        return _sqlite_upsert(table, key)

    def insert_rows(self, conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows by one prepared statement."""
        if rows:
            conn.execute(_insert(table), rows)

    def give_space_back(self, conn: Connection) -> None:
        """Shrink the file a little and empty the write-ahead log, so that deleted bytes are nowhere."""
        dbapi: Any = conn.connection.dbapi_connection
        dbapi.executescript("PRAGMA incremental_vacuum(2000)")  # `execute` would free one page only
        dbapi.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def is_refusal(self, exc: DBAPIError) -> bool:
        """Whether the file cannot serve now: full, locked, not readable, or damaged."""
        return isinstance(exc, OperationalError) or type(exc.orig) is sqlite3.DatabaseError

    def is_passing(self, exc: BaseException) -> bool:  # noqa: ARG002  the dialects' common signature
        """Return False: what may pass by waiting, SQLite has waited for."""
        return False

    def advice(self, exc: DBAPIError) -> str:
        """Return why the database cannot be opened and what to do."""
        return (
            f"{exc.orig}. Check that the folder is writable, the disk not full and the file no other program's; with a "
            "backup at hand, move it away."
        )

    def news(self, heard: Heard) -> NoNews:  # noqa: ARG002  the dialects' common signature
        """Return what carries nothing: one process serves from the file."""
        return NoNews()


@cache
def _sqlite_insert_new(table: Table) -> Insert:
    return sqlite.insert(table).on_conflict_do_nothing()


@cache
def _sqlite_upsert(table: Table, key: tuple[str, ...]) -> Insert:
    return upsert_of(sqlite.insert, table, key)


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


def _prepare(dbapi: sqlite3.Connection, _record: object) -> None:
    dbapi.isolation_level = None  # transactions are ours to begin
    # Fixed once a page is written; asked for again they would write, which a full disk refuses to a mere reader.
    if not dbapi.execute("PRAGMA page_count").fetchone()[0]:
        dbapi.execute("PRAGMA page_size = 8192")
        dbapi.execute("PRAGMA auto_vacuum = INCREMENTAL")
    dbapi.execute("PRAGMA journal_mode = WAL").fetchall()
    dbapi.execute("PRAGMA synchronous = FULL")
    dbapi.execute("PRAGMA secure_delete = ON").fetchall()
    dbapi.execute("PRAGMA foreign_keys = ON")
    dbapi.execute("PRAGMA busy_timeout = 10000").fetchall()


def _begin(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE" if conn.get_execution_options().get(_WRITES) else "BEGIN")
