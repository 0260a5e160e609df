"""Whether the server can do its work now: asked of the store itself, and answered soon even if the store is not.

One question at a time goes to the store, whoever asks, and its answer is good for a second: the probe is open to all,
and must not be a way to keep the disk busy.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from anonrun.store import meta, retention
from anonrun.store.database import Database, StoreUnavailableError
from anonrun.store.transaction import Tx

__all__ = ["Probe", "Ready", "free_bytes"]

_WITHIN_S = 2.0
_GOOD_FOR_S = 1.0
_LATE_US = 2 * 3600 * 1_000_000
_LITTLE_SPACE = 512 << 20


@dataclass(frozen=True, slots=True)
class Ready:
    """What a look at the store said.

    Attributes:
        sweep_lag_s: how long the oldest run waits to be removed.
        problems: what an operator should look at; the server serves all the same.
    """

    sweep_lag_s: float
    problems: tuple[str, ...]


def free_bytes(folder: Path) -> int | None:
    """Return the bytes that are free on a folder's disk; None where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


class Probe:
    """Asks the store.

    Args:
        db: the store.
        folder: whose disk must have space; None where the store is on another machine.
        little_space: bytes below which that is a problem.
    """

    def __init__(self, db: Database, folder: Path | None, *, little_space: int = _LITTLE_SPACE) -> None:
        self._db = db
        self._folder = folder
        self._little_space = little_space
        self._asking: asyncio.Task[Ready] | None = None
        self._asked_s = 0.0

    async def look(self, *, alarm: bool) -> Ready:
        """Return how the store is.

        Args:
            alarm: whether the sweeper has stopped because the clock looks wrong.

        Raises:
            StoreUnavailableError: it cannot be read and written, or did not answer in time.
        """
        now_s = time.monotonic()
        asking = self._asking
        if asking is None or (asking.done() and now_s - self._asked_s > _GOOD_FOR_S):
            self._asked_s = now_s
            asking = self._asking = asyncio.create_task(self._ask())
            asking.add_done_callback(_take_note)
        try:
            ready = await asyncio.wait_for(asyncio.shield(asking), _WITHIN_S)
        except (asyncio.TimeoutError, TimeoutError):  # two different ones before Python 3.11
            raise StoreUnavailableError(f"the store did not answer within {_WITHIN_S:.0f} s") from None
        if not alarm:
            return ready
        return Ready(ready.sweep_lag_s, (*ready.problems, "removal has stopped, since the clock looks wrong"))

    async def _ask(self) -> Ready:
        def write(tx: Tx) -> None:
            meta.put(tx, "probed_at", str(tx.now_us))

        def read(tx: Tx) -> float:
            oldest = retention.due(tx).oldest_us
            return 0.0 if oldest is None else max(0.0, (tx.now_us - oldest) / 1e6)

        await self._db.write(write)
        lag_s = await self._db.read(read)
        problems = []
        if lag_s * 1e6 > _LATE_US:
            problems.append(f"the oldest run that is to be removed waits since {lag_s / 3600:.1f} h")
        free = None if self._folder is None else free_bytes(self._folder)
        if free is not None and free < self._little_space:
            problems.append(f"only {free >> 20} MiB are free on the disk of the database")
        return Ready(lag_s, tuple(problems))


def _take_note(asked: asyncio.Task[Ready]) -> None:
    """Look at what became of a question that everyone may have stopped waiting for."""
    if not asked.cancelled():
        asked.exception()
