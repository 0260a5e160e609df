"""A database of every schema there ever was becomes one of today's, with every point bit by bit."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Connection, MetaData, func, select, text

from anonrun.store import accounts, artifacts, blobs, compaction, media, runs, summaries
from anonrun.store.check import check
from anonrun.store.database import Database, StoreError
from anonrun.store.dialect import Dialect, dialect_for
from anonrun.store.ingest import Stored, append
from anonrun.store.migrations import upgrade
from anonrun.store.migrations.upgrade import config_for
from anonrun.store.reading import gather
from anonrun.store.schema import SCHEMA_VERSION, TOKEN
from anonrun.store.sessions import find as find_session
from anonrun.store.transaction import Tx
from support.databases import Clusters, Place
from support.site import SetClock
from support.stored import incoming

_GOLDEN = Path(__file__).parents[1] / "vectors" / "databases"
_SCRIPTS = ScriptDirectory(str(Path(upgrade.__file__).parent))
REVISIONS = sorted(script.revision for script in _SCRIPTS.walk_revisions())


@pytest.fixture
def empty(request: pytest.FixtureRequest, database: Place, tmp_path: Path, clusters: Clusters) -> Iterator[Place]:
    """A database without any table."""
    if database.is_sqlite:
        yield Place(database.kind, tmp_path / "empty.db")
        return
    cluster = clusters.of(database.kind)
    with cluster.database() as name:
        yield Place(database.kind, cluster.url(name))


def golden_before(revision: str) -> dict[str, Any]:
    """Return the newest golden database that is not newer than a revision."""
    path = max(path for path in _GOLDEN.glob("*.json") if path.stem <= revision)
    golden: dict[str, Any] = json.loads(path.read_text())
    return golden


def make(place: Place, revision: str) -> dict[str, Any]:
    """Make the database of a revision, filled as the code of that time did; return its golden file."""
    golden = golden_before(revision)
    dialect: Dialect = dialect_for(place.where)
    engine = dialect.engine(1)
    try:
        with dialect.as_writer(engine.connect()) as conn, dialect.remaking_tables(conn):
            with conn.begin():
                command.upgrade(config_for(conn), golden["schema"])
            with conn.begin():
                fill(conn, golden["tables"])
            with conn.begin():
                command.upgrade(config_for(conn), revision)
    finally:
        engine.dispose()
    return golden


def fill(conn: Connection, tables: dict[str, list[dict[str, Any]]]) -> None:
    there = MetaData()
    there.reflect(conn)
    for table in there.sorted_tables:
        for row in tables.get(table.name, ()):
            values = {name: bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for name, v in row.items()}
            truths = {c.name for c in table.columns if isinstance(c.type, Boolean)}
            conn.execute(table.insert(), {name: bool(v) if name in truths else v for name, v in values.items()})
    if conn.dialect.name == "postgresql":  # rows with numbers of their own do not move what counts them
        for table, key in (("account", "account_id"), ("event", "event_id")):
            most = f"(SELECT max({key}) FROM {table})"
            conn.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), {most})"))


def read(db: Database, run_id: str) -> dict[str, list[tuple[int, int, str]]]:
    found = db.read_now(lambda tx: gather(tx, uuid.UUID(run_id), None))
    assert found is not None
    return {
        name: [
            (step, time_us, struct.pack("<d", value).hex())
            for step, time_us, value in zip(
                points.steps.tolist(), points.times_us.tolist(), points.values.tolist(), strict=True
            )
        ]
        for name, points in found[0].items()
    }


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_point_is_there_after_an_upgrade_and_after_what_follows_it(empty: Place, revision: str) -> None:
    golden = make(empty, revision)
    expected = {
        run_id: {name: [tuple(point) for point in points] for name, points in series.items()}
        for run_id, series in golden["expected"].items()
    }
    clock = SetClock(golden["now_us"])
    db = Database.open(empty.where, clock=clock)
    try:
        assert check(empty.where).faults == []
        for _ in ("as it was", "after all of it was compacted"):
            for run_id, series in expected.items():
                assert read(db, run_id) == series
                said = db.read_now(lambda tx, of=run_id: summaries.metrics(tx, uuid.UUID(of)))  # type: ignore[misc]  # the default binds the loop's value
                assert {metric.name: metric.n for metric in said} == {name: len(p) for name, p in series.items()}
            for due in db.read_now(lambda tx: compaction.due(tx, 10)) or []:
                compact(db, due.run_id)
            for run_id in expected:
                compact(db, uuid.UUID(run_id))
            assert check(empty.where).faults == []
        goes_on(db, next(iter(expected)))
        assert check(empty.where).faults == []
    finally:
        db.close()


def compact(db: Database, run_id: uuid.UUID) -> None:
    while (plan := db.read_now(lambda tx: compaction.prepare(tx, run_id))) is not None:
        assert db.write_now(lambda tx, plan=plan: compaction.apply(tx, plan))  # type: ignore[misc]  # the default binds the loop's value


def goes_on(db: Database, run_id: str) -> None:
    """What was begun under the old schema goes on under the new one."""
    rows = sum(len(points) for name, points in read(db, run_id).items() if name == "loss")
    one = incoming([5.0], seq=rows - 1, writer=1)  # one row of `loss` was another writer's
    assert isinstance(db.write_now(lambda tx: append(tx, uuid.UUID(run_id), [one], None)), Stored)
    assert len(read(db, run_id)["loss"]) == rows + 1
    assert db.read_now(runs.count_live) == 2
    assert db.read_now(lambda tx: accounts.user_named(tx, "ada")) is not None
    assert db.write_now(lambda tx: accounts.create(tx, name="new", kind="user")) is not None
    assert db.read_now(lambda tx: find_session(tx, b"s" * 32)) is not None


def test_an_artifact_is_there_after_an_upgrade_with_its_name_and_its_bytes(empty: Place) -> None:
    golden = make(empty, "0007")
    db = Database.open(empty.where, clock=SetClock(golden["now_us"]))
    try:
        ada = golden["tables"]["artifact"][0]["account_id"]
        found = db.read_now(lambda tx: artifacts.resolve(tx, ada, "p", "model", "best"))
        assert found is not None
        assert (found.version, found.metadata, found.file_count) == (0, {"epochs": 3}, 2)
        files = db.read_now(lambda tx: artifacts.files(tx, found))
        assert [(file.path, file.size_bytes) for file in files] == [("a/b.bin", 5), ("c.bin", 5)]
        blob = db.read_now(lambda tx: blobs.find(tx, ada, files[0].digest))
        assert blob is not None
        assert [part.key for part in db.read_now(lambda tx: blobs.parts(tx, blob.blob_id))] == ["00/x-1", "00/x-2"]
    finally:
        db.close()


def test_media_are_there_after_an_upgrade_and_go_on_where_they_were(empty: Place) -> None:
    golden = make(empty, "0011")
    db = Database.open(empty.where, clock=SetClock(golden["now_us"]))
    try:
        rows = [row for row in golden["tables"]["media"] if row["run_id"] == golden["tables"]["media"][0]["run_id"]]
        run_id = uuid.UUID(rows[0]["run_id"]["hex"])
        page = db.read_now(lambda tx: media.page(tx, run_id, after=0, pictures=True))
        assert page is not None
        assert [(item.kind, item.content, item.caption, item.step) for item in page.items] == [
            (row["kind"], bytes.fromhex(row["content"]["hex"]), row["caption"], row["step"]) for row in rows
        ]
        more = media.Item.of(b"x", media_id=b"x" * 16, kind="text", key="k", step=0, time_us=0, type="text/plain")

        def add(tx: Tx) -> object:
            run = runs.find(tx, run_id)
            assert run is not None
            return media.add(tx, run, [page.items[0], more], None)

        assert db.write_now(add) == media.Added(1, 4)
    finally:
        db.close()


@pytest.mark.databases("sqlite")
def test_a_table_that_is_made_anew_takes_nothing_along_that_refers_to_it(empty: Place) -> None:
    golden = make(empty, SCHEMA_VERSION)
    dialect = dialect_for(empty.where)
    engine = dialect.engine(1)
    with dialect.as_writer(engine.connect()) as conn, dialect.remaking_tables(conn), conn.begin():
        operations = Operations(MigrationContext.configure(conn))
        for table in ("account", "session", "run"):
            with operations.batch_alter_table(table, recreate="always"):
                pass
    engine.dispose()
    assert check(empty.where).faults == []
    db = Database.open(empty.where, clock=SetClock(golden["now_us"]))
    assert db.read_now(lambda tx: find_session(tx, b"s" * 32)) is not None
    count = select(func.count()).select_from(TOKEN)
    assert db.read_now(lambda tx: tx.conn.execute(count).scalar()) == len(golden["tables"]["token"])
    db.close()


def test_a_newer_database_is_refused_and_left_as_it_is(empty: Place) -> None:
    Database.open(empty.where).close()
    engine = dialect_for(empty.where).engine(1)
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=rf"schema 9999, this anonrun knows {SCHEMA_VERSION}.*never taken back"):
        Database.open(empty.where)
    with engine.connect() as conn:
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(empty: Place) -> None:
    make(empty, "0001")
    engine = dialect_for(empty.where).engine(1)
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE chunk (x INTEGER)"))  # in the way of what an upgrade makes
    with pytest.raises(StoreError, match="chunk"):
        Database.open(empty.where)
    with engine.begin() as conn:
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0001"
        names = set(conn.dialect.get_table_names(conn))  # type: ignore[attr-defined]  # every dialect of SQLAlchemy's has it
        assert not names & {"lease", "tail", "axis"}
        conn.execute(text("DROP TABLE chunk"))
    engine.dispose()
    Database.open(empty.where, clock=SetClock(golden_before("0001")["now_us"])).close()
    assert check(empty.where).faults == []
