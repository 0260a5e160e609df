"""The browsers that are signed in to an account: told apart, and signed out one by one or all."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.times import from_us
from anonrun.server.access import core_of, read_as
from anonrun.server.actors import Actor
from anonrun.server.messages import SessionEntry
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services.guard import require
from anonrun.server.services.sessions import ends_at, public_id, session_of, sign_out_elsewhere
from anonrun.store import sessions
from anonrun.store.records import Account, Session
from anonrun.store.transaction import Tx

__all__ = ["operations", "session_entry"]

operations = Operations("accounts")


def _asker(_tx: Tx, actor: Actor) -> tuple[Account, bytes | None]:
    """Return an account, and how the session is stored by which it asks."""
    require(actor, Action.CHANGE_ACCOUNT)
    assert actor.account is not None, "the policy gives this to accounts only"
    session = session_of(actor)
    return actor.account, session.session_hash if session else None


def session_entry(session: Session, current: bytes | None) -> SessionEntry:
    """Return a session as its user sees it in a list; `current` is the hash of the one that asks."""
    return SessionEntry(
        session_id=public_id(session.session_hash),
        current=session.session_hash == current,
        agent=session.agent,
        created_at=from_us(session.created_at),
        seen_at=from_us(session.seen_at),
        ends_at=from_us(ends_at(session)),
    )


@operations.get(
    "/account/sessions",
    who="session of a user",
    answers={200: [SessionEntry]},
    codes=("sign_in_needed", "account_required"),
)
async def list_sessions(request: Request) -> Response:
    """List the browsers that are signed in to one's account, the one that was seen last first."""

    def entries(tx: Tx, actor: Actor) -> list[SessionEntry]:
        account, current = _asker(tx, actor)
        return [session_entry(session, current) for session in sessions.of_account(tx, account.account_id)]

    return answer(await read_as(request, entries))


@operations.delete(
    "/account/sessions/{session_id}",
    who="session of a user",
    answers={204: None},
    codes=("sign_in_needed", "account_required", "not_found"),
)
async def end_session(request: Request) -> Response:
    """Sign one browser out, from its next request on."""
    account, _ = await read_as(request, _asker)
    wanted = request.path_params["session_id"]

    def end(tx: Tx) -> bool:
        mine = [session.session_hash for session in sessions.of_account(tx, account.account_id)]
        found = [session_hash for session_hash in mine if public_id(session_hash) == wanted]
        for session_hash in found:
            sessions.end(tx, session_hash)
        return bool(found)

    if not await core_of(request).db.write(end):
        raise ProblemError("not_found", "There is no such browser, or it is signed out already.")
    return no_content()


@operations.delete(
    "/account/sessions",
    who="session of a user",
    answers={204: None},
    codes=("sign_in_needed", "account_required"),
)
async def end_other_sessions(request: Request) -> Response:
    """Sign every other browser out, from its next request on; links to enter that nobody has used end too."""
    account, current = await read_as(request, _asker)
    await core_of(request).db.write(lambda tx: sign_out_elsewhere(tx, account, but=current))
    return no_content()
