"""Deleting an account: at once for everyone who asks, and its last row when the last of its runs is purged.

Until then the row stays without a name or a password, since the runs that wait for their purge refer to it.
"""

from __future__ import annotations

import uuid

from sqlalchemy import delete, exists, select, update

from anonrun.store import audit, devices, runs, sessions
from anonrun.store.live import beyond_live
from anonrun.store.records import Account
from anonrun.store.schema import ACCOUNT, RECOVERY_CODE, RUN, TOKEN
from anonrun.store.transaction import Tx

__all__ = ["delete_account", "purge"]

_DELETED = "deleted"
_AT_ONCE = 100


def delete_account(tx: Tx, account: Account) -> list[uuid.UUID]:
    """Delete an account with its runs, keys and sessions; return the runs. Its name is free at once."""
    sessions.end_others(tx, account.account_id, but=None)
    devices.end_of(tx, account.account_id)
    tx.conn.execute(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.account_id == account.account_id))
    tx.conn.execute(delete(TOKEN).where(TOKEN.c.account_id == account.account_id))
    nameless = f"~{account.account_id}"  # no user name can begin like this
    tx.conn.execute(
        update(ACCOUNT)
        .where(ACCOUNT.c.account_id == account.account_id)
        .values(name=nameless, folded_name=nameless, kind=_DELETED, role="member", password_hash=None)
    )
    ended = runs.delete_all(tx, account.account_id)
    audit.note(tx, "account_deleted", reason="asked for", counts={"runs": len(ended)})
    return ended


def purge(tx: Tx) -> None:
    """Remove what is left of deleted accounts that have no run left; end a run that was being made meanwhile."""
    gone = tx.conn.execute(select(ACCOUNT.c.account_id).where(ACCOUNT.c.kind == _DELETED).limit(_AT_ONCE)).scalars()
    for account_id in list(gone):
        runs.delete_all(tx, account_id)
        has_runs = exists().where(RUN.c.account_id == account_id)
        sessions.end_others(tx, account_id, but=None)
        tx.conn.execute(
            beyond_live(
                delete(ACCOUNT).where(ACCOUNT.c.account_id == account_id, ~has_runs),
                reason="retention removes what is no longer live",
            )
        )
