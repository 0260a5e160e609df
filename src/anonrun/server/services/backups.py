"""Backups of an SQLite database, and the way back, on which nothing that was deleted is served again.

A restored database gets its name only when it was upgraded, checked, and rid of what is past its time: by its own
dates, and by the ledger of deletions, which is no part of a backup. So no server can ever serve what lies between.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from anonrun.errors import AnonrunError
from anonrun.server.services.retention import objection, sweep
from anonrun.server.settings import Settings
from anonrun.store import retention
from anonrun.store.backup import copy_database, put_in_place, temporary_beside
from anonrun.store.check import check
from anonrun.store.database import Database
from anonrun.store.errors import StoreError
from anonrun.store.findings import Report
from anonrun.store.ledger import Ledger, delete_again, end_all_sessions, not_noted_yet

__all__ = ["DamagedBackupError", "Restored", "back_up", "known_deletions", "remove_again", "restore"]

_PARTS = ("", "-wal", "-shm")


class DamagedBackupError(AnonrunError):
    """A copy was made or is to be restored, and something in it is damaged.

    Attributes:
        report: what.
    """

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        report: the check of what is there now.
        deleted_again: runs that the ledger says someone has deleted since.
        removed: runs that were removed for good: those, and what has expired since.
        aside: where the database that was there before is now; None where there was none.
    """

    report: Report
    deleted_again: int
    removed: int
    aside: Path | None


def back_up(source: Path, to: Path, *, replace: bool = False) -> Report:
    """Write a verified copy of a database; a server may go on writing to it.

    Args:
        source: the database.
        to: the copy.
        replace: whether a file that is there already may be replaced.

    Raises:
        DamagedBackupError: the copy was written and has the same damage as the database.
        StoreError: it cannot be copied, or `to` is there.
    """
    if to.exists() and not replace:
        raise StoreError(f"{to} is there already. Name another file, or allow to replace it.")
    with temporary_beside(to) as made:
        copy_database(source, made)
        report = check(made)
        put_in_place(made, to)
    if report.faults:
        raise DamagedBackupError(f"{to} was written. The database that it is a copy of is damaged:", report)
    return report


def restore(settings: Settings, backup: Path, *, ledgers: Sequence[Path] = (), damaged_too: bool = False) -> Restored:
    """Put a backup in the place of a server's SQLite database.

    Args:
        settings: of the server, which must not be running.
        backup: a file that `back_up` wrote.
        ledgers: further ledgers of deletions, beside the server's own.
        damaged_too: whether a backup with damage in it is better than none.

    Raises:
        DamagedBackupError: it is damaged. Nothing was changed.
        StoreError: a server is running, the clock is behind, or something cannot be read or written.
    """
    if not isinstance(settings.database, Path):
        raise StoreError("A PostgreSQL database is restored by its own tools; docs/deploy.md says how.")
    place = settings.database
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _no_server(place.parent), temporary_beside(place) as made:
            copy_database(backup, made)
            hashes = known_deletions([settings.ledger, *ledgers]) | not_noted_yet(place)
            db = Database.open(made)
            try:
                again, removed = remove_again(db, hashes, Ledger(settings.ledger))
            finally:
                db.close()
            report = check(made)
            if report.faults and not damaged_too:
                raise DamagedBackupError(f"{backup} is damaged, and nothing was changed:", report)
            aside = _set_aside(place)
            put_in_place(made, place)
    except OSError as exc:
        raise StoreError(f"{exc.filename} cannot be read or written: {exc.strerror}.") from exc
    return Restored(report, again, removed, aside)


def known_deletions(ledgers: Sequence[Path]) -> set[bytes]:
    """Return the hashes of all runs that ledgers know as deleted.

    Raises:
        StoreError: one of them cannot be read, or, the first aside, is not there.
    """
    known: set[bytes] = set()
    for i, path in enumerate(ledgers):
        if i and not path.is_file():
            raise StoreError(f"There is no ledger at {path}.")
        try:
            known |= Ledger(path).hashes()
        except OSError as exc:
            raise StoreError(f"The ledger {path} cannot be read: {exc.strerror}.") from exc
    return known


def remove_again(db: Database, hashes: Collection[bytes], ledger: Ledger) -> tuple[int, int]:
    """Delete what was deleted since a backup, remove all that is past its time, and sign every browser out.

    Args:
        db: what was restored; nobody serves from it yet.
        hashes: of what was deleted.
        ledger: where what is removed now is noted.

    Returns:
        How many runs were deleted again, and how many were removed for good.

    Raises:
        StoreError: the clock is behind what the database has seen, so that what has expired cannot be told.
    """
    due, seen_us = db.read_now(retention.due), db.read_now(retention.last_seen_us)
    doubt = objection(now_us=db.clock.now_us(), seen_us=seen_us, passed_us=None, expected_us=None, due=due)
    if doubt is not None and not doubt.passing:
        raise StoreError(f"Nothing was restored: {doubt.reason} since the backup. Set the clock right, then try again.")
    again = db.write_now(lambda tx: delete_again(tx, hashes))
    db.write_now(end_all_sessions)
    return again, asyncio.run(sweep(db, ledger=ledger)).purged


@contextlib.contextmanager
def _no_server(folder: Path) -> Iterator[None]:
    """Hold the lock that a server holds while it runs."""
    lock = FileLock(folder / "server.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(f"A server is running on {folder}. Stop it, then restore.") from None
    try:
        yield
    finally:
        lock.release()


def _set_aside(place: Path) -> Path | None:
    """Rename the database that is there, with its log; return its new name."""
    if not place.exists():
        return None
    aside = place.with_name(place.name + ".replaced")
    number = 1
    while aside.exists():
        number += 1
        aside = place.with_name(f"{place.name}.replaced-{number}")
    for part in _PARTS:
        was = place.with_name(place.name + part)
        if was.exists():
            shutil.move(was, aside.with_name(aside.name + part))
    return aside
