"""How one signs in to an account: its password, and who its user is to providers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.server.access import confirmed_owner, core_of, owner, read_as, write_as
from anonrun.server.messages import WaysIn
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services import identities as service

__all__ = ["operations"]

operations = Operations("accounts")


@operations.get(
    "/account/identities",
    who="session of a user",
    answers={200: WaysIn},
    codes=("sign_in_needed", "account_required"),
)
async def list_identities(request: Request) -> Response:
    """List the ways to sign in to one's account."""
    settings = core_of(request).settings
    return answer(await read_as(request, lambda tx, actor: service.ways_in(tx, owner(tx, actor), settings)))


@operations.delete(
    "/account/identities/{identity_id}",
    who="session of a user",
    answers={204: None},
    codes=("sign_in_needed", "account_required", "confirm_needed", "not_found", "last_way_in"),
)
async def unlink_identity(request: Request) -> Response:
    """Have a provider let in to one's account no more; refused where nothing else would."""
    core = core_of(request)
    await read_as(request, confirmed_owner)
    identity_id = request.path_params["identity_id"]
    await write_as(
        request, lambda tx, actor: service.unlink(tx, confirmed_owner(tx, actor), identity_id, core.settings)
    )
    return no_content()
