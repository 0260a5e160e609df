"""From what an operator writes to a dialect: a path or a URL, whose password is never shown."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from anonrun.store.dialect.base import Dialect
from anonrun.store.dialect.sqlite import SqliteDialect
from anonrun.store.errors import StoreError

__all__ = ["dialect_for"]

_WANTED = "Write postgresql://user:password@host:5432/name, or a path for SQLite."


def dialect_for(where: Path | str) -> Dialect:
    """Return the dialect of the database at a path or URL.

    Raises:
        StoreError: the URL cannot be read, or is of a kind that is not known. The message does not repeat it, since a
            password may stand anywhere in it.
    """
    if isinstance(where, Path) or "://" not in where:
        return SqliteDialect(Path(where))
    try:
        url = make_url(where)
        kind = url.get_backend_name()
    except (ArgumentError, ValueError):  # a ValueError for a port that is no number
        raise StoreError(f"The database URL cannot be read. {_WANTED}") from None
    if kind == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StoreError("The database URL names no file. Write sqlite:////absolute/path, or a path.")
        return SqliteDialect(Path(url.database))
    if kind in {"postgresql", "postgres"}:
        from anonrun.store.dialect.postgres import PostgresDialect  # noqa: PLC0415  SQLite users never need it

        return PostgresDialect(url)
    raise StoreError(f"Databases of the kind {kind!r} are not known. {_WANTED}")
