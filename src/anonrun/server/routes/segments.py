"""A run's history comes in and goes out as segments."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from anonrun.core.messages import Cursor
from anonrun.core.wire import CONTENT_TYPE
from anonrun.server.access import core_of, credentials_of, read_run, run_id_of
from anonrun.server.actors import TokenHolder
from anonrun.server.bodies import read_bytes
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, Param, answer, integer
from anonrun.server.services import ingest
from anonrun.server.services.core import Core
from anonrun.server.services.limits import room_of
from anonrun.server.services.views import run_status
from anonrun.store import history
from anonrun.store.ingest import Append, next_seq
from anonrun.store.records import Account
from anonrun.store.transaction import Tx

__all__ = ["METRIC", "operations"]

operations = Operations("history")

METRIC = Param("metric", "name of a metric; may be repeated; all metrics if absent", many=True)
_LARGEST = (1 << 63) - 1
_LEAST_PAGE, _LARGEST_PAGE = 1 << 10, 1 << 23


@operations.post(
    "/runs/{run_id}/segments",
    who="write",
    body=CONTENT_TYPE,
    answers={200: Cursor},
    codes=("run_not_found", "forbidden", "segment_gap", "segment_damaged", "quota_exceeded", "too_many_requests",
           "storage_full"),
)  # fmt: skip
async def send_segments(request: Request) -> Response:
    """Deliver segments, back to back; rows that are there already are acknowledged and ignored."""
    core, run_id = core_of(request), run_id_of(request)
    token_hash, account = await _asker(request, core, run_id)
    body = await read_bytes(request, most=core.settings.limits.request_bytes)
    segments = await ingest.decode_body(body)
    wish = Append(run_id, segments, core.settings.run_limits, token_hash, account, room_of(core.settings))
    stored = ingest.stored(await core.db.write_together(core.ingest.store, wish))
    if stored is None:
        if token_hash is not None:
            core.admitted.forget(token_hash, run_id)
        await read_run(request, Action.INGEST, lambda *_: None)  # says why
        raise ProblemError("run_not_found")
    if stored.new:
        core.counters.segments += stored.new
        core.counters.points += sum(segment.header.points for segment in segments[-stored.new :])
        core.hub.publish(run_id)
        core.compactor.wake()
    return answer(Cursor(next=stored.next_seq, status=run_status(stored.run, core.db.clock.now_us())))


async def _asker(request: Request, core: Core, run_id: uuid.UUID) -> tuple[bytes | None, Account | None]:
    """Return by which token, or as which account, segments are sent, once it is known to be good for it.

    Raises:
        ProblemError: as `read_run`.
    """
    token_hash = credentials_of(request).token_hash
    if token_hash is not None and core.admitted.knows(token_hash, run_id):
        return token_hash, None
    actor = await read_run(request, Action.INGEST, lambda _tx, actor, _run: actor)
    if not isinstance(actor, TokenHolder):
        return None, actor.account
    core.admitted.note(actor.token.token_hash, run_id)
    return actor.token.token_hash, None


@operations.get(
    "/runs/{run_id}/writers/{writer}", who="write", answers={200: Cursor}, codes=("run_not_found", "forbidden")
)
async def get_writer(request: Request) -> Response:
    """Say how far a writer's stream has arrived."""
    text = request.path_params["writer"]
    if not (text.isascii() and text.isdecimal()) or len(text) > 20 or int(text) >= 1 << 64:  # noqa: PLR2004  digits of 2^64
        raise ProblemError("request_invalid", "A writer is a number from 0 to 2^64 − 1.")
    return answer(
        await read_run(
            request,
            Action.INGEST,
            lambda tx, _actor, run: Cursor(next=next_seq(tx, run.run_id, int(text)), status=run_status(run, tx.now_us)),
        )
    )


@operations.get(
    "/runs/{run_id}/series",
    who="view",
    answers={200: CONTENT_TYPE},
    codes=("run_not_found", "forbidden"),
    query=(
        METRIC,
        Param("after", "position after which to begin; 0, the beginning, if absent", "integer"),
        Param("most", f"about so many bytes at most, {_LEAST_PAGE} … {_LARGEST_PAGE}; everything if absent", "integer"),
    ),
)
async def get_series(request: Request) -> Response:
    """Read every point of some metrics, or of all, in order of arrival; `Anonrun-Position` says up to where."""
    core, run_id = core_of(request), run_id_of(request)
    names = frozenset(request.query_params.getlist("metric"))
    after = integer(request, "after", low=0, high=_LARGEST, default=0) or 0
    most = integer(request, "most", low=_LEAST_PAGE, high=_LARGEST_PAGE)
    if most is not None:
        return await _page(request, run_id, names, after, most)
    last = await read_run(request, Action.READ, lambda _tx, _actor, run: run.position)
    headers = {"Anonrun-Position": str(last)}
    return StreamingResponse(_segments(core, run_id, names, after, last), media_type=CONTENT_TYPE, headers=headers)


async def _page(request: Request, run_id: uuid.UUID, names: frozenset[str], after: int, most: int) -> Response:
    """Answer with a part that its reader can hold; where it ends, the reader goes on."""
    page = await read_run(
        request,
        Action.READ,
        lambda tx, _actor, _run: history.page(tx, run_id, after=after, names=names, size_bytes=most),
    )
    if page is None:
        raise ProblemError("run_not_found")
    headers = {"Anonrun-Position": str(max(page.position, after))}
    return Response(b"".join(page.segments), media_type=CONTENT_TYPE, headers=headers)


async def _segments(
    core: Core, run_id: uuid.UUID, names: frozenset[str], after: int, last: int
) -> AsyncIterator[bytes]:
    def part(tx: Tx, after: int) -> tuple[bytes, int, bool]:
        page = history.page(tx, run_id, after=after, up_to=last, names=names)
        if page is None:  # it ceased to exist meanwhile; what follows is not there any more
            return b"", last, True
        return b"".join(page.segments), page.position, page.end

    position, end = after, after >= last
    while not end:
        data, position, end = await core.db.read(lambda tx, after=position: part(tx, after))  # type: ignore[misc]  # the default binds the loop's value
        if data:
            yield data
