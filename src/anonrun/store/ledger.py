"""The ledger of deletions: which runs, accounts and artifacts someone deleted, so that no backup undoes it (D8).

It is outside of the database. A line is a time and a SHA-256, of the id of a run or of an artifact's version, or of an
account's number and birth: no content, no owner, no name. What is left of it is removed only when its line is on disk.
What expired needs no line: it expires in a backup just the same. Lines are only added, and one that was cut off by a
crash is ignored; what it was about is still there then, and noted again.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Collection, Iterable
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from anonrun.core.batches import batches
from anonrun.core.times import format_time, from_us
from anonrun.store.audit import run_hash
from anonrun.store.errors import StoreError
from anonrun.store.inspecting import Inspected
from anonrun.store.leaving import account_hash, all_accounts, delete_account, deleted_accounts
from anonrun.store.live import beyond_live
from anonrun.store.schema import ARTIFACT, GRANT, PENDING_CLAIM, RUN, SESSION
from anonrun.store.transaction import Tx

__all__ = ["Ledger", "delete_again", "end_all_sessions", "not_noted_yet"]

_LINE = re.compile(rb"\S+ ([0-9a-f]{64})")
_RUNS_AT_ONCE = 1_000
_WHY = "what was deleted once is deleted again, live or not"


class Ledger:
    """A file of deletions.

    Args:
        path: where it is, or will be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, hashes: Iterable[bytes], *, now_us: int) -> None:
        """Add what was deleted; when this returns, it is on disk.

        Raises:
            OSError: the file cannot be written.
        """
        at = format_time(from_us(now_us))
        lines = "".join(f"{at} {hashed.hex()}\n" for hashed in hashes).encode()
        if not lines:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "r+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                lines = lines if file.read(1) == b"\n" else b"\n" + lines
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def hashes(self) -> set[bytes]:
        """Return the hashes of all that is in it; none where there is no file.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return set()
        return {bytes.fromhex(found[1].decode()) for line in lines if (found := _LINE.fullmatch(line))}


def not_noted_yet(database: Path) -> set[bytes]:
    """Return the hashes of runs and accounts that someone deleted in an SQLite database and that are still in it.

    None where there is no such database, or it cannot be read: then what is noted is all that is known.
    """
    try:
        db = Inspected.open(database)
    except StoreError:
        return set()
    runs = beyond_live(
        select(RUN.c.run_id).where(RUN.c.deleted_at.is_not(None), RUN.c.deleted_by != "expired"), reason=_WHY
    )
    artifacts = select(ARTIFACT.c.artifact_id).where(ARTIFACT.c.deleted_at.is_not(None))
    try:
        with db.snapshot() as tx:
            ids = {run_hash(found) for query in (runs, artifacts) for found in tx.conn.execute(query).scalars()}
            return ids | set(deleted_accounts(tx).values())
    except DBAPIError:
        return set()
    finally:
        db.close()


def delete_again(tx: Tx, hashes: Collection[bytes]) -> int:
    """Delete those runs, accounts and artifacts whose hash is given; return how many runs there were."""
    _delete_artifacts_again(tx, hashes)
    found: list[uuid.UUID] = []
    last: uuid.UUID | None = None
    while True:
        query = select(RUN.c.run_id).where(RUN.c.deleted_at.is_(None)).order_by(RUN.c.run_id).limit(_RUNS_AT_ONCE)
        if last is not None:
            query = query.where(RUN.c.run_id > last)
        run_ids = list(tx.conn.execute(beyond_live(query, reason=_WHY)).scalars())
        found += (run_id for run_id in run_ids if run_hash(run_id) in hashes)
        if len(run_ids) < _RUNS_AT_ONCE:
            break
        last = run_ids[-1]
    for batch in batches(found, _RUNS_AT_ONCE):
        some = RUN.c.run_id.in_(batch)
        tx.conn.execute(
            beyond_live(update(RUN).where(some).values(deleted_at=tx.now_us, deleted_by="user"), reason=_WHY)
        )
    for account in all_accounts(tx):
        if account_hash(account.account_id, account.created_at) in hashes:
            found += delete_account(tx, account)
    return len(found)


def _delete_artifacts_again(tx: Tx, hashes: Collection[bytes]) -> None:
    last: uuid.UUID | None = None
    while True:
        query = select(ARTIFACT.c.artifact_id).order_by(ARTIFACT.c.artifact_id).limit(_RUNS_AT_ONCE)
        if last is not None:
            query = query.where(ARTIFACT.c.artifact_id > last)
        found = list(tx.conn.execute(query.where(ARTIFACT.c.deleted_at.is_(None))).scalars())
        gone = [artifact_id for artifact_id in found if run_hash(artifact_id) in hashes]
        if gone:
            tx.conn.execute(update(ARTIFACT).where(ARTIFACT.c.artifact_id.in_(gone)).values(deleted_at=tx.now_us))
        if len(found) < _RUNS_AT_ONCE:
            return
        last = found[-1]


def end_all_sessions(tx: Tx) -> None:
    """Sign every browser out: one that was signed out since the backup must not be in again."""
    for table in (GRANT, PENDING_CLAIM, SESSION):
        tx.conn.execute(delete(table))
