from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

import pytest
from sqlalchemy import func, select

from anonrun.store import audit, retention, runs, tokens
from anonrun.store.database import Database
from anonrun.store.ingest import append
from anonrun.store.records import Account, Ending
from anonrun.store.schema import METRIC, RUN, SEG, WRITER
from support.databases import Place
from support.site import SetClock
from support.stored import MakeRun, hash_of, incoming


def rows_left(db: Database) -> dict[str, int]:
    def count(table: object) -> int:
        return db.read_now(lambda tx: tx.conn.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]  # a table

    return {table.name: count(table) for table in (RUN, SEG, METRIC, WRITER)}


def fill(db: Database, run_id: uuid.UUID, segments: int) -> None:
    db.write_now(lambda tx: append(tx, run_id, [incoming([1.0], seq=i) for i in range(segments)], None))


def sweep(db: Database) -> None:
    while db.write_now(lambda tx: retention.tombstone_some(tx, 2)):
        pass
    while db.write_now(lambda tx: retention.purge_some(tx, rows=3)):
        pass


def test_a_run_is_there_until_the_microsecond_of_its_expiry(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    run_id = make_run()
    clock.forward(days=7, us=-1)
    assert db.read_now(lambda tx: runs.find(tx, run_id))
    assert db.write_now(lambda tx: retention.tombstone_some(tx, 10)) == []
    clock.forward(us=1)
    assert db.read_now(lambda tx: runs.find(tx, run_id)) is None
    assert db.write_now(lambda tx: retention.tombstone_some(tx, 10)) == [run_id]


def test_what_has_expired_or_was_deleted_goes_and_what_is_kept_stays(
    db: Database, make_run: MakeRun, user: Account, clock: SetClock
) -> None:
    expired, kept = make_run(), make_run(owner=user, keep_us=None)
    clock.forward(days=7)
    younger, deleted = make_run(), make_run()
    for run_id in (kept, younger, deleted):
        fill(db, run_id, 5)
    db.write_now(lambda tx: runs.delete(tx, deleted))
    sweep(db)
    assert rows_left(db) == {"run": 2, "seg": 10, "metric": 2, "writer": 2}
    assert db.read_now(lambda tx: runs.find(tx, kept))
    assert db.read_now(lambda tx: runs.find(tx, younger))
    reasons = {run_id: db.read_now(lambda tx, r=run_id: audit.events(tx, r))[-1] for run_id in (expired, deleted)}  # type: ignore[misc]  # the default binds the loop's value
    assert {event.kind for event in reasons.values()} == {"purged"}
    assert reasons[deleted].counts["points"] == 5


def test_a_removal_that_stops_after_any_step_is_finished_by_the_next(
    database: Place, clock: SetClock, db: Database, make_run: MakeRun
) -> None:
    for _ in range(3):
        fill(db, make_run(), 7)
    clock.forward(days=7)
    steps = 0
    while db.read_now(retention.due).expired or db.read_now(retention.due).marked:
        again = Database.open(database.where, clock=clock)  # each step in a store of its own
        again.write_now(lambda tx: retention.tombstone_some(tx, 1))
        again.write_now(lambda tx: retention.purge_some(tx, rows=2))
        again.close()
        steps += 1
    assert steps > 6
    assert rows_left(db) == {"run": 0, "seg": 0, "metric": 0, "writer": 0}


def test_a_step_takes_no_more_than_it_may(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    fill(db, make_run(), 10)
    clock.forward(days=7)
    db.write_now(lambda tx: retention.tombstone_some(tx, 10))
    db.write_now(lambda tx: retention.purge_some(tx, rows=4))
    assert rows_left(db)["seg"] == 6


@pytest.mark.databases("sqlite")
def test_after_a_removal_no_byte_of_the_run_is_in_the_files(
    tmp_path: Path, db: Database, make_run: MakeRun, clock: SetClock
) -> None:
    canary = "canary-7f3a91"
    run_id = make_run(canary)
    segments = [incoming([float(i)] * 300, seq=300 * i, names=(f"{canary}-{i}",)) for i in range(20)]
    db.write_now(lambda tx: append(tx, run_id, segments, None))
    content = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert content.count(canary.encode()) > 20
    clock.forward(days=7)
    sweep(db)
    db.give_space_back_now()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert canary.encode() not in content
    assert segments[0].payload not in content


@pytest.mark.databases("sqlite")
def test_removal_makes_the_file_smaller(tmp_path: Path, db: Database, make_run: MakeRun, clock: SetClock) -> None:
    run_id = make_run()
    big = incoming([i * 0.1 for i in range(20_000)])
    db.write_now(lambda tx: append(tx, run_id, [big], None))
    db.give_space_back_now()
    before = (tmp_path / "test.db").stat().st_size
    clock.forward(days=7)
    sweep(db)
    db.give_space_back_now()
    assert (tmp_path / "test.db").stat().st_size < before - len(big.payload) / 2


@pytest.mark.parametrize("removed", [False, True])
def test_who_holds_a_token_of_a_run_that_expired_is_told_when(
    db: Database, make_run: MakeRun, clock: SetClock, *, removed: bool
) -> None:
    run_id, due = make_run(), clock.us + 7 * 86_400_000_000
    clock.forward(days=8)
    if removed:
        sweep(db)
    token = db.read_now(lambda tx: tokens.find(tx, hash_of(run_id, "v")))
    assert token
    assert token.ended == Ending("expired", due)


def test_what_became_of_a_run_is_forgotten_after_a_month(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    run_id = make_run()
    clock.forward(days=8)
    sweep(db)
    clock.us += retention.MEMORY_US - 86_400_000_000 - 1
    assert db.write_now(lambda tx: retention.forget(tx, 10)) == 0
    clock.forward(us=1)
    assert db.write_now(lambda tx: retention.forget(tx, 10)) == 1
    assert db.read_now(lambda tx: tokens.find(tx, hash_of(run_id, "v"))) is None


def test_an_expired_run_gives_up_its_name_before_any_sweep(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    make_run("again")
    clock.forward(days=7)
    second = make_run("again")
    assert db.read_now(lambda tx: runs.find(tx, second))


def test_the_time_of_the_last_sweep_never_goes_back(db: Database, clock: SetClock) -> None:
    db.write_now(retention.note_seen)
    latest = clock.us
    clock.forward(days=-1)
    db.write_now(retention.note_seen)
    assert db.read_now(retention.last_seen_us) == latest


@pytest.mark.databases("sqlite")
def test_the_database_is_sound_after_all_that(tmp_path: Path, db: Database, make_run: MakeRun, clock: SetClock) -> None:
    for _ in range(5):
        fill(db, make_run(), 5)
    clock.forward(days=7)
    sweep(db)
    db.give_space_back_now()
    with sqlite3.connect(tmp_path / "test.db") as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    conn.close()
