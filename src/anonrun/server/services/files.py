"""Where this server keeps files, and how those that nobody keeps any more are removed.

Removal goes from rows to objects: first the files of deleted versions, then blobs to which none refers, then their
objects, then the rows that say that there were such objects. Each step may be repeated and may stop anywhere; an object
that no row knows, as after a restore, is found by looking through the folder or bucket.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from anonrun.core.batches import batches
from anonrun.errors import AnonrunError
from anonrun.server.settings import Settings
from anonrun.store import artifacts, blobs, meta
from anonrun.store.audit import run_hash
from anonrun.store.database import Database
from anonrun.store.file_check import check_objects
from anonrun.store.findings import Fault, Report
from anonrun.store.inspecting import Inspected
from anonrun.store.lease import Lease
from anonrun.store.ledger import Ledger
from anonrun.store.objects import FolderObjects, Objects
from anonrun.store.objects.s3 import Bucket, BucketObjects
from anonrun.store.transaction import Tx

__all__ = [
    "check_files",
    "files_place",
    "objects_of",
    "orphans",
    "remove_orphans",
    "sweep_files",
    "sweep_orphans",
]

_VERSIONS_AT_ONCE = 200
_ROWS_AT_ONCE = 500
_BLOBS_AT_ONCE = 100
_OBJECTS_AT_ONCE = 200
_KEPT_US = timedelta(hours=24) // timedelta(microseconds=1)
_LOOK_EVERY_US = timedelta(hours=24) // timedelta(microseconds=1)


def objects_of(settings: Settings, instance: str) -> Objects:
    """Return where a server's files are: below its own name, so that two servers may share a bucket.

    Args:
        settings: what the operator chose.
        instance: the id of the database that knows the files.

    Raises:
        StoreError: the bucket cannot be used, or obstore is not installed.
    """
    if settings.embedded or not settings.s3_bucket:
        return FolderObjects(settings.server_dir / "files" / instance)
    prefix = "/".join(part for part in (settings.s3_prefix.strip("/"), instance) if part)
    return BucketObjects(
        Bucket(
            settings.s3_bucket, prefix, settings.s3_endpoint, settings.s3_region, settings.s3_access_key_id,
            settings.s3_secret_access_key,
        )
    )  # fmt: skip


async def sweep_files(db: Database, *, lease: Lease | None = None, ledger: Ledger | None = None) -> int:
    """Remove versions that were deleted and blobs that nobody keeps any more; return how many versions.

    Their objects are left to `remove_objects`.

    Args:
        db: the store.
        lease: as in `retention.sweep`.
        ledger: as in `retention.sweep`.

    Raises:
        OSError: the ledger cannot be written. Nothing that it lacks was removed.
    """

    def release(tx: Tx) -> int:
        return blobs.release_some(tx, _BLOBS_AT_ONCE) if lease is None or lease.renew(tx) else 0

    await db.write(lambda tx: artifacts.end_stale(tx, _VERSIONS_AT_ONCE))
    versions: set[uuid.UUID] = set()
    while waiting := await db.read(lambda tx: artifacts.marked(tx, _VERSIONS_AT_ONCE)):
        if ledger is not None:
            hashes = [run_hash(artifact_id) for artifact_id in waiting]
            await asyncio.to_thread(ledger.note, hashes, now_us=db.clock.now_us())
        before = len(versions)
        while (found := await db.write(lambda tx, among=waiting: _purge(tx, lease, among))) is not None:  # type: ignore[misc]  # the default binds the loop's value
            versions.add(found)
        if len(versions) == before:  # another process has them
            break
    while await db.write(release):
        pass
    await db.write(blobs.doom_stale)
    return len(versions)


async def remove_objects(db: Database, objects: Objects) -> int:
    """Remove the objects of bytes that nobody keeps any more; return how many there were.

    Raises:
        ObjectsError: one cannot be removed now. Its row stays, so that a later sweep tries again.
    """
    removed = 0
    while gone := await db.read(lambda tx: blobs.removable(tx, _OBJECTS_AT_ONCE)):
        await objects.delete([key for _, key in gone])
        await db.write(lambda tx, gone=gone: blobs.forget_parts(tx, gone))  # type: ignore[misc]  # the default binds the loop's value
        removed += len(gone)
    return removed


def _purge(tx: Tx, lease: Lease | None, among: Collection[uuid.UUID]) -> uuid.UUID | None:
    held = lease is None or lease.renew(tx)
    return artifacts.purge_some(tx, rows=_ROWS_AT_ONCE, among=among) if held else None


async def orphans(db: Database, objects: Objects) -> tuple[list[str], int]:
    """Return the objects that no row knows, those of the last 24 hours excepted, and their bytes together."""
    found: list[str] = []
    size = 0
    before = db.clock.now_us() - _KEPT_US
    async for batch in objects.listed():
        old = {one.key: one for one in batch if one.changed_us <= before}
        keys = sorted(old)
        for some in batches(keys, _OBJECTS_AT_ONCE):
            known = await db.read(lambda tx, some=some: blobs.known(tx, some))  # type: ignore[misc]  # the default binds the loop's value
            for key in some:
                if key not in known:
                    found.append(key)
                    size += old[key].size_bytes
    return found, size


async def remove_orphans(db: Database, objects: Objects) -> int:
    """Remove the objects that no row knows; return how many there were."""
    found, _ = await orphans(db, objects)
    for some in batches(found, _OBJECTS_AT_ONCE):
        await objects.delete(some)
    return len(found)


async def sweep_orphans(db: Database, objects: Objects) -> int | None:
    """Remove the objects that no row knows; return how many, None where somebody has looked within a day.

    A server that has never been sent a file does not look.
    """

    def due(tx: Tx) -> bool:
        last = meta.get(tx, "orphans_looked_at")
        return tx.now_us - int(last or 0) >= _LOOK_EVERY_US and meta.get(tx, "has_files") is not None

    if not await db.read(due):
        return None
    removed = await remove_orphans(db, objects)
    await db.write(lambda tx: meta.put(tx, "orphans_looked_at", str(tx.now_us)))
    return removed


def _instance_of(database: Path | str) -> str | None:
    db = Inspected.open(database)
    try:
        with db.snapshot() as tx:
            return meta.get(tx, "instance")
    finally:
        db.close()


def files_place(settings: Settings, database: Path | str) -> str:
    """Return where the files are that a database knows, as it may be shown.

    Raises:
        StoreError: the database cannot be read, or the bucket not be used.
    """
    return objects_of(settings, _instance_of(database) or "").place


async def check_files(settings: Settings, report: Report, *, read: bool) -> None:
    """Look whether the files that a server's database knows are where they should be; add to a report what is not.

    Args:
        settings: of the server.
        report: of the database, which was looked through before.
        read: whether to read them all and compare digests.
    """
    if not report.files:
        return
    db = Inspected.open(settings.database)
    try:
        with db.snapshot() as tx:
            instance = meta.get(tx, "instance") or ""
        objects = objects_of(settings, instance)
        try:
            await check_objects(db, objects, report, read=read)
        finally:
            await objects.close()
    except AnonrunError as exc:
        report.faults.append(Fault(None, None, "the files of artifacts", f"they cannot be read: {exc}"))
    finally:
        db.close()
