"""One process does at a time what only one may do."""

from __future__ import annotations

from anonrun.store.database import Database
from anonrun.store.lease import Lease
from support.site import SetClock

MINE = Lease("sweep", "a", ttl_us=1_000_000)
THEIRS = Lease("sweep", "b", ttl_us=1_000_000)


def test_the_first_takes_it_and_the_second_does_not(db: Database) -> None:
    assert [db.write_now(MINE.take), db.write_now(THEIRS.take)] == [True, False]


def test_its_holder_may_take_it_again(db: Database) -> None:
    assert [db.write_now(MINE.take), db.write_now(MINE.take)] == [True, True]


def test_leases_of_other_names_are_free(db: Database) -> None:
    assert db.write_now(MINE.take)
    assert db.write_now(Lease("compact", "b", ttl_us=1).take)


def test_it_is_another_s_at_the_microsecond_at_which_it_runs_out(db: Database, clock: SetClock) -> None:
    db.write_now(MINE.take)
    clock.forward(us=999_999)
    assert not db.write_now(THEIRS.take)
    clock.forward(us=1)
    assert db.write_now(THEIRS.take)
    assert not db.write_now(MINE.renew)


def test_renewing_counts_from_now(db: Database, clock: SetClock) -> None:
    db.write_now(MINE.take)
    clock.forward(us=999_999)
    assert db.write_now(MINE.renew)
    clock.forward(us=999_999)
    assert not db.write_now(THEIRS.take)


def test_who_was_late_but_alone_still_has_it(db: Database, clock: SetClock) -> None:
    db.write_now(MINE.take)
    clock.forward(seconds=60)
    assert db.write_now(MINE.renew)
    assert not db.write_now(THEIRS.take)


def test_nobody_renews_what_they_never_had(db: Database) -> None:
    assert not db.write_now(MINE.renew)


def test_what_is_given_back_is_free_at_once(db: Database) -> None:
    db.write_now(MINE.take)
    db.write_now(MINE.release)
    assert db.write_now(THEIRS.take)


def test_nobody_gives_back_what_is_another_s(db: Database) -> None:
    db.write_now(MINE.take)
    db.write_now(THEIRS.release)
    assert not db.write_now(THEIRS.take)
