"""The one thread of a run that talks to the server, so that the training thread never does.

It looks for new rows as often as `pace` says, delivers them, says every 15 s that the run is alive, and turns every
trouble into a sentence that the run's status shows. It never prints from a notebook's background, never raises into
anyone, and stops by itself when the run is finished and delivered, or was refused for good.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Generator

from anonrun.client.delivery import Delivery
from anonrun.client.notices import Notices
from anonrun.client.pace import pause_s
from anonrun.client.remote import Refusal
from anonrun.client.spool.writer import SpoolWriter
from anonrun.client.verdict import Action, after_stop, backoff_s, decide
from anonrun.errors import ServerUnavailableError

__all__ = ["Sender"]

_LOOK_FOR_PARTS_S = 1.0
_SAY_UNREACHABLE_AFTER_S = 5.0
_GONE = frozenset({401, 404, 410})


class Sender:
    """Delivers one run in the background.

    Args:
        delivery: the work.
        writer: the run's writing end, whose queue is retried here.
        notices: where warnings go.
        leftovers: pieces of other work, done while there is nothing else to do.
        on_settled: called once the server has the run.
        heartbeat_s: how often to say that the run is alive; None where that is another process's to say.
        each_turn: called before each look at the spool; may put something there.

    Attributes:
        trouble: a sentence while delivery is in trouble; else None.
        refusal: why delivery has ended before its time; None where it has not.
        settled: set once the server has the run, or has refused it, or something else ended the thread.
        reached_at: when a request was last answered (monotonic); None while none was.
    """

    def __init__(
        self,
        delivery: Delivery,
        writer: SpoolWriter,
        notices: Notices,
        *,
        leftovers: Generator[None, None, None] | None = None,
        on_settled: Callable[[], object] = lambda: None,
        heartbeat_s: float | None = 15.0,
        each_turn: Callable[[], object] = lambda: None,
    ) -> None:
        self.delivery = delivery
        self.trouble: str | None = None
        self.refusal: Refusal | None = None
        self.settled = threading.Event()
        self.reached_at: float | None = None
        self._writer = writer
        self._notices = notices
        self._leftovers = leftovers
        self._on_settled = on_settled
        self._heartbeat_s = math.inf if heartbeat_s is None else heartbeat_s
        self._each_turn = each_turn
        self._finishing = False
        self._stopping = False
        self._wake = threading.Event()
        self._failures = 0
        self._first_failure_at = 0.0
        self._began_at = time.monotonic()
        self._look_from = self._began_at
        self._sent_before = 0
        self._next_heartbeat = time.monotonic() + self._heartbeat_s
        self._seemed_ended = False
        self._next_look = 0.0
        self._thread = threading.Thread(target=self._work, name="anonrun-sender", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether everything was delivered and the run is finished."""
        return self._finishing and self.delivery.drained and not self._thread.is_alive()

    def finish(self) -> None:
        """Deliver what is there, then end; nothing is written any more."""
        self._finishing = True
        self._wake.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the thread's end, and return whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End soon, delivered or not."""
        self._stopping = True
        self._wake.set()

    def _work(self) -> None:
        try:
            while not self._stopping:
                wait_s = self._turn()
                if wait_s is None:
                    break
                if wait_s > 0:
                    self._wake.wait(wait_s)
                    self._wake.clear()
        except Exception as exc:  # noqa: BLE001  a mistake of ours must not pass for silence
            self._complain(f"Delivery stopped: {type(exc).__name__}: {exc}. Points stay on disk; see `anonrun sync`.")
        finally:
            if self._leftovers is not None:
                self._leftovers.close()
            self.settled.set()

    def _turn(self) -> float | None:
        """Do one piece of work; return how long to wait before the next, or None at the end."""
        try:
            self._each_turn()
            self._writer.retry()
            if self._writer.trouble is not None:
                self._notices.warn_once("disk", self._writer.trouble)
            self.delivery.keep_file()
            finishing = self._finishing  # asked before the spool is read: what came before it is then in the spool
            more = self._advance()
        except ServerUnavailableError as exc:
            self.delivery.disconnect()
            return self._failed(f"{exc} Points wait on disk.", None)
        except Refusal as exc:
            return self._refused(exc)
        except OSError as exc:
            return self._failed(f"The spool cannot be read: {exc.strerror or exc}.", None)
        self._succeeded()
        if more and (finishing or self.delivery.behind):
            return 0
        if finishing:
            return None
        if self._leftovers is not None:
            next(self._leftovers, None)
        return self._pause_s()

    def _pause_s(self) -> float:
        now = time.monotonic()
        sent = self.delivery.sent_rows(own=True) + self.delivery.sent_rows(own=False)
        pause = pause_s(age_s=now - self._began_at, rows=sent - self._sent_before, took_s=now - self._look_from)
        self._sent_before = sent
        self._look_from = now + pause
        return pause

    def _advance(self) -> bool:
        now = time.monotonic()
        if now >= self._next_look or self._finishing:
            self._next_look = now + _LOOK_FOR_PARTS_S
            self.delivery.look_for_parts()
        self.delivery.register()
        if not self.settled.is_set():
            self.settled.set()
            self._on_settled()
        more = self.delivery.advance()
        if self._another_told_the_end() and self._heartbeat_s < math.inf:
            self._next_heartbeat = now
        if now >= self._next_heartbeat and not self._finishing:
            self._next_heartbeat = now + self._heartbeat_s
            self.delivery.heartbeat()
        return more

    def _another_told_the_end(self) -> bool:
        """Return whether the server has just begun to take the run for ended; a heartbeat has it go on."""
        before, self._seemed_ended = self._seemed_ended, self.delivery.ended
        return self._seemed_ended and not before

    def _succeeded(self) -> None:
        self.reached_at = time.monotonic()
        self._failures = 0
        if self.trouble is not None:
            self.trouble = None
        for text in (
            *self.delivery.damage,
            self.delivery.complaint,
            self.delivery.aside,
            self.delivery.outbox.aside,
            self.delivery.outbox.stopped,
            *self.delivery.uploads.problems,
        ):
            if text is not None:
                self._complain(text)

    def _failed(self, trouble: str, wait_s: float | None) -> float:
        now = time.monotonic()
        self._failures += 1
        if self._failures == 1:
            self._first_failure_at = now
        self.trouble = trouble
        if now - self._first_failure_at >= _SAY_UNREACHABLE_AFTER_S and not self._finishing:
            self._notices.warn_once("unreachable", trouble)
        return backoff_s(self._failures, random.random()) if wait_s is None else wait_s  # noqa: S311  jitter, no secret

    def _refused(self, refusal: Refusal) -> float | None:
        self.reached_at = time.monotonic()
        decision = decide(refusal)
        if decision.action is Action.RETRY:
            return self._failed(decision.trouble or refusal.detail, decision.wait_s)
        if refusal.status in (401, 404):
            try:
                if self.delivery.registered and self.delivery.make_anew():
                    return 0
            except ServerUnavailableError as exc:
                return self._failed(str(exc), None)
        self.refusal = refusal
        gone_rows = self.delivery.removed_rows() if refusal.status in _GONE else 0
        after = after_stop(self.delivery.folder.path, gone_rows=gone_rows)
        self._complain(f"{decision.trouble or refusal.detail} {after}")
        return None

    def _complain(self, text: str) -> None:
        self.trouble = text
        self._notices.warn_once(text, text)
