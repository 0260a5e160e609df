"""Invitations: links by which an operator lets somebody make an account where sign-up is not open to all."""

from __future__ import annotations

from datetime import timedelta

from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.server.problems import ProblemError
from anonrun.store import tokens
from anonrun.store.database import Database
from anonrun.store.records import Token
from anonrun.store.transaction import Tx

__all__ = ["DEFAULT_DAYS", "MOST_DAYS", "invite", "known", "use_invitation"]

DEFAULT_DAYS = 7
MOST_DAYS = 90
_MOST = 1_000
_DAY_US = timedelta(days=1) // timedelta(microseconds=1)


def invite(tx: Tx, *, label: str | None, days: int, account_id: int | None) -> tuple[str, Token]:
    """Make an invitation, which counts once; return it, which is not told again, and what is listed of it.

    Args:
        tx: a writer's transaction.
        label: for whom it is.
        days: until its end, 1 … `MOST_DAYS`.
        account_id: of the operator who invites; None for one at the server's machine.

    Raises:
        ProblemError: `request_invalid`, or `quota_exceeded` for the thousandth that nobody has used.
    """
    if not 1 <= days <= MOST_DAYS:
        raise ProblemError("request_invalid", f"expires_in_days must be from 1 to {MOST_DAYS}.")
    if len(tokens.invitations(tx)) >= _MOST:
        raise ProblemError("quota_exceeded", f"There are {_MOST} invitations that nobody has used. Revoke some first.")
    while True:
        invitation = mint(TokenKind.INVITATION)
        hashed = token_hash(invitation)
        ends = tx.now_us + days * _DAY_US
        tokens.add(
            tx, token_hash=hashed, kind="i", scope="sign-up", account_id=account_id, label=label, expires_at=ends
        )
        made = tokens.find(tx, hashed)
        if made is not None and made.kind == "i":
            return invitation, made


async def known(db: Database, text: str | None) -> bytes:
    """Return the hash of an invitation that counts now; whether it still does then is decided when it is used.

    Raises:
        ProblemError: `sign_up_closed` without one, or `invitation_invalid`.
    """
    if text is None:
        raise ProblemError("sign_up_closed")
    hashed = token_hash(text)
    token = await db.read(lambda tx: tokens.find(tx, hashed))
    if token is None or token.kind != "i":
        raise ProblemError("invitation_invalid")
    return hashed


def use_invitation(tx: Tx, hashed: bytes) -> bool:
    """Use an invitation up; return whether it was one and this was the time."""
    token = tokens.find(tx, hashed)
    return token is not None and token.kind == "i" and tokens.use_once(tx, hashed)
