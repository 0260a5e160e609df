"""Cost of what matters most as a multiple of fixed work in the same process: a machine's speed cancels out.

For tests: they fail on gross regressions only. Subject and reference take turns, and the quickest round of each
counts, so that other processes disturb neither. A limit is a few times what was measured when it was set; lower it
when the code becomes quicker.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.flushes import bodies

__all__ = ["Guard", "compressing", "counting", "quickest_s", "ratio", "storing"]

Work = Callable[[], object]
_ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Guard:
    """What something may cost.

    Attributes:
        name: of the subject.
        limit: how many times the reference's time the subject may take.
        usual: how many times it took when the limit was set.
    """

    name: str
    limit: float
    usual: float

    def complaint(self, times: float) -> str | None:
        """Return what is wrong where the subject takes so many times as long as the reference; None for nothing."""
        if times <= self.limit:
            return None
        return (
            f"{self.name} takes {times:.1f} times as long as the reference; {self.usual:g} is usual and {self.limit:g} "
            "the limit. Profile it: something in it has become several times slower."
        )


def quickest_s(works: Sequence[Work], *, rounds: int = _ROUNDS) -> list[float]:
    """Return the least processor time of this thread that each work takes; they take turns."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for which, work in enumerate(works):
            start = time.thread_time()
            work()
            best[which] = min(best[which], time.thread_time() - start)
    return best


def ratio(subject: Work, reference: Work, *, rounds: int = _ROUNDS) -> float:
    """Return how many times as long as the reference the subject takes."""
    ours, theirs = quickest_s([subject, reference], rounds=rounds)
    return ours / theirs


def counting(times: int) -> Work:
    """Return a reference of plain Python: dictionary, arithmetic, calls."""

    def work() -> int:
        seen: dict[str, float] = {}
        for number in range(times):
            name = f"metric_{number % 10}"
            seen[name] = max(seen.get(name, 0.0), number * 0.5)
        return len(seen)

    return work


def compressing(times: int) -> Work:
    """Return a reference of zlib: a 100-point flush, out of its packing and in again."""
    [body] = bodies(1, rows=10)
    packed = zlib.compress(body * 2, 1)

    def work() -> None:
        for _ in range(times):
            zlib.compress(zlib.decompress(packed), 1)

    return work


@contextmanager
def storing(folder: Path, times: int) -> Iterator[Work]:
    """Give a reference of SQLite: as many flushes, put into a table one by one and committed together."""
    [body] = bodies(1, rows=10)
    with closing(sqlite3.connect(folder / "reference.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE flush (no INTEGER PRIMARY KEY, payload BLOB)")

        def work() -> None:
            db.execute("BEGIN IMMEDIATE")
            for _ in range(times):
                db.execute("INSERT INTO flush (payload) VALUES (?)", (zlib.compress(body, 1),))
            db.execute("COMMIT")

        yield work
