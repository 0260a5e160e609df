"""Small facts about the database itself, by name."""

from __future__ import annotations

from sqlalchemy import select

from anonrun.store.schema import META
from anonrun.store.transaction import Tx

__all__ = ["get", "get_or_set", "put"]


def get(tx: Tx, key: str) -> str | None:
    """Return a fact, or None."""
    value: str | None = tx.conn.execute(select(META.c.value).where(META.c.key == key)).scalar()
    return value


def get_or_set(tx: Tx, key: str, value: str) -> str:
    """Return a fact; where there is none yet, `value` becomes it."""
    tx.conn.execute(tx.dialect.insert_new(META), {"key": key, "value": value})
    return str(tx.conn.execute(select(META.c.value).where(META.c.key == key)).scalar_one())


def put(tx: Tx, key: str, value: str) -> None:
    """Set a fact."""
    tx.conn.execute(tx.dialect.upsert(META, key=("key",)), {"key": key, "value": value})
