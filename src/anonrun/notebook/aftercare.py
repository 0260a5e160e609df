"""Watches runs that have ended for a claim, so that the saved picture says that they are kept.

One thread, which ends when nothing is left to watch. It asks the server more and more rarely and stops
after an hour, so that an idle embedded server can end; the picture's date is right without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from anonrun.notebook.publisher import Shown
from anonrun.notebook.view import Snapshot

__all__ = ["Aftercare"]

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 60.0
_GIVE_UP_AFTER_S = 3_600.0
_MOST_WATCHED = 4


@dataclass(slots=True)
class _Watched:
    shown: Shown
    next_at: float
    pause_s: float
    until: float


class Aftercare:
    """Updates pictures of ended runs when these are claimed.

    Args:
        clock: seconds, never going back.
        first_pause_s: before the server is asked first; doubled each time, up to a minute.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, first_pause_s: float = _FIRST_PAUSE_S) -> None:
        self._clock = clock
        self._first_pause_s = first_pause_s
        self._condition = threading.Condition()
        self._watched: list[_Watched] = []
        self._thread: threading.Thread | None = None

    def add(self, shown: Shown) -> None:
        """Watch a run, if there is something to wait for; of many, only the last ones."""
        if not shown.view.facts.anonymous or shown.view.source.status().server is None:
            return
        now = self._clock()
        with self._condition:
            pause = self._first_pause_s
            self._watched.append(_Watched(shown, now + pause, pause, now + _GIVE_UP_AFTER_S))
            del self._watched[:-_MOST_WATCHED]
            self._condition.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="anonrun-aftercare", daemon=True)
                self._thread.start()

    def forget(self, shown: Shown) -> None:
        """Watch a run no more."""
        with self._condition:
            self._watched = [watched for watched in self._watched if watched.shown is not shown]
            self._condition.notify()

    @property
    def busy(self) -> bool:
        """Whether there is something to wait for."""
        with self._condition:
            return self._thread is not None

    def _work(self) -> None:
        while True:
            with self._condition:
                now = self._clock()
                self._watched = [watched for watched in self._watched if now < watched.until]
                if not self._watched:
                    self._thread = None
                    return
                due = min(self._watched, key=lambda watched: watched.next_at)
                if due.next_at > now:
                    self._condition.wait(due.next_at - now)
                    continue
                due.pause_s = min(2 * due.pause_s, _LONGEST_PAUSE_S)
                due.next_at = now + due.pause_s
            if self._settled(due.shown):
                with self._condition:
                    self._watched = [watched for watched in self._watched if watched is not due]

    def _settled(self, shown: Shown) -> bool:
        """Ask the server once; return whether there is nothing more to wait for."""
        try:
            shown.view.source.refresh()
            if shown.view.facts.anonymous:
                return False
            with shown.lock:
                shown.outputs.send(Snapshot(shown.view.snapshot()))
        except Exception as exc:  # noqa: BLE001  no server, or an output that is gone: asked again, more rarely
            shown.trouble = f"Whether this run was claimed could not be asked: {type(exc).__name__}: {exc}"
            return False
        return True
