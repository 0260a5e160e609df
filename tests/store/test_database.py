from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from anonrun.store import meta
from anonrun.store.database import Database, StoreError, StoreUnavailableError
from anonrun.store.dialect import SqliteDialect, dialect_for
from anonrun.store.migrations.upgrade import config_for
from anonrun.store.schema import SCHEMA_VERSION, metadata
from anonrun.store.transaction import Tx
from support.databases import Place
from support.site import SetClock


def test_a_database_keeps_its_instance_when_it_is_opened_again(database: Place) -> None:
    first = Database.open(database.where)
    first.close()
    second = Database.open(database.where)
    assert second.instance == first.instance
    second.close()


def test_closing_leaves_one_file_with_everything_in_it(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db")
    db.write_now(lambda tx: meta.put(tx, "k", "v"))
    db.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def differences(conn: Connection) -> list[Any]:
    """Return what a database lacks or has too much of, by the code."""
    context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
    found: list[Any] = compare_metadata(context, metadata)
    return found


def described(conn: Connection) -> dict[str, str]:
    """Return tables, columns, keys and indexes as the database itself names them."""
    found = inspect(conn)
    return {
        table: json.dumps([
            [(column["name"], str(column["type"]), column["nullable"], column["default"])
             for column in found.get_columns(table)],
            found.get_pk_constraint(table),
            sorted(found.get_foreign_keys(table), key=str),
            sorted(found.get_indexes(table), key=lambda index: str(index["name"])),
            sorted(found.get_unique_constraints(table), key=str),
        ], default=str)
        for table in sorted(found.get_table_names())
    }  # fmt: skip


def test_revisions_and_code_make_the_same_schema(empty: Place) -> None:
    engine = dialect_for(empty.where).engine(1)
    with engine.connect() as conn:
        with conn.begin():
            command.upgrade(config_for(conn), "0001")
        with conn.begin():
            command.upgrade(config_for(conn), "head")
        with conn.begin():
            assert differences(conn) == []
            assert ScriptDirectory.from_config(config_for(conn)).get_current_head() == SCHEMA_VERSION
            by_revisions = described(conn)
        with conn.begin():
            for table in (*reversed(metadata.sorted_tables), text("alembic_version")):
                conn.execute(text(f"DROP TABLE {table}"))
    Database.open(empty.where).close()
    with engine.connect() as conn, conn.begin():
        assert differences(conn) == []
        assert described(conn) == by_revisions
    engine.dispose()


def test_an_older_database_is_upgraded_when_it_is_opened(empty: Place) -> None:
    engine = dialect_for(empty.where).engine(1)
    with engine.connect() as conn, conn.begin():
        command.upgrade(config_for(conn), "0001")
        conn.execute(text("INSERT INTO meta VALUES ('instance', 'from before')"))
    db = Database.open(empty.where)
    assert db.instance == "from before"
    db.close()
    with engine.connect() as conn, conn.begin():
        assert differences(conn) == []
    engine.dispose()


@pytest.mark.parametrize("version", [None, "0001"])
def test_many_that_open_an_empty_or_old_database_at_once_agree(empty: Place, version: str | None) -> None:
    engine = dialect_for(empty.where).engine(1)
    if version is not None:
        with engine.connect() as conn, conn.begin():
            command.upgrade(config_for(conn), version)
    engine.dispose()
    start = threading.Barrier(6)

    def open_one(_: int) -> str:
        start.wait()
        db = Database.open(empty.where, readers=1)
        db.close()
        return db.instance

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(open_one, range(6)))) == 1


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(database: Place) -> None:
    db = Database.open(database.where)
    db.write_now(lambda tx: tx.conn.execute(text("UPDATE alembic_version SET version_num = '9999'")) and None)
    db.close()
    with pytest.raises(StoreError, match=r"newer anonrun\. Update anonrun"):
        Database.open(database.where)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        Database.open(path)
    assert path.read_bytes().startswith(b"this is not")


def test_deleted_bytes_are_overwritten_and_commits_reach_the_disk(tmp_path: Path) -> None:
    engine = SqliteDialect(tmp_path / "a.db").engine(1)
    with engine.connect() as conn:
        pragmas = {
            name: conn.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "page_size", "auto_vacuum", "secure_delete", "foreign_keys")
        }
    engine.dispose()
    assert pragmas == {
        "journal_mode": "wal", "synchronous": 2, "page_size": 8192, "auto_vacuum": 2, "secure_delete": 1,
        "foreign_keys": 1,
    }  # fmt: skip


def test_changes_that_wait_together_are_one_commit_and_one_failure_is_its_own(database: Place) -> None:
    db = Database.open(database.where, clock=SetClock())
    held = threading.Event()
    db._writer.submit(lambda _tx: held.wait(10))  # the others queue up behind it

    def fail(tx: Tx) -> None:
        meta.put(tx, "failed", "written before the failure")
        raise KeyError("mine")

    commits: list[int] = []

    def change(tx: Tx, n: int) -> int:
        commits.append(id(tx.conn.get_transaction()))
        meta.put(tx, f"k{n}", str(n))
        return n

    futures = [db._writer.submit(lambda tx, n=n: change(tx, n)) for n in range(20)]  # type: ignore[misc]  # the default binds the loop's value
    bad = db._writer.submit(fail)
    more = [db._writer.submit(lambda tx, n=n: change(tx, n)) for n in range(20, 40)]  # type: ignore[misc]  # the default binds the loop's value
    held.set()
    wait([*futures, bad, *more], timeout=10)
    assert [future.result() for future in [*futures, *more]] == list(range(40))
    assert isinstance(bad.exception(), KeyError)
    assert db.read_now(lambda tx: meta.get(tx, "failed")) is None
    assert db.read_now(lambda tx: [meta.get(tx, f"k{n}") for n in range(40)]) == [str(n) for n in range(40)]
    db.close()


def test_what_was_submitted_before_closing_is_committed(database: Place) -> None:
    db = Database.open(database.where)
    futures = [db._writer.submit(lambda tx, n=n: meta.put(tx, f"k{n}", "v")) for n in range(500)]  # type: ignore[misc]  # the default binds the loop's value
    db.close()
    assert all(future.exception() is None for future in futures)
    again = Database.open(database.where)
    assert again.read_now(lambda tx: meta.get(tx, "k499")) == "v"
    again.close()


def test_a_closed_store_says_so(database: Place) -> None:
    db = Database.open(database.where)
    db.close()
    with pytest.raises(RuntimeError, match="closing"):
        db.write_now(lambda tx: meta.put(tx, "k", "v"))


def test_a_full_database_refuses_a_change_and_goes_on_afterwards(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db")
    pages = db.write_now(lambda tx: tx.conn.exec_driver_sql("PRAGMA page_count").scalar())

    def cap(tx: Tx) -> None:
        tx.conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    db.write_now(cap)
    with pytest.raises(StoreUnavailableError, match="full"):
        asyncio.run(db.write(lambda tx: meta.put(tx, "big", "x" * 1_000_000)))
    db.write_now(lambda tx: tx.conn.exec_driver_sql("PRAGMA max_page_count = 1000000") and None)
    db.write_now(lambda tx: meta.put(tx, "big", "x" * 1_000_000))
    db.close()


def test_a_database_locked_by_another_program_refuses_a_change_and_goes_on_afterwards(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db")
    db.write_now(lambda tx: tx.conn.exec_driver_sql("PRAGMA busy_timeout = 50") and None)
    other = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with other.connect() as conn:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked"):
            asyncio.run(db.write(lambda tx: meta.put(tx, "k", "v")))
        conn.rollback()
    other.dispose()
    db.write_now(lambda tx: meta.put(tx, "k", "v"))
    assert db.read_now(lambda tx: meta.get(tx, "k")) == "v"
    db.close()
