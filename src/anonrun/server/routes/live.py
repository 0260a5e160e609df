"""A run as it goes, and a list of runs, by Server-Sent Events.

A run's stream reads from the store from its own position whenever there is news, and checks each time that its
reader may still read: a revoked link, a claim, a deletion or the expiry ends it with `gone`. A list's stream says
only that it has changed, since what of it a reader looks at is theirs to ask for.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import uuid
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from anonrun.core.messages import RunInfo, to_json
from anonrun.server.access import core_of, read_as, read_run, run_id_of
from anonrun.server.actors import Actor
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routes.runs import infos
from anonrun.server.routing import Operations, Param, integer
from anonrun.server.services import listing
from anonrun.server.services.live import Listener
from anonrun.server.services.views import run_info
from anonrun.store import history
from anonrun.store.records import Run
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("history")

_COMMENT_EVERY_S = 15.0
_PACE_S = 0.05
_LIST_PACE_S = 2.0
_BYTES_AT_ONCE = 1 << 19
_LARGEST = (1 << 63) - 1
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_STILL_HERE = b": still here\n\n"
_CHANGING = {"server_time", "heartbeat_at", "points", "summary"}


@dataclasses.dataclass(frozen=True, slots=True)
class _Look:
    """What a stream saw of a run: what would be worth an event, that event where it is new, and more of the history."""

    seen: object
    news: RunInfo | None
    expires_at: int | None
    page: history.Page | None


def _event(name: str, data: str, *, at: int | None = None) -> bytes:
    number = "" if at is None else f"id: {at}\n"
    return f"event: {name}\n{number}data: {data}\n\n".encode()


def _after(request: Request) -> int:
    """Return the position to continue from: what a browser that reconnects has seen counts more."""
    seen = request.headers.get("last-event-id", "")
    if seen.isascii() and seen.isdecimal() and len(seen) < 19:  # noqa: PLR2004  digits of 2^63
        return int(seen)
    return integer(request, "after", low=0, high=_LARGEST, default=0) or 0


@operations.get(
    "/runs/{run_id}/live",
    who="view",
    answers={200: "text/event-stream"},
    codes=("run_not_found", "forbidden"),
    query=(Param("after", "position after which to begin; 0, the beginning, if absent", "integer"),),
)
async def follow_run(request: Request) -> Response:
    """Follow a run: `points`, `run` when it changed, `gone` when it ceased to exist for this reader."""
    run_id, after = run_id_of(request), _after(request)
    await read_run(request, Action.READ, lambda _tx, _actor, _run: None)
    return StreamingResponse(_events(request, run_id, after), media_type="text/event-stream", headers=_HEADERS)


async def _events(request: Request, run_id: uuid.UUID, position: int) -> AsyncIterator[bytes]:
    core = core_of(request)
    shown: object = None

    def look(tx: Tx, actor: Actor, run: Run) -> _Look:
        # The last values cost a look at the run's tail, and are sent only when something else of it has changed.
        info = run_info(run, {}, actor, tx.now_us)
        lasting = {f.name: getattr(info, f.name) for f in dataclasses.fields(info) if f.name not in _CHANGING}
        seen = (lasting, run.summary)
        news = infos(tx, actor, [run])[0] if seen != shown else None
        page = history.page(tx, run_id, after=position, size_bytes=_BYTES_AT_ONCE)
        return _Look(seen, news, run.expires_at, page)

    with core.hub.listen(run_id) as listener:
        while not core.hub.closing:
            try:
                found = await read_run(request, Action.READ, look)
            except ProblemError as problem:
                yield _event("gone", json.dumps(problem.body))
                return
            if found.news is not None:
                shown = found.seen
                yield _event("run", json.dumps(to_json(found.news), allow_nan=False))
            page = found.page
            more = page if page is not None and page.position > position else None
            if more is not None:
                position = more.position
                if more.segments:
                    yield _event("points", base64.b64encode(b"".join(more.segments)).decode("ascii"), at=position)
            if more is not None or found.news is not None:
                await asyncio.sleep(_PACE_S)  # whoever logs without pause is followed at a pace that a page can draw
            if more is not None and not more.end:
                continue
            if not await _wait(listener, found.expires_at, core.db.clock.now_us()):
                yield _STILL_HERE


async def _wait(listener: Listener, expires_at: int | None, now_us: int) -> bool:
    """Wait for news, but not beyond the run's expiry; return whether there is any."""
    timeout_s = _COMMENT_EVERY_S
    if expires_at is not None:
        timeout_s = min(timeout_s, max(0.0, (expires_at - now_us) / 1e6))
    return await listener.heard(timeout_s)


@operations.get("/live", who="key, session, local", answers={200: "text/event-stream"}, codes=("sign_in_needed",))
async def follow_runs(request: Request) -> Response:
    """Follow the list of runs: `runs` when one is new, has changed or is gone; `gone` when nothing more is told."""
    await read_as(request, lambda tx, actor: listing.concerns(tx, actor, ()))
    return StreamingResponse(_list_events(request), media_type="text/event-stream", headers=_HEADERS)


async def _list_events(request: Request) -> AsyncIterator[bytes]:
    core = core_of(request)
    with core.hub.watch() as watcher:
        yield _STILL_HERE  # so that who asked knows that news come from now on
        while not core.hub.closing:
            if not await watcher.heard(_COMMENT_EVERY_S):
                yield _STILL_HERE
                continue
            runs = watcher.take()
            try:
                told = await read_as(request, lambda tx, actor, runs=runs: listing.concerns(tx, actor, runs or ()))  # type: ignore[misc]  # the default binds the loop's value
            except ProblemError as problem:
                yield _event("gone", json.dumps(problem.body))
                return
            if told or runs is None:
                yield _event("runs", "{}")
            await asyncio.sleep(_LIST_PACE_S)
