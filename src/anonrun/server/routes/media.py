"""What was logged beside numbers: pictures, tables, texts and the like. A picture is never shown as a page of ours."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.media import MediaBatch, MediaPage, MediaReceipt
from anonrun.server.access import admitted, core_of, found, read_run, run_id_of, write_as
from anonrun.server.actors import Actor
from anonrun.server.bodies import check_plain, read_json
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.ranges import is_held
from anonrun.server.routing import Operations, Param, answer, integer
from anonrun.server.services import media as service
from anonrun.server.services.ingest import check_held
from anonrun.server.services.limits import room_of
from anonrun.store import media
from anonrun.store.media import Item
from anonrun.store.records import Run
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("media")

_LARGEST = (1 << 63) - 1
_LEAST_PAGE, _LARGEST_PAGE = 1 << 10, 1 << 23


@operations.post(
    "/runs/{run_id}/media",
    who="write",
    body=MediaBatch,
    answers={200: MediaReceipt},
    codes=("run_not_found", "forbidden", "key_scope", "media_invalid", "quota_exceeded", "too_many_requests",
           "storage_full"),
)  # fmt: skip
async def send_media(request: Request) -> Response:
    """Deliver items of media, all or none; those that are there already are acknowledged and ignored."""
    core, run_id = core_of(request), await admitted(request, Action.INGEST)
    items = await service.decode_batch(await read_json(request, most=core.settings.limits.request_bytes))
    quota = media.Quota(core.settings.run_limits, core.room, room_of(core.settings))
    done = await write_as(
        request, lambda tx, actor: media.add(tx, found(tx, actor, run_id, Action.INGEST), items, quota)
    )
    check_held(done)
    assert isinstance(done, media.Added), "all else was refused"
    if done.stored:
        core.counters.media += done.stored
        core.hub.publish(run_id)
    return answer(MediaReceipt(stored=done.stored, position=done.position))


@operations.get(
    "/runs/{run_id}/media",
    who="view; printed text not by a blind link",
    answers={200: MediaPage},
    codes=("run_not_found", "forbidden"),
    query=(
        Param("after", "position after which to begin; 0, the beginning, if absent", "integer"),
        Param("most", f"about so many bytes at most, {_LEAST_PAGE} … {_LARGEST_PAGE}; 1 MiB if absent", "integer"),
        Param("kind", "kind of item; may be repeated; all kinds if absent", many=True),
        Param("key", "what items were logged under; may be repeated; all keys if absent", many=True),
    ),
)
async def list_media(request: Request) -> Response:
    """Read items in order of arrival, a page at a time, with their contents; pictures' are read one by one."""
    run_id = run_id_of(request)
    after = integer(request, "after", low=0, high=_LARGEST, default=0) or 0
    most = integer(request, "most", low=_LEAST_PAGE, high=_LARGEST_PAGE, default=media.PAGE_BYTES) or media.PAGE_BYTES
    kinds, keys = request.query_params.getlist("kind"), request.query_params.getlist("key")
    check_plain(keys, "the query")

    def page(tx: Tx, actor: Actor, run: Run) -> Response:
        some = service.kinds_shown(actor, run, kinds)
        read = media.page(tx, run_id, after=after, kinds=some, keys=keys, size_bytes=most)
        if read is None:
            raise ProblemError("run_not_found")
        items = [service.info(actor, run, item) for item in read.items if service.shown(actor, run, item)]
        return answer(MediaPage(items=items, position=read.position, end=read.end))

    return await read_run(request, Action.READ, page)  # megabytes become JSON on the reader's thread


@operations.get(
    "/runs/{run_id}/media/{media_id}",
    who="view; printed text not by a blind link",
    answers={200: "application/octet-stream", 304: None},
    codes=("run_not_found", "forbidden", "media_not_found"),
)
async def get_media(request: Request) -> Response:
    """Read one item's bytes, with its own content type: PNG, JPEG, WebP, JSON or plain text."""

    def find(tx: Tx, actor: Actor, run: Run) -> Item:
        item = media.one(tx, run.run_id, service.media_id_of(request.path_params["media_id"]))
        if item is None or not service.shown(actor, run, item):
            raise ProblemError("media_not_found")
        return item

    item = await read_run(request, Action.READ, find)
    tag = f'"{item.digest.hex()}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if is_held(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(item.content, headers=headers, media_type=item.type)
