"""Invitations to sign up, which operators make and revoke."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.times import from_us
from anonrun.server.access import core_of, read_as
from anonrun.server.actors import Actor
from anonrun.server.bodies import read_message
from anonrun.server.messages import InvitationInfo, InvitationRequest, NewInvitation
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services.guard import require
from anonrun.server.services.invitations import invite
from anonrun.store import tokens
from anonrun.store.records import Account, Token
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("operator")

_CODES = ("sign_in_needed", "account_required", "operator_required")


def _operator(_tx: Tx, actor: Actor) -> Account:
    require(actor, Action.OPERATE)
    assert actor.account is not None, "the policy gives this to accounts only"
    return actor.account


def _info(token: Token) -> dict[str, object]:
    assert token.expires_at is not None, "every invitation has an end"
    return {
        "invitation_id": token.public_id,
        "label": token.label,
        "made_by": token.account.name if token.account else None,
        "created_at": from_us(token.created_at),
        "expires_at": from_us(token.expires_at),
    }


@operations.get("/invitations", who="session of an operator", answers={200: [InvitationInfo]}, codes=_CODES)
async def list_invitations(request: Request) -> Response:
    """List the invitations that nobody has used; the invitations themselves are never told again."""

    def listed(tx: Tx, actor: Actor) -> list[InvitationInfo]:
        _operator(tx, actor)
        return [InvitationInfo(**_info(token)) for token in tokens.invitations(tx)]  # type: ignore[arg-type]  # by the names of its fields

    return answer(await read_as(request, listed))


@operations.post(
    "/invitations",
    who="session of an operator",
    body=InvitationRequest,
    answers={201: NewInvitation},
    codes=(*_CODES, "quota_exceeded"),
)
async def make_invitation(request: Request) -> Response:
    """Make an invitation to sign up, told this once and good for one account."""
    core = core_of(request)
    operator = await read_as(request, _operator)
    wanted = await read_message(request, InvitationRequest)
    if wanted.label is not None and len(wanted.label) > core.settings.limits.text_chars:
        raise ProblemError("request_invalid", f"The label may have {core.settings.limits.text_chars} characters.")
    invitation, token = await core.db.write(
        lambda tx: invite(tx, label=wanted.label, days=wanted.expires_in_days, account_id=operator.account_id)
    )
    return answer(NewInvitation(**_info(token), invitation=invitation), 201)  # type: ignore[arg-type]  # by the names of its fields


@operations.delete(
    "/invitations/{invitation_id}",
    who="session of an operator",
    answers={204: None},
    codes=(*_CODES, "not_found"),
)
async def revoke_invitation(request: Request) -> Response:
    """Revoke an invitation; it counts no more from the next request on."""
    await read_as(request, _operator)
    wanted = request.path_params["invitation_id"]
    if not await core_of(request).db.write(lambda tx: tokens.revoke_invitation(tx, wanted)):
        raise ProblemError("not_found", "There is no such invitation, or it was used.")
    return no_content()
