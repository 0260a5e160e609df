"""One server in this process, on a socket that listens already, until something ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from anonrun._version import __version__
from anonrun.server.app import create_app
from anonrun.server.services.core import Core
from anonrun.server.settings import Settings
from anonrun.store.database import Database

__all__ = ["serve"]

_GRACE_S = 5
_IDLE_CHECK_S = 1.0
_log = logging.getLogger("anonrun.server")


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


async def serve(
    settings: Settings,
    db: Database,
    sock: socket.socket,
    *,
    vouch: str | None = None,
    worker: int | None = None,
    lifeline: int | None = None,
) -> None:
    """Serve until a signal, or until an embedded server has been idle for long.

    Args:
        settings: what the operator chose.
        db: open; the caller closes it.
        sock: listens.
        vouch: the secret by which Jupyter's proxy vouches for a user.
        worker: number of this process among several; None where it is alone.
        lifeline: a descriptor that ends when the process that started this one does, which then ends too.
    """  # fmt: skip
    app = create_app(settings, db, vouch=vouch, worker=worker)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http="httptools",
        ws="none",
        loop="asyncio",
        server_header=False,
        proxy_headers=False,  # networks.py reads them
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config, app.state.core)
    watch = None
    if settings.embedded and settings.idle_exit_s:
        watch = asyncio.create_task(_exit_when_idle(server, app.state.activity.idle_s, settings.idle_exit_s))
    if lifeline is not None:
        _exit_with(server, lifeline)
    fields = {"port": sock.getsockname()[1], "version": __version__} | ({} if worker is None else {"worker": worker})
    _log.info("started", extra={"fields": fields})
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


def _exit_with(server: uvicorn.Server, lifeline: int) -> None:
    """End the server when nobody holds the other end of the lifeline any more."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(lifeline, 1):
            loop.remove_reader(lifeline)
            server.should_exit = True

    loop.add_reader(lifeline, look)
