"""Accounts and their keys."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import AccountInfo, AnonymousAccountRequest
from anonrun.server.access import actor_of, address_of, check_origin, core_of, with_cookie
from anonrun.server.actors import Actor
from anonrun.server.bodies import read_message
from anonrun.server.messages import HandoverRequest, PasswordChange
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services import accounts as service
from anonrun.server.services.agents import agent_of
from anonrun.server.services.guard import hash_of_hex, require
from anonrun.server.services.limits import admit_account, check_network
from anonrun.server.services.views import account_info
from anonrun.store import tokens
from anonrun.store.records import Account
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("accounts")

_HANDOVER_US = 300 * 1_000_000


@operations.post(
    "/accounts/anonymous",
    who="all",
    body=AnonymousAccountRequest,
    answers={201: AccountInfo, 200: AccountInfo},
    codes=("anonymous_disabled", "token_exists", "too_many_requests"),
)
async def make_anonymous_account(request: Request) -> Response:
    """Make an anonymous account; the same key's hash again gives the same account."""
    core = core_of(request)
    check_origin(request, strict=False)
    key_hash = hash_of_hex((await read_message(request, AnonymousAccountRequest)).key_hash)
    address = address_of(request)
    check_network(address, core.settings)
    account, new = await core.db.write(
        lambda tx: service.anonymous_account(tx, key_hash, lambda: admit_account(tx, address, core.settings))
    )
    return answer(account_info(account), 201 if new else 200)


def _account(actor: Actor, action: Action) -> Account:
    require(actor, action)
    assert actor.account is not None, "the policy gives this to accounts only"
    return actor.account


@operations.get("/account", who="key, session", answers={200: AccountInfo}, codes=("sign_in_needed",))
async def get_account(request: Request) -> Response:
    """Read one's own account."""
    return answer(account_info(_account(await actor_of(request), Action.SEE_ACCOUNT)))


@operations.post(
    "/account/password",
    who="session of a user",
    body=PasswordChange,
    answers={204: None},
    codes=(
        "sign_in_needed",
        "account_required",
        "sign_in_failed",
        "password_weak",
        "too_many_requests",
        "confirm_needed",
        "passwords_off",
    ),
)
async def change_password(request: Request) -> Response:
    """Change one's password, or set the first; every other browser is signed out, this one's reference changes."""
    actor = await actor_of(request)
    account = _account(actor, Action.CHANGE_ACCOUNT)
    service.require_passwords(core_of(request).settings)
    change = await read_message(request, PasswordChange)
    agent = agent_of(request.headers.get("user-agent"))
    entry = await service.change_password(core_of(request), actor, account, change.current, change.new, agent=agent)
    return with_cookie(request, no_content(), entry)


@operations.post(
    "/handovers",
    who="key, local",
    body=HandoverRequest,
    answers={201: None},
    codes=("sign_in_needed", "account_required", "token_exists"),
)
async def make_handover(request: Request) -> Response:
    """Let one browser sign in as the account that asks, with a `d` token, within five minutes."""
    actor = await actor_of(request)
    require(actor, Action.HAND_OVER)
    token = hash_of_hex((await read_message(request, HandoverRequest)).token_hash)
    account_id = actor.account.account_id if actor.account else None

    def make(tx: Tx) -> bool:
        ends = tx.now_us + _HANDOVER_US
        scope = "account" if account_id is not None else "local"
        return (
            tokens.add(tx, token_hash=token, kind="d", scope=scope, account_id=account_id, expires_at=ends) is not None
        )

    if not await core_of(request).db.write(make):
        raise ProblemError("token_exists")
    return answer({}, 201)
