"""Browsers: letting them in by a link or a password, and out again.

The reference that a browser holds changes whenever it signs in; what it was let in to and means to claim goes
with it. The reference itself is known to the browser only.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from anonrun.core.tokens import kind_of, token_hash
from anonrun.server.actors import Actor, Visitor
from anonrun.server.problems import ProblemError
from anonrun.server.services.guard import ended_problem
from anonrun.store import devices, sessions, tokens
from anonrun.store.records import Account, Session, Token
from anonrun.store.transaction import Tx

__all__ = [
    "CONFIRMED_FOR_US",
    "Entry",
    "ends_at",
    "ensure",
    "exchange",
    "presented",
    "public_id",
    "reference_hash",
    "require_confirmed",
    "session_of",
    "sign_in",
    "sign_out_elsewhere",
]

CONFIRMED_FOR_US = 600 * 1_000_000
"""How long after giving the password its user may do what must not be done by a browser that was left open (R18)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A browser's session.

    Attributes:
        session_hash: how it is stored.
        reference: what the browser is to hold from now on; None where it keeps what it has.
    """

    session_hash: bytes
    reference: str | None


def reference_hash(reference: str) -> bytes:
    """Return how a session's reference is stored."""
    return hashlib.sha256(reference.encode("utf-8", "surrogatepass")).digest()


def session_of(actor: Actor) -> Session | None:
    """Return a browser's session, or None."""
    return actor.session if isinstance(actor, Visitor) else None


def public_id(session_hash: bytes) -> str:
    """Return the id by which a session is listed; it says nothing of the reference or its hash."""
    return hashlib.sha256(b"session" + session_hash).hexdigest()[:16]


def ends_at(session: Session) -> int:
    """Return when a session ends if it is not used again."""
    return min(session.seen_at + sessions.IDLE_US, session.created_at + sessions.ABSOLUTE_US)


def sign_out_elsewhere(tx: Tx, account: Account, *, but: bytes | None) -> None:
    """End an account's sessions except one, and every way to a new one that has been opened and not gone."""
    sessions.end_others(tx, account.account_id, but=but)
    tokens.revoke_all(tx, account.account_id, kind="d")
    devices.end_of(tx, account.account_id)


def require_confirmed(tx: Tx, actor: Actor) -> None:
    """Refuse what asks for the password, where it was not given in this browser within ten minutes (R18).

    Raises:
        ProblemError: `confirm_needed`.
    """
    session = session_of(actor)
    given = session.confirmed_at if session else None
    if given is None or given <= tx.now_us - CONFIRMED_FOR_US:
        raise ProblemError("confirm_needed")


def ensure(tx: Tx, actor: Actor) -> Entry:
    """Return the browser's session; make one where it has none."""
    session = session_of(actor)
    if session is not None and sessions.find(tx, session.session_hash) is not None:
        return Entry(session.session_hash, None)
    reference = secrets.token_urlsafe(32)
    sessions.create(tx, reference_hash(reference), account_id=None, local=False)
    return Entry(reference_hash(reference), reference)


def sign_in(
    tx: Tx,
    actor: Actor,
    account: Account | None,
    *,
    local: bool = False,
    agent: str | None = None,
    confirmed: bool = False,
) -> Entry:
    """Give the browser a new session that is signed in; what it had goes with it.

    Args:
        tx: a writer's transaction.
        actor: who asks.
        account: who signs in; None for the local actor.
        local: whether it is the local actor.
        agent: which browser it is, in a few words.
        confirmed: whether the account's password, or what stands for it, has just been given.
    """
    session = session_of(actor)
    if session is not None:
        session = sessions.find(tx, session.session_hash)
    reference = secrets.token_urlsafe(32)
    sessions.rotate(
        tx,
        session.session_hash if session else None,
        reference_hash(reference),
        account_id=account.account_id if account else None,
        local=local or (session is not None and session.local),
        agent=agent,
        confirmed=confirmed,
    )
    return Entry(reference_hash(reference), reference)


def presented(tx: Tx, text: str, kinds: str) -> Token:
    """Return the token that was sent in a body, if it is of one of these kinds and counts.

    Raises:
        ProblemError: `token_invalid`, or 410 where its run is no more or no more its holder's.
    """
    kind = kind_of(text)
    token = tokens.find(tx, token_hash(text)) if kind is not None and kind.value in kinds else None
    if token is None or token.kind not in kinds:
        raise ProblemError("token_invalid")
    if token.ended is not None:
        raise ended_problem(token.ended)
    return token


def exchange(tx: Tx, actor: Actor, text: str) -> tuple[Entry, Token]:
    """Let a browser in by a view, share or claim token, or sign it in by a hand-over.

    Raises:
        ProblemError: as `presented`.
    """
    token = presented(tx, text, "vscd")
    if token.kind != "d":
        entry = ensure(tx, actor)
        sessions.grant(tx, entry.session_hash, token.token_hash)
        tokens.touch(tx, token.token_hash)
        return entry, token
    if not tokens.use_once(tx, token.token_hash):
        raise ProblemError("token_invalid")
    return sign_in(tx, actor, token.account, local=token.scope == "local"), token
