"""One thread that writes: many callers' changes in one transaction, answered after its commit.

Each change runs in a savepoint, so that one that fails takes nothing of the others with it. A caller hears of
success only when the commit is on disk; a commit that fails fails all in it. Changes happen in the order in
which they were submitted.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from anonrun.store.clock import Clock
from anonrun.store.dialect import Dialect
from anonrun.store.transaction import Tx

__all__ = ["StoreClosedError", "Writer"]

T = TypeVar("T")
_MOST_IN_ONE_COMMIT = 256


class StoreClosedError(RuntimeError):
    """The store is closing and takes no more changes."""


@dataclass(frozen=True, slots=True)
class _Job:
    change: Callable[[Tx], Any] | None  # None: give space back
    future: Future[Any]


class Writer:
    """The writer thread of a database. Start it once; `close` finishes what was submitted."""

    def __init__(self, engine: Engine, dialect: Dialect, clock: Clock) -> None:
        self._engine = engine
        self._dialect = dialect
        self._clock = clock
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="anonrun-store-writer", daemon=True)
        self._thread.start()

    def submit(self, change: Callable[[Tx], T]) -> Future[T]:
        """Have `change` run; its future is done when its transaction is committed.

        Raises:
            StoreClosedError: the store is closing.
        """
        return self._submit(change)

    def give_space_back(self) -> Future[None]:
        """Have the database free what deleted rows took."""
        return self._submit(None)

    def close(self) -> None:
        """Finish what was submitted and end the thread."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _submit(self, change: Callable[[Tx], Any] | None) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise StoreClosedError("The store is closing.")
            self._jobs.put(_Job(change, future))
        return future

    def _run(self) -> None:
        with self._dialect.as_writer(self._engine.connect()) as conn:
            going = True
            while going:
                batch, space, going = self._next_batch()
                if batch:
                    self._commit(conn, batch)
                if space is not None:
                    _settle(space.future, lambda: self._dialect.give_space_back(conn))

    def _next_batch(self) -> tuple[list[_Job], _Job | None, bool]:
        """Wait for work; return the changes that wait, what frees space after them, and whether to go on."""
        batch: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            if job.future.set_running_or_notify_cancel():
                if job.change is None:
                    return batch, job, True
                batch.append(job)
            if len(batch) >= _MOST_IN_ONE_COMMIT:
                return batch, None, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, None, True
        return batch, None, False

    def _commit(self, conn: Connection, batch: list[_Job]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        failed: list[tuple[Future[Any], Exception]] = []
        try:
            with conn.begin():
                for job in batch:
                    self._try(conn, job, done, failed)
        except Exception as exc:  # noqa: BLE001  whatever it is, nothing of the batch is in the database
            done, failed = [], [(job.future, exc) for job in batch]
        for future, result in done:
            future.set_result(result)
        for future, reason in failed:
            future.set_exception(reason)

    def _try(
        self,
        conn: Connection,
        job: _Job,
        done: list[tuple[Future[Any], Any]],
        failed: list[tuple[Future[Any], Exception]],
    ) -> None:
        """Run one change in a savepoint.

        Raises:
            Exception: the change's own, where the database gave up the whole transaction because of it.
        """
        assert job.change is not None, "batches hold changes only"
        savepoint = conn.begin_nested()
        try:
            result = job.change(Tx(conn, self._clock.now_us(), self._dialect))
        except Exception as exc:
            if not self._dialect.in_transaction(conn):
                raise
            savepoint.rollback()
            failed.append((job.future, exc))
        else:
            savepoint.commit()
            done.append((job.future, result))


def _settle(future: Future[Any], work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as exc:  # noqa: BLE001  whatever it is, it is the caller's
        future.set_exception(exc)
    else:
        future.set_result(None)
