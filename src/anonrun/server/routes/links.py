"""A run's share links: each can be told from the others and ended by itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import LinkInfo, LinkRequest
from anonrun.server.access import core_of, read_run, run_id_of
from anonrun.server.bodies import read_message
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services.guard import found, hash_of_hex
from anonrun.server.services.views import link_info
from anonrun.store import tokens
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("links")

_MOST_LINKS = 100


@operations.get(
    "/runs/{run_id}/links", who="owner, write", answers={200: [LinkInfo]}, codes=("run_not_found", "forbidden")
)
async def list_links(request: Request) -> Response:
    """List a run's share links; the tokens themselves are never told."""
    links = await read_run(request, Action.SHARE, lambda tx, _actor, run: tokens.links(tx, run.run_id))
    return answer([link_info(link) for link in links])


@operations.post(
    "/runs/{run_id}/links",
    who="owner, write",
    body=LinkRequest,
    answers={201: LinkInfo},
    codes=("run_not_found", "forbidden", "token_exists", "quota_exceeded"),
)
async def make_link(request: Request) -> Response:
    """Make a share link whose token the client has made; the same token again gives the same link."""
    core, run_id = core_of(request), run_id_of(request)
    actor = await read_run(request, Action.SHARE, lambda _tx, actor, _run: actor)
    wanted = await read_message(request, LinkRequest)
    token_hash = hash_of_hex(wanted.token_hash)
    if wanted.label is not None and len(wanted.label) > core.settings.limits.text_chars:
        raise ProblemError("request_invalid", f"The label may have {core.settings.limits.text_chars} characters.")

    def make(tx: Tx) -> LinkInfo:
        found(tx, actor, run_id, Action.SHARE)
        before = tokens.find(tx, token_hash)
        again = before is not None and before.kind == "s" and before.run_id == run_id
        if not again:
            if len(tokens.links(tx, run_id)) >= _MOST_LINKS:
                raise ProblemError("quota_exceeded", f"A run has at most {_MOST_LINKS} links. Revoke one first.")
            made = tokens.add(
                tx, token_hash=token_hash, kind="s", scope="run", run_id=run_id, label=wanted.label, blind=wanted.blind
            )
            if made is None:
                raise ProblemError("token_exists")
            before = tokens.find(tx, token_hash)
        return next(link_info(link) for link in tokens.links(tx, run_id) if before and link.link_id == before.public_id)

    return answer(await core.db.write(make), 201)


@operations.delete(
    "/runs/{run_id}/links/{link_id}",
    who="owner, write",
    answers={204: None},
    codes=("run_not_found", "forbidden", "not_found"),
)
async def revoke_link(request: Request) -> Response:
    """Revoke a share link; it counts no more from the next request on."""
    core, run_id = core_of(request), run_id_of(request)
    actor = await read_run(request, Action.SHARE, lambda _tx, actor, _run: actor)
    link_id = request.path_params["link_id"]

    def revoke(tx: Tx) -> bool:
        found(tx, actor, run_id, Action.SHARE)
        return tokens.revoke(tx, link_id, kind="s", run_id=run_id)

    if not await core.db.write(revoke):
        raise ProblemError("not_found", "There is no such link.")
    core.hub.publish(run_id)
    return no_content()
