"""PostgreSQL through psycopg 3, imported when the first such database is named.

A commit is on disk when it returns: where the database is set to acknowledge before, the session is not. Waits
for locks are bounded, and a transaction whose process stands still is ended by the database, so that one worker
never holds up the others for good.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Double,
    Engine,
    Integer,
    LargeBinary,
    String,
    Table,
    create_engine,
    event,
    insert,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.sql.dml import Insert

from anonrun.store.clock import FollowingClock
from anonrun.store.dialect.base import upsert_of
from anonrun.store.errors import StoreError
from anonrun.store.notify import Heard, News

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresDialect"]

_OLDEST = 14
_SCHEMA_LOCK = 0x616E6F6E72756E  # "anonrun"
_CONNECT = {
    "application_name": "anonrun",
    "client_encoding": "utf8",
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SESSION = """
    SELECT set_config('lock_timeout', '10s', false),
           set_config('idle_in_transaction_session_timeout', '60s', false),
           set_config('synchronous_commit',
                      CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                      ELSE current_setting('synchronous_commit') END, false)
"""
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_FEW_ROWS = 2  # below this COPY's own round trips cost more than they save
_COPY_TYPES = ((BigInteger, "int8"), (Integer, "int4"), (Boolean, "bool"), (Double, "float8"), (LargeBinary, "bytea"),
               (String, "text"))  # fmt: skip

_LOST = {"57P01", "57P02", "57P03", "08000", "08003", "08006", "08001", "08004"}
_AWAY = {
    "25006",  # a standby, or set to read only
    "25P03",  # ended by the database, for it stood still
}
_TRY_AGAIN = {
    "40001",  # serialization failure
    "40P01",  # deadlock
}
_RACES = {
    "23505",  # another worker made the row first: made again, the change sees it
    "23503",  # another worker removed what the row hangs on
}


class PostgresDialect:
    """A PostgreSQL database. Its clock is the database server's, and many processes may serve from it.

    Args:
        url: where it is; what stands in its query goes to libpq, such as `sslmode`.

    Raises:
        StoreError: psycopg is not installed.
    """

    def __init__(self, url: URL) -> None:
        if importlib.util.find_spec("psycopg") is None:
            raise StoreError("PostgreSQL needs psycopg, which is not installed: pip install 'anonrun[postgres]'")
        given = {key: value for key, value in url.query.items() if key not in _CONNECT}
        self._url = url.set(drivername="postgresql+psycopg", query=given)
        self._connect = _CONNECT | {key: str(url.query[key]) for key in _CONNECT if key in url.query}
        port = f":{url.port}" if url.port else ""
        self.place = f"postgresql://{url.host or ''}{port}/{url.database or ''}"
        self.clock = FollowingClock()
        self.shared = True

    def engine(self, connections: int) -> Engine:
        """Return an engine that keeps up to `connections` open."""
        engine = create_engine(
            self._url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            isolation_level="READ COMMITTED",
            connect_args=self._connect,
            use_native_hstore=False,  # nor a query for it at each connection
            hide_parameters=True,  # what is stored is nobody's to read in a log
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "checkin", _with_text_again)
        return engine

    def check(self, conn: Connection) -> None:
        """Refuse what is too old, and what cannot hold every text.

        Raises:
            StoreError: it says which.
        """
        version = int((conn.dialect.server_version_info or (0,))[0])
        if version < _OLDEST:
            raise StoreError(f"{self.place} is PostgreSQL {version}; anonrun needs {_OLDEST} or newer.")
        encoding = conn.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise StoreError(
                f"The database {self.place} has the encoding {encoding}, which cannot hold every name. Make one with "
                "createdb --encoding=UTF8 --template=template0."
            )

    def as_writer(self, conn: Connection) -> Connection:
        """Return the connection as it is: READ COMMITTED, where a locked row is seen as its last owner left it."""
        return conn

    def as_reader(self, conn: Connection) -> Connection:
        """Return the connection so that each of its transactions sees one snapshot and changes nothing."""
        driver: Any = conn.connection.driver_connection
        driver.cursor_factory = _binary_cursor()
        return conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def remaking_tables(self, conn: Connection) -> contextlib.AbstractContextManager[None]:  # noqa: ARG002  the dialects' common signature
        """Do nothing: tables are changed in place here."""
        return contextlib.nullcontext()

    def hold_schema(self, conn: Connection) -> None:
        """Wait until nobody else makes or upgrades the schema, and keep it so until the transaction ends."""
        conn.exec_driver_sql("SET LOCAL lock_timeout = 0")  # an upgrade takes as long as it takes
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})

    def now_us(self, conn: Connection) -> int:
        """Return the database's time."""
        now_us = int(conn.exec_driver_sql(_NOW).scalar_one())
        self.clock.follow(now_us)
        return now_us

    def in_transaction(self, conn: Connection) -> bool:
        """Whether the transaction is still there: a lost connection ends it."""
        if conn.invalidated or conn.closed:
            return False
        driver: Any = conn.connection.driver_connection
        return not driver.closed

    def insert_new(self, table: Table) -> Insert:
        """Return an INSERT that leaves a row alone that is there already."""
        return _insert_new(table)

    def upsert(self, table: Table, *, key: tuple[str, ...]) -> Insert:
        """Return an INSERT of whole rows that replaces a row with the same `key`."""
        return _upsert(table, key)

    def insert_rows(self, conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows by a binary COPY."""
        if len(rows) < _FEW_ROWS:
            if rows:
                conn.execute(_insert(table), list(rows))
            return
        names = tuple(rows[0])
        statement, types = _copy(table, names)
        binds = [table.c[name].type.dialect_impl(conn.dialect).bind_processor(conn.dialect) for name in names]
        driver: Any = conn.connection.driver_connection
        with _as_sqlalchemys(conn, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                cells = zip(names, binds, strict=True)
                copy.write_row([bind(row[name]) if bind else row[name] for name, bind in cells])

    def give_space_back(self, conn: Connection) -> None:
        """Do nothing: autovacuum frees what deleted rows took."""

    def is_refusal(self, exc: DBAPIError) -> bool:
        """Whether the server cannot serve now: away, full, a standby, out of connections, or a lock that is held."""
        return isinstance(exc, (OperationalError, InterfaceError)) or _state(exc) in _AWAY

    def is_passing(self, exc: BaseException) -> bool:
        """Whether the same change may succeed once more: a deadlock, a race for a row, a connection that was lost."""
        if not isinstance(exc, DBAPIError):
            return False
        if isinstance(exc, IntegrityError):
            return _state(exc) in _RACES
        return exc.connection_invalidated or _state(exc) in _TRY_AGAIN | _LOST

    def advice(self, exc: DBAPIError) -> str:
        """Return why the database cannot be opened and what to do."""
        said = self._without_password(" ".join(str(exc.orig).split()))
        state = _state(exc)
        if state == "25006":
            return f"{said}. It is a standby or set to read only: name the primary server, or let the user write."
        if state == "42501":
            return f"{said}. Give the user the database: ALTER DATABASE name OWNER TO user."
        return (
            f"{said}. Check that the server runs and takes connections from here, and that address, user, password and "
            "database name are right (make a database with createdb)."
        )

    def news(self, heard: Heard) -> News:
        """Return what carries news of runs by LISTEN and NOTIFY, over a connection of its own."""
        from anonrun.store.dialect.postgres_news import PostgresNews  # noqa: PLC0415  it imports psycopg

        return PostgresNews(self._dial, heard)

    def _dial(self) -> psycopg.Connection[Any]:
        import psycopg  # noqa: PLC0415  only where such a database is named

        url = self._url
        query = {key: value for key, value in url.query.items() if isinstance(value, str)}
        where: dict[str, Any] = {
            "host": url.host, "port": url.port, "user": url.username, "dbname": url.database,
            "password": None if url.password is None else str(url.password),
        }  # fmt: skip
        options = {key: value for key, value in where.items() if value is not None} | query | self._connect
        return psycopg.connect(psycopg.conninfo.make_conninfo(**options), autocommit=True)

    def _without_password(self, said: str) -> str:
        secrets = [self._url.password, self._url.query.get("password")]
        for secret in secrets:
            if secret:
                said = said.replace(str(secret), "***")
        return said


def _state(exc: DBAPIError) -> str | None:
    state: str | None = getattr(exc.orig, "sqlstate", None)
    return state


@cache
def _binary_cursor() -> type[psycopg.Cursor[Any]]:
    """Return cursors that ask for values as the database holds them: as text, bytes take twice as many.

    They are for what we store. Some types of PostgreSQL's own catalog come back as bytes by them.
    """
    import psycopg  # noqa: PLC0415  only where such a database is named

    class BinaryCursor(psycopg.Cursor[Any]):
        def __init__(self, connection: psycopg.Connection[Any], *, row_factory: Any = None) -> None:  # noqa: ANN401  psycopg's own
            super().__init__(connection, row_factory=row_factory)
            self.format = psycopg.pq.Format.BINARY

    return BinaryCursor


def _with_text_again(dbapi: Any, _record: object) -> None:  # noqa: ANN401  psycopg may not be installed
    import psycopg  # noqa: PLC0415  only where such a database is named

    if dbapi is not None:
        dbapi.cursor_factory = psycopg.Cursor


def _prepare(dbapi: Any, _record: object) -> None:  # noqa: ANN401  psycopg may not be installed
    dbapi.execute(_SESSION)
    dbapi.commit()


@contextlib.contextmanager
def _as_sqlalchemys(conn: Connection, statement: str) -> Iterator[None]:
    """Raise the driver's own errors as SQLAlchemy would, so that a caller knows one kind."""
    import psycopg  # noqa: PLC0415  only where such a database is named

    try:
        yield
    except psycopg.Error as exc:
        driver: Any = conn.connection.driver_connection
        lost = bool(conn.dialect.is_disconnect(exc, driver, None))  # type: ignore[arg-type]  # psycopg's errors it knows
        error = DBAPIError.instance(
            statement, None, exc, psycopg.Error, hide_parameters=True, connection_invalidated=lost, dialect=conn.dialect
        )
        if lost:
            conn.invalidate(exc)
        raise error from exc


@cache
def _copy(table: Table, names: tuple[str, ...]) -> tuple[str, list[str]]:
    types = [
        next(name for kind, name in _COPY_TYPES if isinstance(_plain(table.c[column].type), kind)) for column in names
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    return f'COPY "{table.name}" ({columns}) FROM STDIN (FORMAT BINARY)', types


def _plain(kind: Any) -> Any:  # noqa: ANN401  SQLAlchemy's types have no common narrower one
    return getattr(kind, "impl_instance", kind)


@cache
def _insert_new(table: Table) -> Insert:
    return postgresql.insert(table).on_conflict_do_nothing()


@cache
def _upsert(table: Table, key: tuple[str, ...]) -> Insert:
    return upsert_of(postgresql.insert, table, key)


@cache
def _insert(table: Table) -> Insert:
    return insert(table)
