"""The store without a server: the one place of the benchmarks that calls it."""

from __future__ import annotations

import time
import uuid

from anonrun.store.database import Database
from anonrun.store.reading import View, sampled
from anonrun.store.transaction import Tx
from benchmarks.served import Store

__all__ = ["sampled_ms"]

_MOST_MS = 5_000


def sampled_ms(store: Store, run_id: str, metric: str, *, buckets: int, repeat: int) -> list[float]:
    """Return how long reading a series as buckets takes, up to `repeat` times, on a store that no server uses."""

    def read(tx: Tx) -> int:
        found = sampled(tx, uuid.UUID(run_id), {metric}, View(buckets=buckets))
        assert found is not None, "the run is there"
        return found.metrics[metric].total

    db = Database.open(store.file)
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
