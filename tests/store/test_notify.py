"""News of runs from one process to the readers of others."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from anonrun.store.database import Database
from anonrun.store.notify import News, NoNews, packed, unpacked
from support.databases import Clusters, Place
from support.process import until

postgres_only = pytest.mark.databases("postgresql-15", "postgresql-18")


@given(run_ids=st.sets(st.uuids(), max_size=1_000))
def test_every_run_is_in_one_message_and_each_message_fits(run_ids: set[uuid.UUID]) -> None:
    messages = list(packed("0123456789ab", run_ids))
    assert all(len(message.encode()) < 8_000 for message in messages)
    named = [run_id for message in messages for run_id in unpacked(message)[1] or ()]
    assert len(named) == len(run_ids)
    assert set(named) == run_ids
    assert len(messages) <= 1 + len(run_ids) // 240


@pytest.mark.parametrize("message", ["", "x", "x:*", "x:zz", f"x:{'z' * 32}", "x:" + "0" * 33])
def test_what_cannot_be_read_means_any_run(message: str) -> None:
    assert unpacked(message)[1] in (None, [])
    assert unpacked("x:*") == ("x", None)


class Reader:
    """Another process that shares a database, as far as news go."""

    def __init__(self, db: Database) -> None:
        self.heard: list[uuid.UUID | None] = []
        self._lock = threading.Lock()
        self.news: News = db.news(self._hear)

    def _hear(self, run_ids: Collection[uuid.UUID] | None) -> None:
        with self._lock:
            self.heard.extend([None] if run_ids is None else run_ids)


def listening(db: Database) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%'"
    return int(db.read_now(lambda tx: tx.conn.execute(text(query)).scalar_one()))


@pytest.mark.databases("sqlite")
def test_where_one_process_serves_there_is_nobody_to_tell(database: Place) -> None:
    db = Database.open(database.where)
    news = db.news(lambda _run_ids: None)
    assert isinstance(news, NoNews)
    assert not db.shared
    db.close()


@postgres_only
def test_news_reach_every_other_process_and_not_the_teller(database: Place) -> None:
    db = Database.open(database.where)
    readers = [Reader(db) for _ in range(3)]
    until(lambda: listening(db) == 3)
    run_ids = {uuid.uuid4() for _ in range(1_000)}
    for run_id in run_ids:
        readers[0].news.tell(run_id)
    until(lambda: all(set(reader.heard) == run_ids for reader in readers[1:]))
    assert readers[0].heard == []
    for reader in readers:
        reader.news.close()
    db.close()


@postgres_only
def test_what_was_told_before_the_end_is_delivered(database: Place) -> None:
    db = Database.open(database.where)
    teller, reader = Reader(db), Reader(db)
    until(lambda: listening(db) == 2)
    run_id = uuid.uuid4()
    teller.news.tell(run_id)
    teller.news.close()
    until(lambda: reader.heard == [run_id])
    reader.news.close()
    db.close()


@postgres_only
def test_after_a_lost_connection_everybody_looks(
    database: Place, clusters: Clusters, caplog: pytest.LogCaptureFixture
) -> None:
    db = Database.open(database.where)
    teller, reader = Reader(db), Reader(db)
    until(lambda: listening(db) == 2)
    with clusters.of(database.kind).connect() as conn:
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%'")
    until(lambda: None in reader.heard and None in teller.heard)
    run_id = uuid.uuid4()
    teller.news.tell(run_id)
    until(lambda: run_id in reader.heard or reader.heard[-1] is None)
    for one in (teller, reader):
        one.news.close()
    db.close()
    assert "no news from other workers" in caplog.text
