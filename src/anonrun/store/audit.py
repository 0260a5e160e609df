"""What was done to runs, for the operator: append-only, without content; a run is named by a hash (D9)."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select

from anonrun.store.schema import EVENT
from anonrun.store.transaction import Tx

__all__ = ["Event", "events", "note", "run_hash"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was done; `at` in microseconds since the Unix epoch."""

    kind: str
    at: int
    reason: str | None
    counts: dict[str, int]


def run_hash(run_id: uuid.UUID) -> bytes:
    """Return what a run is called outside of its own rows."""
    return hashlib.sha256(run_id.bytes).digest()


def note(
    tx: Tx,
    kind: str,
    *,
    run_id: uuid.UUID | None = None,
    reason: str | None = None,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Append an event."""
    hashed = None if run_id is None else run_hash(run_id)
    tx.conn.execute(
        insert(EVENT).values(run_hash=hashed, kind=kind, at=tx.now_us, reason=reason, counts=json.dumps(counts or {}))
    )


def events(tx: Tx, run_id: uuid.UUID) -> list[Event]:
    """Return what was done to a run, oldest first."""
    rows = tx.conn.execute(select(EVENT).where(EVENT.c.run_hash == run_hash(run_id)).order_by(EVENT.c.event_id))
    return [Event(row.kind, row.at, row.reason, json.loads(row.counts)) for row in rows]
