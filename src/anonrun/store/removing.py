"""Removes an account: at once for everyone who asks, and for good when its runs have been swept.

The account's row goes last, since runs refer to it; a removal that was stopped is finished by asking for it again.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from anonrun.store import audit, sessions
from anonrun.store.live import beyond_live
from anonrun.store.schema import ACCOUNT, GRANT, RUN, TOKEN
from anonrun.store.transaction import Tx

__all__ = ["close_account", "remove_account"]

_WHY = "all runs of an account that is removed go, live or not"


def close_account(tx: Tx, account_id: int) -> int:
    """Delete an account's runs, keys and sessions, so that nobody can act for it; return how many runs there were."""
    sessions.end_others(tx, account_id, but=None)
    mine = select(TOKEN.c.token_hash).where(TOKEN.c.account_id == account_id)
    tx.conn.execute(delete(GRANT).where(GRANT.c.token_hash.in_(mine)))
    tx.conn.execute(delete(TOKEN).where(TOKEN.c.account_id == account_id))
    tx.conn.execute(update(ACCOUNT).where(ACCOUNT.c.account_id == account_id).values(password_hash=None))
    runs = tx.conn.execute(
        beyond_live(
            update(RUN)
            .where(RUN.c.account_id == account_id, RUN.c.deleted_at.is_(None))
            .values(deleted_at=tx.now_us, deleted_by="user"),
            reason=_WHY,
        )
    ).rowcount
    audit.note(tx, "account closed", reason="by the operator", counts={"runs": runs})
    return runs


def remove_account(tx: Tx, account_id: int) -> bool:
    """Remove the row of an account whose runs were removed; return whether it is gone."""
    left = select(func.count()).select_from(RUN).where(RUN.c.account_id == account_id)
    if tx.conn.execute(beyond_live(left, reason=_WHY)).scalar_one():
        return False
    tx.conn.execute(delete(ACCOUNT).where(ACCOUNT.c.account_id == account_id))
    return True
