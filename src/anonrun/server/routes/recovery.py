"""Recovery codes of an account, and the way back in by one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import AccountInfo
from anonrun.server.access import (
    actor_of,
    check_origin,
    confirmed_owner,
    core_of,
    owner,
    place_of,
    read_as,
    with_cookie,
)
from anonrun.server.bodies import read_message
from anonrun.server.messages import Recovery, RecoveryCodes, RecoveryInfo
from anonrun.server.routing import Operations, answer
from anonrun.server.services import recovery as service
from anonrun.server.services.agents import agent_of
from anonrun.server.services.views import account_info
from anonrun.store import recovery

__all__ = ["operations"]

operations = Operations("accounts")


@operations.get(
    "/account/recovery-codes",
    who="session of a user",
    answers={200: RecoveryInfo},
    codes=("sign_in_needed", "account_required"),
)
async def count_recovery_codes(request: Request) -> Response:
    """Say how many recovery codes one has left; the codes themselves are never told again."""
    left = await read_as(request, lambda tx, actor: recovery.count(tx, owner(tx, actor).account_id))
    return answer(RecoveryInfo(left=left))


@operations.post(
    "/account/recovery-codes",
    who="session of a user",
    answers={201: RecoveryCodes},
    codes=("sign_in_needed", "account_required", "confirm_needed"),
)
async def make_recovery_codes(request: Request) -> Response:
    """Make recovery codes, told this once, in place of those before; asks for a password that was given lately."""
    account = await read_as(request, confirmed_owner)
    codes = await core_of(request).db.write(lambda tx: service.new_codes(tx, account))
    return answer(RecoveryCodes(codes=codes), 201)


@operations.post(
    "/session/recover",
    who="all",
    body=Recovery,
    answers={200: AccountInfo},
    codes=("recovery_failed", "password_weak", "too_many_requests", "passwords_off"),
)
async def recover_account(request: Request) -> Response:
    """Set a new password by a recovery code and sign this browser in; every other one is signed out."""
    check_origin(request, strict=True)
    actor = await actor_of(request)
    wanted = await read_message(request, Recovery)
    account, entry = await service.recover(
        core_of(request),
        actor,
        wanted.username,
        wanted.code,
        wanted.new,
        place=place_of(request),
        agent=agent_of(request.headers.get("user-agent")),
    )
    return with_cookie(request, answer(account_info(account)), entry)
