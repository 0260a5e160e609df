"""One of claim, expiry and deletion wins, never two, never none."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import select

from anonrun.core.retention import CLAIM_EXTENSION
from anonrun.store import accounts, audit, claims, retention, runs, sessions, tokens
from anonrun.store.claims import AFTER_CLAIM_US, PENDING_US
from anonrun.store.database import Database
from anonrun.store.live import beyond_live
from anonrun.store.records import Account, Ending
from anonrun.store.schema import RUN
from anonrun.store.transaction import Tx
from support.databases import Place
from support.site import SetClock
from support.stored import MakeRun, hash_of

_EXTENSION_US = round(CLAIM_EXTENSION.total_seconds() * 1e6)
_SESSION = b"s" * 32


def claim(db: Database, run_id: uuid.UUID, owner: Account, by: bytes | None = None) -> bool:
    return db.write_now(lambda tx: claims.claim(tx, run_id, owner, by or hash_of(run_id, "c")))


def test_a_claim_moves_the_run_and_keeps_it(db: Database, make_run: MakeRun, user: Account, clock: SetClock) -> None:
    run_id = make_run("mine")
    assert claim(db, run_id, user)
    clock.forward(days=5000)
    run = db.read_now(lambda tx: runs.find(tx, run_id))
    assert run
    assert (run.account, run.expires_at, run.id, run.run_id) == (user, None, "mine", run_id)
    assert [event.kind for event in db.read_now(lambda tx: audit.events(tx, run_id))] == ["claimed"]


def test_a_claim_ends_the_secrets_that_made_the_run_anybodys(
    db: Database, make_run: MakeRun, user: Account, clock: SetClock
) -> None:
    run_id, at = make_run(), clock.us
    db.write_now(lambda tx: tokens.add(tx, token_hash=b"link" * 8, kind="s", scope="run", run_id=run_id))
    assert claim(db, run_id, user)
    for token_hash in (hash_of(run_id, "v"), hash_of(run_id, "c"), b"link" * 8):
        token = db.read_now(lambda tx, h=token_hash: tokens.find(tx, h))  # type: ignore[misc]  # the default binds the loop's value
        assert token
        assert token.ended == Ending("claimed", at)
    writing = db.read_now(lambda tx: tokens.find(tx, hash_of(run_id, "w")))
    assert writing
    assert (writing.scope, writing.ended, writing.expires_at) == ("ingest", None, at + AFTER_CLAIM_US)


def test_the_write_token_ends_a_day_after_the_claim(
    db: Database, make_run: MakeRun, user: Account, clock: SetClock
) -> None:
    run_id = make_run()
    claim(db, run_id, user)
    clock.forward(days=1, us=-1)
    before = db.read_now(lambda tx: tokens.find(tx, hash_of(run_id, "w")))
    clock.forward(us=1)
    after = db.read_now(lambda tx: tokens.find(tx, hash_of(run_id, "w")))
    assert before
    assert before.ended is None
    assert after
    assert after.ended == Ending("claimed", clock.us)


def test_the_write_token_of_a_run_that_has_ended_ends_with_the_claim(
    db: Database, make_run: MakeRun, user: Account
) -> None:
    run_id = make_run()
    run = db.read_now(lambda tx: runs.find(tx, run_id))
    assert run
    db.write_now(lambda tx: runs.change(tx, run, {"state": "finished"}))
    claim(db, run_id, user)
    writing = db.read_now(lambda tx: tokens.find(tx, hash_of(run_id, "w")))
    assert writing
    assert writing.ended is not None


@pytest.mark.parametrize("kind", ["w", "v"])
def test_no_other_token_of_the_run_can_claim_it(db: Database, make_run: MakeRun, user: Account, kind: str) -> None:
    run_id = make_run()
    assert not claim(db, run_id, user, by=hash_of(run_id, kind))


def test_the_claim_token_of_another_run_cannot_claim_it(db: Database, make_run: MakeRun, user: Account) -> None:
    assert not claim(db, make_run(), user, by=hash_of(make_run(), "c"))


def test_a_claim_token_for_the_account_claims_each_of_its_runs(
    db: Database, make_run: MakeRun, user: Account, anonymous: Account
) -> None:
    first, second = make_run(), make_run()
    db.write_now(
        lambda tx: tokens.add(tx, token_hash=b"all!" * 8, kind="c", scope="account", account_id=anonymous.account_id)
    )
    assert [claim(db, run_id, user, by=b"all!" * 8) for run_id in (first, second)] == [True, True]


def test_the_second_claim_finds_the_run_claimed(
    db: Database, make_run: MakeRun, user: Account, clock: SetClock
) -> None:
    run_id, at = make_run(), clock.us
    assert [claim(db, run_id, user), claim(db, run_id, user)] == [True, False]
    assert db.read_now(lambda tx: claims.what_became_of(tx, run_id)) == Ending("claimed", at)


def test_a_claim_ends_at_the_microsecond_of_expiry(
    db: Database, make_run: MakeRun, user: Account, clock: SetClock
) -> None:
    in_time, late = make_run(), make_run()
    clock.forward(days=7, us=-1)
    assert claim(db, in_time, user)
    clock.forward(us=1)
    assert not claim(db, late, user)
    assert db.read_now(lambda tx: claims.what_became_of(tx, late)) == Ending("expired", clock.us)


def test_an_id_that_the_new_owner_has_already_gets_a_number(db: Database, make_run: MakeRun, user: Account) -> None:
    make_run("same", owner=user, keep_us=None)
    make_run("same-2", owner=user, keep_us=None)
    run_id = make_run("same")
    assert claim(db, run_id, user)
    run = db.read_now(lambda tx: runs.find(tx, run_id))
    assert run
    assert run.id == "same-3"


def begin(db: Database, *run_ids: uuid.UUID) -> tuple[uuid.UUID, ...]:
    if db.read_now(lambda tx: sessions.find(tx, _SESSION)) is None:
        db.write_now(lambda tx: sessions.create(tx, _SESSION, account_id=None, local=False))
    return db.write_now(lambda tx: claims.hold(tx, _SESSION, run_ids, None))


def expires_at(db: Database, run_id: uuid.UUID) -> int | None:
    run = db.read_now(lambda tx: runs.find(tx, run_id))
    return run.expires_at if run else None


def test_a_claim_begun_in_the_last_minutes_adds_ten_once(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    run_id = make_run()
    due = expires_at(db, run_id)
    assert due
    clock.us = due - _EXTENSION_US - 1
    begin(db, run_id)
    assert expires_at(db, run_id) == due
    clock.us = due - 1
    begin(db, run_id)
    assert expires_at(db, run_id) == due + _EXTENSION_US
    clock.us = due + _EXTENSION_US - 1
    begin(db, run_id)
    assert expires_at(db, run_id) == due + _EXTENSION_US


def test_a_claim_cannot_begin_when_the_run_is_gone(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    run_id = make_run()
    clock.forward(days=7)
    assert begin(db, run_id) == ()


def test_a_claim_that_was_begun_lasts_ten_minutes(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    run_id = make_run()
    begin(db, run_id)
    clock.forward(us=PENDING_US - 1)
    held = db.read_now(lambda tx: claims.pending(tx, _SESSION))
    assert held
    assert held.runs == ((run_id, None),)
    clock.forward(us=1)
    assert db.read_now(lambda tx: claims.pending(tx, _SESSION)) is None


def test_of_many_that_claim_sweep_and_delete_at_once_exactly_one_wins_each_run(database: Place) -> None:  # noqa: C901, PLR0915  the race in one place
    """Several processes' worth of stores on one database; the runs expire while all of them are at it (R11)."""
    clock = SetClock(1_800_000_000_000_000)
    stores = [Database.open(database.where, clock=clock, readers=1) for _ in range(4)]
    db = stores[0]
    owner = db.write_now(lambda tx: accounts.create(tx, name="anon-a", kind="anonymous"))
    claimers = [db.write_now(lambda tx, n=n: accounts.create(tx, name=f"user{n}", kind="user")) for n in range(3)]  # type: ignore[misc]  # the default binds the loop's value
    assert owner
    run_ids = [uuid.UUID(int=i + 1) for i in range(150)]

    def make(tx: Tx) -> None:
        for i, run_id in enumerate(run_ids):
            runs.create(
                tx, run_id=run_id, account=owner, project="p", id_=run_id.hex, name="n",
                expires_at=clock.us + i,
                fields={"config": {}, "tags": [], "notes": None, "group": None, "job_type": None},
            )  # fmt: skip

    db.write_now(make)
    wins: list[tuple[str, uuid.UUID]] = []
    start = threading.Barrier(6)

    def race(name: str, act: Callable[[uuid.UUID], bool], order: list[uuid.UUID]) -> None:
        start.wait()
        for run_id in order:
            if act(run_id):
                wins.append((name, run_id))

    def claimer(n: int) -> Callable[[uuid.UUID], bool]:
        account = claimers[n]
        assert account

        def act(run_id: uuid.UUID) -> bool:
            if n == 0:
                clock.forward(us=1)  # so one more run expires with each attempt, and both ends meet in the middle
            return stores[n].write_now(lambda tx: claims.claim(tx, run_id, account, None))

        return act

    def sweep() -> None:
        start.wait()
        while not done.is_set():
            marked = stores[3].write_now(lambda tx: retention.tombstone_some(tx, 5))
            wins.extend(("expired", run_id) for run_id in marked)

    def deleter(n: int) -> Callable[[uuid.UUID], bool]:
        def as_anonymous(tx: Tx, run_id: uuid.UUID) -> bool:
            """Delete as the service does for a token of an unclaimed run: look and act in one transaction."""
            run = runs.find(tx, run_id)
            return run is not None and run.anonymous and runs.delete(tx, run_id)

        return lambda run_id: stores[n].write_now(lambda tx: as_anonymous(tx, run_id))

    back = run_ids[::-1]
    done = threading.Event()
    sweeping = threading.Thread(target=sweep)
    workers = [
        threading.Thread(target=race, args=("claimed", claimer(n), order))
        for n, order in enumerate((back, run_ids, back[::2]))
    ]
    workers += [
        threading.Thread(target=race, args=("deleted", deleter(0), back[::3])),
        threading.Thread(target=race, args=("deleted", deleter(1), run_ids[::5])),
    ]
    for worker in (sweeping, *workers):
        worker.start()
    for worker in workers:
        worker.join(60)
    done.set()
    sweeping.join(60)
    while more := db.write_now(lambda tx: retention.tombstone_some(tx, 500)):
        wins.extend(("expired", run_id) for run_id in more)
    clock.forward(seconds=1)
    wins += [("expired", run_id) for run_id in db.write_now(lambda tx: retention.tombstone_some(tx, 500))]
    assert sorted(run_id for _, run_id in wins) == run_ids
    assert len({name for name, _ in wins}) > 1, "the race was none"
    states = beyond_live(select(RUN.c.run_id, RUN.c.expires_at, RUN.c.deleted_by), reason="test")
    rows = {row.run_id: row for row in db.read_now(lambda tx: tx.conn.execute(states).all())}
    for name, run_id in wins:
        row = rows[run_id]
        found = "claimed" if row.expires_at is None else {"user": "deleted"}.get(row.deleted_by, row.deleted_by)
        assert found == name
    for store in stores:
        store.close()
