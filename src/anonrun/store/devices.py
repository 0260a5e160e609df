"""Programs that wait to be let in to an account, until somebody decides or their ten minutes are over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from anonrun.store.schema import DEVICE_LOGIN
from anonrun.store.transaction import Tx

__all__ = ["MOST_WRONG_TRIES", "DeviceLogin", "add", "end", "end_of", "find", "find_by_handle", "purge", "set_fields"]

MOST_WRONG_TRIES = 5


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """A program that asks.

    Attributes:
        user_hash: of the code that it shows.
        client: which program it says it is.
        host: on which machine it says it runs.
        address: from which it asked, as the server saw it.
        state: `waiting`, `approved` or `denied`.
        session_hash: the browser that was shown who asks; None before.
        account_id: who approved it.
    """

    device_hash: bytes
    user_hash: bytes
    client: str
    host: str
    address: str
    created_at: int
    expires_at: int
    interval_s: int
    polled_at: int | None
    wrong_tries: int
    state: str
    session_hash: bytes | None
    account_id: int | None


def _counts(now_us: int) -> ColumnElement[bool]:
    return and_(DEVICE_LOGIN.c.expires_at > now_us, DEVICE_LOGIN.c.wrong_tries < MOST_WRONG_TRIES)


def _login(row: Row[Any]) -> DeviceLogin:
    return DeviceLogin(**{name: getattr(row, name) for name in DeviceLogin.__slots__})


def add(
    tx: Tx, *, device_hash: bytes, handle: str, user_hash: bytes, client: str, host: str, address: str, interval_s: int,
    expires_at: int,
) -> bool:  # fmt: skip
    """Have a program wait; return False where another one has the same handle."""
    try:
        with tx.conn.begin_nested():
            tx.conn.execute(
                insert(DEVICE_LOGIN).values(
                    device_hash=device_hash, handle=handle, user_hash=user_hash, client=client, host=host,
                    address=address, created_at=tx.now_us, expires_at=expires_at, interval_s=interval_s, wrong_tries=0,
                    state="waiting",
                )
            )  # fmt: skip
    except IntegrityError:
        return False
    return True


def find(tx: Tx, device_hash: bytes) -> DeviceLogin | None:
    """Return the program with this device code while it counts, held until the transaction ends."""
    return _first(tx, DEVICE_LOGIN.c.device_hash == device_hash)


def find_by_handle(tx: Tx, handle: str) -> DeviceLogin | None:
    """Return the program whose user code begins like this while it counts, held until the transaction ends."""
    return _first(tx, DEVICE_LOGIN.c.handle == handle)


def _first(tx: Tx, which: ColumnElement[bool]) -> DeviceLogin | None:
    row = tx.conn.execute(select(DEVICE_LOGIN).where(which, _counts(tx.now_us)).with_for_update()).first()
    return _login(row) if row else None


def set_fields(tx: Tx, login: DeviceLogin, **values: object) -> None:
    """Change a program's row."""
    tx.conn.execute(update(DEVICE_LOGIN).where(DEVICE_LOGIN.c.device_hash == login.device_hash).values(**values))


def end(tx: Tx, login: DeviceLogin) -> None:
    """Have a program wait no longer."""
    tx.conn.execute(delete(DEVICE_LOGIN).where(DEVICE_LOGIN.c.device_hash == login.device_hash))


def end_of(tx: Tx, account_id: int) -> None:
    """End what an account approved and nobody has collected."""
    tx.conn.execute(delete(DEVICE_LOGIN).where(DEVICE_LOGIN.c.account_id == account_id))


def purge(tx: Tx) -> None:
    """Remove the programs whose time is over."""
    tx.conn.execute(delete(DEVICE_LOGIN).where(DEVICE_LOGIN.c.expires_at <= tx.now_us))
