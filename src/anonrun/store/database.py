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
from sqlalchemy.exc import DBAPIError

from anonrun.store import meta
from anonrun.store.clock import Clock
from anonrun.store.dialect import Dialect, dialect_for
from anonrun.store.errors import StoreError, StoreUnavailableError
from anonrun.store.mailbox import Mailbox
from anonrun.store.notify import Heard, News
from anonrun.store.schema import SCHEMA_VERSION, metadata
from anonrun.store.transaction import Tx
from anonrun.store.writer import Grant, StoreClosedError, Writer

__all__ = ["Database", "StoreError", "StoreUnavailableError"]

T = TypeVar("T")
W = TypeVar("W")
_ALEMBICS_OWN = """
    CREATE TABLE alembic_version (
        version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
    )
"""


class Database:
    """An open database. Make one by `Database.open`, end it by `close`.

    Attributes:
        clock: the store's clock.
        instance: the random id that this database keeps for its whole life.
        holder: this process's name among those that share the database, for leases. Where it is alone, the next one
            is the same holder, and need not wait until a lease runs out.
    """

    def __init__(self, engine: Engine, dialect: Dialect, clock: Clock | None, *, readers: int) -> None:
        self.clock = clock or dialect.clock
        self._instant = dialect.now_us if clock is None else lambda _conn: clock.now_us()
        self.holder = secrets.token_hex(8) if dialect.shared else "alone"
        self._engine = engine
        self._dialect = dialect
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="anonrun-store-reader")
        self._box: Mailbox | None = None
        self._writer = Writer(engine, dialect, self._instant)
        try:
            self.instance = self.write_now(lambda tx: meta.get_or_set(tx, "instance", secrets.token_hex(8)))
        except BaseException:
            self.close()
            raise

    @staticmethod
    def open(where: Path | str, *, clock: Clock | None = None, readers: int = 4) -> Database:
        """Open a database; make its tables where there are none, upgrade them where they are older.

        Args:
            where: path of an SQLite file, made where there is none; or URL of a PostgreSQL database that is there.
            clock: tells the time instead of the database.
            readers: connections that read at once; one more writes.

        Raises:
            StoreError: it is newer than this code, damaged, cannot be reached, read or written, or what it takes to
                connect is missing. The message never holds a password.
        """
        dialect = dialect_for(where)
        engine = dialect.engine(readers + 1)
        try:
            _bring_up_to_date(engine, dialect)
            return Database(engine, dialect, clock, readers=readers)
        except DBAPIError as exc:
            engine.dispose()
            raise StoreError(f"The database {dialect.place} cannot be used: {dialect.advice(exc)}") from exc.orig
        except BaseException:
            engine.dispose()
            raise

    @property
    def shared(self) -> bool:
        """Whether other processes may serve from it at the same time."""
        return self._dialect.shared

    @property
    def waiting(self) -> int:
        """How many changes wait for the writer."""
        return self._writer.waiting

    def news(self, heard: Heard) -> News:
        """Return what carries news of runs from and to other processes; the caller closes it."""
        return self._dialect.news(heard)

    async def write(self, change: Callable[[Tx], T]) -> T:
        """Run a change on the writer thread and return its result once it is committed."""
        try:
            return await self._mailbox().wait(self._writer.submit(change))
        except (StoreClosedError, DBAPIError) as exc:
            raise self._refusal(exc) from exc

    async def write_together(self, grant: Grant[W, T], wish: W) -> T:
        """Have a wish granted on the writer thread together with others of its kind; return once it is committed."""
        try:
            return await self._mailbox().wait(self._writer.submit_wish(grant, wish))
        except (StoreClosedError, DBAPIError) as exc:
            raise self._refusal(exc) from exc

    def _refusal(self, exc: StoreClosedError | DBAPIError) -> Exception:
        """Return what to raise for an exception: whether it says that the database cannot serve now."""
        if isinstance(exc, DBAPIError):
            return StoreUnavailableError(str(exc.orig)) if self._dialect.is_refusal(exc) else exc
        return StoreUnavailableError(str(exc))

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
            try:
                return self._read_once(query)
            except DBAPIError as exc:
                if not self._dialect.is_passing(exc):
                    raise
                return self._read_once(query)
        except DBAPIError as exc:
            if not self._dialect.is_refusal(exc):
                raise
            raise StoreUnavailableError(str(exc.orig)) from exc

    def _read_once(self, query: Callable[[Tx], T]) -> T:
        with self._engine.connect() as conn, self._dialect.as_reader(conn).begin():
            return query(Tx(conn, self._instant(conn), self._dialect))

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
    with engine.connect() as conn, conn.begin():
        dialect.check(conn)
        found = _version(conn)
    if found == SCHEMA_VERSION:
        return
    with dialect.as_writer(engine.connect()) as conn, dialect.remaking_tables(conn), conn.begin():
        dialect.hold_schema(conn)
        found = _version(conn)  # others that start at the same time may have been quicker
        if found is None:
            metadata.create_all(conn)
            conn.execute(text(_ALEMBICS_OWN))
            conn.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": SCHEMA_VERSION})
        elif found > SCHEMA_VERSION:
            raise StoreError(
                f"The database {dialect.place} has schema {found}, this anonrun knows {SCHEMA_VERSION}: it was written "
                "by a newer anonrun. Update anonrun; a database is never taken back to an older schema."
            )
        elif found < SCHEMA_VERSION:
            from anonrun.store.migrations.upgrade import upgrade  # noqa: PLC0415  Alembic is slow to import

            upgrade(conn)


def _version(conn: Connection) -> str | None:
    """Return the schema's revision, or None where the database is empty."""
    if not conn.dialect.has_table(conn, "alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
