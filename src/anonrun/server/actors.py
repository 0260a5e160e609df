"""Who asks. An actor is a value; what one may do is decided in `policy.py` and nowhere else."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from anonrun.store.records import Account, Session, Token

__all__ = ["NOBODY", "Actor", "KeyHolder", "Nobody", "TokenHolder", "Visitor"]


@dataclass(frozen=True, slots=True)
class Nobody:
    """Someone without any credential."""

    @property
    def account(self) -> None:
        """No account."""

    @property
    def local(self) -> bool:
        """Not the person whose machine it is, as far as we know."""
        return False

    def token_of(self, run_id: uuid.UUID) -> Token | None:  # noqa: ARG002  the actors' common signature
        """Return None: no token."""
        return None


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A program with an account's API key.

    Attributes:
        scope: what the key may do: `account` (all that its account may), `ingest` or `read`.
        last_used_at: when it was used before, as far as that was noted.
    """

    account: Account
    token_hash: bytes
    scope: str = "account"
    last_used_at: int | None = None

    @property
    def local(self) -> bool:
        """Not the person whose machine it is, as far as we know."""
        return False

    def token_of(self, run_id: uuid.UUID) -> Token | None:  # noqa: ARG002  the actors' common signature
        """Return None: a key is no run's token."""
        return None


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Someone with the token of a single run: write, view, claim or share."""

    token: Token

    @property
    def account(self) -> None:
        """No account: a token is nobody's."""

    @property
    def local(self) -> bool:
        """Not the person whose machine it is, as far as we know."""
        return False

    def token_of(self, run_id: uuid.UUID) -> Token | None:
        """Return the token where it is that run's."""
        return self.token if self.token.run_id == run_id else None


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: signed in, let in to single runs by links, or the person whose machine it is.

    Attributes:
        session: what its cookie refers to; None where it has none.
        local: whether it is the local actor, by its session or because Jupyter vouches for it.
    """

    session: Session | None
    local: bool

    @property
    def account(self) -> Account | None:
        """Who is signed in."""
        return self.session.account if self.session else None

    def tokens_of(self, run_id: uuid.UUID) -> tuple[Token, ...]:
        """Return the tokens that let this browser in to a run, those that have ended included."""
        grants = self.session.grants if self.session else ()
        return tuple(token for token in grants if token.run_id == run_id)

    def token_of(self, run_id: uuid.UUID) -> Token | None:
        """Return the token of a run that counts most: one that has not ended, if there is one."""
        tokens = sorted(self.tokens_of(run_id), key=lambda token: token.ended is not None)
        return tokens[0] if tokens else None


Actor = Nobody | KeyHolder | TokenHolder | Visitor

NOBODY = Nobody()
