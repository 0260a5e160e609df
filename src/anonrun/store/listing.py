"""Runs and projects that are found without their ids.

What is listed is bounded by a page, and so is the work for it: pages continue by the key of an index, also those of a
project. A search is the exception; it looks at as many runs as it takes to fill a page.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from anonrun.store.live import beyond_live, is_live
from anonrun.store.records import Project, Reach, Run
from anonrun.store.runs import SOURCE, run_of
from anonrun.store.schema import ACCOUNT, RUN
from anonrun.store.transaction import Tx

__all__ = ["Asked", "concerns", "projects", "runs"]

_NEWEST = 10
_SEARCHED = (RUN.c.name, RUN.c.id, RUN.c.project, RUN.c.state, RUN.c.group_name, RUN.c.job_type, RUN.c.notes,
             ACCOUNT.c.name)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for of the runs within reach.

    Attributes:
        account: only the runs of the account of this name; None for all.
        project: only this project's; None for all.
        words: each must occur in name, id, project, state, tags, group, job type, notes or account, whatever the case
            of ASCII letters.
        limit: at most so many.
        after: creation time and run id of the last run of the page before.
    """

    limit: int
    account: str | None = None
    project: str | None = None
    words: tuple[str, ...] = ()
    after: tuple[int, uuid.UUID] | None = None


def _parts(reach: Reach) -> Sequence[ColumnElement[bool]]:
    """Return what the reach consists of, each walked by an index of its own; no run is in two."""
    if reach.everything:
        return [RUN.c.account_id.is_not(None)]
    parts: list[ColumnElement[bool]] = [RUN.c.account_id == owner for owner in reach.owners]
    if reach.also:
        parts.append(and_(RUN.c.run_id.in_(reach.also), RUN.c.account_id.not_in(reach.owners)))
    return parts


def _has(word: str) -> ColumnElement[bool]:
    # Tags stand as JSON, in which a letter beyond ASCII is written by its number.
    tag = RUN.c.tags.icontains(json.dumps(word)[1:-1], autoescape=True)
    return or_(tag, *(func.coalesce(column, "").icontains(word, autoescape=True) for column in _SEARCHED))


def runs(tx: Tx, reach: Reach, asked: Asked) -> list[Run]:
    """Return live runs, newest first."""
    query = SOURCE.where(is_live(tx.now_us), *map(_has, asked.words))
    if asked.account is not None:
        named = select(ACCOUNT.c.account_id).where(
            ACCOUNT.c.folded_name == asked.account.casefold(), ACCOUNT.c.name == asked.account
        )
        query = query.where(RUN.c.account_id == named.scalar_subquery())
    if asked.project is not None:
        query = query.where(RUN.c.project == asked.project)
    if asked.after is not None:
        created_at, run_id = asked.after
        query = query.where(RUN.c.created_at <= created_at, or_(RUN.c.created_at < created_at, RUN.c.run_id < run_id))
    query = query.order_by(RUN.c.created_at.desc(), RUN.c.run_id.desc()).limit(asked.limit)
    found = [run_of(row) for part in _parts(reach) for row in tx.conn.execute(query.where(part))]
    found.sort(key=lambda run: (run.created_at, run.run_id.bytes), reverse=True)
    return found[: asked.limit]


def concerns(tx: Tx, reach: Reach, run_ids: Collection[uuid.UUID]) -> bool:
    """Return whether one of these runs is within reach, or was until it ceased to exist."""
    if reach.everything:
        return bool(run_ids)
    query = beyond_live(
        select(RUN.c.run_id).where(RUN.c.run_id.in_(run_ids)).limit(1),
        reason="that a run is gone is news for its owner's list",
    )
    return any(tx.conn.execute(query.where(part)).first() is not None for part in _parts(reach))


def projects(tx: Tx, reach: Reach, *, limit: int) -> tuple[list[Project], int]:
    """Return the projects of live runs, that with the newest run first, at most `limit`; and how many there are.

    Runs are counted by an index alone, which does not know when they were heard of; so of the newest few of each
    project that is returned the rows are read.
    """
    newest = func.max(RUN.c.created_at)
    query: Select[Any] = (
        select(RUN.c.account_id, RUN.c.project, func.count(), newest, func.count().over())
        .where(is_live(tx.now_us))
        .group_by(RUN.c.account_id, RUN.c.project)
        .order_by(newest.desc(), RUN.c.project)
        .limit(limit)
    )
    rows = [list(tx.conn.execute(query.where(part))) for part in _parts(reach)]
    total = sum(part[0][4] for part in rows if part)
    found = sorted((row for part in rows for row in part), key=lambda row: (-row[3], row[1]))[:limit]
    owners = select(ACCOUNT.c.account_id, ACCOUNT.c.name).where(ACCOUNT.c.account_id.in_({row[0] for row in found}))
    names = dict(tuple(row) for row in tx.conn.execute(owners))
    also = None if reach.everything else frozenset(reach.also)
    return [
        Project(
            account=names[account_id],
            name=project,
            runs=count,
            active_at=_heard_at(tx, account_id, project, also if account_id not in reach.owners else None),
        )
        for account_id, project, count, _, _ in found
    ], total


def _heard_at(tx: Tx, account_id: int, project: str, within: frozenset[uuid.UUID] | None) -> int:
    """Return when one of a project's newest runs was last heard; of those `within`, or of all."""
    place = [RUN.c.account_id == account_id, RUN.c.project == project, is_live(tx.now_us)]
    if within is not None:
        place.append(RUN.c.run_id.in_(within))
    newest = select(RUN.c.heartbeat_at).where(*place).order_by(RUN.c.created_at.desc()).limit(_NEWEST).subquery()
    return int(tx.conn.execute(select(func.max(newest.c.heartbeat_at))).scalar_one())
