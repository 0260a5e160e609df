"""Browsers that were here before: who signed in, and what links let them in to.

A session is a random reference, stored as its hash. It ends after 14 days without use and 30 days after it
was made, whatever its use (R18).
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select, update

from anonrun.store.accounts import ACCOUNT_COLUMNS, account_of
from anonrun.store.records import Session
from anonrun.store.schema import ACCOUNT, GRANT, NEWCOMER, PENDING_CLAIM, SESSION, TOKEN, VISIT
from anonrun.store.tokens import TOKEN_SOURCE, token_of
from anonrun.store.transaction import Tx

__all__ = [
    "ABSOLUTE_US",
    "IDLE_US",
    "confirm",
    "create",
    "end",
    "end_others",
    "find",
    "grant",
    "of_account",
    "purge",
    "rotate",
    "seen",
]

_DAY_US = 86_400 * 1_000_000
IDLE_US = 14 * _DAY_US
ABSOLUTE_US = 30 * _DAY_US
_NOBODYS_US = _DAY_US
_SEEN_EVERY_US = 600 * 1_000_000


def _alive(now_us: int) -> ColumnElement[bool]:
    return and_(SESSION.c.seen_at > now_us - IDLE_US, SESSION.c.created_at > now_us - ABSOLUTE_US)


def find(tx: Tx, session_hash: bytes) -> Session | None:
    """Return the session with this hash, or None where there is none or it has ended."""
    row = tx.conn.execute(
        select(SESSION, *ACCOUNT_COLUMNS[1:])
        .select_from(SESSION.outerjoin(ACCOUNT, SESSION.c.account_id == ACCOUNT.c.account_id))
        .where(SESSION.c.session_hash == session_hash, _alive(tx.now_us))
    ).first()
    if row is None:
        return None
    rows = tx.conn.execute(
        TOKEN_SOURCE.join(GRANT, GRANT.c.token_hash == TOKEN.c.token_hash)
        .where(GRANT.c.session_hash == session_hash)
        .order_by(TOKEN.c.created_at)
    )
    grants = tuple(token for granted in rows if (token := token_of(granted, tx.now_us)))
    return Session(
        row.session_hash, account_of(row), row.local, row.created_at, row.seen_at, grants, row.agent, row.confirmed_at
    )


def of_account(tx: Tx, account_id: int) -> list[Session]:
    """Return an account's sessions that have not ended, without their grants; the one that was seen last first."""
    rows = tx.conn.execute(
        select(SESSION, *ACCOUNT_COLUMNS[1:])
        .join_from(SESSION, ACCOUNT, SESSION.c.account_id == ACCOUNT.c.account_id)
        .where(SESSION.c.account_id == account_id, _alive(tx.now_us))
        .order_by(SESSION.c.seen_at.desc(), SESSION.c.created_at.desc(), SESSION.c.session_hash)
    )
    return [
        Session(
            row.session_hash, account_of(row), row.local, row.created_at, row.seen_at, (), row.agent, row.confirmed_at
        )
        for row in rows
    ]


def confirm(tx: Tx, session_hash: bytes) -> None:
    """Note that a session's user has just given the password."""
    tx.conn.execute(update(SESSION).where(SESSION.c.session_hash == session_hash).values(confirmed_at=tx.now_us))


def seen(tx: Tx, session_hash: bytes) -> None:
    """Note that a session is in use; no more than once in ten minutes."""
    tx.conn.execute(
        update(SESSION)
        .where(SESSION.c.session_hash == session_hash, SESSION.c.seen_at < tx.now_us - _SEEN_EVERY_US)
        .values(seen_at=tx.now_us)
    )


def create(
    tx: Tx,
    session_hash: bytes,
    *,
    account_id: int | None,
    local: bool,
    agent: str | None = None,
    confirmed: bool = False,
) -> None:
    """Make a session; `confirmed` says that its user has just given the password."""
    tx.conn.execute(
        insert(SESSION).values(
            session_hash=session_hash, account_id=account_id, local=local, created_at=tx.now_us, seen_at=tx.now_us,
            agent=agent, confirmed_at=tx.now_us if confirmed else None,
        )
    )  # fmt: skip


def rotate(
    tx: Tx,
    old: bytes | None,
    new: bytes,
    *,
    account_id: int | None,
    local: bool,
    agent: str | None = None,
    confirmed: bool = False,
) -> None:
    """Give a browser that signs in a new reference; what it was let in to and means to claim goes with it.

    So do its visits to providers, since each tab may have one. A newcomer who signs in is none any more.
    """
    create(tx, new, account_id=account_id, local=local, agent=agent, confirmed=confirmed)
    if old is not None:
        for table in (GRANT, PENDING_CLAIM, VISIT):
            tx.conn.execute(update(table).where(table.c.session_hash == old).values(session_hash=new))
        end(tx, old)


def grant(tx: Tx, session_hash: bytes, token_hash: bytes) -> None:
    """Let a session in to what a token grants, for as long as the token counts."""
    tx.conn.execute(tx.dialect.insert_new(GRANT), {"session_hash": session_hash, "token_hash": token_hash})


def end(tx: Tx, session_hash: bytes) -> None:
    """End a session."""
    for table in (GRANT, PENDING_CLAIM, VISIT, NEWCOMER, SESSION):
        tx.conn.execute(delete(table).where(table.c.session_hash == session_hash))


def end_others(tx: Tx, account_id: int, *, but: bytes | None) -> int:
    """End an account's sessions except one; return how many there were."""
    mine = select(SESSION.c.session_hash).where(SESSION.c.account_id == account_id)
    if but is not None:
        mine = mine.where(SESSION.c.session_hash != but)
    hashes = list(tx.conn.execute(mine).scalars())
    for session_hash in hashes:
        end(tx, session_hash)
    return len(hashes)


def purge(tx: Tx, limit: int) -> int:
    """Remove up to `limit` sessions that have ended, or that nobody came back with from a provider; return how many."""
    nobodys = and_(
        SESSION.c.account_id.is_(None),
        SESSION.c.local.is_(False),
        SESSION.c.seen_at < tx.now_us - _NOBODYS_US,
        ~exists().where(GRANT.c.session_hash == SESSION.c.session_hash),
    )
    over = or_(~_alive(tx.now_us), nobodys)
    ended = tx.conn.execute(select(SESSION.c.session_hash).where(over).limit(limit)).scalars().all()
    for session_hash in ended:
        end(tx, session_hash)
    return len(ended)
