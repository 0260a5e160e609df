"""One thread that writes: many callers' changes in one transaction, answered after its commit.

Each change runs in a savepoint, so that one that fails takes nothing of the others with it. A caller hears of
success only when the commit is on disk; a commit that fails fails all in it. Changes happen in the order in
which they were submitted; wishes of one kind, which are granted together, happen where the first of them stands. A
change that the database asks to repeat, as after a deadlock with another process or a lost connection, is made again
with all that follow it; it was rolled back, so nothing of it is there twice.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from anonrun.store.dialect import Dialect
from anonrun.store.transaction import Tx

__all__ = ["Grant", "StoreClosedError", "Writer"]

T = TypeVar("T")
W = TypeVar("W")
Grant = Callable[[Tx, Sequence[W]], Sequence[T]]
"""Grants wishes of one kind together, in order; returns what became of each, and raises only if none was granted."""

_MOST_IN_ONE_COMMIT = 512
_MOST_TRIES = 4


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
class _Step:
    """What happens in one savepoint: a change, or the wishes of one kind.

    Attributes:
        make: makes it, and returns a result for each of `futures`.
    """

    make: Callable[[Tx], Sequence[Any]]
    futures: list[Future[Any]]
    tries: int = 0


@dataclass(slots=True)
class _Batch:
    """What goes into one transaction, and what frees space after it."""

    steps: list[_Step] = field(default_factory=list)
    space: _Job | None = None
    going: bool = True
    _size: int = 0
    _granted: dict[Grant[Any, Any], tuple[list[Any], _Step]] = field(default_factory=dict)

    def add(self, job: _Job | _Wish) -> bool:
        """Take a job in, unless its caller has given up; return whether another one fits."""
        if job.future.set_running_or_notify_cancel():
            if isinstance(job, _Wish):
                self._add_wish(job)
            elif job.change is None:
                self.space = job
                return False
            else:
                self.steps.append(_Step(_alone(job.change), [job.future]))
            self._size += 1
        return self._size < _MOST_IN_ONE_COMMIT

    def _add_wish(self, job: _Wish) -> None:
        if job.grant not in self._granted:
            wishes: list[Any] = []
            step = _Step(_together(job.grant, wishes), [])
            self._granted[job.grant] = wishes, step
            self.steps.append(step)
        wishes, step = self._granted[job.grant]
        wishes.append(job.wish)
        step.futures.append(job.future)


def _alone(change: Callable[[Tx], Any]) -> Callable[[Tx], Sequence[Any]]:
    return lambda tx: (change(tx),)


def _together(grant: Grant[Any, Any], wishes: list[Any]) -> Callable[[Tx], Sequence[Any]]:
    return lambda tx: grant(tx, wishes)


class Writer:
    """The writer thread of a database. Start it once; `close` finishes what was submitted.

    Args:
        engine: connects.
        dialect: what differs between databases.
        instant: returns the time of a transaction; asked once in each.
    """

    def __init__(self, engine: Engine, dialect: Dialect, instant: Callable[[Connection], int]) -> None:
        self._engine = engine
        self._dialect = dialect
        self._instant = instant
        self._conn: Connection | None = None
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

    @property
    def waiting(self) -> int:
        """How many changes wait to be taken up."""
        return self._jobs.qsize()

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
        going = True
        while going:
            batch = self._next_batch()
            steps = batch.steps
            while steps:
                steps = self._commit(steps)
            if batch.space is not None:
                _settle(batch.space.future, lambda: self._dialect.give_space_back(self._connected()))
            going = batch.going
        if self._conn is not None:
            self._conn.close()

    def _connected(self) -> Connection:
        """Return the writer's connection, which connects by itself again where it was lost."""
        if self._conn is None:
            self._conn = self._dialect.as_writer(self._engine.connect())
        return self._conn

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

    def _commit(self, steps: list[_Step]) -> list[_Step]:
        """Make changes in one transaction and answer; return those that must be made again, in another."""
        settled: list[tuple[_Step, Sequence[Any], Exception | None]] = []
        again: list[_Step] = []
        committing = False
        try:
            conn = self._connected()
            with conn.begin():
                now_us = self._instant(conn)
                for i, step in enumerate(steps):
                    if not self._try(conn, step, now_us, settled):
                        again = steps[i:]
                        break
                committing = True
        except Exception as exc:  # noqa: BLE001  whatever it is, nothing of the batch is in the database
            # A commit whose answer was lost may have happened: its callers decide what to repeat.
            again = steps if not committing and self._may_repeat(steps[0], exc) else []
            settled = [] if again else [(step, (), exc) for step in steps]
        for step, results, reason in settled:
            if reason is not None:
                for future in step.futures:
                    future.set_exception(reason)
                continue
            for future, result in zip(step.futures, results, strict=True):
                future.set_result(result)
        return again

    def _may_repeat(self, step: _Step, exc: Exception) -> bool:
        step.tries += 1
        return step.tries < _MOST_TRIES and self._dialect.is_passing(exc)

    def _try(
        self,
        conn: Connection,
        step: _Step,
        now_us: int,
        settled: list[tuple[_Step, Sequence[Any], Exception | None]],
    ) -> bool:
        """Make one step in a savepoint; return False where it must be made again, in another transaction.

        Raises:
            Exception: the step's own, where the database gave up the whole transaction because of it.
        """
        savepoint = conn.begin_nested()
        try:
            results = step.make(Tx(conn, now_us, self._dialect, writes=True))
        except Exception as exc:
            if not self._dialect.in_transaction(conn):
                raise
            savepoint.rollback()
            if self._may_repeat(step, exc):
                return False
            settled.append((step, (), exc))
        else:
            savepoint.commit()
            settled.append((step, results, None))
        return True


def _settle(future: Future[Any], work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as exc:  # noqa: BLE001  whatever it is, it is the caller's
        future.set_exception(exc)
    else:
        future.set_result(None)
