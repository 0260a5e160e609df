"""The one thread of a kernel that keeps all shown runs up to date.

At most ten times a second it takes in what was logged and sends one message, to one run after the other.
It starts with the first run that is shown and ends with the last; it never prints and never opens a
display, which would land in whatever cell runs then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from anonrun.notebook.outputs import Outputs
from anonrun.notebook.view import RunView

__all__ = ["Publisher", "Shown"]

_PAUSE_S = 0.1


@dataclass(slots=True, eq=False)
class Shown:
    """A run's view and where it is shown; `lock` is held by whoever uses either.

    Attributes:
        trouble: why it is no longer kept up to date; None while all is well.
    """

    view: RunView
    outputs: Outputs
    lock: threading.Lock = field(default_factory=threading.Lock)
    trouble: str | None = None


class Publisher:
    """Keeps runs up to date until they are removed.

    Args:
        clock: seconds, never going back.
        pause_s: the shortest time between two messages.
        name: of its thread.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, pause_s: float = _PAUSE_S, name: str = "anonrun-notebook"
    ) -> None:
        self.clock = clock
        self._pause_s = pause_s
        self._name = name
        self._lock = threading.Lock()
        self._shown: list[Shown] = []
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def add(self, shown: Shown) -> None:
        """Keep a run up to date from now on."""
        with self._lock:
            self._shown.append(shown)
            self._wake.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    def remove(self, shown: Shown) -> None:
        """Stop keeping a run up to date; nothing is sent to it any more when this returns."""
        with self._lock:
            if shown in self._shown:
                self._shown.remove(shown)
            if not self._shown:
                self._wake.set()
        with shown.lock:  # a message that is under way
            pass

    @property
    def busy(self) -> bool:
        """Whether its thread runs."""
        with self._lock:
            return self._thread is not None

    def clear(self) -> None:
        """Stop keeping any run up to date."""
        for shown in list(self._shown):
            self.remove(shown)

    def _work(self) -> None:
        while True:
            started = self.clock()
            with self._lock:
                if not self._shown:
                    self._thread = None
                    return
                self._shown.append(self._shown.pop(0))
                turn = list(self._shown)
            self._send_one(turn)
            self._wake.wait(max(0.0, self._pause_s - (self.clock() - started)))

    def _send_one(self, turn: list[Shown]) -> None:
        sent = False
        for shown in turn:
            with shown.lock:
                if shown in self._shown:
                    try:
                        shown.view.read()
                        message = None if sent else shown.view.next(self.clock())
                        if message is not None:
                            shown.outputs.send(message)
                            sent = True
                    except Exception as exc:  # noqa: BLE001  one run's trouble must not stop the others
                        shown.trouble = f"The live view stopped: {type(exc).__name__}: {exc}"
                        self._shown.remove(shown)
