"""A database opened only to look at it: nothing is made, upgraded or changed, and a server may go on serving from it.

Each look is a snapshot of its own, so that none keeps a log from being emptied for long. SQLite leaves a log beside a
file that is only read; where nobody has the file open, it is therefore read as one that cannot change, since a log that
belongs to an operator would keep the server's own user out.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from anonrun.store.dialect import Dialect, SqliteDialect, dialect_for
from anonrun.store.errors import StoreError
from anonrun.store.schema import SCHEMA_VERSION
from anonrun.store.transaction import Tx

__all__ = ["Inspected", "OlderSchemaError"]

_STEPS_BETWEEN_LOOKS = 100_000


class OlderSchemaError(StoreError):
    """The database waits to be upgraded, which only who serves from it does."""


class Inspected:
    """A database that is only read. Make one by `Inspected.open`, end it by `close`.

    Attributes:
        place: where it is, as it may be shown.
        is_sqlite: whether it is a file of SQLite's.
    """

    def __init__(self, engine: Engine, dialect: Dialect, *, log: Path | None) -> None:
        self.place = dialect.place
        self.is_sqlite = isinstance(dialect, SqliteDialect)
        self._engine = engine
        self._dialect = dialect
        self._log = log

    @staticmethod
    def open(where: Path | str, *, give_up_s: float | None = None) -> Inspected:
        """Open a database that is there and has this code's schema.

        Args:
            where: path of an SQLite file, or URL of a PostgreSQL database.
            give_up_s: instant of `time.monotonic` at which a statement of SQLite's is interrupted; None for never.

        Raises:
            StoreError: it is not there, cannot be read, or has another schema.
        """
        dialect = dialect_for(where)
        if isinstance(dialect, SqliteDialect):
            path = Path(dialect.place)
            if not path.is_file():
                raise StoreError(f"There is no database at {path}. Name its folder with --data-dir.")
            log = path.with_name(path.name + "-wal")
            alone = not log.exists()
            opened = Inspected(_read_only(path, give_up_s, alone=alone), dialect, log=log if alone else None)
        else:
            opened = Inspected(dialect.engine(1), dialect, log=None)
        try:
            with opened.snapshot() as tx:
                _check_schema(tx.conn, dialect)
        except DBAPIError as exc:
            opened.close()
            raise StoreError(f"The database {dialect.place} cannot be read: {dialect.advice(exc)}") from exc.orig
        except BaseException:
            opened.close()
            raise
        return opened

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Tx]:
        """Have a transaction that sees one moment and changes nothing."""
        with self._engine.connect() as conn, self._dialect.as_reader(conn).begin():
            yield Tx(conn, self._dialect.now_us(conn), self._dialect)

    @property
    def disturbed(self) -> bool:
        """Whether someone has begun to write to a file that was read as one that cannot change; then read it anew."""
        return self._log is not None and self._log.exists()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _read_only(path: Path, give_up_s: float | None, *, alone: bool) -> Engine:
    uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"

    def connect() -> sqlite3.Connection:
        conn = sqlite3.connect(uri, uri=True, timeout=10, isolation_level=None)
        if give_up_s is not None:
            conn.set_progress_handler(lambda: time.monotonic() >= give_up_s, _STEPS_BETWEEN_LOOKS)
        return conn

    engine = create_engine(URL.create("sqlite", database=str(path)), creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN"))
    return engine


def _check_schema(conn: Connection, dialect: Dialect) -> None:
    found = None
    if conn.dialect.has_table(conn, "alembic_version"):
        found = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found == SCHEMA_VERSION:
        return
    if found is None:
        raise StoreError(f"The database {dialect.place} is not anonrun's: it has none of its tables.")
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"The database {dialect.place} has schema {found}, this anonrun knows {SCHEMA_VERSION}: it was written by "
            "a newer anonrun. Update anonrun."
        )
    raise OlderSchemaError(
        f"The database {dialect.place} has the older schema {found}, this anonrun reads {SCHEMA_VERSION}. Starting the "
        "server upgrades it; make a copy before."
    )
