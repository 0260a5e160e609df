"""From what a request carries to who asks."""

from __future__ import annotations

from dataclasses import dataclass

from anonrun.server.actors import NOBODY, Actor, KeyHolder, TokenHolder, Visitor
from anonrun.store import sessions, tokens
from anonrun.store.transaction import Tx

__all__ = ["Credentials", "identify", "is_stale", "note_use"]

_FRESH_US = 600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request carries, in the order in which it is believed.

    Attributes:
        token_hash: of the bearer token.
        vouched: whether Jupyter's proxy vouches for the user, with the right secret.
        session_hash: of the cookie's reference.
    """

    token_hash: bytes | None = None
    vouched: bool = False
    session_hash: bytes | None = None

    @property
    def from_browser(self) -> bool:
        """Whether a browser added it by itself, so that another site may be behind the request."""
        return self.token_hash is None and (self.vouched or self.session_hash is not None)


def identify(tx: Tx, credentials: Credentials) -> Actor | None:
    """Return who asks; None for a token that is unknown, revoked or of no use here.

    A token decides alone. Jupyter's word for the local user and the cookie's account add up, since behind that
    proxy every request is vouched for, also that of a browser which has signed in.
    """
    if credentials.token_hash is not None:
        token = tokens.find(tx, credentials.token_hash)
        if token is None or token.kind in "di":
            return None
        if token.kind == "u":
            known = token.account
            return KeyHolder(known, token.token_hash, token.scope, token.last_used_at) if known else None
        return TokenHolder(token)
    session = sessions.find(tx, credentials.session_hash) if credentials.session_hash else None
    if session is None and not credentials.vouched:
        return NOBODY
    return Visitor(session, local=credentials.vouched or (session is not None and session.local))


def _is_old(tx: Tx, used_at: int | None) -> bool:
    return used_at is None or used_at < tx.now_us - _FRESH_US


def is_stale(tx: Tx, actor: Actor) -> bool:
    """Whether it is time to note that this actor's token or session is in use."""
    if isinstance(actor, TokenHolder):
        return _is_old(tx, actor.token.last_used_at)
    if isinstance(actor, KeyHolder):
        return _is_old(tx, actor.last_used_at)
    if isinstance(actor, Visitor) and actor.session:
        return actor.session.seen_at < tx.now_us - _FRESH_US
    return False


def note_use(tx: Tx, actor: Actor) -> None:
    """Note that this actor's token or session is in use."""
    if isinstance(actor, TokenHolder):
        tokens.touch(tx, actor.token.token_hash)
    elif isinstance(actor, KeyHolder):
        tokens.touch(tx, actor.token_hash)
    elif isinstance(actor, Visitor) and actor.session:
        sessions.seen(tx, actor.session.session_hash)
