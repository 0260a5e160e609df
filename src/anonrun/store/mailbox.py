"""Carries results from the writer's thread to an event loop: one wake-up for all that are ready together.

A commit settles many callers at once; waking the loop for each of them costs more than the rest of a small flush.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["Mailbox"]

T = TypeVar("T")


class Mailbox:
    """The results that wait for one event loop.

    Attributes:
        loop: the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ready: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._waking = False

    async def wait(self, future: Future[T]) -> T:
        """Return what a future of another thread becomes; on the loop only."""
        here: asyncio.Future[T] = self.loop.create_future()
        future.add_done_callback(lambda done: self._put(here, done))
        return await here

    def _put(self, here: asyncio.Future[Any], done: Future[Any]) -> None:
        self._ready.append((here, done))
        if not self._waking:
            self._waking = True
            try:
                self.loop.call_soon_threadsafe(self._hand_out)
            except RuntimeError:  # the loop has ended, and with it whoever waited
                self._ready.clear()

    def _hand_out(self) -> None:
        self._waking = False  # before the first is taken: what comes from now on wakes the loop again
        while self._ready:
            here, done = self._ready.popleft()
            if here.done():  # its caller has given up
                continue
            reason = done.exception()
            if reason is None:
                here.set_result(done.result())
            else:
                here.set_exception(reason)
