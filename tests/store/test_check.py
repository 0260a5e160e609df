"""Whatever is damaged is named, with its run, metric and place; what is sound is never blamed."""

from __future__ import annotations

import math
import shutil
import sqlite3
import struct
import uuid
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Table, delete, func, insert, select, update

from anonrun.core.wire import Frame, decode, encode
from anonrun.store import compaction, retention
from anonrun.store.check import check
from anonrun.store.chunks import CHUNK_POINTS
from anonrun.store.columns import CODEC_ZLIB, pack
from anonrun.store.database import Database, StoreError
from anonrun.store.findings import Fault
from anonrun.store.ingest import Incoming, Stored, append
from anonrun.store.inspecting import Inspected, OlderSchemaError
from anonrun.store.schema import AXIS, CHUNK, METRIC, RUN, SEG, TAIL, WRITER
from support.databases import Place
from support.stored import MakeRun, incoming


class Stock:
    """A run with two metrics in chunks, a third one beside them, and a tail of two segments of two writers."""

    def __init__(self, db: Database, place: Place, run_id: uuid.UUID) -> None:
        self.db = db
        self.place = place
        self.run_id = run_id
        steps = range(CHUNK_POINTS + 1_000)
        values = [math.nan if step % 97 == 0 else math.sin(step) for step in steps]
        frames = [
            Frame.of(("loss", "acc"), steps, [10 * step for step in steps], [values, [-v for v in values]]),
            Frame.of(("odd",), [5, 3, -2], [1, 2, 3], [[math.inf, -math.inf, -0.0]]),
        ]
        payload = encode(frames, writer=1, seq=0)
        self.add(Incoming(decode(payload).header, payload, ("loss", "acc", "odd")))
        self.compact()
        self.add(incoming([1.0, 2.0], seq=len(steps) + 3))
        self.add(incoming([math.nan], writer=2**64 - 1, names=("late",)))

    def add(self, one: Incoming) -> None:
        assert isinstance(self.db.write_now(lambda tx: append(tx, self.run_id, [one], None)), Stored)

    def compact(self) -> None:
        while (plan := self.db.read_now(lambda tx: compaction.prepare(tx, self.run_id))) is not None:
            assert self.db.write_now(lambda tx, plan=plan: compaction.apply(tx, plan))  # type: ignore[misc]  # the default binds the loop's value

    def change(self, table: Table, where: dict[str, object], **values: object) -> None:
        """Change a row of the run behind the store's back."""
        conditions = [table.c.run_id == self.run_id, *(table.c[name] == value for name, value in where.items())]
        statement = update(table).where(*conditions).values(values)
        assert self.db.write_now(lambda tx: tx.conn.execute(statement).rowcount) == 1

    def value(self, table: Table, column: str, /, **where: object) -> Any:
        conditions = [table.c.run_id == self.run_id, *(table.c[key] == value for key, value in where.items())]
        return self.db.read_now(lambda tx: tx.conn.execute(select(table.c[column]).where(*conditions)).scalar_one())

    def faults(self) -> list[Fault]:
        return check(self.place.where).faults


@pytest.fixture
def stock(db: Database, database: Place, make_run: MakeRun) -> Stock:
    return Stock(db, database, make_run())


def flipped(data: bytes, at: int = -1) -> bytes:
    return bytes(byte ^ (1 if i == at % len(data) else 0) for i, byte in enumerate(data))


def test_what_is_sound_is_counted_and_not_blamed(stock: Stock, make_run: MakeRun) -> None:
    make_run()
    report = check(stock.place.where)
    assert report.faults == []
    assert report.complete
    rows = CHUNK_POINTS + 1_000
    assert (report.runs, report.chunks, report.axes, report.segments) == (2, 5, 3, 2)
    assert report.points == 2 * rows + 3 + 3
    assert report.size_bytes == stock.value(RUN, "stored_bytes")
    stock.compact()
    assert stock.faults() == []


@pytest.mark.parametrize(
    ("metric", "column", "what"), [("loss", "vals", "values"), ("acc", "rollup", "rollup")], ids=["values", "rollup"]
)
def test_a_damaged_chunk_is_named_by_run_metric_and_number(stock: Stock, metric: str, column: str, what: str) -> None:
    metric_id = stock.value(METRIC, "metric_id", name=metric)
    here = {"metric_id": metric_id, "no": 1}
    stock.change(CHUNK, here, **{column: flipped(stock.value(CHUNK, column, **here))})
    (fault,) = stock.faults()
    assert (fault.run_id, fault.metric, fault.place) == (stock.run_id, metric, "chunk 1")
    assert fault.problem == f"{what}: A stored column's checksum does not match its bytes."
    assert str(fault).startswith(f"run {stock.run_id}, metric {metric!r}, chunk 1: ")


@pytest.mark.parametrize("column", ["steps", "times", "positions", "rollup"])
def test_a_damaged_axis_is_named_once_and_not_for_each_of_its_chunks(stock: Stock, column: str) -> None:
    stock.change(AXIS, {"axis_id": 1}, **{column: flipped(stock.value(AXIS, column, axis_id=1))})
    (fault,) = stock.faults()
    assert (fault.run_id, fault.metric, fault.place) == (stock.run_id, None, "axis 1")
    assert column in fault.problem


def test_a_damaged_segment_is_named_with_what_is_lost(stock: Stock) -> None:
    stock.change(SEG, {"position": 2}, payload=flipped(stock.value(SEG, "payload", position=2)))
    (fault,) = stock.faults()
    assert (fault.run_id, fault.place) == (stock.run_id, "segment 2")
    assert "checksum" in fault.problem
    assert "2 points are lost" in fault.problem


def test_a_payload_with_a_good_checksum_that_does_not_decompress_is_named(stock: Stock) -> None:
    head = struct.pack("<BBHI", CODEC_ZLIB, 2, 0, 3)
    column = head + struct.pack("<I", zlib.crc32(b"nonsense", zlib.crc32(head))) + b"nonsense"
    stock.change(CHUNK, {"metric_id": 2}, vals=column)
    assert [fault for fault in stock.faults() if "does not decompress" in fault.problem and fault.metric == "odd"]


WRONG: dict[str, tuple[Table, dict[str, object], dict[str, Any], tuple[str, str]]] = {
    "points of a run": (RUN, {}, {"points": 7}, ("run", "it counts 7 points")),
    "points in chunks": (RUN, {}, {"compacted_points": 7}, ("run", "it counts 7 points in chunks")),
    "bytes of a run": (RUN, {}, {"stored_bytes": 7}, ("run", "it counts 7 bytes of history")),
    "metrics of a run": (RUN, {}, {"metrics": 9}, ("run", "it counts 9 metrics")),
    "position before chunks": (RUN, {}, {"position": 0}, ("run", "chunks reach to position 1, the run only to 0")),
    "position beyond segments": (RUN, {}, {"position": 9}, ("run", "its segments only to 3")),
    "config": (RUN, {}, {"config": "{"}, ("run", "its config is no JSON")),
    "state": (RUN, {}, {"state": "lost"}, ("run", "its state 'lost'")),
    "points of a segment": (SEG, {"position": 2}, {"points": 9}, ("segment 2", "its row counts 9")),
    "place of a segment": (SEG, {"position": 3}, {"position": 5}, ("segment 5", "position 3 should come here")),
    "cursor of a writer": (WRITER, {"writer": 1}, {"next_seq": 1}, ("writer 1", "its cursor is at 1")),
    "points of a metric": (METRIC, {"name": "loss"}, {"n": 7}, ("metric", "it counts 7 points")),
    "largest of a metric": (METRIC, {"name": "odd"}, {"max": 7.0}, ("metric", "largest value is not that")),
    "last of a metric": (METRIC, {"name": "loss"}, {"last": None}, ("metric", "its last, smallest")),
    "name of a metric": (METRIC, {"name": "late"}, {"name": "other"}, ("segment 3", "the run's metrics lack it")),
    "rows of an axis": (AXIS, {"axis_id": 1}, {"n": 7}, ("axis 1", "its n do not fit")),
    "bounds of an axis": (AXIS, {"axis_id": 3}, {"step_min": 0}, ("axis 3", "its step_min do not fit")),
    "order of an axis's steps": (AXIS, {"axis_id": 3}, {"steps_rise": True}, ("axis 3", "its steps_rise do not fit")),
    "order of an axis": (AXIS, {"axis_id": 1}, {"first_position": 0}, ("axis 1", "first_position")),
    "axis of a chunk": (CHUNK, {"metric_id": 2}, {"axis_id": 77}, ("chunk 0", "its axis 77 is not there")),
    "unused axis": (CHUNK, {"metric_id": 2}, {"axis_id": 1}, ("axis 3", "no chunk uses it")),
    "values of another axis": (CHUNK, {"metric_id": 2}, {"axis_id": 1}, ("chunk 0", "it holds 3 values")),
    "number of a chunk": (CHUNK, {"metric_id": 0, "no": 1}, {"no": 4}, ("chunk 4", "chunk 1 should come here")),
    "metric of a chunk": (CHUNK, {"metric_id": 2}, {"metric_id": 50}, ("chunk 0", "there is no metric 50")),
    "rollup of a chunk": (
        CHUNK, {"metric_id": 2}, {"rollup": pack(np.arange(4.0))}, ("chunk 0", "its rollup does not fit")
    ),
    "positions of an axis": (
        AXIS, {"axis_id": 3}, {"positions": pack(np.array([1, 1, 9]))},
        ("axis 3", "it holds position 9; chunks reach to 1"),
    ),
}  # fmt: skip
"""What is changed, and what a check then says, where."""


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_together_is_named(stock: Stock, what: str) -> None:
    table, where, values, (place, problem) = WRONG[what]
    stock.change(table, where, **values)
    found = [(fault.place, fault.problem) for fault in stock.faults() if fault.run_id == stock.run_id]
    assert any(at == place and problem in said for at, said in found), found


def test_a_tail_that_is_not_listed_and_one_that_has_nothing_are_named(stock: Stock, make_run: MakeRun) -> None:
    empty = make_run()
    stock.db.write_now(lambda tx: tx.conn.execute(delete(TAIL)) and None)
    stock.db.write_now(lambda tx: tx.conn.execute(insert(TAIL).values(run_id=empty, since=1)) and None)
    said = {fault.run_id: fault.problem for fault in stock.faults()}
    assert said == {
        stock.run_id: "it has segments and is not listed",
        empty: "it is listed and has no segments",
    }


@pytest.mark.databases("sqlite")
def test_rows_of_no_run_are_named(stock: Stock) -> None:
    lost = uuid.UUID(int=5)
    stock.db.close()
    with sqlite3.connect(stock.place.where) as conn:  # a connection that does not enforce what refers to what
        conn.execute("INSERT INTO seg VALUES (?, 1, 1, x'00')", (lost.bytes,))
    conn.close()
    said = [(fault.run_id, fault.place) for fault in stock.faults()]
    assert (lost, "table seg") in said


@pytest.mark.databases("sqlite")
def test_a_page_of_the_file_that_is_overwritten_is_found_and_the_rest_is_read(stock: Stock, make_run: MakeRun) -> None:
    make_run()
    stock.db.close()
    path = Path(stock.place.where)
    data = bytearray(path.read_bytes())
    at = data.index(b"ANRS") // 8192 * 8192  # a page with segments
    data[at : at + 8192] = bytes(8192)
    path.write_bytes(data)
    report = check(path)
    assert report.faults
    assert report.complete


def test_a_run_that_is_being_removed_is_passed_over(stock: Stock) -> None:
    stock.db.write_now(lambda tx: tx.conn.execute(update(RUN).values(deleted_at=1, deleted_by="owner")) and None)
    stock.db.write_now(lambda tx: retention.purge_some(tx, rows=1))
    report = check(stock.place.where)
    assert (report.runs, report.removing, report.faults) == (0, 1, [])


def test_a_check_changes_nothing_and_goes_beside_a_writer(stock: Stock) -> None:
    before = stock.db.read_now(lambda tx: tx.conn.execute(select(RUN)).all())
    opened = Inspected.open(stock.place.where)
    with opened.snapshot() as tx:
        count = select(func.count()).select_from(SEG)
        assert tx.conn.execute(count).scalar() == 2
        stock.add(incoming([3.0], seq=CHUNK_POINTS + 1_005))
        assert tx.conn.execute(count).scalar() == 2, "one moment is seen"
        with pytest.raises(Exception, match=r"(?i)read-?only"):
            tx.conn.execute(delete(SEG))
    opened.close()
    assert stock.faults() == []
    after = stock.db.read_now(lambda tx: tx.conn.execute(select(RUN)).all())
    assert after[0].position == before[0].position + 1


def test_time_that_has_run_out_is_said_and_is_no_fault(stock: Stock) -> None:
    report = check(stock.place.where, within_s=0)
    assert (report.complete, report.faults) == (False, [])
    assert check(stock.place.where, within_s=600).complete


def test_what_is_no_database_of_this_schema_is_refused_with_what_to_do(stock: Stock, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database at"):
        check(tmp_path / "absent.db")
    assert not (tmp_path / "absent.db").exists()
    (tmp_path / "text.db").write_bytes(b"no database, whatever its name" * 400)
    with pytest.raises(StoreError, match="cannot be read"):
        check(tmp_path / "text.db")
    for version, kind, said in (("0001", OlderSchemaError, "older schema 0001"), ("9999", StoreError, "newer anonrun")):
        stock.db.write_now(
            lambda tx, version=version: (
                tx.conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")  # type: ignore[misc]  # the default binds the loop's value
                and None
            )
        )
        with pytest.raises(kind, match=said):
            check(stock.place.where)


@pytest.mark.databases("sqlite")
def test_a_copy_that_nobody_has_open_is_checked_without_being_written(stock: Stock, tmp_path: Path) -> None:
    stock.db.close()
    copy = tmp_path / "copy" / "anonrun.db"
    copy.parent.mkdir()
    shutil.copy(stock.place.where, copy)
    before = copy.read_bytes()
    assert check(copy).faults == []
    assert copy.read_bytes() == before
    assert list(copy.parent.iterdir()) == [copy]


@pytest.mark.databases("sqlite")
def test_a_server_that_starts_while_its_file_is_read_as_still_is_noticed(stock: Stock) -> None:
    stock.db.close()
    opened = Inspected.open(stock.place.where)
    assert not opened.disturbed
    server = Database.open(stock.place.where)
    assert opened.disturbed
    opened.close()
    assert check(stock.place.where).faults == []
    server.close()


@pytest.mark.databases("sqlite")
def test_runs_beyond_the_first_500_are_read_too(stock: Stock, make_run: MakeRun) -> None:
    for _ in range(500):
        make_run()
    last = make_run()
    stock.db.write_now(lambda tx: tx.conn.execute(update(RUN).where(RUN.c.run_id == last).values(points=1)) and None)
    report = check(stock.place.where)
    assert (report.runs, [fault.run_id for fault in report.faults]) == (502, [last])
