"""Who else may see a run: share links, each told from the others and ended by itself, and everybody."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import LinkInfo, LinkRequest, LinkUpdate, PublicationRequest, RunInfo
from anonrun.server.access import admitted, core_of, read_run, write_as
from anonrun.server.actors import Actor
from anonrun.server.bodies import read_message
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routes.runs import infos
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services import links
from anonrun.server.services.guard import found
from anonrun.server.services.views import link_info
from anonrun.store import tokens
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("links")


@operations.get(
    "/runs/{run_id}/links", who="owner, write", answers={200: [LinkInfo]}, codes=("run_not_found", "forbidden")
)
async def list_links(request: Request) -> Response:
    """List a run's share links; the tokens themselves are never told."""
    found_links = await read_run(request, Action.SHARE, lambda tx, _actor, run: tokens.links(tx, run.run_id))
    return answer([link_info(link) for link in found_links])


@operations.post(
    "/runs/{run_id}/links",
    who="owner, write",
    body=LinkRequest,
    answers={201: LinkInfo},
    codes=("run_not_found", "forbidden", "token_exists", "quota_exceeded", "run_is_public", "link_expired"),
)
async def make_link(request: Request) -> Response:
    """Make a share link whose token the client has made; the same token again gives the same link."""
    core, run_id = core_of(request), await admitted(request, Action.SHARE)
    wanted = await read_message(request, LinkRequest)
    made = await write_as(request, lambda tx, actor: links.make(tx, actor, run_id, wanted, core.settings))
    return answer(made, 201)


@operations.patch(
    "/runs/{run_id}/links/{link_id}",
    who="owner, write",
    body=LinkUpdate,
    answers={200: LinkInfo},
    codes=("run_not_found", "forbidden", "not_found", "run_is_public"),
)
async def update_link(request: Request) -> Response:
    """Change a share link's label, or whether it is blind; its address stays."""
    core, run_id = core_of(request), await admitted(request, Action.SHARE)
    wanted = await read_message(request, LinkUpdate)
    link_id = request.path_params["link_id"]
    changed = await write_as(
        request, lambda tx, actor: links.change(tx, actor, run_id, link_id, wanted=wanted, settings=core.settings)
    )
    core.hub.publish(run_id)
    return answer(changed)


@operations.delete(
    "/runs/{run_id}/links/{link_id}",
    who="owner, write",
    answers={204: None},
    codes=("run_not_found", "forbidden", "not_found"),
)
async def revoke_link(request: Request) -> Response:
    """Revoke a share link; it counts no more from the next request on."""
    core, run_id = core_of(request), await admitted(request, Action.SHARE)
    link_id = request.path_params["link_id"]

    def revoke(tx: Tx, actor: Actor) -> bool:
        found(tx, actor, run_id, Action.SHARE)
        return tokens.revoke(tx, link_id, kind="s", run_id=run_id)

    if not await write_as(request, revoke):
        raise ProblemError("not_found", "There is no such link.")
    core.hub.publish(run_id)
    return no_content()


@operations.put(
    "/runs/{run_id}/publication",
    who="owner",
    body=PublicationRequest,
    answers={200: RunInfo},
    codes=("run_not_found", "forbidden", "anonymous_not_public", "blind_links_stand"),
)
async def publish_run(request: Request) -> Response:
    """Publish a run: anybody may read it, without a token, at the address that it has anyway."""
    core, run_id = core_of(request), await admitted(request, Action.PUBLISH)
    wanted = await read_message(request, PublicationRequest)

    def publish(tx: Tx, actor: Actor) -> RunInfo:
        return infos(tx, actor, [links.publish(tx, actor, run_id, embed=wanted.embed)])[0]

    published = await write_as(request, publish)
    core.hub.publish(run_id)
    return answer(published)


@operations.delete(
    "/runs/{run_id}/publication",
    who="owner",
    answers={204: None},
    codes=("run_not_found", "forbidden", "anonymous_not_public"),
)
async def unpublish_run(request: Request) -> Response:
    """Take a publication back: from the next request on, only who was let in may read the run."""
    core, run_id = core_of(request), await admitted(request, Action.PUBLISH)
    await write_as(request, lambda tx, actor: links.unpublish(tx, actor, run_id))
    core.hub.publish(run_id)
    return no_content()
