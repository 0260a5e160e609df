from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anonrun.server.services.compaction import Compactor, compact
from anonrun.store import runs
from anonrun.store.database import Database
from anonrun.store.transaction import Tx
from support.site import MadeRun, Site, segment


class _BusyDatabase:
    """A database into which a training flushes whenever something else has been written."""

    def __init__(self, site: Site, run: MadeRun) -> None:
        self._site, self._run = site, run
        self.flushes = 0

    def flush(self) -> None:
        assert self._site.send(self._run, segment([1.0, 2.0], seq=2 * self.flushes)).status_code == 200
        self.flushes += 1

    async def read(self, query: Callable[[Tx], Any]) -> Any:
        return await self._site.db.read(query)

    async def write(self, change: Callable[[Tx], Any]) -> Any:
        changed = await self._site.db.write(change)
        await asyncio.to_thread(self.flush)
        return changed


def test_it_ends_also_when_news_come_at_the_same_moment(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db")

    async def end_with_news() -> None:
        compactor = Compactor(db)
        task = asyncio.create_task(compactor.run())
        await asyncio.sleep(0.2)  # it waits for news now
        compactor.wake()
        await asyncio.sleep(0)  # they are there, and it has not heard of them yet
        compactor.end()
        task.cancel()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 20)

    asyncio.run(end_with_news())
    db.close()


def test_what_arrives_while_it_works_waits_for_its_turn(site: Site) -> None:
    site.transport.on_loop(site.core.compactor.end)  # it would take its share of what the test counts
    run = site.run()
    busy = _BusyDatabase(site, run)
    for _ in range(70):
        busy.flush()
    assert asyncio.run(compact(busy, uuid.UUID(run.run_id))) == 140  # type: ignore[arg-type]  # as much of it as it uses
    stored = site.db.read_now(lambda tx: runs.find(tx, uuid.UUID(run.run_id)))
    assert stored is not None
    assert (stored.position, busy.flushes) == (71, 71), "each write brought a flush: there was one"
