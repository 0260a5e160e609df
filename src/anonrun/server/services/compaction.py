"""The compactor: turns the tails of runs into chunks while the server runs.

It only tidies up: what it has not done yet is read all the same. So it works behind everyone else's back, computes
on a reader's thread, and holds the writer for one short transaction at a time.
"""

from __future__ import annotations

import asyncio
import logging
import uuid

from anonrun.store import compaction
from anonrun.store.database import Database, StoreUnavailableError

__all__ = ["Compactor", "compact"]

_log = logging.getLogger("anonrun.server.compaction")

_RUNS_AT_ONCE = 64
_SETTLE_S = 0.25
"""Time between the news and the work, in which more news may come."""
_LOOK_EVERY_S = 60.0


async def compact(db: Database, run_id: uuid.UUID) -> int:
    """Turn a run's whole tail, as it is now, into chunks; return how many points moved."""
    moved = 0
    while plan := await db.read(lambda tx: compaction.prepare(tx, run_id)):
        if not await db.write(lambda tx, plan=plan: compaction.apply(tx, plan)):  # type: ignore[misc]  # the default binds the loop's value
            break
        moved += plan.points
    return moved


class Compactor:
    """Compacts for as long as the server runs.

    Attributes:
        points: points that it moved.
    """

    def __init__(self) -> None:
        self.points = 0
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There is something new in some run; on the event loop only."""
        self._news.set()

    async def run(self, db: Database, *, look_every_s: float = _LOOK_EVERY_S) -> None:
        """Look for runs whose tail is long at once, after news, and every so often."""
        while True:
            try:
                await self.once(db)
            except StoreUnavailableError as exc:
                _log.error("a compaction failed: %s", exc)
            try:
                await asyncio.wait_for(self._news.wait(), look_every_s)
            except (asyncio.TimeoutError, TimeoutError):  # two different ones before Python 3.11
                continue
            self._news.clear()
            await asyncio.sleep(_SETTLE_S)

    async def once(self, db: Database) -> int:
        """Compact every run that is due; return how many points moved."""
        moved = 0
        stuck: set[uuid.UUID] = set()
        while True:
            due = await db.read(lambda tx: compaction.due(tx, _RUNS_AT_ONCE + len(stuck)))
            due = [run for run in due if run.run_id not in stuck]
            if not due:
                return moved
            for run in due:
                points = await compact(db, run.run_id)
                if not points:  # its next segment is damaged, or it was deleted meanwhile
                    stuck.add(run.run_id)
                moved += points
                self.points += points
