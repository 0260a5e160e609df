"""The application: every operation behind one envelope, and what runs beside the requests.

Made by `create_app` from settings and an open database, so that tests make it with their own clock. It owns
no process, no socket and no lock: those are `process.py`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import uuid
from collections.abc import AsyncIterator, Collection
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from anonrun.server.cors import CrossOriginReads
from anonrun.server.envelope import Activity, Envelope
from anonrun.server.errors import HANDLERS
from anonrun.server.forwarded import Forwarded
from anonrun.server.routes import (
    account_sessions,
    accounts,
    artifacts,
    badge,
    devices,
    export,
    identities,
    invitations,
    keys,
    leaving,
    links,
    live,
    media,
    projects,
    providers,
    recovery,
    runs,
    sampled,
    segments,
    service,
    session,
    tokens,
    uploads,
)
from anonrun.server.routing import Operation
from anonrun.server.services.core import Core
from anonrun.server.services.retention import Sweeper
from anonrun.server.settings import Settings
from anonrun.store.database import Database
from anonrun.store.ledger import Ledger

__all__ = ["OPERATIONS", "create_app"]

_MODULES = (
    segments,
    sampled,
    live,
    runs,
    projects,
    service,
    accounts,
    account_sessions,
    keys,
    session,
    providers,
    identities,
    devices,
    recovery,
    leaving,
    invitations,
    export,
    links,
    artifacts,
    uploads,
    media,
    badge,
    tokens,
)

OPERATIONS: tuple[Operation, ...] = tuple(operation for module in _MODULES for operation in module.operations.all)
"""Everything that the server does under `/api/v1/` and beside it, pages excepted; what is asked most often first."""

_STATIC = Path(__file__).parent / "web" / "static"


def _routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        Route(operation.path, operation.handler, methods=[operation.method], name=operation.name)
        for operation in OPERATIONS
    ]
    if importlib.util.find_spec("anonrun.server.routes.pages"):
        pages = importlib.import_module("anonrun.server.routes.pages")
        routes += pages.router.routes
    routes.append(Mount("/static", StaticFiles(directory=_STATIC, check_dir=False), name="static"))
    return routes


def create_app(settings: Settings, db: Database, *, vouch: str | None = None, worker: int | None = None) -> Starlette:
    """Return the application.

    Args:
        settings: what the operator chose.
        db: open; the caller closes it after the application has ended.
        vouch: the secret by which Jupyter's proxy vouches for a user; None where there is no such proxy.
        worker: number of this process among several; None where it is alone.
    """
    core = Core(settings, db, vouch, worker)
    activity = Activity()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        def heard(run_ids: Collection[uuid.UUID] | None) -> None:
            loop.call_soon_threadsafe(core.hub.hear, run_ids)

        news = db.news(heard)
        core.hub.connect(news)
        ledger = Ledger(settings.ledger)
        sweeper = Sweeper(db, core.counters, interval_s=settings.sweep_interval_s, ledger=ledger, objects=core.objects)
        compactor = core.compactor
        tasks = [asyncio.create_task(sweeper.run()), asyncio.create_task(compactor.run())]
        try:
            yield
        finally:
            compactor.end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await sweeper.stop()
            await compactor.stop()
            core.hub.close()
            await loop.run_in_executor(None, news.close)
            core.passwords.close()
            await core.objects.close()

    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(Forwarded, trusted=settings.proxies),
            Middleware(Envelope, activity=activity, counters=core.counters),
            *([Middleware(CrossOriginReads)] if settings.cross_origin_reads else []),
        ],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
    app.state.core = core
    app.state.operations = OPERATIONS
    app.state.activity = activity
    return app
