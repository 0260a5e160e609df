"""Secrets, as hashes: what each grants, and what became of those that ended.

A token is never removed while its holder may ask why it no longer works; it ends by a time in its row.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from anonrun.store.accounts import ACCOUNT_COLUMNS, account_of
from anonrun.store.live import beyond_live
from anonrun.store.records import Account, Ending, Link, Token
from anonrun.store.schema import ACCOUNT, GONE, MOVED, RUN, TOKEN
from anonrun.store.transaction import Tx

__all__ = [
    "TOKEN_SOURCE",
    "add",
    "change_link",
    "end_leaked",
    "end_write_token",
    "find",
    "find_all",
    "invitations",
    "keys",
    "links",
    "revoke",
    "revoke_all",
    "revoke_invitation",
    "token_of",
    "touch",
    "use_once",
]

_TOUCH_EVERY_US = 600 * 1_000_000

_TOKEN_COLUMNS = (
    TOKEN.c.token_hash,
    TOKEN.c.public_id,
    TOKEN.c.kind,
    TOKEN.c.scope,
    TOKEN.c.run_id,
    TOKEN.c.label,
    TOKEN.c.blind,
    TOKEN.c.created_at,
    TOKEN.c.expires_at,
    TOKEN.c.last_used_at,
    TOKEN.c.revoked_at,
    TOKEN.c.ended_by,
    RUN.c.run_id.label("found_run_id"),
    RUN.c.expires_at.label("run_expires_at"),
    RUN.c.deleted_at.label("run_deleted_at"),
    RUN.c.deleted_by.label("run_deleted_by"),
    GONE.c.reason.label("gone_reason"),
    GONE.c.at.label("gone_at"),
    MOVED.c.at.label("moved_at"),
    MOVED.c.server.label("moved_to"),
)

# A token's holder is told what became of the run, so this looks beyond those that are live.
TOKEN_SOURCE: Select[Any] = beyond_live(
    select(*ACCOUNT_COLUMNS, *_TOKEN_COLUMNS).select_from(
        TOKEN.outerjoin(ACCOUNT, TOKEN.c.account_id == ACCOUNT.c.account_id)
        .outerjoin(RUN, TOKEN.c.run_id == RUN.c.run_id)
        .outerjoin(GONE, TOKEN.c.run_id == GONE.c.run_id)
        .outerjoin(MOVED, TOKEN.c.run_id == MOVED.c.run_id)
    ),
    reason="a token's holder is told what became of its run",
)


_FIND = TOKEN_SOURCE.where(TOKEN.c.token_hash == bindparam("token_hash"))
_FIND_ALL = TOKEN_SOURCE.where(TOKEN.c.token_hash.in_(bindparam("token_hashes", expanding=True)))


def _ending(row: Row[Any], now_us: int) -> Ending | None:  # noqa: PLR0911  one return a case
    if row.ended_by == "claim" and row.revoked_at is not None:
        return Ending("claimed", row.revoked_at)
    if row.run_id is None:
        return None
    if row.moved_at is not None:
        return Ending("moved", row.moved_at, None if row.blind else row.moved_to)  # an address tells whose it is
    if row.gone_reason is not None:
        return Ending(row.gone_reason, row.gone_at)
    if row.run_deleted_at is not None:
        expired = row.run_deleted_by == "expired"
        return Ending("expired", row.run_expires_at) if expired else Ending("deleted", row.run_deleted_at)
    if row.run_expires_at is not None and row.run_expires_at <= now_us:
        return Ending("expired", row.run_expires_at)
    if row.ended_by == "claim" and row.expires_at is not None and row.expires_at <= now_us:
        return Ending("claimed", row.expires_at)
    if row.kind == "s" and row.revoked_at is None and row.expires_at is not None and row.expires_at <= now_us:
        return Ending("lapsed", row.expires_at)
    return None


def token_of(row: Row[Any], now_us: int) -> Token | None:
    """Return the token in a row of `TOKEN_SOURCE`; None where it counts for nothing and tells nothing."""
    ended = _ending(row, now_us)
    if ended is None:
        lapsed = row.expires_at is not None and row.expires_at <= now_us
        forgotten = row.run_id is not None and row.found_run_id is None
        if row.revoked_at is not None or lapsed or forgotten:
            return None
    elif row.revoked_at is not None and row.ended_by != "claim":
        return None
    return Token(
        token_hash=row.token_hash,
        public_id=row.public_id,
        kind=row.kind,
        scope=row.scope,
        account=account_of(row),
        run_id=row.run_id,
        label=row.label,
        blind=row.blind,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        ended=ended,
    )


def find(tx: Tx, token_hash: bytes) -> Token | None:
    """Return the token with this hash; None where it is unknown, revoked, or was its account's and has lapsed."""
    row = tx.conn.execute(_FIND, {"token_hash": token_hash}).first()
    return token_of(row, tx.now_us) if row else None


def find_all(tx: Tx, token_hashes: Collection[bytes]) -> dict[bytes, Token]:
    """Return the tokens with these hashes, as `find` does each."""
    if not token_hashes:
        return {}
    rows = tx.conn.execute(_FIND_ALL, {"token_hashes": list(token_hashes)})
    return {token.token_hash: token for row in rows if (token := token_of(row, tx.now_us))}


def add(
    tx: Tx,
    *,
    token_hash: bytes,
    kind: str,
    scope: str,
    account_id: int | None = None,
    run_id: uuid.UUID | None = None,
    label: str | None = None,
    blind: bool = False,
    expires_at: int | None = None,
) -> str | None:
    """Store a new token's hash; return the public id by which it is listed, or None where the hash is taken."""
    public_id = secrets.token_hex(8)
    try:
        with tx.conn.begin_nested():
            tx.conn.execute(
                insert(TOKEN).values(
                    token_hash=token_hash, public_id=public_id, kind=kind, scope=scope, account_id=account_id,
                    run_id=run_id, label=label, blind=blind, created_at=tx.now_us, expires_at=expires_at,
                )
            )  # fmt: skip
    except IntegrityError:
        return None
    return public_id


def touch(tx: Tx, token_hash: bytes) -> None:
    """Note that a token is in use; no more than once in ten minutes."""
    stale = or_(TOKEN.c.last_used_at.is_(None), TOKEN.c.last_used_at < tx.now_us - _TOUCH_EVERY_US)
    tx.conn.execute(update(TOKEN).where(TOKEN.c.token_hash == token_hash, stale).values(last_used_at=tx.now_us))


def use_once(tx: Tx, token_hash: bytes) -> bool:
    """Spend a token that counts once; return whether this was the time."""
    spent = tx.conn.execute(
        update(TOKEN)
        .where(TOKEN.c.token_hash == token_hash, TOKEN.c.revoked_at.is_(None), TOKEN.c.expires_at > tx.now_us)
        .values(revoked_at=tx.now_us, last_used_at=tx.now_us, ended_by="use")
    )
    return spent.rowcount == 1


def _standing(now_us: int) -> ColumnElement[bool]:
    return and_(TOKEN.c.revoked_at.is_(None), or_(TOKEN.c.expires_at.is_(None), TOKEN.c.expires_at > now_us))


def invitations(tx: Tx) -> list[Token]:
    """Return the invitations that nobody has used and that count, oldest first."""
    rows = tx.conn.execute(
        TOKEN_SOURCE.where(TOKEN.c.kind == "i", _standing(tx.now_us)).order_by(TOKEN.c.created_at, TOKEN.c.public_id)
    )
    return [token for row in rows if (token := token_of(row, tx.now_us))]


def keys(tx: Tx, account: Account) -> list[Token]:
    """Return an account's API keys that count, oldest first."""
    rows = tx.conn.execute(
        TOKEN_SOURCE.where(
            TOKEN.c.account_id == account.account_id, TOKEN.c.kind == "u", _standing(tx.now_us)
        ).order_by(TOKEN.c.created_at, TOKEN.c.public_id)
    )
    return [token for row in rows if (token := token_of(row, tx.now_us))]


def links(tx: Tx, run_id: uuid.UUID) -> list[Link]:
    """Return a run's share links that count, oldest first."""
    rows = tx.conn.execute(
        TOKEN_SOURCE.where(TOKEN.c.run_id == run_id, TOKEN.c.kind == "s", _standing(tx.now_us)).order_by(
            TOKEN.c.created_at, TOKEN.c.public_id
        )
    )
    return [
        Link(
            link_id=row.public_id,
            label=row.label,
            blind=row.blind,
            created_at=row.created_at,
            expires_at=min((at for at in (row.expires_at, row.run_expires_at) if at is not None), default=None),
            last_used_at=row.last_used_at,
        )
        for row in rows
    ]


def change_link(tx: Tx, link_id: str, run_id: uuid.UUID, *, label: str | None, blind: bool | None) -> bool:
    """Change a share link that counts; what is None stays. Return whether there is one."""
    wanted = {name: value for name, value in (("label", label), ("blind", blind)) if value is not None}
    done = tx.conn.execute(
        update(TOKEN)
        .where(TOKEN.c.public_id == link_id, TOKEN.c.run_id == run_id, TOKEN.c.kind == "s", _standing(tx.now_us))
        .values(wanted or {"label": TOKEN.c.label})
    )
    return done.rowcount == 1


def revoke(
    tx: Tx, public_id: str, *, kind: str, account_id: int | None = None, run_id: uuid.UUID | None = None
) -> bool:
    """End one token of an account or of a run at once; return whether there was one."""
    owner = TOKEN.c.account_id == account_id if run_id is None else TOKEN.c.run_id == run_id
    done = tx.conn.execute(
        update(TOKEN)
        .where(TOKEN.c.public_id == public_id, TOKEN.c.kind == kind, owner, TOKEN.c.revoked_at.is_(None))
        .values(revoked_at=tx.now_us, ended_by="user")
    )
    return done.rowcount == 1


def revoke_invitation(tx: Tx, public_id: str) -> bool:
    """End an invitation, whoever made it; return whether there was one."""
    which = and_(TOKEN.c.public_id == public_id, TOKEN.c.kind == "i", TOKEN.c.revoked_at.is_(None))
    return tx.conn.execute(update(TOKEN).where(which).values(revoked_at=tx.now_us, ended_by="user")).rowcount == 1


def revoke_all(tx: Tx, account_id: int, *, kind: str) -> None:
    """End all tokens of one kind that an account has."""
    mine = and_(TOKEN.c.account_id == account_id, TOKEN.c.kind == kind, TOKEN.c.revoked_at.is_(None))
    tx.conn.execute(update(TOKEN).where(mine).values(revoked_at=tx.now_us, ended_by="user"))


def end_leaked(tx: Tx, token_hash: bytes) -> bool:
    """End a token that became public at once; return whether it had not ended before."""
    done = tx.conn.execute(
        update(TOKEN)
        .where(TOKEN.c.token_hash == token_hash, TOKEN.c.revoked_at.is_(None))
        .values(revoked_at=tx.now_us, ended_by="leak")
    )
    return done.rowcount == 1


def end_write_token(tx: Tx, token_hash: bytes, *, at_us: int) -> None:
    """Have a write token that outlived a claim end at `at_us`, if not before."""
    tx.conn.execute(
        update(TOKEN)
        .where(TOKEN.c.token_hash == token_hash, TOKEN.c.scope == "ingest", TOKEN.c.expires_at > at_us)
        .values(expires_at=at_us)
    )
