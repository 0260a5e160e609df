"""Recovery codes: ways back into an account whose password is lost, each for one time. Stored as hashes."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, insert, select

from anonrun.store.schema import RECOVERY_CODE
from anonrun.store.transaction import Tx

__all__ = ["count", "replace", "use"]


def replace(tx: Tx, account_id: int, hashes: Iterable[bytes]) -> None:
    """Give an account new codes; those that it had no longer count."""
    tx.conn.execute(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.account_id == account_id))
    rows = [{"code_hash": code_hash, "account_id": account_id, "created_at": tx.now_us} for code_hash in hashes]
    tx.conn.execute(insert(RECOVERY_CODE), rows)


def count(tx: Tx, account_id: int) -> int:
    """Return how many codes an account has left."""
    mine = select(func.count()).select_from(RECOVERY_CODE).where(RECOVERY_CODE.c.account_id == account_id)
    return int(tx.conn.execute(mine).scalar_one())


def use(tx: Tx, account_id: int, code_hash: bytes) -> bool:
    """Spend a code; return whether it was one of this account's and this was the time."""
    which = (RECOVERY_CODE.c.code_hash == code_hash) & (RECOVERY_CODE.c.account_id == account_id)
    return tx.conn.execute(delete(RECOVERY_CODE).where(which)).rowcount == 1
