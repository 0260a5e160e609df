"""One thread that writes: many callers' changes in one transaction, answered after its commit.

Each change runs in a savepoint, so that one that fails takes nothing of the others with it. A caller hears of
success only when the commit is on disk; a commit that fails fails all in it. Changes happen in the order in
which they were submitted; wishes of one kind, which are granted together, happen before the changes that wait beside
them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from anonrun.store.clock import Clock
from anonrun.store.dialect import Dialect
from anonrun.store.transaction import Tx

__all__ = ["Grant", "StoreClosedError", "Writer"]

T = TypeVar("T")
W = TypeVar("W")
Grant = Callable[[Tx, Sequence[W]], Sequence[T]]
"""Grants wishes of one kind together, in order; returns what became of each, and raises only if none was granted."""

_MOST_IN_ONE_COMMIT = 512


class StoreClosedError(RuntimeError):
    """The store is closing and takes no more changes."""


@dataclass(frozen=True, slots=True)
class _Job:
    change: Callable[[Tx], Any] | None  # None: give space back
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Wish:
    grant: Grant[Any, Any]
    wish: Any
    future: Future[Any]


@dataclass(slots=True)
class _Batch:
    """What goes into one transaction, and what frees space after it."""

    jobs: list[_Job] = field(default_factory=list)
    wishes: dict[Grant[Any, Any], list[_Wish]] = field(default_factory=dict)
    space: _Job | None = None
    going: bool = True
    size: int = 0

    def add(self, job: _Job | _Wish) -> bool:
        """Take a job in, unless its caller has given up; return whether another one fits."""
        if job.future.set_running_or_notify_cancel():
            if isinstance(job, _Wish):
                self.wishes.setdefault(job.grant, []).append(job)
            elif job.change is None:
                self.space = job
                return False
            else:
                self.jobs.append(job)
            self.size += 1
        return self.size < _MOST_IN_ONE_COMMIT

    @property
    def futures(self) -> list[Future[Any]]:
        """Everyone who waits for its commit."""
        return [wish.future for wishes in self.wishes.values() for wish in wishes] + [job.future for job in self.jobs]


class Writer:
    """The writer thread of a database. Start it once; `close` finishes what was submitted."""

    def __init__(self, engine: Engine, dialect: Dialect, clock: Clock) -> None:
        self._engine = engine
        self._dialect = dialect
        self._clock = clock
        self._jobs: queue.SimpleQueue[_Job | _Wish | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="anonrun-store-writer", daemon=True)
        self._thread.start()

    def submit(self, change: Callable[[Tx], T]) -> Future[T]:
        """Have `change` run; its future is done when its transaction is committed.

        Raises:
            StoreClosedError: the store is closing.
        """
        return self._submit(_Job(change, Future()))

    def submit_wish(self, grant: Grant[W, T], wish: W) -> Future[T]:
        """Have a wish granted together with others of its kind; its future is done when their transaction is committed.

        Raises:
            StoreClosedError: the store is closing.
        """
        return self._submit(_Wish(grant, wish, Future()))

    def give_space_back(self) -> Future[None]:
        """Have the database free what deleted rows took."""
        return self._submit(_Job(None, Future()))

    def close(self) -> None:
        """Finish what was submitted and end the thread."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _submit(self, job: _Job | _Wish) -> Future[Any]:
        with self._lock:
            if self._closed:
                raise StoreClosedError("The store is closing.")
            self._jobs.put(job)
        return job.future

    def _run(self) -> None:
        with self._dialect.as_writer(self._engine.connect()) as conn:
            going = True
            while going:
                batch = self._next_batch()
                if batch.size:
                    self._commit(conn, batch)
                if batch.space is not None:
                    _settle(batch.space.future, lambda: self._dialect.give_space_back(conn))
                going = batch.going

    def _next_batch(self) -> _Batch:
        """Wait for work and return all that waits, up to a bound."""
        batch = _Batch()
        job = self._jobs.get()
        while job is not None:
            if not batch.add(job):
                return batch
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch
        batch.going = False
        return batch

    def _commit(self, conn: Connection, batch: _Batch) -> None:
        settled: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            with conn.begin():
                for grant, wishes in batch.wishes.items():
                    self._try_all(conn, grant, wishes, settled)
                for job in batch.jobs:
                    self._try(conn, job, settled)
        except Exception as exc:  # noqa: BLE001  whatever it is, nothing of the batch is in the database
            settled = [(future, None, exc) for future in batch.futures]
        for future, result, reason in settled:
            if reason is None:
                future.set_result(result)
            else:
                future.set_exception(reason)

    def _try(self, conn: Connection, job: _Job, settled: list[tuple[Future[Any], Any, Exception | None]]) -> None:
        """Run one change in a savepoint.

        Raises:
            Exception: the change's own, where the database gave up the whole transaction because of it.
        """
        assert job.change is not None, "batches hold changes only"
        result, reason = self._in_savepoint(conn, job.change)
        settled.append((job.future, result, reason))

    def _try_all(
        self,
        conn: Connection,
        grant: Grant[Any, Any],
        wishes: list[_Wish],
        settled: list[tuple[Future[Any], Any, Exception | None]],
    ) -> None:
        """Grant wishes of one kind in a savepoint.

        Raises:
            Exception: as `_try`.
        """
        results, reason = self._in_savepoint(conn, lambda tx: grant(tx, [wish.wish for wish in wishes]))
        if reason is None:
            settled += ((wish.future, result, None) for wish, result in zip(wishes, results, strict=True))
        else:
            settled += ((wish.future, None, reason) for wish in wishes)

    def _in_savepoint(self, conn: Connection, change: Callable[[Tx], Any]) -> tuple[Any, Exception | None]:
        savepoint = conn.begin_nested()
        try:
            result = change(Tx(conn, self._clock.now_us(), self._dialect))
        except Exception as exc:
            if not self._dialect.in_transaction(conn):
                raise
            savepoint.rollback()
            return None, exc
        savepoint.commit()
        return result, None


def _settle(future: Future[Any], work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as exc:  # noqa: BLE001  whatever it is, it is the caller's
        future.set_exception(exc)
    else:
        future.set_result(None)
