"""Brings a journal's segments to the other server: at least once on the wire, exactly once in effect.

The server's cursor says where to go on, so a repeat after any stop sends only what is not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from anonrun.client.moving.journal import WRITER
from anonrun.client.remote import Refusal, Remote
from anonrun.client.verdict import Action, backoff_s, decide
from anonrun.core.frames import Frame
from anonrun.core.wire import Segment, encode
from anonrun.errors import ServerUnavailableError

__all__ = ["Patience", "Stream", "UnwillingError"]

T = TypeVar("T")

_MOST_RETRIES = 5
_LONGEST_WAIT_S = 30.0  # somebody is looking at the terminal


class UnwillingError(Exception):
    """A server refuses for good, or for longer than one would wait.

    Attributes:
        url: the server's address.
        refusal: what it answered.
    """

    def __init__(self, url: str, refusal: Refusal) -> None:
        super().__init__(f"{url}: {refusal.detail}")
        self.url = url
        self.refusal = refusal


class Patience:
    """Asks a server again where it does not answer, asks to wait or is in trouble itself; only so often, and not long.

    Args:
        url: the server's address.
        sleep: waits; replaced only by tests.
    """

    def __init__(self, url: str, sleep: Callable[[float], object] = time.sleep) -> None:
        self.url = url
        self._sleep = sleep

    def ask(self, call: Callable[[], T]) -> T:
        """Return what a call returns; it is one that may be repeated.

        Raises:
            ServerUnavailableError: there was no answer, again and again.
            UnwillingError: it refuses.
        """
        failures = 0
        while True:
            wait_s: float | None = None
            try:
                return call()
            except ServerUnavailableError:
                failures += 1
                if failures > _MOST_RETRIES:
                    raise
            except Refusal as exc:
                failures += 1
                wait_s = exc.retry_after_s
                too_long = wait_s is not None and wait_s > _LONGEST_WAIT_S
                if decide(exc).action not in (Action.RETRY, Action.AGAIN) or failures > _MOST_RETRIES or too_long:
                    raise UnwillingError(self.url, exc) from exc
            self._sleep(backoff_s(failures, 1.0) if wait_s is None else wait_s)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a run's rows on a server, as who may write it sends them."""

    remote: Remote
    token: str = field(repr=False)
    run_id: str
    patience: Patience

    def upload(self, segments: Iterable[Segment]) -> None:
        """Send the rows that the server does not have.

        Args:
            segments: the whole stream, from its first row on.

        Raises:
            ServerUnavailableError: there is no answer.
            UnwillingError: the server refuses.
            DamagedDataError: the segments cannot be read.
        """
        there = self.patience.ask(lambda: self.remote.cursor(self.token, self.run_id, WRITER)).next
        for segment in segments:
            head = segment.header
            if head.seq + head.rows > there:
                there = self._send(_after(list(segment.frames), there - head.seq), there)

    def _send(self, frames: list[Frame], seq: int) -> int:
        """Send rows, in halves where the server takes no more at once; return the number of the first it has not."""
        data = encode(frames, writer=WRITER, seq=seq)
        try:
            return self.patience.ask(lambda: self.remote.send_segments(self.token, self.run_id, data)).next
        except UnwillingError as exc:
            rows = sum(len(frame.steps) for frame in frames)
            if decide(exc.refusal).action is not Action.SMALLER or rows == 1:
                raise
            half = rows // 2
        return self._send(_after(frames, half), self._send(_before(frames, half), seq))


def _cut(frame: Frame, part: slice) -> Frame:
    return Frame(frame.names, frame.steps[part], frame.times_us[part], tuple(column[part] for column in frame.columns))


def _before(frames: list[Frame], rows: int) -> list[Frame]:
    """Return the first rows of some frames."""
    kept = []
    for frame in frames:
        if rows <= 0:
            break
        kept.append(_cut(frame, slice(0, rows)))
        rows -= len(frame.steps)
    return kept


def _after(frames: list[Frame], rows: int) -> list[Frame]:
    """Return all but the first rows of some frames."""
    kept = []
    for frame in frames:
        if rows < len(frame.steps):
            kept.append(_cut(frame, slice(max(0, rows), None)))
        rows -= len(frame.steps)
    return kept
