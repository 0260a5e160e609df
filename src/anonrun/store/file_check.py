"""Looks whether the files of artifacts are there: first by the rows that tell of them, then in the folder or bucket."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, func, select

from anonrun.store.findings import Fault, Report
from anonrun.store.inspecting import Inspected
from anonrun.store.objects import Objects, ObjectsError
from anonrun.store.schema import ARTIFACT, ARTIFACT_FILE, BLOB, BLOB_PART
from anonrun.store.transaction import Tx

__all__ = ["check_objects", "check_rows"]

_PARTS: Select[Any] = (
    select(BLOB_PART.c.blob_id, BLOB_PART.c.key, BLOB_PART.c.size_bytes)
    .where(BLOB_PART.c.size_bytes.is_not(None), BLOB_PART.c.doomed.is_(False))
    .order_by(BLOB_PART.c.blob_id, BLOB_PART.c.first)
)


def check_rows(tx: Tx, report: Report) -> Iterator[Fault]:
    """Compare the rows of versions, files and bytes with each other; count the files in a report."""
    report.files = tx.conn.execute(select(func.count()).select_from(ARTIFACT_FILE)).scalar_one()
    kept = and_(BLOB.c.account_id == ARTIFACT_FILE.c.account_id, BLOB.c.digest == ARTIFACT_FILE.c.digest)
    of_version = and_(
        ARTIFACT.c.run_id == ARTIFACT_FILE.c.run_id, ARTIFACT.c.artifact_id == ARTIFACT_FILE.c.artifact_id
    )
    rows = tx.conn.execute(
        select(ARTIFACT_FILE.c.run_id, ARTIFACT_FILE.c.artifact_id, ARTIFACT_FILE.c.number, ARTIFACT.c.version)
        .outerjoin(ARTIFACT, of_version)
        .outerjoin(BLOB, kept)
        .where(
            ARTIFACT.c.artifact_id.is_(None)
            | BLOB.c.blob_id.is_(None)
            | (ARTIFACT.c.version.is_not(None) & BLOB.c.stored_at.is_(None))
        )
    )
    for row in rows:
        place = f"artifact {row.artifact_id} file {row.number}"
        yield Fault(row.run_id, None, place, "nothing is kept of it, so that it cannot be downloaded")
    for blob in tx.conn.execute(select(BLOB).order_by(BLOB.c.account_id, BLOB.c.digest)):
        end = 0
        held = select(BLOB_PART.c.first, BLOB_PART.c.size_bytes).where(
            BLOB_PART.c.blob_id == blob.blob_id, BLOB_PART.c.size_bytes.is_not(None), BLOB_PART.c.doomed.is_(False)
        )
        for part in tx.conn.execute(held.order_by(BLOB_PART.c.first)):
            end = part.first + part.size_bytes if part.first == end else -1
            if end < 0:
                break
        if end != blob.arrived or (blob.stored_at is not None and end != blob.size_bytes):
            yield Fault(None, None, f"file {bytes(blob.digest).hex()}", "its parts do not make up all of it")


async def check_objects(db: Inspected, objects: Objects, report: Report, *, read: bool) -> None:
    """Look for each object that a row tells of; `read`: read them, and compare what they hold with its digest.

    Raises:
        ObjectsError: the folder or bucket cannot be listed.
    """
    with db.snapshot() as tx:  # before the listing: what is stored meanwhile is not missed
        blobs = tx.conn.execute(select(BLOB.c.blob_id, BLOB.c.digest, BLOB.c.stored_at)).all()
        parts: dict[uuid.UUID, list[tuple[str, int]]] = {}
        for part in tx.conn.execute(_PARTS):
            parts.setdefault(part.blob_id, []).append((part.key, part.size_bytes))
    there = {one.key: one.size_bytes async for batch in objects.listed() for one in batch}
    report.objects = 0
    for blob in blobs:
        held = parts.get(blob.blob_id, [])
        report.objects += len(held)
        lost = sum(there.get(key) != size for key, size in held)
        problem = f"{lost} of its objects are lost, or cut off" if lost else None
        if read and held and not lost:
            problem = await _difference(objects, held, bytes(blob.digest) if blob.stored_at is not None else None)
        if problem is not None and _is_there(db, blob.blob_id):
            report.faults.append(Fault(None, None, f"file {bytes(blob.digest).hex()}", problem))


async def _difference(objects: Objects, held: list[tuple[str, int]], digest: bytes | None) -> str | None:
    """Read all of a file; return what is wrong with it, or None."""
    whole = hashlib.sha256()
    try:
        for key, size in held:
            async for block in objects.read(key, 0, size):
                whole.update(block)
    except ObjectsError as exc:
        return f"it cannot be read: {exc}"
    return None if digest in {None, whole.digest()} else "what is stored is not what was uploaded"


def _is_there(db: Inspected, blob_id: uuid.UUID) -> bool:
    """Whether bytes are still wanted, or were removed meanwhile."""
    with db.snapshot() as tx:
        return tx.conn.execute(select(BLOB.c.blob_id).where(BLOB.c.blob_id == blob_id)).first() is not None
