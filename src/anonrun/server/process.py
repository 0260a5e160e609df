"""The server as a process: one owner for a data folder, a listening socket, a clean end.

The lock is taken before the database is opened, the socket is bound before anything says where it is, and
what is written into `state.json` is true from that moment: a client that reads it can connect, even while the
rest still loads. SIGTERM ends it when running requests are answered; open streams are told to leave.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn
from filelock import FileLock, Timeout

from anonrun._version import __version__
from anonrun.core.times import format_time, from_us
from anonrun.errors import AnonrunError
from anonrun.server import logs
from anonrun.server.app import create_app
from anonrun.server.services.core import Core
from anonrun.server.settings import Settings
from anonrun.store.database import Database

__all__ = ["AlreadyRunningError", "run"]

_BACKLOG = 512
_GRACE_S = 5
_IDLE_CHECK_S = 1.0
_log = logging.getLogger("anonrun.server")


class AlreadyRunningError(AnonrunError):
    """Another server owns this data folder."""


class _Server(uvicorn.Server):
    """uvicorn's server, which asks open streams to leave before it waits for them."""

    def __init__(self, config: uvicorn.Config, core: Core) -> None:
        super().__init__(config)
        self._core = core

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  uvicorn's signature
        """End at a signal; unlike uvicorn's own, without raising it again, so that the store is closed after."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: first the streams, then the rest."""
        self._core.hub.close()
        await super().shutdown(sockets)


def run(settings: Settings) -> None:
    """Serve until a signal, or until an embedded server has been idle for long.

    Raises:
        AlreadyRunningError: another server owns the data folder.
        AnonrunError: the folder, the port or the database cannot be used; the message says why.
    """
    folder = settings.server_dir
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
    db = Database.open(folder / "anonrun.db")
    try:
        with contextlib.closing(_listen(settings, folder)) as sock:
            port = sock.getsockname()[1]
            vouch = secrets.token_urlsafe(32) if settings.embedded else None
            if settings.embedded:
                state = {
                    "pid": os.getpid(),
                    "port": port,
                    "instance": db.instance,
                    "vouch": vouch,
                    "version": __version__,
                    "started_at": format_time(from_us(db.clock.now_us())),
                }
                _write_state(folder, state)
            else:
                print(f"anonrun server: http://{settings.host}:{port}/", file=sys.stderr)  # noqa: T201  for who started it
            asyncio.run(_until_done(settings, db, sock, vouch))
    finally:
        db.close()


async def _until_done(settings: Settings, db: Database, sock: socket.socket, vouch: str | None) -> None:
    app = create_app(settings, db, vouch=vouch)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http="httptools",
        ws="none",
        loop="asyncio",
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config, app.state.core)
    watch = None
    if settings.embedded and settings.idle_exit_s:
        watch = asyncio.create_task(_exit_when_idle(server, app.state.activity.idle_s, settings.idle_exit_s))
    _log.info("started", extra={"fields": {"port": sock.getsockname()[1], "version": __version__}})
    try:
        await server.serve(sockets=[sock])
    finally:
        if watch is not None:
            watch.cancel()
    _log.info("stopped")


async def _exit_when_idle(server: uvicorn.Server, idle_s: Callable[[], float], limit_s: float) -> None:
    while idle_s() < limit_s:  # noqa: ASYNC110  idleness is the absence of events
        await asyncio.sleep(min(_IDLE_CHECK_S, limit_s))
    _log.info("idle", extra={"fields": {"seconds": limit_s}})
    server.should_exit = True
