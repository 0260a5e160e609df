"""The store without a server: the one place of the benchmarks that calls it."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Sequence

from anonrun.core.ids import new_run_id
from anonrun.core.wire import peek
from anonrun.store import accounts, runs
from anonrun.store.database import Database
from anonrun.store.ingest import Append, Incoming, Ingest, Stored
from anonrun.store.reading import View, sampled
from anonrun.store.transaction import Tx
from benchmarks.curves import METRICS
from benchmarks.served import Store

__all__ = ["points_per_s", "sampled_ms"]

_MOST_MS = 5_000


def _open(store: Store) -> Database:
    if store.url is not None:
        return Database.open(store.url)
    store.file.parent.mkdir(parents=True, exist_ok=True)
    return Database.open(store.file)


def points_per_s(store: Store, bodies: Sequence[bytes], *, writers: int, in_flight: int) -> float:
    """Return how many points a second are stored, each flush on disk before its writer hears of it.

    Args:
        store: where to.
        bodies: flushes of one stream; each writer sends all of them into a run of its own.
        writers: how many at once.
        in_flight: flushes that each has on the way.
    """
    flushes = [Incoming(peek(body), body, METRICS) for body in bodies]
    db = _open(store)
    try:
        run_ids = [_make_run(db, number) for number in range(writers)]
        ingest = Ingest(lambda *_: True)

        async def send(run_id: uuid.UUID) -> None:
            for begin in range(0, len(flushes), in_flight):
                wishes = (Append(run_id, [flush], None) for flush in flushes[begin : begin + in_flight])
                answers = await asyncio.gather(*(db.write_together(ingest.store, wish) for wish in wishes))
                assert all(isinstance(answer, Stored) for answer in answers), answers

        async def all_of_them() -> None:
            await asyncio.gather(*map(send, run_ids))

        start = time.perf_counter()
        asyncio.run(all_of_them())
        return writers * sum(flush.header.points for flush in flushes) / (time.perf_counter() - start)
    finally:
        db.close()


def _make_run(db: Database, number: int) -> uuid.UUID:
    run_id = new_run_id(time.time_ns() // 1_000_000, os.urandom(10))
    fields: dict[str, object] = {"config": {}, "tags": [], "notes": None, "group": None, "job_type": None}

    def make(tx: Tx) -> None:
        account = accounts.create(tx, name=f"bench-{run_id.hex}", kind="user", password_hash="x")
        assert account is not None, "the name is new"
        runs.create(
            tx,
            run_id=run_id,
            account=account,
            project="bench",
            id_=str(number),
            name="n",
            expires_at=None,
            fields=fields,
        )

    db.write_now(make)
    return run_id


def sampled_ms(store: Store, run_id: str, metric: str, *, buckets: int, repeat: int) -> list[float]:
    """Return how long reading a series as buckets takes, up to `repeat` times, on a store that no server uses."""

    def read(tx: Tx) -> int:
        found = sampled(tx, uuid.UUID(run_id), {metric}, View(buckets=buckets))
        assert found is not None, "the run is there"
        return found.metrics[metric].total

    db = _open(store)
    try:
        db.read_now(read)  # imports NumPy
        spent = []
        for _ in range(repeat):
            start = time.perf_counter()
            db.read_now(read)
            spent.append((time.perf_counter() - start) * 1e3)
            if sum(spent) > _MOST_MS:
                break
        return spent
    finally:
        db.close()
