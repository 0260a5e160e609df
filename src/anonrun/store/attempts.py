"""How often one place has tried something lately: exact, with any number of workers, and across restarts.

A place is stored as a hash, and for no longer than the limit looks back.
"""

from __future__ import annotations

import json

from sqlalchemy import delete, select, update

from anonrun.store.schema import ATTEMPT
from anonrun.store.transaction import Tx

__all__ = ["HOUR_US", "purge", "take"]

HOUR_US = 3_600 * 1_000_000


def take(tx: Tx, kind: str, place_hash: bytes, *, most: int) -> int:
    """Count one try; return 0, or, where there were `most` within the last hour, the microseconds until the next."""
    here = (ATTEMPT.c.kind == kind) & (ATTEMPT.c.place_hash == place_hash)
    row = {"kind": kind, "place_hash": place_hash, "times": "[]", "last_at": tx.now_us}
    tx.conn.execute(tx.dialect.insert_new(ATTEMPT), row)
    text = tx.conn.execute(select(ATTEMPT.c.times).where(here).with_for_update()).scalar_one()
    times = [at for at in json.loads(text) if at > tx.now_us - HOUR_US]
    if len(times) >= most:
        return int(times[-most]) + HOUR_US - tx.now_us
    times.append(tx.now_us)
    tx.conn.execute(update(ATTEMPT).where(here).values(times=json.dumps(times), last_at=tx.now_us))
    return 0


def purge(tx: Tx) -> None:
    """Forget the places that have not tried anything for an hour."""
    tx.conn.execute(delete(ATTEMPT).where(ATTEMPT.c.last_at <= tx.now_us - HOUR_US))
