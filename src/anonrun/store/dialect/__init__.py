"""What differs between databases; all other SQL of the store is the same everywhere."""

from __future__ import annotations

from anonrun.store.dialect.base import Dialect
from anonrun.store.dialect.choice import dialect_for
from anonrun.store.dialect.sqlite import SqliteDialect

__all__ = ["Dialect", "SqliteDialect", "dialect_for"]
