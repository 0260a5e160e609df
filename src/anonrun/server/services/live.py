"""Who waits for news of a run.

Only that there is news is told, never what: a reader then reads from its own position. So a slow reader holds
nothing back and nothing piles up, and the same works when the news comes from another worker. A message that
was lost delays a reader by no more than the pause between two comments.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain

from anonrun.store.notify import News, NoNews

__all__ = ["Hub", "Listener", "Watcher"]

_MOST_REMEMBERED = 1_000


class Listener:
    """One reader's ear: `heard` waits for news since the last time."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """There is news."""
        self._event.set()

    async def heard(self, timeout_s: float) -> bool:
        """Wait for news; return whether there is some, or False when `timeout_s` seconds are over."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except (asyncio.TimeoutError, TimeoutError):  # two different ones before Python 3.11
            return False
        self._event.clear()
        return True


class Watcher(Listener):
    """The ear of one reader of many runs, which also remembers of which ones there was news."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: set[uuid.UUID] | None = set()

    def tell_of(self, run_id: uuid.UUID | None) -> None:
        """There is news of a run; None: of any."""
        if run_id is None or (self._runs is not None and len(self._runs) >= _MOST_REMEMBERED):
            self._runs = None
        elif self._runs is not None:
            self._runs.add(run_id)
        self.tell()

    def take(self) -> frozenset[uuid.UUID] | None:
        """Return the runs of which there was news since the last time; None where it may be any run."""
        runs, self._runs = self._runs, set()
        return None if runs is None else frozenset(runs)


class Hub:
    """The readers that wait, by run. Used on one event loop only."""

    def __init__(self) -> None:
        self._listeners: dict[uuid.UUID, set[Listener]] = {}
        self._watchers: set[Watcher] = set()
        self._others: News = NoNews()
        self.closing = False

    def connect(self, others: News) -> None:
        """Have the readers of other processes told as well from now on."""
        self._others = others

    def __len__(self) -> int:
        return sum(map(len, self._listeners.values())) + len(self._watchers)

    @contextmanager
    def listen(self, run_id: uuid.UUID) -> Iterator[Listener]:
        """Hear of a run for as long as the context lasts."""
        listener = Listener()
        self._listeners.setdefault(run_id, set()).add(listener)
        try:
            yield listener
        finally:
            others = self._listeners[run_id]
            others.discard(listener)
            if not others:
                del self._listeners[run_id]

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """Hear of every run for as long as the context lasts."""
        watcher = Watcher()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def publish(self, run_id: uuid.UUID) -> None:
        """Tell the readers of a run that there is news, wherever they are."""
        self._tell(run_id)
        self._others.tell(run_id)

    def hear(self, run_ids: Collection[uuid.UUID] | None) -> None:
        """Tell our own readers of news from another process; None: of any run."""
        if run_ids is None:
            for watcher in self._watchers:
                watcher.tell_of(None)
        for run_id in list(self._listeners) if run_ids is None else run_ids:
            self._tell(run_id)

    def _tell(self, run_id: uuid.UUID) -> None:
        for listener in self._listeners.get(run_id, ()):
            listener.tell()
        for watcher in self._watchers:
            watcher.tell_of(run_id)

    def close(self) -> None:
        """Have every reader leave: the server stops."""
        self.closing = True
        for listener in chain(self._watchers, *self._listeners.values()):
            listener.tell()
