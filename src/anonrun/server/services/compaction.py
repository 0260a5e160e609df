"""The compactor: turns the tails of runs into chunks while the server runs.

It only tidies up: what it has not done yet is read all the same. So it works behind everyone else's back, computes
on a reader's thread, and holds the writer for one short transaction at a time. Of several workers one compacts; a
lease says which, and since two at once would do no harm but work, it is looked at in passing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid

from anonrun.store import compaction
from anonrun.store.database import Database, StoreUnavailableError
from anonrun.store.lease import Lease

__all__ = ["Compactor", "compact"]

_log = logging.getLogger("anonrun.server.compaction")

_RUNS_AT_ONCE = 64
_SETTLE_S = 0.25
"""Time between the news and the work, in which more news may come."""
_LOOK_EVERY_S = 60.0
_LOOK_EVERY_SHARED_S = 1.0
"""Where there are other workers, whose news do not come here."""
_LEASE_US = 15 * 1_000_000


async def compact(db: Database, run_id: uuid.UUID) -> int:
    """Turn a run's whole tail, as it is now, into chunks; return how many points moved."""
    moved = 0
    end = await db.read(lambda tx: compaction.end_of_tail(tx, run_id))
    # What arrives meanwhile waits until it is worth it: each time, the last chunks are made anew.
    while plan := await db.read(lambda tx: compaction.prepare(tx, run_id, end=end)):
        if not await db.write(lambda tx, plan=plan: compaction.apply(tx, plan)):  # type: ignore[misc]  # the default binds the loop's value
            break
        moved += plan.points
    return moved


class Compactor:
    """Compacts for as long as the server runs.

    Args:
        db: the store.
        shared: whether other workers serve from the same store.

    Attributes:
        points: points that it moved.
    """

    def __init__(self, db: Database, *, shared: bool = False) -> None:
        self.points = 0
        self._db = db
        self._lease = Lease("compact", db.holder, _LEASE_US) if shared else None
        self._news = asyncio.Event()
        self._ending = False

    def wake(self) -> None:
        """There is something new in some run; on the event loop only."""
        self._news.set()

    async def run(self) -> None:
        """Look for runs whose tail is long at once, after news, and every so often."""
        while not self._ending:
            try:
                if self._lease is None or await self._db.write(self._lease.take):
                    await self.once()
            except StoreUnavailableError as exc:
                _log.error("a compaction failed: %s", exc)
            except Exception:  # noqa: BLE001  whatever it is, the next look may find other runs
                _log.exception("a compaction failed")
            try:
                await asyncio.wait_for(self._news.wait(), _LOOK_EVERY_SHARED_S if self._lease else _LOOK_EVERY_S)
            except (asyncio.TimeoutError, TimeoutError):  # two different ones before Python 3.11
                continue
            self._news.clear()
            await asyncio.sleep(_SETTLE_S)

    def end(self) -> None:
        """Have `run` come to its end; a cancellation alone may get lost in `wait_for` before Python 3.12."""
        self._ending = True
        self._news.set()

    async def stop(self) -> None:
        """Leave compacting to another worker at once."""
        if self._lease is not None:
            with contextlib.suppress(StoreUnavailableError):  # the lease runs out by itself
                await self._db.write(self._lease.release)

    async def once(self) -> int:
        """Compact every run that is due; return how many points moved."""
        moved = 0
        stuck: set[uuid.UUID] = set()
        while True:
            due = await self._db.read(lambda tx: compaction.due(tx, _RUNS_AT_ONCE + len(stuck)))
            due = [run for run in due if run.run_id not in stuck]
            if not due:
                return moved
            for run in due:
                points = await compact(self._db, run.run_id)
                if not points:  # it was deleted meanwhile, or another worker did it
                    stuck.add(run.run_id)
                moved += points
                self.points += points
