"""Deleting an account: at once for everyone who asks, and its last row when the last of its runs and files is purged.

Until then the row stays without a name or a password, since the runs that wait for their purge refer to it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, select, update

from anonrun.store import audit, devices, identities, runs, sessions
from anonrun.store.accounts import ACCOUNT_COLUMNS, account_of
from anonrun.store.live import beyond_live
from anonrun.store.records import Account
from anonrun.store.schema import ACCOUNT, ARTIFACT_NAME, BLOB, RECOVERY_CODE, RUN, TOKEN
from anonrun.store.transaction import Tx

__all__ = ["account_hash", "all_accounts", "delete_account", "deleted_accounts", "purge"]

_DELETED = "deleted"
_AT_ONCE = 100
_USERS: Select[Any] = (
    select(*ACCOUNT_COLUMNS)
    .where(ACCOUNT.c.kind == "user", ACCOUNT.c.account_id > bindparam("last"))
    .order_by(ACCOUNT.c.account_id)
    .limit(_AT_ONCE)
)
_WHY = "retention removes what is no longer live"


def delete_account(tx: Tx, account: Account) -> list[uuid.UUID]:
    """Delete an account with its runs, keys, sessions and identities; return the runs. Its name is free at once."""
    sessions.end_others(tx, account.account_id, but=None)
    devices.end_of(tx, account.account_id)
    tx.conn.execute(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.account_id == account.account_id))
    tx.conn.execute(delete(TOKEN).where(TOKEN.c.account_id == account.account_id))
    identities.unlink_all(tx, account.account_id)
    nameless = f"~{account.account_id}"  # no user name can begin like this
    tx.conn.execute(
        update(ACCOUNT)
        .where(ACCOUNT.c.account_id == account.account_id)
        .values(name=nameless, folded_name=nameless, kind=_DELETED, role="member", password_hash=None)
    )
    ended = runs.delete_all(tx, account.account_id)
    audit.note(tx, "account_deleted", reason="asked for", counts={"runs": len(ended)})
    return ended


def account_hash(account_id: int, created_at: int) -> bytes:
    """Return what an account is called outside of its own row: its number may be given again, its birth is not."""
    return hashlib.sha256(f"account {account_id} {created_at}".encode()).digest()


def deleted_accounts(tx: Tx) -> dict[int, bytes]:
    """Return some of the accounts that were deleted and have a row still, each with its hash."""
    query = select(ACCOUNT.c.account_id, ACCOUNT.c.created_at).where(ACCOUNT.c.kind == _DELETED).limit(_AT_ONCE)
    return {row.account_id: account_hash(row.account_id, row.created_at) for row in tx.conn.execute(query)}


def all_accounts(tx: Tx) -> Iterator[Account]:
    """Yield the accounts of users, which are few where there are many anonymous ones."""
    last = 0
    while rows := tx.conn.execute(_USERS, {"last": last}).all():
        for row in rows:
            account = account_of(row)
            assert account is not None, "the row has one"
            yield account
        last = rows[-1].account_id


def purge(tx: Tx, account_ids: Iterable[int]) -> None:
    """Remove what is left of deleted accounts without runs and files; end a run that was being made meanwhile."""
    for account_id in account_ids:
        runs.delete_all(tx, account_id)
        has_runs = exists().where(RUN.c.account_id == account_id)
        has_files = exists().where(BLOB.c.account_id == account_id)
        sessions.end_others(tx, account_id, but=None)
        tx.conn.execute(
            beyond_live(delete(ARTIFACT_NAME).where(ARTIFACT_NAME.c.account_id == account_id, ~has_runs), reason=_WHY)
        )
        tx.conn.execute(
            beyond_live(
                delete(ACCOUNT).where(ACCOUNT.c.account_id == account_id, ~has_runs, ~has_files),
                reason=_WHY,
            )
        )
