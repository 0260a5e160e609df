from __future__ import annotations

import asyncio
from pathlib import Path

from anonrun.server.services.compaction import Compactor
from anonrun.store.database import Database


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
