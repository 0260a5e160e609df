"""Moving a run from an anonymous account to a real one: one conditional UPDATE decides (R11).

The predicates of claim, expiry and deletion exclude each other on the run's row, so that exactly one of them
wins, however many try at once. With the claim, in the same transaction, go the secrets that made the run
anybody's: view, share and claim tokens end, and a write token only delivers from then on (R12).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, case, delete, exists, select, update

from anonrun.core.retention import CLAIM_EXTENSION
from anonrun.store import audit, runs
from anonrun.store.live import beyond_live, is_live
from anonrun.store.records import Account, Ending
from anonrun.store.schema import ACCOUNT, GONE, MOVED, PENDING_CLAIM, RUN, TOKEN
from anonrun.store.transaction import Tx

__all__ = [
    "AFTER_CLAIM_US",
    "AFTER_REPORT_US",
    "PENDING_US",
    "Pending",
    "claim",
    "drop_pending",
    "hold",
    "pending",
    "what_became_of",
]

_MICROSECOND = timedelta(microseconds=1)
_EXTENSION_US = CLAIM_EXTENSION // _MICROSECOND
PENDING_US = timedelta(minutes=10) // _MICROSECOND
AFTER_CLAIM_US = timedelta(hours=24) // _MICROSECOND
AFTER_REPORT_US = timedelta(minutes=5) // _MICROSECOND
"""How long a write token that outlived a claim may repeat its last word."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A claim that a session has begun: the runs, each with the token that allows it (None: needs none)."""

    runs: tuple[tuple[uuid.UUID, bytes | None], ...]
    expires_at: int


def hold(tx: Tx, session_hash: bytes, run_ids: Sequence[uuid.UUID], token_hash: bytes | None) -> tuple[uuid.UUID, ...]:
    """Begin a claim in a session, in place of one begun before; return the runs that are still unclaimed.

    A run that would expire within the extension gets it, once (D5).
    """
    drop_pending(tx, session_hash)
    held: list[uuid.UUID] = []
    for run_id in run_ids:
        run = runs.find(tx, run_id)
        if run is None or run.expires_at is None:
            continue
        soon = and_(RUN.c.expires_at <= tx.now_us + _EXTENSION_US, RUN.c.extended.is_(False))
        tx.conn.execute(
            update(RUN)
            .where(RUN.c.run_id == run_id, is_live(tx.now_us), soon)
            .values(expires_at=RUN.c.expires_at + _EXTENSION_US, extended=True)
        )
        row = {
            "session_hash": session_hash,
            "run_id": run_id,
            "token_hash": token_hash,
            "expires_at": tx.now_us + PENDING_US,
        }
        tx.conn.execute(tx.dialect.upsert(PENDING_CLAIM, key=("session_hash", "run_id")), row)
        held.append(run_id)
    return tuple(held)


def pending(tx: Tx, session_hash: bytes) -> Pending | None:
    """Return the claim that a session has begun, or None where there is none or its time is over."""
    rows = tx.conn.execute(
        select(PENDING_CLAIM)
        .where(PENDING_CLAIM.c.session_hash == session_hash, PENDING_CLAIM.c.expires_at > tx.now_us)
        .order_by(PENDING_CLAIM.c.run_id)
    ).all()
    if not rows:
        return None
    return Pending(tuple((row.run_id, row.token_hash) for row in rows), min(row.expires_at for row in rows))


def drop_pending(tx: Tx, session_hash: bytes) -> None:
    """Forget the claim that a session has begun."""
    tx.conn.execute(delete(PENDING_CLAIM).where(PENDING_CLAIM.c.session_hash == session_hash))


def claim(tx: Tx, run_id: uuid.UUID, owner: Account, token_hash: bytes | None) -> bool:
    """Move a run to its new owner if it is still live and anonymous; return whether it was.

    Args:
        tx: a writer's transaction.
        run_id: the run.
        owner: a user.
        token_hash: of a claim token for this run or its whole account, which must still count; None where the caller
            has established another right to claim.
    """
    allowed = [RUN.c.run_id == run_id, is_live(tx.now_us), RUN.c.expires_at.is_not(None)]
    if token_hash is not None:
        for_run = and_(TOKEN.c.scope == "run", TOKEN.c.run_id == RUN.c.run_id)
        for_account = and_(TOKEN.c.scope == "account", TOKEN.c.account_id == RUN.c.account_id)
        allowed.append(
            exists().where(
                TOKEN.c.token_hash == token_hash,
                TOKEN.c.kind == "c",
                TOKEN.c.revoked_at.is_(None),
                for_run | for_account,
            )
        )
    before = runs.find(tx, run_id)
    if before is None:
        return False
    won = tx.conn.execute(
        update(RUN)
        .where(*allowed)
        .values(
            account_id=owner.account_id,
            id=runs.free_id(tx, owner.account_id, before.project, before.id),
            expires_at=None,
            claimed_at=tx.now_us,
            origin=None,
        )
    )
    if won.rowcount != 1:
        return False
    _end_secrets(tx, run_id)
    audit.note(tx, "claimed", run_id=run_id, counts={"points": before.points})
    return True


def _end_secrets(tx: Tx, run_id: uuid.UUID) -> None:
    of_run = and_(TOKEN.c.run_id == run_id, TOKEN.c.revoked_at.is_(None))
    tx.conn.execute(
        update(TOKEN).where(of_run, TOKEN.c.kind.in_(["v", "s", "c"])).values(revoked_at=tx.now_us, ended_by="claim")
    )
    goes_on = exists().where(RUN.c.run_id == run_id, RUN.c.state == "running", is_live(tx.now_us))
    tx.conn.execute(
        update(TOKEN)
        .where(of_run, TOKEN.c.kind == "w")
        .values(
            scope="ingest",
            ended_by="claim",
            expires_at=case((goes_on, tx.now_us + AFTER_CLAIM_US), else_=tx.now_us),
        )
    )
    tx.conn.execute(delete(PENDING_CLAIM).where(PENDING_CLAIM.c.run_id == run_id))


def what_became_of(tx: Tx, run_id: uuid.UUID) -> Ending | None:
    """Return why a run can no longer be claimed, or None where it still can or never was."""
    moved = tx.conn.execute(select(MOVED.c.at, MOVED.c.server).where(MOVED.c.run_id == run_id)).first()
    if moved is not None:
        return Ending("moved", moved.at, moved.server)
    row = tx.conn.execute(
        beyond_live(
            select(RUN.c.expires_at, RUN.c.deleted_at, RUN.c.deleted_by, RUN.c.claimed_at, ACCOUNT.c.kind)
            .join(ACCOUNT, ACCOUNT.c.account_id == RUN.c.account_id)
            .where(RUN.c.run_id == run_id),
            reason="who began a claim is told why it failed",
        )
    ).first()
    if row is None:
        gone = tx.conn.execute(select(GONE.c.reason, GONE.c.at).where(GONE.c.run_id == run_id)).first()
        return Ending(gone.reason, gone.at) if gone else None
    if row.expires_at is None:
        return Ending("claimed", row.claimed_at or tx.now_us)
    if row.deleted_at is not None and row.deleted_by != "expired":
        return Ending("deleted", row.deleted_at)
    return Ending("expired", row.expires_at) if row.expires_at <= tx.now_us else None
