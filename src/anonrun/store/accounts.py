"""Accounts: who owns runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from anonrun.store.records import Account
from anonrun.store.schema import ACCOUNT, META
from anonrun.store.transaction import Tx

__all__ = [
    "ACCOUNT_COLUMNS",
    "account_of",
    "create",
    "find",
    "is_first_user",
    "is_free",
    "password_hash",
    "set_password",
    "user_named",
]

ACCOUNT_COLUMNS = (
    ACCOUNT.c.account_id,
    ACCOUNT.c.name.label("account_name"),
    ACCOUNT.c.kind.label("account_kind"),
    ACCOUNT.c.created_at.label("account_created_at"),
    ACCOUNT.c.role.label("account_role"),
)


def account_of(row: Row[Any]) -> Account | None:
    """Return the account in a row that was selected with `ACCOUNT_COLUMNS`, or None where it has none."""
    if row.account_id is None:
        return None
    return Account(row.account_id, row.account_name, row.account_kind, row.account_created_at, row.account_role)


def is_first_user(tx: Tx) -> bool:
    """Whether nobody has signed up here yet; true once, also with several at the same time and after a deletion."""
    if tx.conn.execute(select(ACCOUNT.c.account_id).where(ACCOUNT.c.kind == "user").limit(1)).first() is not None:
        return False
    first = tx.dialect.insert_new(META).returning(META.c.key)
    return tx.conn.execute(first, {"key": "first_user", "value": str(tx.now_us)}).first() is not None


def create(tx: Tx, *, name: str, kind: str, password_hash: str | None = None, role: str = "member") -> Account | None:
    """Make an account; None where the name is taken, in whatever case it is written."""
    values = {
        "name": name,
        "folded_name": name.casefold(),
        "kind": kind,
        "password_hash": password_hash,
        "created_at": tx.now_us,
        "role": role,
    }
    if not is_free(tx, name):
        return None
    account_id = tx.conn.execute(insert(ACCOUNT).values(**values).returning(ACCOUNT.c.account_id)).scalar_one()
    return Account(account_id, name, kind, tx.now_us, role)


def is_free(tx: Tx, name: str) -> bool:
    """Whether no account has a name, in whatever case it is written."""
    return tx.conn.execute(select(ACCOUNT.c.account_id).where(ACCOUNT.c.folded_name == name.casefold())).first() is None


def find(tx: Tx, account_id: int) -> Account | None:
    """Return an account, or None where there is none."""
    query: Select[Any] = select(*ACCOUNT_COLUMNS).where(ACCOUNT.c.account_id == account_id)
    row = tx.conn.execute(query).first()
    return account_of(row) if row else None


def _user(name: str) -> Select[Any]:
    return select(*ACCOUNT_COLUMNS, ACCOUNT.c.password_hash).where(
        ACCOUNT.c.folded_name == name.casefold(), ACCOUNT.c.kind == "user"
    )


def user_named(tx: Tx, name: str) -> tuple[Account, str | None] | None:
    """Return a user and the hash of their password, or None where there is no such user."""
    row = tx.conn.execute(_user(name)).first()
    account = account_of(row) if row else None
    return (account, row.password_hash) if row and account else None


def password_hash(tx: Tx, account_id: int) -> str | None:
    """Return the hash of an account's password, or None where it has none."""
    found: str | None = tx.conn.execute(
        select(ACCOUNT.c.password_hash).where(ACCOUNT.c.account_id == account_id)
    ).scalar()
    return found


def set_password(tx: Tx, account_id: int, new_hash: str) -> None:
    """Replace the hash of an account's password."""
    tx.conn.execute(update(ACCOUNT).where(ACCOUNT.c.account_id == account_id).values(password_hash=new_hash))
