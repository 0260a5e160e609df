"""Bytes that accounts keep, as rows: what there is, how much of it has arrived, and what may be removed.

The order in which rows and objects change is what makes a kill at any point harmless. An object's row is there before
the object and goes after it, so that none is forgotten; a blob counts as stored only once its objects are on disk and
their digest was verified; and a blob goes only while its row is held and no file refers to it. Whoever would refer to
it holds the same row, or finds none and has the bytes sent again.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, exists, func, insert, or_, select, update

from anonrun.core.batches import batches
from anonrun.store.schema import ARTIFACT_FILE, BLOB, BLOB_PART
from anonrun.store.transaction import Tx

__all__ = [
    "Blob",
    "Part",
    "begin_part",
    "doom_part",
    "doom_stale",
    "end_part",
    "find",
    "forget_parts",
    "has_any",
    "known",
    "loosen",
    "parts",
    "release_some",
    "removable",
    "start_over",
    "store",
    "taken",
    "want",
]

ABANDONED_US = timedelta(hours=24) // timedelta(microseconds=1)
"""After this long an object that is still arriving never will; no request lasts as long."""
_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes of an account; `arrived` of them are there, and verified where `stored`."""

    account_id: int
    digest: bytes
    blob_id: uuid.UUID
    size_bytes: int
    arrived: int
    stored: bool


@dataclass(frozen=True, slots=True)
class Part:
    """An object that holds a stretch of a blob, from its byte `first` on."""

    key: str
    first: int
    size_bytes: int


def _blob(row: Row[Any]) -> Blob:
    return Blob(
        row.account_id, bytes(row.digest), row.blob_id, row.size_bytes, row.arrived, stored=row.stored_at is not None
    )


def want(tx: Tx, account_id: int, sizes: Mapping[bytes, int]) -> dict[bytes, Blob]:
    """Return an account's blobs by digest, and make those that it lacks; they stay until the commit.

    Args:
        tx: a writer's transaction; of several that may want the same, one at a time.
        account_id: whose.
        sizes: by digest.
    """
    there: dict[bytes, Blob] = {}
    for some in batches(sorted(sizes), _AT_ONCE):
        mine = select(BLOB).where(BLOB.c.account_id == account_id, BLOB.c.digest.in_(some))
        there |= {
            bytes(row.digest): _blob(row)
            for row in tx.conn.execute(mine.order_by(BLOB.c.digest).with_for_update(of=BLOB))
        }
    lacking = [digest for digest in sizes if digest not in there]
    made = {
        digest: Blob(account_id, digest, uuid.UUID(bytes=secrets.token_bytes(16)), sizes[digest], 0, stored=False)
        for digest in lacking
    }
    rows = [
        {"account_id": account_id, "digest": blob.digest, "blob_id": blob.blob_id, "size_bytes": blob.size_bytes,
         "arrived": 0, "stored_at": None, "loose_at": None}
        for blob in made.values()
    ]  # fmt: skip
    if rows:
        tx.conn.execute(insert(BLOB), rows)
    return there | made


def find(tx: Tx, account_id: int, digest: bytes) -> Blob | None:
    """Return a blob of an account's, or None."""
    row = tx.conn.execute(select(BLOB).where(BLOB.c.account_id == account_id, BLOB.c.digest == digest)).first()
    return _blob(row) if row else None


def parts(tx: Tx, blob_id: uuid.UUID) -> list[Part]:
    """Return the objects that hold a blob, in order."""
    rows = tx.conn.execute(
        select(BLOB_PART)
        .where(BLOB_PART.c.blob_id == blob_id, BLOB_PART.c.size_bytes.is_not(None), BLOB_PART.c.doomed.is_(False))
        .order_by(BLOB_PART.c.first)
    )
    return [Part(row.key, row.first, row.size_bytes) for row in rows]


def begin_part(tx: Tx, blob: Blob, key: str) -> bool:
    """Note that an object for the next bytes of a blob is about to be written; return whether they are still wanted."""
    wanted = select(BLOB.c.blob_id).where(
        BLOB.c.blob_id == blob.blob_id, BLOB.c.arrived == blob.arrived, BLOB.c.stored_at.is_(None)
    )
    if tx.conn.execute(wanted).first() is None:
        return False
    row = {"blob_id": blob.blob_id, "key": key, "first": blob.arrived, "begun_at": tx.now_us, "doomed": False}
    tx.conn.execute(insert(BLOB_PART).values(row))
    return True


def end_part(tx: Tx, blob: Blob, key: str, size_bytes: int) -> bool | None:
    """Note that an object is on disk; return whether its bytes count, None where nobody knows the object any more.

    Of several that sent the same bytes at once, those of one count.
    """
    known_part = and_(BLOB_PART.c.blob_id == blob.blob_id, BLOB_PART.c.key == key)
    if tx.conn.execute(update(BLOB_PART).where(known_part).values(size_bytes=size_bytes)).rowcount != 1:
        return None
    counts = tx.conn.execute(
        update(BLOB)
        .where(BLOB.c.blob_id == blob.blob_id, BLOB.c.arrived == blob.arrived, BLOB.c.stored_at.is_(None))
        .values(arrived=blob.arrived + size_bytes)
    )
    if counts.rowcount == 1:
        return True
    tx.conn.execute(update(BLOB_PART).where(known_part).values(doomed=True))
    return False


def doom_part(tx: Tx, blob_id: uuid.UUID, key: str) -> None:
    """Note that an object was not written to its end, or is of no use; what there is of it goes with the next sweep."""
    tx.conn.execute(
        update(BLOB_PART)
        .where(BLOB_PART.c.blob_id == blob_id, BLOB_PART.c.key == key)
        .values(doomed=True, size_bytes=func.coalesce(BLOB_PART.c.size_bytes, 0))
    )


def store(tx: Tx, blob: Blob) -> bool:
    """Note that all of a blob is there and verified; return whether it is still wanted."""
    done = tx.conn.execute(
        update(BLOB)
        .where(BLOB.c.blob_id == blob.blob_id, BLOB.c.arrived == BLOB.c.size_bytes)
        .values(stored_at=func.coalesce(BLOB.c.stored_at, tx.now_us))
    )
    return done.rowcount == 1


def start_over(tx: Tx, blob: Blob) -> None:
    """Drop what has arrived of a blob, since it is not what was announced."""
    done = tx.conn.execute(
        update(BLOB)
        .where(BLOB.c.blob_id == blob.blob_id, BLOB.c.arrived == BLOB.c.size_bytes, BLOB.c.stored_at.is_(None))
        .values(arrived=0)
    )
    if done.rowcount:
        held = and_(BLOB_PART.c.blob_id == blob.blob_id, BLOB_PART.c.size_bytes.is_not(None))
        tx.conn.execute(update(BLOB_PART).where(held).values(doomed=True))


def taken(tx: Tx, account_id: int | None = None) -> int:
    """Return the bytes that an account, or all of them, keep or have announced."""
    query = select(func.coalesce(func.sum(BLOB.c.size_bytes), 0))
    return int(
        tx.conn.execute(query if account_id is None else query.where(BLOB.c.account_id == account_id)).scalar_one()
    )


def loosen(tx: Tx, account_id: int, digests: Collection[bytes]) -> None:
    """Note that files which referred to these bytes go."""
    for some in batches(sorted(set(digests)), _AT_ONCE):
        tx.conn.execute(
            update(BLOB).where(BLOB.c.account_id == account_id, BLOB.c.digest.in_(some)).values(loose_at=tx.now_us)
        )


def release_some(tx: Tx, limit: int) -> int:
    """Remove up to `limit` blobs to which no file refers any more; return how many were looked at."""
    loose = select(BLOB).where(BLOB.c.loose_at.is_not(None)).order_by(BLOB.c.loose_at).limit(limit)
    found = [_blob(row) for row in tx.conn.execute(loose.with_for_update(skip_locked=True))]
    for blob in found:
        mine = and_(BLOB.c.account_id == blob.account_id, BLOB.c.digest == blob.digest)
        kept = tx.conn.execute(
            select(ARTIFACT_FILE.c.number)
            .where(ARTIFACT_FILE.c.account_id == blob.account_id, ARTIFACT_FILE.c.digest == blob.digest)
            .limit(1)
        ).first()
        if kept is not None:
            tx.conn.execute(update(BLOB).where(mine).values(loose_at=None))
            continue
        tx.conn.execute(update(BLOB_PART).where(BLOB_PART.c.blob_id == blob.blob_id).values(doomed=True))
        tx.conn.execute(delete(BLOB).where(mine))
    return len(found)


def doom_stale(tx: Tx) -> None:
    """Give up objects that have been arriving for too long: their process was killed."""
    old = and_(BLOB_PART.c.size_bytes.is_(None), BLOB_PART.c.begun_at <= tx.now_us - ABANDONED_US)
    tx.conn.execute(update(BLOB_PART).where(old, BLOB_PART.c.doomed.is_(False)).values(doomed=True))


def removable(tx: Tx, limit: int) -> list[tuple[uuid.UUID, str]]:
    """Return up to `limit` objects that are to be removed, and that nobody is writing."""
    over = or_(BLOB_PART.c.size_bytes.is_not(None), BLOB_PART.c.begun_at <= tx.now_us - ABANDONED_US)
    rows = tx.conn.execute(
        select(BLOB_PART.c.blob_id, BLOB_PART.c.key)
        .where(BLOB_PART.c.doomed.is_(True), over)
        .order_by(BLOB_PART.c.begun_at)
        .limit(limit)
    )
    return [(row.blob_id, row.key) for row in rows]


def forget_parts(tx: Tx, gone: Collection[tuple[uuid.UUID, str]]) -> None:
    """Remove the rows of objects that are not there any more."""
    for blob_id, key in gone:
        tx.conn.execute(delete(BLOB_PART).where(BLOB_PART.c.blob_id == blob_id, BLOB_PART.c.key == key))


def known(tx: Tx, keys: Sequence[str]) -> set[str]:
    """Return which of these objects have a row."""
    return set(tx.conn.execute(select(BLOB_PART.c.key).where(BLOB_PART.c.key.in_(list(keys)))).scalars())


def has_any(tx: Tx, account_id: int) -> bool:
    """Whether an account has a blob."""
    return bool(tx.conn.execute(select(exists().where(BLOB.c.account_id == account_id))).scalar())
