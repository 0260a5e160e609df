"""Who somebody is to a provider, and browsers that are on their way there and back.

An identity is an issuer and what it calls a person; never a name or an address that could be given to somebody else.
What a visit must come back with counts once, in the browser that left, within ten minutes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from anonrun.store.accounts import ACCOUNT_COLUMNS, account_of
from anonrun.store.records import Account, Identity, Newcomer, Visit
from anonrun.store.schema import ACCOUNT, IDENTITY, NEWCOMER, VISIT
from anonrun.store.transaction import Tx

__all__ = [
    "VISIT_US",
    "account_with",
    "arrive",
    "come_back",
    "hold",
    "link",
    "newcomer",
    "of_account",
    "purge",
    "set_out",
    "unlink",
    "unlink_all",
    "used",
    "welcome",
]

VISIT_US = 600 * 1_000_000
"""How long somebody may take at a provider, and then to choose a name."""

_MOST_VISITS = 20


def account_with(tx: Tx, issuer: str, subject: str) -> Account | None:
    """Return the account that an identity lets in to, or None where it is nobody's."""
    query: Select[Any] = (
        select(*ACCOUNT_COLUMNS)
        .join_from(ACCOUNT, IDENTITY, ACCOUNT.c.account_id == IDENTITY.c.account_id)
        .where(IDENTITY.c.issuer == issuer, IDENTITY.c.subject == subject, ACCOUNT.c.kind == "user")
    )
    row = tx.conn.execute(query).first()
    return account_of(row) if row else None


def of_account(tx: Tx, account_id: int) -> list[Identity]:
    """Return an account's identities, the oldest first."""
    rows = tx.conn.execute(
        select(IDENTITY)
        .where(IDENTITY.c.account_id == account_id)
        .order_by(IDENTITY.c.created_at, IDENTITY.c.issuer, IDENTITY.c.subject)
    )
    return [Identity(row.issuer, row.subject, row.created_at, row.used_at) for row in rows]


def hold(tx: Tx, account_id: int) -> None:
    """Have others who change the same account's ways in wait until the commit."""
    tx.conn.execute(select(ACCOUNT.c.account_id).where(ACCOUNT.c.account_id == account_id).with_for_update())


def link(tx: Tx, account_id: int, issuer: str, subject: str) -> bool:
    """Have an identity let in to an account; return whether it is nobody else's."""
    row = {
        "issuer": issuer, "subject": subject, "account_id": account_id, "created_at": tx.now_us, "used_at": tx.now_us
    }  # fmt: skip
    tx.conn.execute(tx.dialect.insert_new(IDENTITY), row)
    owner = select(IDENTITY.c.account_id).where(IDENTITY.c.issuer == issuer, IDENTITY.c.subject == subject)
    return bool(tx.conn.execute(owner).scalar() == account_id)


def used(tx: Tx, issuer: str, subject: str) -> None:
    """Note that somebody came by an identity."""
    which = (IDENTITY.c.issuer == issuer) & (IDENTITY.c.subject == subject)
    tx.conn.execute(update(IDENTITY).where(which).values(used_at=tx.now_us))


def unlink(tx: Tx, account_id: int, identity: Identity) -> None:
    """Have an identity let in to an account no more."""
    which = (IDENTITY.c.issuer == identity.issuer) & (IDENTITY.c.subject == identity.subject)
    tx.conn.execute(delete(IDENTITY).where(which, IDENTITY.c.account_id == account_id))


def unlink_all(tx: Tx, account_id: int) -> None:
    """Forget an account's identities, and that it was on its way to a provider."""
    tx.conn.execute(delete(IDENTITY).where(IDENTITY.c.account_id == account_id))
    tx.conn.execute(delete(VISIT).where(VISIT.c.account_id == account_id))


def set_out(tx: Tx, state_hash: bytes, session_hash: bytes, **visit: Any) -> None:  # noqa: ANN401  Visit's fields
    """Note that a browser is sent to a provider; one that sets out again and again loses the visits before.

    Args:
        tx: a writer's transaction.
        state_hash: of what it must come back with.
        session_hash: the browser.
        visit: the fields of `Visit` but `began_at`.
    """
    mine = VISIT.c.session_hash == session_hash
    count = tx.conn.execute(select(func.count()).select_from(VISIT).where(mine)).scalar_one()
    if count >= _MOST_VISITS:
        tx.conn.execute(delete(VISIT).where(mine))
    tx.conn.execute(insert(VISIT).values(state_hash=state_hash, session_hash=session_hash, began_at=tx.now_us, **visit))


def come_back(tx: Tx, state_hash: bytes, session_hash: bytes) -> Visit | None:
    """Return the visit from which a browser is back, once; None where it never left, or too long ago."""
    row = tx.conn.execute(
        delete(VISIT)
        .where(VISIT.c.state_hash == state_hash, VISIT.c.session_hash == session_hash)
        .returning(
            VISIT.c.provider, VISIT.c.purpose, VISIT.c.account_id, VISIT.c.nonce, VISIT.c.verifier,
            VISIT.c.redirect_uri, VISIT.c.next_path, VISIT.c.invitation_hash, VISIT.c.began_at,
        )
    ).first()  # fmt: skip
    return None if row is None or row.began_at <= tx.now_us - VISIT_US else Visit(*row)


def arrive(tx: Tx, session_hash: bytes, who: Newcomer) -> None:
    """Note that a browser came back as somebody who has no account yet."""
    row = {
        "session_hash": session_hash, "provider": who.provider, "issuer": who.issuer, "subject": who.subject,
        "fresh": who.fresh, "suggested_name": who.suggested_name, "next_path": who.next_path,
        "invitation_hash": who.invitation_hash, "came_at": tx.now_us,
    }  # fmt: skip
    tx.conn.execute(tx.dialect.upsert(NEWCOMER, key=("session_hash",)), row)


def newcomer(tx: Tx, session_hash: bytes) -> Newcomer | None:
    """Return as whom a browser came back that has no account yet, or None."""
    row = tx.conn.execute(
        select(NEWCOMER).where(NEWCOMER.c.session_hash == session_hash, NEWCOMER.c.came_at > tx.now_us - VISIT_US)
    ).first()
    if row is None:
        return None
    return Newcomer(
        row.provider, row.issuer, row.subject, row.fresh, row.suggested_name, row.next_path, row.invitation_hash
    )


def welcome(tx: Tx, session_hash: bytes) -> None:
    """Forget that a browser came back as somebody without an account: they have one now."""
    tx.conn.execute(delete(NEWCOMER).where(NEWCOMER.c.session_hash == session_hash))


def purge(tx: Tx) -> None:
    """Remove the visits and newcomers whose time is over."""
    tx.conn.execute(delete(VISIT).where(VISIT.c.began_at <= tx.now_us - VISIT_US))
    tx.conn.execute(delete(NEWCOMER).where(NEWCOMER.c.came_at <= tx.now_us - VISIT_US))
