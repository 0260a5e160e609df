"""News of runs by LISTEN and NOTIFY: one connection and one thread of a process for both.

What is told is collected for a moment, so that however much happens, a process sends a few messages twenty times
a second, apart from the transactions that they tell of. When the connection is lost it is made again; messages
were missed then, so that every listener here and in the other processes is told to look.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import selectors
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg

from anonrun.store.notify import EVERY_RUN, Heard, packed, unpacked

__all__ = ["PostgresNews"]

_CHANNEL = "anonrun_runs"
_EVERY_S = 0.05
_STILL_THERE_S = 30.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_MOST_WAITING = 100_000
_log = logging.getLogger("anonrun.store")


class PostgresNews:
    """Carries news through a database.

    Args:
        connect: makes a connection that commits each statement by itself.
        heard: called on this object's thread.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], heard: Heard) -> None:
        self._connect = connect
        self._heard = heard
        self._name = secrets.token_hex(6)
        self._lock = threading.Lock()
        self._waiting: set[uuid.UUID] | None = set()  # None: any run
        self._closing = False
        self._bell, self._ear = socket.socketpair()
        for end in (self._bell, self._ear):
            end.settimeout(0)
        self._thread = threading.Thread(target=self._run, name="anonrun-store-news", daemon=True)
        self._thread.start()

    def tell(self, run_id: uuid.UUID) -> None:
        """Have the other processes know soon that there is news of a run."""
        with self._lock:
            if self._waiting is None:
                return
            first = not self._waiting
            self._waiting.add(run_id)
            if len(self._waiting) > _MOST_WAITING:
                self._waiting = None
        if first:
            self._ring()

    def close(self) -> None:
        """End it; what was told before is delivered if the connection stands."""
        self._closing = True
        self._ring()
        self._thread.join()
        self._bell.close()
        self._ear.close()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # a full bell rings already
            self._bell.send(b"!")

    def _run(self) -> None:
        wait_s, before = _FIRST_WAIT_S, False
        while not self._closing:
            try:
                with self._connect() as conn:
                    conn.execute(f"LISTEN {_CHANNEL}")
                    if before:
                        self._heard(None)
                        self._missed()
                    wait_s, before = _FIRST_WAIT_S, True
                    self._carry(conn)
            except psycopg.Error as exc:  # noqa: PERF203  an attempt is seconds apart from the next
                before = True
                if not self._closing:
                    _log.warning("no news from other workers: %s", type(exc).__name__)
                    self._pause(wait_s)
                    wait_s = min(_LONGEST_WAIT_S, wait_s * 2)

    def _missed(self) -> None:
        with self._lock:
            self._waiting = None

    def _pause(self, wait_s: float) -> None:
        """Wait before the next attempt, but not when it is time to end."""
        end_s = time.monotonic() + wait_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._ear, selectors.EVENT_READ)
            while not self._closing and (left_s := end_s - time.monotonic()) > 0:
                selector.select(left_s)
                self._silence()

    def _silence(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._ear.recv(4096):
                pass

    def _carry(self, conn: psycopg.Connection[Any]) -> None:
        """Send and hear until it is time to end.

        Raises:
            psycopg.Error: the connection is lost.
        """
        sent_s = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self._ear, selectors.EVENT_READ)
            selector.register(conn.fileno(), selectors.EVENT_READ)
            while True:
                closing = self._closing
                due_s = sent_s + _EVERY_S - time.monotonic()
                if self._waiting != set() and (closing or due_s <= 0):
                    self._send(conn)
                    sent_s = time.monotonic()
                if closing:
                    return
                self._hear(conn)  # what came with the answers to the above is with psycopg, and rings no bell
                timeout_s = max(0.0, due_s) if self._waiting != set() else _STILL_THERE_S
                ready = selector.select(timeout_s)
                self._silence()
                if not ready and timeout_s == _STILL_THERE_S:
                    conn.execute("SELECT 1")

    def _send(self, conn: psycopg.Connection[Any]) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        messages = [f"{self._name}:{EVERY_RUN}"] if waiting is None else list(packed(self._name, waiting))
        try:
            for message in messages:
                conn.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, message))
        except psycopg.Error:
            self._missed()
            raise

    def _hear(self, conn: psycopg.Connection[Any]) -> None:
        for message in conn.notifies(timeout=0):
            sender, run_ids = unpacked(message.payload)
            if sender != self._name:
                self._heard(run_ids)
