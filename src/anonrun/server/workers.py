"""Several processes that serve from one socket and one database, and the one that watches them.

The workers know nothing of each other. The watcher listens and never accepts: a connection that waits when a
worker dies is another's. A worker that ends by itself is replaced, at once where it had served for a while and
after a growing pause where it had not; when the watcher ends, in whatever way, they end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from anonrun.errors import AnonrunError
from anonrun.server import logs
from anonrun.server.settings import Settings

__all__ = ["main", "watch"]

_SETTLED_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_END_WITHIN_S = 20.0
_log = logging.getLogger("anonrun.server")


@dataclass
class _Worker:
    """A place for a worker: the process in it, or when there is to be one."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    began_s: float = 0.0
    due_s: float = 0.0
    pause_s: float = 0.0

    def ended(self, now_s: float) -> int | None:
        """Return the code with which the process has ended, once; None while it runs or where there is none."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process = None
        lasted = now_s - self.began_s > _SETTLED_S
        self.pause_s = 0.0 if lasted else min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, self.pause_s * 2))
        self.due_s = now_s + self.pause_s
        return code


def watch(settings: Settings, sock: socket.socket) -> None:
    """Keep `settings.workers` workers serving from a listening socket until a signal; then end them.

    Raises:
        AnonrunError: this system cannot share a socket between processes.
    """
    if sys.platform == "win32":
        raise AnonrunError("Several workers need Linux or macOS. Leave out --workers.")
    places = [_Worker(number) for number in range(settings.workers)]
    with _signals() as (stopping, bell):
        try:
            while not stopping:
                now_s = time.monotonic()
                for place in places:
                    code = place.ended(now_s)
                    if code is not None:
                        fields = {"worker": place.number, "code": code}
                        _log.error("a worker ended by itself", extra={"fields": fields})
                    if place.process is None and place.due_s <= now_s:
                        place.process, place.began_s = _start(settings, sock, place.number), now_s
                waits = [place.due_s - now_s for place in places if place.process is None]
                _wait(bell, min(waits) if waits else None)
        finally:
            _end([place.process for place in places if place.process is not None])


@contextlib.contextmanager
def _signals() -> Iterator[tuple[list[int], socket.socket]]:
    """Collect signals to end in a list, and ring a bell at those and when a child has ended."""
    stopping: list[int] = []
    ear, bell = socket.socketpair()
    for end in (ear, bell):
        end.settimeout(0)
    handlers = {
        signal.SIGTERM: lambda number, _frame: stopping.append(number),
        signal.SIGINT: lambda number, _frame: stopping.append(number),
        signal.SIGCHLD: lambda _number, _frame: None,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    waker = signal.set_wakeup_fd(bell.fileno(), warn_on_full_buffer=False)
    try:
        yield stopping, ear
    finally:
        signal.set_wakeup_fd(waker)
        for number, handler in before.items():
            signal.signal(number, handler)
        ear.close()
        bell.close()


def _wait(bell: socket.socket, timeout_s: float | None) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(bell, selectors.EVENT_READ)
        selector.select(timeout_s)
    with contextlib.suppress(BlockingIOError):
        while bell.recv(4096):
            pass


def _start(settings: Settings, sock: socket.socket, number: int) -> subprocess.Popen[bytes]:
    """Start a worker. What it needs goes through its standard input, which a stranger cannot read, as arguments can."""
    descriptor = sock.fileno()
    process = subprocess.Popen(
        [sys.executable, "-m", "anonrun.server.workers"], stdin=subprocess.PIPE, pass_fds=[descriptor]
    )
    assert process.stdin is not None, "it is a pipe"
    with contextlib.suppress(BrokenPipeError):  # it has ended already, which will be seen
        process.stdin.write(pickle.dumps((settings, descriptor, number)))
        process.stdin.flush()
    return process


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    deadline_s = time.monotonic() + _END_WITHIN_S
    for process in processes:
        try:
            process.wait(max(0.1, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:  # noqa: PERF203  a few processes
            process.kill()
            process.wait()


def main() -> int:
    """Be a worker: serve as standard input says, and until it ends; return the exit code."""
    from anonrun.server.serving import serve  # noqa: PLC0415  the watcher does without
    from anonrun.store.database import Database  # noqa: PLC0415  likewise

    settings, descriptor, number = pickle.load(sys.stdin.buffer)  # noqa: S301  from the process that started this one
    logs.set_up(settings.log_level, None)
    os.umask(0o077)
    sock = socket.socket(fileno=descriptor)
    try:
        db = Database.open(settings.database, readers=settings.readers)
    except AnonrunError as exc:
        _log.error("a worker cannot start: %s", exc)
        return 1
    try:
        asyncio.run(serve(settings, db, sock, worker=number, lifeline=sys.stdin.fileno()))
    finally:
        db.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
