"""Login by device code: a program shows a short code, its user approves it in a browser (RFC 8628, R23).

Invariants: nothing is approved but by someone who typed the code and was shown who asks; a code counts for ten
minutes, once, and dies of its fifth wrong try; one address tries at most twenty an hour. What must be counted even
though it is refused is answered by a value, since an exception would undo the count.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from anonrun.server.problems import ProblemError
from anonrun.server.services import accounts as account_service
from anonrun.store import accounts, attempts, devices
from anonrun.store.devices import DeviceLogin
from anonrun.store.records import Account
from anonrun.store.transaction import Tx

__all__ = [
    "EXPIRES_S",
    "INTERVAL_S",
    "Begun",
    "Granted",
    "TooOften",
    "begin",
    "check",
    "collect",
    "decide",
    "shown",
    "typed_as_shown",
]

EXPIRES_S = 600
INTERVAL_S = 5
_SLOWER_S = 5
_MOST_AN_HOUR = 20
_SECOND_US = 1_000_000
_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: no words; no look-alikes (RFC 8628 §6.1)
_CODE_CHARS = 8
_HANDLE_CHARS = 4
_MOST_TEXT = 80


@dataclass(frozen=True, slots=True)
class TooOften:
    """This address has tried often enough; in `wait_us` it may again."""

    wait_us: int


@dataclass(frozen=True, slots=True)
class Begun:
    """The codes of a program that has begun to wait."""

    device_code: str
    user_code: str


@dataclass(frozen=True, slots=True)
class Granted:
    """A program was let in: the key that was made for it, told this once."""

    account: Account
    key: str


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()


def shown(user_code: str) -> str:
    """Return a user code as people read it.

    Example:
        >>> shown("BCDFGHJK")
        'BCDF-GHJK'
    """
    return f"{user_code[:_HANDLE_CHARS]}-{user_code[_HANDLE_CHARS:]}"


def _typed(text: str) -> str | None:
    """Return the code that someone typed, however it was written; None where it cannot be one."""
    code = "".join(char for char in text.upper() if char in _ALPHABET)
    return code if len(code) == _CODE_CHARS and len(text) <= 2 * _CODE_CHARS else None


def typed_as_shown(text: str) -> str:
    """Return a code that was typed the way in which programs show it, so that the two can be compared."""
    return shown(_typed(text) or "")


def _plain(text: str) -> str:
    """Return what a program says of itself, without anything that could hide or reorder what is read."""
    return "".join(char for char in text if char.isprintable()).strip()[:_MOST_TEXT]


def begin(tx: Tx, *, client: str, host: str, address: str, place: bytes) -> Begun | TooOften:
    """Have a program wait to be let in.

    Args:
        tx: a writer's transaction.
        client: which program it says it is.
        host: on which machine it says it runs.
        address: from which it asks.
        place: hash of what counts as one address.
    """
    wait_us = attempts.take(tx, "device", place, most=_MOST_AN_HOUR)
    if wait_us:
        return TooOften(wait_us)
    devices.purge(tx)
    while True:
        begun = Begun(secrets.token_urlsafe(32), "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_CHARS)))
        if devices.add(
            tx,
            device_hash=_hash(begun.device_code),
            handle=begun.user_code[:_HANDLE_CHARS],
            user_hash=_hash(begun.user_code),
            client=_plain(client),
            host=_plain(host),
            address=address,
            interval_s=INTERVAL_S,
            expires_at=tx.now_us + EXPIRES_S * _SECOND_US,
        ):
            return begun


def check(tx: Tx, session_hash: bytes, text: str, *, place: bytes) -> DeviceLogin | TooOften | None:
    """Return who asks with the code that was typed, and let this browser decide; None where nobody does."""
    wait_us = attempts.take(tx, "code", place, most=_MOST_AN_HOUR)
    if wait_us:
        return TooOften(wait_us)
    code = _typed(text)
    login = devices.find_by_handle(tx, code[:_HANDLE_CHARS]) if code else None
    if code is None or login is None:
        return None
    if login.user_hash != _hash(code):
        devices.set_fields(tx, login, wrong_tries=login.wrong_tries + 1)
        return None
    if login.state != "waiting":
        return None
    devices.set_fields(tx, login, session_hash=session_hash)
    return login


def decide(tx: Tx, session_hash: bytes, account: Account, text: str, *, approve: bool) -> None:
    """Let a program in to an account, or turn it away, in the browser that was shown who asks.

    Raises:
        ProblemError: `user_code_unknown`.
    """
    code = _typed(text)
    login = devices.find_by_handle(tx, code[:_HANDLE_CHARS]) if code else None
    if (
        code is None
        or login is None
        or login.session_hash != session_hash
        or login.user_hash != _hash(code)
        or login.state != "waiting"
    ):
        raise ProblemError("user_code_unknown")
    state = "approved" if approve else "denied"
    devices.set_fields(tx, login, state=state, account_id=account.account_id)


def collect(tx: Tx, device_code: str) -> Granted | ProblemError:
    """Return the key of a program that was let in, or why there is none; the problem is to be raised after a commit.

    A program that asks before its interval is over is told to be slower, and has to be (RFC 8628 §3.5).
    """
    login = devices.find(tx, _hash(device_code))
    if login is None:
        return ProblemError("expired_token")
    if login.polled_at is not None and tx.now_us - login.polled_at < login.interval_s * _SECOND_US:
        interval_s = login.interval_s + _SLOWER_S
        devices.set_fields(tx, login, polled_at=tx.now_us, interval_s=interval_s)
        return ProblemError("slow_down", interval=interval_s)
    devices.set_fields(tx, login, polled_at=tx.now_us)
    if login.state == "waiting":
        return ProblemError("authorization_pending", interval=login.interval_s)
    devices.end(tx, login)
    account = accounts.find(tx, login.account_id) if login.account_id is not None else None
    if login.state != "approved" or account is None:
        return ProblemError("access_denied")
    key, _ = account_service.new_key(tx, account, f"anonrun login on {login.host or 'an unnamed machine'}")
    return Granted(account, key)
