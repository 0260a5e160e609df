"""A browser's session: who it is, what it was let in to, what it is about to claim.

Every write here must come from one of our own pages, signed in or not, since signing a stranger's browser in
is an attack too (R13).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import AccountInfo, RunList
from anonrun.server import security
from anonrun.server.access import actor_of, address_of, check_origin, core_of, place_of, read_as, with_cookie
from anonrun.server.actors import NOBODY, Actor
from anonrun.server.bodies import read_message
from anonrun.server.messages import (
    Credentials,
    Exchanged,
    Grant,
    PasswordBody,
    PendingClaimInfo,
    PendingClaimRequest,
    SessionInfo,
    SignUp,
    TokenBody,
)
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routes.runs import infos
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services import accounts, claims, invitations
from anonrun.server.services import sessions as service
from anonrun.server.services.agents import agent_of
from anonrun.server.services.guard import require
from anonrun.server.services.limits import admit_sign_up
from anonrun.server.services.views import account_info
from anonrun.store import claims as claim_store
from anonrun.store import sessions
from anonrun.store.records import Account, Run
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("session")

_RIGHTS = {"v": "view", "s": "view", "c": "claim"}


async def _browser(request: Request) -> Actor:
    """Return who asks, if the request comes from one of our own pages."""
    check_origin(request, strict=True)
    return await actor_of(request)


@operations.get("/session", who="all", answers={200: SessionInfo})
async def get_session(request: Request) -> Response:
    """Read who this browser is; never an error."""
    core = core_of(request)

    def read(tx: Tx, actor: Actor) -> SessionInfo:
        session = service.session_of(actor)
        grants = session.grants if session else ()
        return SessionInfo(
            account=account_info(actor.account) if actor.account else None,
            local=actor.local,
            server=core.server_info(),
            pending_claim=claims.pending(tx, session.session_hash, actor) if session else None,
            grants=[
                Grant(run_id=str(token.run_id), right=_RIGHTS[token.kind])
                for token in grants
                if token.ended is None and token.kind in _RIGHTS
            ],
        )

    try:
        info = await read_as(request, read)
    except ProblemError:
        info = await core.db.read(lambda tx: read(tx, NOBODY))
    response = answer(info)
    security.settle_cookies(request, response, instance=core.db.instance)
    return response


@operations.post(
    "/session/exchange",
    who="all",
    body=TokenBody,
    answers={200: Exchanged},
    codes=("token_invalid", "run_expired", "run_claimed", "run_deleted", "run_moved"),
)
async def exchange_token(request: Request) -> Response:
    """Let this browser in by a token of kind v, s, c or d; the token is then no longer needed in it."""
    actor = await _browser(request)
    text = (await read_message(request, TokenBody)).token
    entry, token = await core_of(request).db.write(lambda tx: service.exchange(tx, actor, text))
    run_id = None if token.run_id is None else str(token.run_id)
    return with_cookie(request, answer(Exchanged(run_id=run_id)), entry)


async def _signed_in(request: Request, actor: Actor, account: Account) -> Response:
    agent = agent_of(request.headers.get("user-agent"))
    entry = await core_of(request).db.write(lambda tx: service.sign_in(tx, actor, account, agent=agent, confirmed=True))
    return with_cookie(request, answer(account_info(account)), entry)


@operations.post(
    "/session/sign-up",
    who="all",
    body=SignUp,
    answers={200: AccountInfo},
    codes=(
        "username_taken",
        "username_invalid",
        "password_weak",
        "sign_up_closed",
        "invitation_invalid",
        "too_many_requests",
        "passwords_off",
    ),
)
async def sign_up(request: Request) -> Response:
    """Make an account and sign this browser in."""
    core = core_of(request)
    actor = await _browser(request)
    credentials = await read_message(request, SignUp)
    accounts.require_passwords(core.settings)
    invitation = None if core.settings.sign_up else await invitations.known(core.db, credentials.invitation)
    accounts.check_credentials(credentials.username, credentials.password)
    await core.db.write(lambda tx: admit_sign_up(tx, address_of(request), core.settings))
    account = await accounts.sign_up(core, credentials.username, credentials.password, invitation=invitation)
    return await _signed_in(request, actor, account)


@operations.post(
    "/session/sign-in",
    who="all",
    body=Credentials,
    answers={200: AccountInfo},
    codes=("sign_in_failed", "too_many_requests", "passwords_off"),
)
async def sign_in(request: Request) -> Response:
    """Sign this browser in; an unknown name and a wrong password look alike."""
    actor = await _browser(request)
    credentials = await read_message(request, Credentials)
    core = core_of(request)
    accounts.require_passwords(core.settings)
    account = await accounts.sign_in(core, credentials.username, credentials.password, place=place_of(request))
    return await _signed_in(request, actor, account)


@operations.post(
    "/session/confirm",
    who="session of a user",
    body=PasswordBody,
    answers={204: None},
    codes=("sign_in_needed", "account_required", "sign_in_failed", "too_many_requests", "passwords_off"),
)
async def confirm_password(request: Request) -> Response:
    """Give one's password once more; for ten minutes, this browser may do what asks for it."""
    actor = await _browser(request)
    require(actor, Action.CHANGE_ACCOUNT)
    session, account = service.session_of(actor), actor.account
    assert session is not None and account is not None, "the policy gives this to browsers that are signed in only"  # noqa: PT018  one statement for the type checker
    password = (await read_message(request, PasswordBody)).password
    core = core_of(request)
    accounts.require_passwords(core.settings)
    await accounts.sign_in(core, account.name, password, place=f"account:{account.account_id}")
    await core.db.write(lambda tx: sessions.confirm(tx, session.session_hash))
    return no_content()


@operations.delete("/session", who="all", answers={204: None})
async def sign_out(request: Request) -> Response:
    """Sign this browser out and forget what it was let in to."""
    core = core_of(request)
    session = service.session_of(await _browser(request))
    if session is not None:
        await core.db.write(lambda tx: sessions.end(tx, session.session_hash))
    response = no_content()
    security.clear_cookies(request, response, instance=core.db.instance)
    return response


@operations.post(
    "/session/pending-claim",
    who="all",
    body=PendingClaimRequest,
    answers={200: PendingClaimInfo},
    codes=("token_invalid", "run_not_found", "forbidden", "already_claimed", "run_expired", "run_deleted", "run_moved"),
)
async def begin_claim(request: Request) -> Response:
    """Begin a claim, which this browser then has ten minutes to confirm."""
    actor = await _browser(request)
    wanted = await read_message(request, PendingClaimRequest)
    core = core_of(request)
    entry, info = await core.db.write(lambda tx: claims.begin(tx, actor, wanted))
    for run in info.runs:
        core.publish(run.run_id)
    return with_cookie(request, answer(info), entry)


@operations.delete("/session/pending-claim", who="session", answers={204: None})
async def drop_claim(request: Request) -> Response:
    """Think better of a claim that was begun."""
    session = service.session_of(await _browser(request))
    if session is not None:
        await core_of(request).db.write(lambda tx: claim_store.drop_pending(tx, session.session_hash))
    return no_content()


def _claimed(tx: Tx, actor: Actor, won: list[Run]) -> RunList:
    return RunList(runs=infos(tx, actor, won))


@operations.post(
    "/session/claim",
    who="session of a user",
    answers={200: RunList},
    codes=("sign_in_needed", "claim_not_found", "already_claimed", "run_expired", "run_deleted", "run_moved"),
)
async def confirm_claim(request: Request) -> Response:
    """Claim what was begun: the runs move to this account, and are kept."""
    actor = await _browser(request)
    session, owner = service.session_of(actor), actor.account
    if session is None or owner is None or owner.kind != "user":
        raise ProblemError("sign_in_needed")
    core = core_of(request)
    claimed = await core.db.write(lambda tx: _claimed(tx, actor, claims.confirm(tx, session.session_hash, owner)))
    for run in claimed.runs:
        core.publish(run.run_id)
    return answer(claimed)


@operations.post(
    "/claims",
    who="key of a user",
    body=TokenBody,
    answers={200: RunList},
    codes=(
        "sign_in_needed",
        "account_required",
        "token_invalid",
        "already_claimed",
        "run_expired",
        "run_deleted",
        "run_moved",
    ),
)
async def claim_by_token(request: Request) -> Response:
    """Claim a run by its claim token, without a browser."""
    actor = await actor_of(request)
    require(actor, Action.RECEIVE_CLAIM)
    owner = actor.account
    assert owner is not None, "the policy gives this to accounts only"
    text = (await read_message(request, TokenBody)).token
    core = core_of(request)
    claimed = await core.db.write(lambda tx: _claimed(tx, actor, claims.by_token(tx, owner, text)))
    for run in claimed.runs:
        core.publish(run.run_id)
    return answer(claimed)
