"""Which runs exist: the one place that says so.

A run is live while it is not deleted and either kept or not yet expired. Every query on run data carries
this predicate, so that at the instant of expiry a run is gone, whether or not anything has swept it.
Statements that must see other runs (sweep, purge, what became of a run) say so by `beyond_live`, and a test
inspects the statements that are really issued.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Executable, and_, bindparam, or_

from anonrun.store.schema import RUN

__all__ = ["BEYOND_LIVE", "LIVE", "beyond_live", "is_expired", "is_live"]

BEYOND_LIVE = "anonrun_beyond_live"

E = TypeVar("E", bound=Executable)


def is_live(now_us: int | BindParameter[int]) -> ColumnElement[bool]:
    """Return the predicate of runs that exist at `now_us`."""
    return and_(RUN.c.deleted_at.is_(None), or_(RUN.c.expires_at.is_(None), RUN.c.expires_at > now_us))


LIVE = is_live(bindparam("now_us", type_=BigInteger))
"""The predicate for statements that are built once and given `now_us` with each execution."""


def is_expired(now_us: int) -> ColumnElement[bool]:
    """Return the predicate of runs that have expired and are not marked as deleted yet."""
    return and_(RUN.c.deleted_at.is_(None), RUN.c.expires_at.is_not(None), RUN.c.expires_at <= now_us)


def beyond_live(statement: E, *, reason: str) -> E:
    """Mark a statement that is meant to see runs that no longer exist, and say why."""
    return statement.execution_options(**{BEYOND_LIVE: reason})
