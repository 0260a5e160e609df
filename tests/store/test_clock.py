"""The database's time."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from anonrun.store.clock import FollowingClock
from anonrun.store.database import Database
from support.databases import Place


def test_a_followed_clock_shows_what_it_was_told_and_what_passed_since() -> None:
    passed_ns = 5_000
    clock = FollowingClock(lambda: passed_ns, start_us=1_000)
    assert clock.now_us() == 1_000
    passed_ns += 7_000
    assert clock.now_us() == 1_007
    clock.follow(900)
    assert clock.now_us() == 900
    passed_ns += 1_000
    assert clock.now_us() == 901


def test_a_transaction_happens_at_one_instant_by_the_clock_of_the_database(database: Place) -> None:
    db = Database.open(database.where)
    before = time.time_ns() // 1000
    read = db.read_now(lambda tx: tx.now_us)
    written = db.write_now(lambda tx: tx.now_us)
    assert before <= read <= written <= db.clock.now_us() <= time.time_ns() // 1000 + 1_000
    db.close()


@pytest.mark.databases("postgresql-15", "postgresql-18")
def test_the_server_s_time_is_its_own_and_not_this_machine_s(database: Place) -> None:
    """A function that stands before the server's own in the search path plays a server whose clock is wrong."""
    db = Database.open(database.where)
    body = "RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2100-01-01Z'::timestamptz $$"
    wrong = f"CREATE FUNCTION public.clock_timestamp() {body}"
    db.write_now(lambda tx: tx.conn.execute(text(wrong)) and None)
    name = str(database.where).split("?")[0].rsplit("/", 1)[1]
    db.write_now(
        lambda tx: tx.conn.execute(text(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")) and None
    )
    db.close()
    db = Database.open(database.where)
    assert db.read_now(lambda tx: tx.now_us) == 4_102_444_800_000_000
    assert db.write_now(lambda tx: tx.now_us) == 4_102_444_800_000_000
    assert 0 <= db.clock.now_us() - 4_102_444_800_000_000 < 60_000_000
    db.close()
