"""What is past its time goes: first marked, then removed, in batches that hold the lock only briefly.

Every step may be repeated and may stop anywhere; how far it came is what is still there. A run's rows go
before the run's own, and with that one goes the last of its content. That it was, and why it is not, is
remembered for a while, so that who holds a secret of it can be told.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update

from anonrun.store import artifacts, audit, meta
from anonrun.store.live import beyond_live, is_expired, is_live
from anonrun.store.schema import (
    AXIS,
    CHUNK,
    GONE,
    GRANT,
    MEDIA,
    METRIC,
    MOVED,
    PENDING_CLAIM,
    RUN,
    SEG,
    TAIL,
    TOKEN,
    WRITER,
)
from anonrun.store.transaction import Tx

__all__ = [
    "MEMORY_US",
    "Due",
    "due",
    "forget",
    "last_seen_us",
    "marked",
    "note_seen",
    "purge_some",
    "remembered",
    "tombstone_some",
]

_MICROSECOND = timedelta(microseconds=1)
MEMORY_US = timedelta(days=30) // _MICROSECOND
_MOST_BYTES = 8 * 2**20
_WHY = "retention removes what is no longer live"


@dataclass(frozen=True, slots=True)
class Due:
    """What a sweep would do now.

    Attributes:
        expired: runs that have expired and are not marked.
        marked: runs that are marked, expired or deleted, and not yet removed.
        points: their points.
        size_bytes: bytes of their history and media.
        anonymous_live: unclaimed runs that are live.
        oldest_us: when the earliest of the runs that wait ceased to exist; None where none waits.
    """

    expired: int
    marked: int
    points: int
    size_bytes: int
    anonymous_live: int
    oldest_us: int | None


def due(tx: Tx) -> Due:
    """Return what a sweep would do now."""
    marked = RUN.c.deleted_at.is_not(None)
    ended = func.coalesce(RUN.c.deleted_at, RUN.c.expires_at)
    row = tx.conn.execute(
        beyond_live(
            select(
                func.count().filter(is_expired(tx.now_us)),
                func.count().filter(marked),
                func.coalesce(func.sum(RUN.c.points), 0),
                func.coalesce(func.sum(RUN.c.stored_bytes), 0),
                func.min(ended),
            ).where(or_(is_expired(tx.now_us), marked)),
            reason=_WHY,
        )
    ).one()
    live = select(func.count()).select_from(RUN).where(is_live(tx.now_us), RUN.c.expires_at.is_not(None))
    return Due(row[0], row[1], int(row[2]), int(row[3]), tx.conn.execute(live).scalar_one(), row[4])


def tombstone_some(tx: Tx, limit: int) -> list[uuid.UUID]:
    """Mark up to `limit` expired runs as deleted; return which."""
    some = beyond_live(
        select(RUN.c.run_id).where(is_expired(tx.now_us)).order_by(RUN.c.expires_at).limit(limit), reason=_WHY
    ).with_for_update(skip_locked=True)
    run_ids = list(tx.conn.execute(some).scalars())
    if run_ids:
        tx.conn.execute(
            beyond_live(
                update(RUN)
                .where(RUN.c.run_id.in_(run_ids), is_expired(tx.now_us))
                .values(deleted_at=tx.now_us, deleted_by="expired"),
                reason=_WHY,
            )
        )
    return run_ids


def marked(tx: Tx, limit: int) -> dict[uuid.UUID, bool]:
    """Return up to `limit` marked runs, the longest waiting first, and of each whether someone deleted it."""
    query = select(RUN.c.run_id, RUN.c.deleted_by).where(RUN.c.deleted_at.is_not(None))
    rows = tx.conn.execute(beyond_live(query.order_by(RUN.c.deleted_at).limit(limit), reason=_WHY))
    return {row.run_id: row.deleted_by != "expired" for row in rows}


def purge_some(tx: Tx, *, rows: int, among: Collection[uuid.UUID] | None = None) -> uuid.UUID | None:
    """Remove up to `rows` rows of one marked run's history or files, or, when it has no more, the run itself.

    Args:
        tx: a writer's transaction.
        rows: so many at most.
        among: only one of these; None for any.

    Returns:
        The run that was worked on; None where none is marked.
    """
    query = (
        select(RUN.c.run_id, RUN.c.points, RUN.c.stored_bytes, RUN.c.deleted_at, RUN.c.deleted_by, RUN.c.expires_at)
        .where(RUN.c.deleted_at.is_not(None))
        .order_by(RUN.c.deleted_at)
        .limit(1)
    )
    if among is not None:
        query = query.where(RUN.c.run_id.in_(list(among)))
    run = tx.conn.execute(beyond_live(query, reason=_WHY).with_for_update(skip_locked=True)).first()
    if run is None:
        return None
    run_id: uuid.UUID = run.run_id
    for table, number in ((SEG, SEG.c.position), (CHUNK, CHUNK.c.axis_id), (AXIS, AXIS.c.axis_id)):
        some = select(number).where(table.c.run_id == run_id).order_by(number).limit(rows)
        removed = tx.conn.execute(
            beyond_live(delete(table).where(table.c.run_id == run_id, number.in_(some)), reason=_WHY)
        ).rowcount
        if removed:
            return run_id
    if _purge_media(tx, run_id, rows) or artifacts.purge_of_run(tx, run_id, rows=rows):
        return run_id
    for table in (TAIL, METRIC, WRITER, PENDING_CLAIM):
        tx.conn.execute(beyond_live(delete(table).where(table.c.run_id == run_id), reason=_WHY))
    expired = run.deleted_by == "expired"
    ending = {
        "run_id": run_id,
        "reason": "expired" if expired else "deleted",
        "at": run.expires_at if expired else run.deleted_at,
    }
    tx.conn.execute(tx.dialect.insert_new(GONE), ending)
    tx.conn.execute(update(TOKEN).where(TOKEN.c.run_id == run_id).values(label=None))
    tx.conn.execute(beyond_live(delete(RUN).where(RUN.c.run_id == run_id), reason=_WHY))
    counts = {"points": run.points, "bytes": run.stored_bytes}
    audit.note(tx, "purged", run_id=run_id, reason=ending["reason"], counts=counts)
    return run_id


def _purge_media(tx: Tx, run_id: uuid.UUID, rows: int) -> int:
    """Remove up to `rows` items of a run's media, and no more of their bytes than hold the lock briefly."""
    first = select(MEDIA.c.position, MEDIA.c.size_bytes).where(MEDIA.c.run_id == run_id)
    some = tx.conn.execute(beyond_live(first.order_by(MEDIA.c.position).limit(rows), reason=_WHY)).all()
    if not some:
        return 0
    last, size = some[0].position, some[0].size_bytes
    for row in some[1:]:
        size += row.size_bytes
        if size > _MOST_BYTES:
            break
        last = row.position
    gone = delete(MEDIA).where(MEDIA.c.run_id == run_id, MEDIA.c.position <= last)
    return tx.conn.execute(beyond_live(gone, reason=_WHY)).rowcount


def forget(tx: Tx, limit: int) -> int:
    """Remove up to `limit` memories of runs that went long ago, and ways in nobody used; return how many."""
    old = list(tx.conn.execute(select(GONE.c.run_id).where(GONE.c.at <= tx.now_us - MEMORY_US).limit(limit)).scalars())
    stale = select(TOKEN.c.token_hash).where(
        or_(TOKEN.c.run_id.in_(old), TOKEN.c.kind.in_(("d", "i")) & (TOKEN.c.expires_at <= tx.now_us))
    )
    hashes = list(tx.conn.execute(stale).scalars())
    if hashes:
        tx.conn.execute(delete(GRANT).where(GRANT.c.token_hash.in_(hashes)))
        tx.conn.execute(delete(TOKEN).where(TOKEN.c.token_hash.in_(hashes)))
    if old:
        tx.conn.execute(delete(MOVED).where(MOVED.c.run_id.in_(old)))
        tx.conn.execute(delete(GONE).where(GONE.c.run_id.in_(old)))
    tx.conn.execute(delete(PENDING_CLAIM).where(PENDING_CLAIM.c.expires_at <= tx.now_us))
    return len(old)


def remembered(tx: Tx) -> int:
    """Return how many runs are remembered as gone: those of the last 30 days."""
    since = GONE.c.at > tx.now_us - MEMORY_US
    return int(tx.conn.execute(select(func.count()).select_from(GONE).where(since)).scalar_one())


def last_seen_us(tx: Tx) -> int:
    """Return the latest time at which a sweep was made."""
    return int(meta.get(tx, "clock_seen_us") or 0)


def note_seen(tx: Tx) -> None:
    """Note that a sweep is made now; the noted time never goes back."""
    meta.put(tx, "clock_seen_us", str(max(tx.now_us, last_seen_us(tx))))
