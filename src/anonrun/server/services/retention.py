"""The sweeper: removes what is past its time, and stops when the clock looks wrong.

Expiry itself needs no sweep: every query has it. Here bytes go, in batches that hold the writer only briefly,
and a wrong clock is the one thing that could make that a disaster; so a clock that went back stops it, and one
that jumped forward, or a sweep that would take most of what there is, must look the same five minutes later
(D6). Of several workers one sweeps, while it has the lease; all of them look.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass

from anonrun.server.services.counters import Counters
from anonrun.server.services.files import remove_objects, sweep_files, sweep_orphans
from anonrun.store import attempts, devices, identities, leaving, retention, sessions
from anonrun.store.audit import run_hash
from anonrun.store.database import Database, StoreUnavailableError
from anonrun.store.lease import Lease
from anonrun.store.ledger import Ledger
from anonrun.store.objects import Objects, ObjectsError
from anonrun.store.transaction import Tx

__all__ = ["Doubt", "Sweeper", "Swept", "boot_s", "objection", "sweep"]

_log = logging.getLogger("anonrun.server.retention")

_TOMBSTONES_AT_ONCE = 500
_PURGED_AT_ONCE = 500
_ROWS_AT_ONCE = 500
_SESSIONS_AT_ONCE = 500
_BACKWARD_US = 60 * 1_000_000
_FORWARD_US = 3_600 * 1_000_000
_MANY = 1_000
_CONFIRM_AFTER_S = 300.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: runs marked, runs removed for good, and versions of artifacts and objects that were removed."""

    marked: int
    purged: int
    versions: int = 0
    objects: int = 0


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a sweep should not be made; `passing` where it may be made if it still looks so five minutes later."""

    reason: str
    passing: bool


def boot_s() -> float:
    """Return seconds since the machine started, sleep included where the system tells."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def objection(
    *, now_us: int, seen_us: int, passed_us: int | None, expected_us: int | None, due: retention.Due
) -> Doubt | None:
    """Return what speaks against a sweep now, or None.

    Args:
        now_us: the store's clock.
        seen_us: the latest time at which a sweep was made.
        passed_us: how far the store's clock went since this process looked last; None for the first time.
        expected_us: how far the machine's own count of seconds went meanwhile.
        due: what the sweep would take.
    """
    if now_us < seen_us - _BACKWARD_US:
        return Doubt(f"the clock went back by {(seen_us - now_us) / 1e6:.0f} s", passing=False)
    if passed_us is not None and expected_us is not None and passed_us - expected_us > _FORWARD_US:
        return Doubt(f"the clock jumped forward by {(passed_us - expected_us) / 1e6:.0f} s", passing=True)
    if due.expired > _MANY and due.expired * 2 > due.expired + due.anonymous_live:
        return Doubt(f"{due.expired} runs would go, more than half of all", passing=True)
    return None


async def sweep(
    db: Database, lease: Lease | None = None, ledger: Ledger | None = None, objects: Objects | None = None
) -> Swept:
    """Mark what has expired, remove what is marked, and give its space back.

    Args:
        db: the store.
        lease: renewed with each step; where another process has it meanwhile, the rest is left to that. None: an
            operator asks for a sweep, which may go beside another one.
        ledger: where it is noted what someone deleted, before its bytes go; None where nobody restores backups.
        objects: where the bytes of files are; None to leave them to the next sweep.

    Raises:
        OSError: the ledger cannot be written. Nothing that it lacks was removed.
        ObjectsError: a file cannot be removed now. It goes with a later sweep.
    """

    def tombstone(tx: Tx) -> list[uuid.UUID]:
        return retention.tombstone_some(tx, _TOMBSTONES_AT_ONCE) if lease is None or lease.renew(tx) else []

    def purge(tx: Tx, among: Collection[uuid.UUID]) -> uuid.UUID | None:
        held = lease is None or lease.renew(tx)
        return retention.purge_some(tx, rows=_ROWS_AT_ONCE, among=among) if held else None

    marked = 0
    while batch := await db.write(tombstone):
        marked += len(batch)
    purged: set[uuid.UUID] = set()
    while waiting := await db.read(lambda tx: retention.marked(tx, _PURGED_AT_ONCE)):
        if ledger is not None:
            asked = [run_hash(run_id) for run_id, asked_for in waiting.items() if asked_for]
            await asyncio.to_thread(ledger.note, asked, now_us=db.clock.now_us())
        removed = {run_id async for run_id in _purged(db, purge, waiting)}
        purged |= removed
        if not removed:  # another process has them
            break
    versions = await sweep_files(db, lease=lease, ledger=ledger)
    await db.write(lambda tx: retention.forget(tx, _SESSIONS_AT_ONCE))
    await db.write(lambda tx: sessions.purge(tx, _SESSIONS_AT_ONCE))
    if left := await db.read(leaving.deleted_accounts):
        if ledger is not None:
            await asyncio.to_thread(ledger.note, left.values(), now_us=db.clock.now_us())
        await db.write(lambda tx: leaving.purge(tx, left))
    await db.write(devices.purge)
    await db.write(identities.purge)
    await db.write(attempts.purge)
    await db.write(retention.note_seen)
    if purged or versions:
        await db.give_space_back()
    gone = 0 if objects is None else await remove_objects(db, objects)
    return Swept(marked, len(purged), versions, gone)


async def _purged(
    db: Database, purge: Callable[[Tx, Collection[uuid.UUID]], uuid.UUID | None], among: Collection[uuid.UUID]
) -> AsyncIterator[uuid.UUID]:
    """Yield the run that each step of a purge worked on, until none is left."""
    while (run_id := await db.write(lambda tx: purge(tx, among))) is not None:
        yield run_id


def _look(tx: Tx) -> tuple[retention.Due, int, int]:
    """Return what there is to do, when it was done last, and the time by the same clock as both."""
    return retention.due(tx), retention.last_seen_us(tx), tx.now_us


class Sweeper:
    """Sweeps again and again for as long as the server runs.

    Args:
        db: the store.
        counters: where it notes what it did.
        boot_s: seconds since the machine started; replaced by tests.
        interval_s: seconds between two sweeps. A worker that is killed is replaced after three of them.
        ledger: where deletions are noted; see `sweep`.
        objects: where the bytes of files are; see `sweep`.
    """

    def __init__(
        self,
        db: Database,
        counters: Counters,
        boot_s: Callable[[], float] = boot_s,
        *,
        interval_s: float = 60.0,
        ledger: Ledger | None = None,
        objects: Objects | None = None,
    ) -> None:
        self._db = db
        self._counters = counters
        self._boot_s = boot_s
        self._interval_s = interval_s
        self._lease = Lease("sweep", db.holder, ttl_us=round(3 * interval_s * 1e6))
        self._ledger = ledger
        self._objects = objects
        self._looked: tuple[int, float] | None = None
        self._doubted_since_s: float | None = None

    async def run(self) -> None:
        """Sweep at once, and then at each interval."""
        while True:
            try:
                await self.once()
            except (StoreUnavailableError, ObjectsError, OSError) as exc:
                self._counters.store_errors += 1
                _log.error("a sweep failed: %s", exc)
            except Exception:  # noqa: BLE001  whatever it is, what has expired must go with the next
                _log.exception("a sweep failed")
            await asyncio.sleep(self._interval_s)

    async def stop(self) -> None:
        """Leave sweeping to another worker at once."""
        with contextlib.suppress(StoreUnavailableError):  # the lease runs out by itself
            await self._db.write(self._lease.release)

    async def once(self) -> Swept | None:
        """Sweep if nothing speaks against it and no other worker does; return what was done, or None."""
        now_s = self._boot_s()
        due, seen_us, now_us = await self._db.read(_look)
        self._counters.unpurged = due.expired + due.marked
        self._counters.sweep_lag_s = 0.0 if due.oldest_us is None else max(0.0, (now_us - due.oldest_us) / 1e6)
        passed = expected = None
        if self._looked is not None:
            passed = now_us - self._looked[0]
            expected = int((now_s - self._looked[1]) * 1e6)
        doubt = objection(now_us=now_us, seen_us=seen_us, passed_us=passed, expected_us=expected, due=due)
        if not self._settled(doubt, now_s):
            assert doubt is not None, "only a doubt is unsettled"
            _log.error("no sweep: %s", doubt.reason)
            self._counters.alarm = True
            return None
        self._looked = (now_us, now_s)
        self._counters.alarm = False
        if not await self._db.write(self._lease.take):
            return None
        swept = await sweep(self._db, self._lease, self._ledger, self._objects)
        if self._objects is not None:
            await sweep_orphans(self._db, self._objects)
        self._counters.purged += swept.purged
        self._counters.unpurged, self._counters.sweep_lag_s = 0, 0.0
        if swept.marked or swept.purged:
            _log.info("swept", extra={"fields": {"marked": swept.marked, "purged": swept.purged}})
        return swept

    def _settled(self, doubt: Doubt | None, now_s: float) -> bool:
        """Whether a sweep may be made: nothing is in doubt, or it still looks as it did five minutes ago."""
        if doubt is None:
            self._doubted_since_s = None
            return True
        if self._doubted_since_s is None:
            self._doubted_since_s = now_s
        if doubt.passing and now_s - self._doubted_since_s >= _CONFIRM_AFTER_S:
            self._doubted_since_s = None
            return True
        return False
