"""The open database: one writer, a few readers, and a schema that fits the code.

Reading happens on threads of its own, never on an event loop; each read sees one snapshot. Opening a
database costs one query where its schema is current: Alembic, slow to import, is loaded only to upgrade.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from anonrun.errors import AnonrunError
from anonrun.store import meta
from anonrun.store.clock import Clock, SystemClock
from anonrun.store.dialect import Dialect, SqliteDialect
from anonrun.store.mailbox import Mailbox
from anonrun.store.schema import SCHEMA_VERSION, metadata
from anonrun.store.transaction import Tx
from anonrun.store.writer import Grant, StoreClosedError, Writer

__all__ = ["Database", "StoreError", "StoreUnavailableError"]

T = TypeVar("T")
W = TypeVar("W")


class StoreError(AnonrunError):
    """The database cannot be used; the message says why and what to do."""


class StoreUnavailableError(AnonrunError):
    """The database refused a transaction: the disk is full, it is locked, or it cannot be read. Nothing was changed."""


class Database:
    """An open database. Make one by `Database.open`, end it by `close`.

    Attributes:
        clock: the store's clock.
        instance: the random id that this database keeps for its whole life.
    """

    def __init__(self, engine: Engine, dialect: Dialect, clock: Clock, *, readers: int) -> None:
        self.clock = clock
        self._engine = engine
        self._dialect = dialect
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="anonrun-store-reader")
        self._writer = Writer(engine, dialect, clock)
        self._box: Mailbox | None = None
        self.instance = self.write_now(lambda tx: meta.get_or_set(tx, "instance", secrets.token_hex(8)))

    @staticmethod
    def open(path: Path, *, clock: Clock | None = None, readers: int = 4) -> Database:
        """Open the SQLite database at `path`; make it where there is none, upgrade it where it is older.

        Raises:
            StoreError: it is newer than this code, damaged, or cannot be read or written.
        """
        dialect = SqliteDialect(path)
        engine = dialect.engine(readers + 1)
        try:
            _bring_up_to_date(engine, dialect)
            return Database(engine, dialect, clock or SystemClock(), readers=readers)
        except DBAPIError as exc:
            engine.dispose()
            raise StoreError(
                f"The database {path} cannot be used: {exc.orig}. Check that the folder is writable, the disk not "
                "full and the file no other program's; with a backup at hand, move it away."
            ) from exc
        except BaseException:
            engine.dispose()
            raise

    async def write(self, change: Callable[[Tx], T]) -> T:
        """Run a change on the writer thread and return its result once it is committed."""
        try:
            return await self._mailbox().wait(self._writer.submit(change))
        except (OperationalError, StoreClosedError) as exc:
            raise StoreUnavailableError(str(exc.__cause__ or exc)) from exc

    async def write_together(self, grant: Grant[W, T], wish: W) -> T:
        """Have a wish granted on the writer thread together with others of its kind; return once it is committed."""
        try:
            return await self._mailbox().wait(self._writer.submit_wish(grant, wish))
        except (OperationalError, StoreClosedError) as exc:
            raise StoreUnavailableError(str(exc.__cause__ or exc)) from exc

    def _mailbox(self) -> Mailbox:
        loop = asyncio.get_running_loop()
        if self._box is None or self._box.loop is not loop:
            self._box = Mailbox(loop)
        return self._box

    async def read(self, query: Callable[[Tx], T]) -> T:
        """Run a query in one snapshot on a reader thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read_now, query)

    def write_now(self, change: Callable[[Tx], T]) -> T:
        """Run a change and wait for its commit; not for an event loop's thread."""
        return self._writer.submit(change).result()

    def read_now(self, query: Callable[[Tx], T]) -> T:
        """Run a query in one snapshot on this thread; not for an event loop's."""
        try:
            with self._engine.connect() as conn, conn.begin():
                return query(Tx(conn, self.clock.now_us(), self._dialect))
        except OperationalError as exc:
            raise StoreUnavailableError(str(exc.orig)) from exc

    async def give_space_back(self) -> None:
        """Free what deleted rows took."""
        await asyncio.wrap_future(self._writer.give_space_back())

    def give_space_back_now(self) -> None:
        """Free what deleted rows took, and wait for it."""
        self._writer.give_space_back().result()

    def close(self) -> None:
        """Finish what was submitted, then close every connection."""
        self._writer.close()
        self._pool.shutdown()
        self._engine.dispose()


def _bring_up_to_date(engine: Engine, dialect: Dialect) -> None:
    with dialect.as_writer(engine.connect()) as conn, conn.begin():
        found = _version(conn)
        if found is None:
            metadata.create_all(conn)
            conn.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
            conn.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": SCHEMA_VERSION})
            return
    if found == SCHEMA_VERSION:
        return
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"The database has schema {found}, this anonrun knows {SCHEMA_VERSION}: it was written by a newer anonrun. "
            "Update anonrun; a database is never taken back to an older schema."
        )
    from anonrun.store.migrations.upgrade import upgrade  # noqa: PLC0415  Alembic takes as long to import as all else

    upgrade(engine)


def _version(conn: Connection) -> str | None:
    """Return the schema's revision, or None where the database is empty."""
    if not conn.dialect.has_table(conn, "alembic_version"):
        return None
    return str(conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
