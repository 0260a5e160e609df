"""What limits how much comes from one address: rates, and how many anonymous runs there are of it.

Exact with any number of workers: whoever takes from a rate holds its row until the commit, and the count of runs is
read while that row is held. Addresses are stored as HMACs under a secret of the day, which is destroyed after seven;
then nobody can say any more which address it was (D9).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from sqlalchemy import BigInteger, Select, bindparam, delete, func, select

from anonrun.core.rates import take as take_one
from anonrun.store.live import is_live
from anonrun.store.schema import ADDRESS_KEY, RATE, RUN
from anonrun.store.transaction import Tx

__all__ = ["KEPT_DAYS", "hold", "live_runs", "marks", "take", "take_of_all"]

KEPT_DAYS = 7
"""Days after which nothing can be told of an address."""

_HOUR_US = 3_600 * 1_000_000
_DAY_US = 24 * _HOUR_US
_MARK_BYTES = 16
_REMOVED_AT_ONCE = 200
_LOCKED = select(RATE.c.key, RATE.c.until).where(RATE.c.key.in_(bindparam("keys", expanding=True)))
_LOCKED = _LOCKED.order_by(RATE.c.key).with_for_update()
_OVER: Select[tuple[bytes]] = (
    select(RATE.c.key)
    .where(RATE.c.until < bindparam("before", type_=BigInteger))
    .limit(_REMOVED_AT_ONCE)
    .with_for_update(skip_locked=True)
)


def _secrets(tx: Tx) -> list[bytes]:
    """Return the secrets of today and of the days before that still count, newest first."""
    today = tx.now_us // _DAY_US
    mine = select(ADDRESS_KEY.c.day, ADDRESS_KEY.c.secret).where(
        ADDRESS_KEY.c.day > today - KEPT_DAYS, ADDRESS_KEY.c.day <= today
    )
    found = {row.day: bytes(row.secret) for row in tx.conn.execute(mine)}
    if today not in found:
        tx.conn.execute(delete(ADDRESS_KEY).where(ADDRESS_KEY.c.day <= today - KEPT_DAYS))
        tx.conn.execute(tx.dialect.insert_new(ADDRESS_KEY), {"day": today, "secret": secrets.token_bytes(32)})
        found = {row.day: bytes(row.secret) for row in tx.conn.execute(mine)}
    return [secret for _, secret in sorted(found.items(), reverse=True)]


def _hash(secret: bytes, what: str, place: str) -> bytes:
    return hmac.digest(secret, f"{what}\0{place}".encode("utf-8", "surrogatepass"), hashlib.sha256)


def _held(tx: Tx, keys: Sequence[bytes]) -> int:
    """Hold the rows of one rate until the commit; return the latest of their instants."""
    while True:
        tx.conn.execute(tx.dialect.insert_new(RATE), {"key": keys[0], "until": 0})
        rows = tx.conn.execute(_LOCKED, {"keys": list(keys)}).all()
        if any(bytes(row.key) == keys[0] for row in rows):  # else another process has just removed it
            return max(int(row.until) for row in rows)


def _take(tx: Tx, keys: Sequence[bytes], per_hour: int) -> int:
    tx.conn.execute(delete(RATE).where(RATE.c.key.in_(_OVER)), {"before": tx.now_us - _HOUR_US})
    until, wait_us = take_one(_held(tx, keys), tx.now_us, most=per_hour, span_us=_HOUR_US)
    if not wait_us:
        tx.conn.execute(tx.dialect.upsert(RATE, key=("key",)), {"key": keys[0], "until": until})
    return wait_us


def hold(tx: Tx, what: str, place: str) -> None:
    """Have others who ask for the same wait until the commit."""
    _held(tx, [_hash(_secrets(tx)[0], what, place)])


def take(tx: Tx, what: str, place: str, per_hour: int) -> int:
    """Take one of what a place may have in an hour; return 0, or the microseconds until there is one.

    Args:
        tx: a writer's transaction; what is taken counts once it is committed.
        what: name of the rate.
        place: an address, or a network that counts as one.
        per_hour: at least 1.
    """
    return _take(tx, [_hash(secret, what, place) for secret in _secrets(tx)[:2]], per_hour)


def take_of_all(tx: Tx, what: str, per_hour: int) -> int:
    """Take one of what all places together may have in an hour, as `take`."""
    return _take(tx, [hashlib.sha256(what.encode()).digest()], per_hour)


def marks(tx: Tx, place: str) -> list[bytes]:
    """Return how a place is marked in its runs: today, and on the days before that still count."""
    return [_hash(secret, "origin", place)[:_MARK_BYTES] for secret in _secrets(tx)]


def live_runs(tx: Tx, origins: Sequence[bytes]) -> tuple[int, int | None]:
    """Return how many live anonymous runs bear one of these marks, and when the first of them expires."""
    row = tx.conn.execute(
        select(func.count(), func.min(RUN.c.expires_at)).where(
            RUN.c.origin.in_(list(origins)), RUN.c.expires_at.is_not(None), is_live(tx.now_us)
        )
    ).one()
    return int(row[0]), row[1]
