"""What only a database server can do to us: refuse, go away, be a standby; and what only it does better."""

from __future__ import annotations

import asyncio
import math
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, MetaData, String, Table, select
from sqlalchemy.exc import IntegrityError

from anonrun.store import accounts, meta
from anonrun.store.database import Database, StoreError, StoreUnavailableError
from anonrun.store.schema import META, RUN
from anonrun.store.transaction import Tx
from support.databases import Clusters, Place
from support.postgres import postgres
from support.process import until
from support.script import run_script

SECRET = "hunter2-canary"
postgres_only = pytest.mark.databases("postgresql-15", "postgresql-18")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param(f"postgresql://u:{SECRET}@127.0.0.1:1/x", "Check that the server runs", id="nobody listens"),
        pytest.param(
            f"postgresql://u@127.0.0.1:1/x?password={SECRET}", "Check that the server runs", id="in the query"
        ),
        pytest.param(f"postgresql://u:{SECRET}@127.0.0.1:port/x", "cannot be read", id="no port"),
        pytest.param(f"mysql://u:{SECRET}@h/x", "'mysql' are not known", id="another kind"),
        pytest.param(f"postgresql://u:{SECRET}@127.0.0.1:1/x?sslmode=maybe", "sslmode", id="an option that is none"),
    ],
)
def test_what_cannot_be_opened_is_said_without_the_password(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        Database.open(url)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_without_psycopg_the_message_names_the_command(tmp_path: Path) -> None:
    source = """
import sys
sys.modules["psycopg"] = None
from anonrun.store.database import Database, StoreError
try:
    Database.open("postgresql://u:hunter2-canary@h/x")
except StoreError as exc:
    print(exc)
"""
    done = run_script(source, tmp_path)
    assert "pip install 'anonrun[postgres]'" in done.stdout
    assert SECRET not in done.stdout + done.stderr


def test_users_of_sqlite_never_import_psycopg(tmp_path: Path) -> None:
    source = """
import sys
from pathlib import Path
from anonrun.store.database import Database
Database.open(Path("a.db")).close()
print([name for name in ("psycopg", "alembic") if name in sys.modules])
"""
    assert run_script(source, tmp_path).stdout.strip() == "[]"


@postgres_only
def test_a_database_that_is_not_there_is_named(database: Place, clusters: Clusters) -> None:
    with pytest.raises(StoreError, match=r'database "nowhere" does not exist.*createdb'):
        Database.open(clusters.of(database.kind).url("nowhere"))


@postgres_only
def test_a_database_that_takes_no_changes_is_refused(database: Place) -> None:
    name = str(database.where).split("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(str(database.where), autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreError, match="standby or set to read only"):
        Database.open(database.where)


@postgres_only
def test_a_user_who_may_make_no_tables_is_told_what_to_do(empty: Place, clusters: Clusters) -> None:
    with psycopg.connect(str(empty.where), autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS guest")
        conn.execute("CREATE ROLE guest LOGIN")
        conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    owner = clusters.of(empty.kind).owner
    with pytest.raises(StoreError, match="ALTER DATABASE name OWNER TO user"):
        Database.open(str(empty.where).replace(f"//{owner}@", "//guest@"))


@postgres_only
def test_a_database_that_cannot_hold_every_text_is_refused(empty: Place, clusters: Clusters) -> None:
    cluster = clusters.of(empty.kind)
    with cluster.connect() as conn:
        conn.execute("DROP DATABASE IF EXISTS latin")
        conn.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(StoreError, match=r"encoding LATIN1.*--encoding=UTF8"):
        Database.open(cluster.url("latin"))
    with cluster.connect() as conn:
        conn.execute("DROP DATABASE latin WITH (FORCE)")


@postgres_only
def test_what_is_acknowledged_is_on_disk_also_where_the_database_says_otherwise(database: Place) -> None:
    """The test clusters are set to `off`."""
    db = Database.open(database.where)
    for run in (db.read_now, db.write_now):
        assert run(lambda tx: tx.conn.exec_driver_sql("SHOW synchronous_commit").scalar()) == "on"
    db.close()


@postgres_only
def test_a_read_sees_one_snapshot_and_can_change_nothing(database: Place) -> None:
    db = Database.open(database.where)

    def read(tx: Tx) -> tuple[str | None, str | None]:
        first = meta.get(tx, "k")
        db.write_now(lambda tx: meta.put(tx, "k", "new"))
        return first, meta.get(tx, "k")

    assert db.read_now(read) == (None, None)
    assert db.read_now(lambda tx: meta.get(tx, "k")) == "new"
    with pytest.raises(StoreUnavailableError, match="read-only transaction"):
        db.read_now(lambda tx: meta.put(tx, "k", "from a reader"))
    db.close()


@postgres_only
def test_connections_that_were_ended_are_made_again_and_nothing_is_lost(database: Place, clusters: Clusters) -> None:
    db = Database.open(database.where)
    for i in range(5):
        with clusters.of(database.kind).connect() as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = split_part(%s, '/', 4)",
                (str(database.where).split("?")[0],),
            )
        db.write_now(lambda tx, i=i: meta.put(tx, f"k{i}", "v"))  # type: ignore[misc]  # the default binds the loop's value
        assert db.read_now(lambda tx, i=i: meta.get(tx, f"k{i}")) == "v"  # type: ignore[misc]  # the default binds the loop's value
    db.close()


@postgres_only
def test_a_connection_that_is_lost_in_a_change_repeats_it_and_what_came_with_it(database: Place) -> None:
    db = Database.open(database.where)
    held, tried = threading.Event(), 0

    def change(tx: Tx) -> None:
        nonlocal tried
        tried += 1
        meta.put(tx, "second", str(tried))
        if tried == 1:
            with psycopg.connect(str(database.where), autocommit=True) as conn:
                pid = tx.conn.exec_driver_sql("SELECT pg_backend_pid()").scalar()
                conn.execute("SELECT pg_terminate_backend(%s)", (pid,))
        meta.put(tx, "third", str(tried))

    db._writer.submit(lambda _tx: held.wait(10))
    futures = [db._writer.submit(lambda tx: meta.put(tx, "first", "v")), db._writer.submit(change)]
    held.set()
    for future in futures:
        future.result(20)
    assert db.read_now(lambda tx: [meta.get(tx, key) for key in ("first", "second", "third")]) == ["v", "2", "2"]
    db.close()


@postgres_only
def test_a_deadlock_between_processes_is_resolved_and_both_changes_are_made(database: Place) -> None:
    one, two = (Database.open(database.where) for _ in range(2))
    for key in "ab":
        one.write_now(lambda tx, key=key: meta.put(tx, key, "0"))  # type: ignore[misc]  # the default binds the loop's value
    met = threading.Barrier(2)

    def change(first: str, second: str, value: str, meet: list[threading.Barrier]) -> None:
        def both(tx: Tx) -> None:
            meta.put(tx, first, value)
            if meet:
                meet.pop().wait(10)
            meta.put(tx, second, value)

        (one if value == "1" else two).write_now(both)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(change, "a", "b", "1", [met]), pool.submit(change, "b", "a", "2", [met])]:
            done.result(30)
    values = one.read_now(lambda tx: (meta.get(tx, "a"), meta.get(tx, "b")))
    assert values in {("1", "1"), ("2", "2")}
    one.close()
    two.close()


@postgres_only
def test_of_two_processes_that_make_the_same_account_one_is_told_that_it_is_taken(database: Place) -> None:
    one, two = (Database.open(database.where) for _ in range(2))
    met = threading.Barrier(2)

    def make(db: Database, meet: list[threading.Barrier]) -> bool:
        def change(tx: Tx) -> bool:
            if meet:
                meet.pop().wait(10)
            return accounts.create(tx, name="ada", kind="user") is not None

        return db.write_now(change)

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(make, db, [met]) for db in (one, two)]
        assert sorted(result.result(30) for result in results) == [False, True]
    one.close()
    two.close()


@postgres_only
def test_a_violation_that_is_no_race_is_an_error_in_the_end(database: Place) -> None:
    db = Database.open(database.where)

    def put_twice(tx: Tx) -> None:
        meta.put(tx, "k", "v")
        tx.conn.exec_driver_sql("INSERT INTO meta VALUES ('k', 'again')")

    with pytest.raises(IntegrityError):
        db.write_now(put_twice)
    assert db.read_now(lambda tx: meta.get(tx, "k")) is None
    db.close()


def test_while_the_server_is_away_the_store_is_unavailable_and_serves_again_when_it_is_back() -> None:
    with postgres(15, durable=True) as cluster, cluster.database() as name:
        db = Database.open(cluster.url(name))
        db.write_now(lambda tx: meta.put(tx, "k", "v"))
        cluster.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                db.read_now(lambda tx: meta.get(tx, "k"))
            with pytest.raises(StoreUnavailableError):
                asyncio.run(db.write(lambda tx: meta.put(tx, "k", "w")))
        cluster.start()
        assert db.read_now(lambda tx: meta.get(tx, "k")) == "v"
        db.write_now(lambda tx: meta.put(tx, "k", "w"))
        db.close()


THING = Table(
    "thing",
    MetaData(),
    Column("run_id", RUN.c.run_id.type, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("small", Integer),
    Column("real", Double),
    Column("flag", Boolean),
    Column("name", String(20)),
    Column("content", LargeBinary),
)


@pytest.mark.parametrize("count", [0, 1, 2, 1_000])
def test_many_rows_go_in_and_come_out_as_they_were(database: Place, count: int) -> None:
    db = Database.open(database.where)
    run_id = uuid.uuid4()
    rows = [
        {
            "run_id": run_id, "number": (1 << 62) + i, "small": None if i % 3 else -i, "flag": bool(i % 2),
            "real": [math.inf, -math.inf, 0.1, -0.0, 5e-324][i % 5], "name": "Ünïcode\t\\N 🙂"[: i % 14] or None,
            "content": bytes(range(256)) * (i % 3),
        }
        for i in range(count)
    ]  # fmt: skip

    def fill(tx: Tx) -> None:
        THING.create(tx.conn)
        tx.dialect.insert_rows(tx.conn, THING, rows)

    db.write_now(fill)
    found = db.read_now(lambda tx: tx.conn.execute(select(THING).order_by(THING.c.number)).mappings().all())
    assert [dict(row) for row in found] == rows
    assert all(type(row["content"]) is bytes for row in found)
    db.close()


def test_rows_that_are_there_already_are_one_error_and_nothing_of_them_stays(database: Place) -> None:
    db = Database.open(database.where)
    keys = [{"key": f"k{i}", "value": "v"} for i in range(5)]
    db.write_now(lambda tx: tx.dialect.insert_rows(tx.conn, META, keys[3:]))
    with pytest.raises(IntegrityError):
        db.write_now(lambda tx: tx.dialect.insert_rows(tx.conn, META, keys))
    assert db.read_now(lambda tx: [meta.get(tx, key["key"]) for key in keys]) == [None, None, None, "v", "v"]
    db.close()


def test_a_password_that_is_wrong_is_said_without_repeating_it() -> None:
    with postgres(15) as cluster:
        with cluster.connect() as conn:
            conn.execute("CREATE ROLE ada LOGIN PASSWORD 'right'")
        cluster.ask_for_passwords()
        until(lambda: _refused(cluster.url("postgres").replace(f"//{cluster.owner}@", f"//ada:{SECRET}@")))


def _refused(url: str) -> bool:
    with pytest.raises(StoreError) as caught:
        Database.open(url)
    assert SECRET not in str(caught.value)
    return "password authentication failed" in str(caught.value)
