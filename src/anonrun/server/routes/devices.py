"""Login by device code: a program asks, a person decides in the browser (RFC 8628)."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import DeviceCode, DeviceCodes, DeviceGrant, DeviceRequest
from anonrun.core.times import from_us
from anonrun.server import security
from anonrun.server.access import check_origin, core_of, place_of, read_as
from anonrun.server.actors import Actor
from anonrun.server.bodies import read_message
from anonrun.server.messages import DeviceAsks, DeviceDecision, UserCode
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services import devices as service
from anonrun.server.services.guard import require
from anonrun.server.services.sessions import require_confirmed, session_of
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("device")

_SECOND_US = 1_000_000


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _place(request: Request) -> bytes:
    return hashlib.sha256(f"{core_of(request).db.instance}:{place_of(request)}".encode()).digest()


def _too_often(refused: service.TooOften) -> ProblemError:
    wait_s = -(-refused.wait_us // _SECOND_US)
    detail = f"This address may do that 20 times an hour. Wait {wait_s} s."
    return ProblemError("too_many_requests", detail, headers={"Retry-After": str(wait_s)})


@operations.post("/device", who="all", body=DeviceRequest, answers={200: DeviceCodes}, codes=("too_many_requests",))
async def begin_device_login(request: Request) -> Response:
    """Begin a login by device code: the program waits, and shows its user the short code."""
    core = core_of(request)
    check_origin(request, strict=False)
    asks = await read_message(request, DeviceRequest)
    address, place = _address(request), _place(request)
    begun = await core.db.write(
        lambda tx: service.begin(tx, client=asks.client, host=asks.host, address=address, place=place)
    )
    if isinstance(begun, service.TooOften):
        raise _too_often(begun)
    return answer(
        DeviceCodes(
            device_code=begun.device_code,
            user_code=service.shown(begun.user_code),
            verification_uri=f"{security.own_url(request, public_url=core.settings.public_url)}/device",
            expires_in=service.EXPIRES_S,
            interval=service.INTERVAL_S,
        )
    )


@operations.post(
    "/device/token",
    who="all",
    body=DeviceCode,
    answers={200: DeviceGrant},
    codes=("authorization_pending", "slow_down", "access_denied", "expired_token"),
)
async def finish_device_login(request: Request) -> Response:
    """Ask whether a login was approved; the answer then is an API key, told this once."""
    check_origin(request, strict=False)
    code = (await read_message(request, DeviceCode)).device_code
    outcome = await core_of(request).db.write(lambda tx: service.collect(tx, code))
    if isinstance(outcome, ProblemError):
        raise outcome
    return answer(DeviceGrant(access_token=outcome.key, token_type="Bearer", account=outcome.account.name))  # noqa: S106  RFC 6750's name of the kind


def _may_decide(_tx: Tx, actor: Actor) -> Actor:
    require(actor, Action.CHANGE_ACCOUNT)
    return actor


def _session_hash(actor: Actor) -> bytes:
    session = session_of(actor)
    assert session is not None, "the policy gives this to browsers that are signed in only"
    return session.session_hash


@operations.post(
    "/device/check",
    who="session of a user",
    body=UserCode,
    answers={200: DeviceAsks},
    codes=("sign_in_needed", "account_required", "user_code_unknown", "too_many_requests"),
)
async def check_device_login(request: Request) -> Response:
    """Show who asks with a code; this browser may then decide."""
    actor = await read_as(request, _may_decide)
    typed, place = (await read_message(request, UserCode)).user_code, _place(request)
    found = await core_of(request).db.write(lambda tx: service.check(tx, _session_hash(actor), typed, place=place))
    if isinstance(found, service.TooOften):
        raise _too_often(found)
    if found is None:
        raise ProblemError("user_code_unknown")
    return answer(
        DeviceAsks(
            user_code=service.typed_as_shown(typed),
            client=found.client,
            host=found.host,
            address=found.address,
            created_at=from_us(found.created_at),
            expires_at=from_us(found.expires_at),
        )
    )


@operations.post(
    "/device/decide",
    who="session of a user",
    body=DeviceDecision,
    answers={204: None},
    codes=("sign_in_needed", "account_required", "user_code_unknown", "confirm_needed"),
)
async def decide_device_login(request: Request) -> Response:
    """Let a program in to this account, or turn it away; only after this browser was shown who asks."""
    actor = await read_as(request, _may_decide)
    decision = await read_message(request, DeviceDecision)
    account = actor.account
    assert account is not None, "the policy gives this to accounts only"

    def decide(tx: Tx) -> None:
        if decision.approve:
            require_confirmed(tx, actor)
        service.decide(tx, _session_hash(actor), account, decision.user_code, approve=decision.approve)

    await core_of(request).db.write(decide)
    return no_content()
