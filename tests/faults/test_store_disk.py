"""A store on a disk that is full or read-only: it says so, keeps what it acknowledged, and goes on when it can."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import uuid
from pathlib import Path

import pytest

from anonrun.core.ids import new_run_id
from anonrun.store import accounts, compaction, runs
from anonrun.store.database import Database, StoreError, StoreUnavailableError
from anonrun.store.ingest import Incoming, append
from anonrun.store.reading import gather
from support.disk import make_read_only, small_disk
from support.stored import incoming


def a_run(db: Database) -> uuid.UUID:
    run_id = new_run_id(1, secrets.token_bytes(10))
    fields = {"config": {}, "tags": [], "notes": None, "group": None, "job_type": None}
    account = db.write_now(lambda tx: accounts.create(tx, name="ada", kind="user", password_hash="x"))
    assert account
    db.write_now(
        lambda tx: runs.create(
            tx, run_id=run_id, account=account, project="p", id_="a", name="n", expires_at=None, fields=fields
        )
    )
    return run_id


def segments(rows: int) -> list[Incoming]:
    return [incoming([float(i) for i in range(seq, seq + rows)], seq=seq) for seq in range(0, 4000 * rows, rows)]


def values_in(db: Database, run_id: uuid.UUID) -> list[float]:
    found = db.read_now(lambda tx: gather(tx, run_id, None))
    assert found
    return found[0]["loss"].values.tolist() if found[0] else []


def test_a_full_disk_refuses_keeps_what_was_acknowledged_and_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 4_000) as disk:
        db = Database.open(disk / "anonrun.db")
        run_id = a_run(db)
        stored = 0

        def fill() -> None:
            nonlocal stored
            for segment in segments(500):
                asyncio.run(db.write(lambda tx, s=segment: append(tx, run_id, [s], None)))  # type: ignore[misc]  # the default binds the loop's value
                stored += 500

        with pytest.raises(StoreUnavailableError, match="full"):
            fill()
        assert stored
        assert values_in(db, run_id) == [float(i) for i in range(stored)]
        db.close()
        again = Database.open(disk / "anonrun.db")
        assert values_in(again, run_id) == [float(i) for i in range(stored)]
        again.close()


def test_a_compaction_on_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 2_500) as disk:
        db = Database.open(disk / "anonrun.db")
        run_id = a_run(db)
        for segment in segments(500)[:20]:
            db.write_now(lambda tx, s=segment: append(tx, run_id, [s], None))  # type: ignore[misc]  # the default binds the loop's value
        plan = db.read_now(lambda tx: compaction.prepare(tx, run_id))
        assert plan
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        with pytest.raises(StoreUnavailableError, match="full"):
            asyncio.run(db.write(lambda tx: compaction.apply(tx, plan)))
        assert values_in(db, run_id) == [float(i) for i in range(10_000)]
        filler.unlink()
        assert asyncio.run(db.write(lambda tx: compaction.apply(tx, plan)))
        assert values_in(db, run_id) == [float(i) for i in range(10_000)]
        db.close()


def test_a_read_only_disk_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 2_500) as disk:
        Database.open(disk / "anonrun.db").close()
        make_read_only(disk)
        with pytest.raises(StoreError, match="Check that the folder is writable"):
            Database.open(disk / "anonrun.db")
