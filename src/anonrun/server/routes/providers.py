"""Signing in by a provider. A browser is sent there by a script, and what it brings back is sent here by POST (R10)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import AccountInfo
from anonrun.server import security
from anonrun.server.access import actor_of, address_of, check_origin, core_of, read_as, with_cookie
from anonrun.server.actors import Actor
from anonrun.server.bodies import read_message
from anonrun.server.messages import NewcomerInfo, NewcomerName, ProviderAnswer, ProviderVisit, VisitBegun, VisitEnded
from anonrun.server.routing import Operations, answer
from anonrun.server.services import identities as service
from anonrun.server.services.agents import agent_of
from anonrun.server.services.views import account_info

__all__ = ["operations"]

operations = Operations("session")


async def _browser(request: Request) -> Actor:
    """Return who asks, if the request comes from one of our own pages."""
    check_origin(request, strict=True)
    return await actor_of(request)


@operations.post(
    "/session/provider",
    who="all",
    body=ProviderVisit,
    answers={200: VisitBegun},
    codes=(
        "provider_unknown",
        "provider_unavailable",
        "provider_refused",
        "invitation_invalid",
        "sign_in_needed",
        "account_required",
        "confirm_needed",
        "too_many_requests",
    ),
)
async def visit_provider(request: Request) -> Response:
    """Begin to sign in by a provider: answers where to send this browser, which has ten minutes to come back."""
    core = core_of(request)
    actor = await _browser(request)
    wanted = await read_message(request, ProviderVisit)
    here = security.own_url(request, public_url=core.settings.public_url)
    redirect_uri = f"{here}/sign-in/{wanted.provider}/return"
    entry, url = await service.set_out(core, actor, wanted, redirect_uri=redirect_uri, address=address_of(request))
    return with_cookie(request, answer(VisitBegun(url=url)), entry)


@operations.post(
    "/session/provider/return",
    who="session",
    body=ProviderAnswer,
    answers={200: VisitEnded},
    codes=(
        "visit_over",
        "sign_in_denied",
        "provider_unknown",
        "provider_unavailable",
        "provider_refused",
        "sign_up_closed",
        "identity_taken",
    ),
)
async def return_from_provider(request: Request) -> Response:
    """Sign in, link or confirm by what this browser brought back from a provider; it counts once."""
    actor = await _browser(request)
    brought = await read_message(request, ProviderAnswer)
    agent = agent_of(request.headers.get("user-agent"))
    ended = await service.come_back(core_of(request), actor, brought, agent=agent)
    response = answer(ended.message)
    return response if ended.entry is None else with_cookie(request, response, ended.entry)


@operations.get("/session/provider", who="session", answers={200: NewcomerInfo}, codes=("visit_over",))
async def get_newcomer(request: Request) -> Response:
    """Read as whom this browser came back from a provider, while it has no account yet."""
    settings = core_of(request).settings
    return answer(await read_as(request, lambda tx, actor: service.newcomer(tx, settings, actor)))


@operations.post(
    "/session/provider/sign-up",
    who="session",
    body=NewcomerName,
    answers={200: AccountInfo},
    codes=(
        "visit_over",
        "username_taken",
        "username_invalid",
        "sign_up_closed",
        "invitation_invalid",
        "identity_taken",
        "too_many_requests",
    ),
)
async def sign_up_by_provider(request: Request) -> Response:
    """Make the account of somebody who came back from a provider and has none, and sign this browser in."""
    actor = await _browser(request)
    name = (await read_message(request, NewcomerName)).username
    agent = agent_of(request.headers.get("user-agent"))
    account, entry = await service.welcome(core_of(request), actor, name, agent=agent, address=address_of(request))
    return with_cookie(request, answer(account_info(account)), entry)
