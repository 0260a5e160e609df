"""The server as a process: one owner for a data folder, a listening socket, a clean end.

The lock is taken before the database is opened, the socket is bound before anything says where it is, and
what is written into `state.json` is true from that moment: a client that reads it can connect, even while the
rest still loads. SIGTERM ends it when running requests are answered; open streams are told to leave.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from anonrun._version import __version__
from anonrun.core.times import format_time, from_us
from anonrun.errors import AnonrunError
from anonrun.server import logs, workers
from anonrun.server.providers import check_installed
from anonrun.server.services.files import objects_of
from anonrun.server.serving import serve
from anonrun.server.settings import Settings
from anonrun.store.database import Database

__all__ = ["AlreadyRunningError", "run"]

_BACKLOG = 512


class AlreadyRunningError(AnonrunError):
    """Another server owns this data folder."""


def run(settings: Settings) -> None:
    """Serve until a signal, or until an embedded server has been idle for long.

    Raises:
        AlreadyRunningError: another server owns the data folder.
        AnonrunError: the folder, the port, the database or a provider cannot be used; the message says why.
    """
    check_installed(settings.providers)
    folder = settings.server_dir
    if isinstance(settings.database, str):
        logs.set_up(settings.log_level, None)
        _serve_shared(settings)
        return
    try:
        os.umask(0o077)  # database and log are for the owner's eyes too
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _sole_owner(folder):
            logs.set_up(settings.log_level, folder / "server.log" if settings.embedded else None)
            _serve(settings, folder)
    except OSError as exc:
        raise AnonrunError(f"The folder {folder} cannot be used: {exc}. Name another with --data-dir.") from exc


@contextlib.contextmanager
def _sole_owner(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / "server.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        where = _remembered(folder).get("port", "?")
        raise AlreadyRunningError(f"A server already uses {folder} (port {where}). Stop it, or use that one.") from None
    try:
        yield
    finally:
        lock.release()


def _remembered(folder: Path) -> dict[str, object]:
    """Return what the state file of the last server says; nothing where it is absent or damaged."""
    try:
        state = json.loads((folder / "state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Told that it is TCP, asyncio sets TCP_NODELAY: else each answer on a kept connection waits 40 ms for an ACK.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would let two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    sock.set_inheritable(False)
    return sock


def _listen(settings: Settings, folder: Path) -> socket.socket:
    """Return a listening socket: an embedded server's on the port that it had before, or any other."""
    try:
        if not settings.embedded:
            return _bind(settings.host, settings.port)
        before = _remembered(folder).get("port")
        if isinstance(before, int) and 0 < before < 1 << 16:
            with contextlib.suppress(OSError):
                return _bind(settings.host, before)
        return _bind(settings.host, 0)
    except (OSError, UnicodeError) as exc:
        where = f"{settings.host} port {settings.port}"
        raise AnonrunError(f"Cannot listen on {where}: {exc}. Choose another by --port; 0 is any free one.") from exc


def _write_state(folder: Path, state: dict[str, object]) -> None:
    """Replace the state file in one step; only its owner may read it."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="state-", suffix=".tmp")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(state, file)
        Path(name).replace(folder / "state.json")
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _serve(settings: Settings, folder: Path) -> None:
    db = Database.open(settings.database, readers=settings.readers)
    try:
        with contextlib.closing(_listen(settings, folder)) as sock:
            vouch = secrets.token_urlsafe(32) if settings.embedded else None
            if settings.embedded:
                state = {
                    "pid": os.getpid(),
                    "port": sock.getsockname()[1],
                    "instance": db.instance,
                    "vouch": vouch,
                    "version": __version__,
                    "started_at": format_time(from_us(db.clock.now_us())),
                }
                _write_state(folder, state)
            else:
                _say_where(settings, sock)
            asyncio.run(serve(settings, db, sock, vouch=vouch))
    finally:
        db.close()


def _serve_shared(settings: Settings) -> None:
    """Serve from a database that other processes serve from too: in this process, or in workers that it watches."""
    db = Database.open(settings.database, readers=settings.readers)
    with contextlib.ExitStack() as open_here:
        open_here.callback(db.close)
        sock = open_here.enter_context(contextlib.closing(_listen(settings, settings.server_dir)))
        objects_of(settings, db.instance)  # what is wrong with the bucket is said once, and not by each worker
        _say_where(settings, sock)
        if settings.workers == 1:
            asyncio.run(serve(settings, db, sock))
            return
        db.close()  # the tables are there and fit; each worker connects for itself
        workers.watch(settings, sock)


def _say_where(settings: Settings, sock: socket.socket) -> None:
    port = sock.getsockname()[1]
    print(f"anonrun server: http://{settings.host}:{port}/", file=sys.stderr)  # noqa: T201  for who started it
