"""Who keeps how much: accounts, and what all anonymous runs together take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from anonrun.store.live import is_live
from anonrun.store.schema import ACCOUNT, RUN, TAIL
from anonrun.store.transaction import Tx

__all__ = ["Usage", "of_anonymous", "of_users", "tails"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What accounts keep.

    Attributes:
        name: of the account; None for several together.
        created_at: when it was made, in microseconds since the Unix epoch; None for several together.
        accounts: how many there are.
        runs: live runs.
        points: their points.
        size_bytes: bytes of their history and media.
        active_at: when one of them last sent something; None where there is none.
    """

    name: str | None
    created_at: int | None
    accounts: int
    runs: int
    points: int
    size_bytes: int
    active_at: int | None


def _sums(tx: Tx, condition: ColumnElement[bool], *grouped: ColumnElement[Any]) -> list[Any]:
    found = tx.conn.execute(
        select(
            *grouped,
            func.count(func.distinct(ACCOUNT.c.account_id)),
            func.count(RUN.c.run_id),
            func.coalesce(func.sum(RUN.c.points), 0),
            func.coalesce(func.sum(RUN.c.stored_bytes), 0),
            func.max(RUN.c.heartbeat_at),
        )
        .select_from(ACCOUNT)
        .outerjoin(RUN, and_(RUN.c.account_id == ACCOUNT.c.account_id, is_live(tx.now_us)))
        .where(condition)
        .group_by(*grouped)
        .order_by(*grouped[:1])
    )
    return list(found)


def of_users(tx: Tx) -> list[Usage]:
    """Return what each person's account keeps, by name."""
    rows = _sums(tx, ACCOUNT.c.kind == "user", ACCOUNT.c.name, ACCOUNT.c.created_at)
    return [Usage(row[0], row[1], row[2], row[3], int(row[4]), int(row[5]), row[6]) for row in rows]


def of_anonymous(tx: Tx) -> Usage:
    """Return what all anonymous accounts together keep."""
    (row,) = _sums(tx, ACCOUNT.c.kind == "anonymous")
    return Usage(None, None, row[0], row[1], int(row[2]), int(row[3]), row[4])


def tails(tx: Tx) -> tuple[int, float]:
    """Return how many live runs wait to be compacted, and for how many seconds the longest does."""
    row = tx.conn.execute(
        select(func.count(), func.min(TAIL.c.since))
        .select_from(TAIL)
        .join(RUN, RUN.c.run_id == TAIL.c.run_id)
        .where(is_live(tx.now_us))
    ).one()
    return row[0], 0.0 if row[1] is None else max(0.0, (tx.now_us - row[1]) / 1e6)
