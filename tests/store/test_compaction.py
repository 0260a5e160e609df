"""Chunks and tail are one history: whatever was compacted when, every point is read once, bit by bit, in order."""

from __future__ import annotations

import math
import struct
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from anonrun.core.wire import Frame, decode, encode
from anonrun.errors import DamagedDataError
from anonrun.store import compaction, history, runs, summaries
from anonrun.store.chunks import CHUNK_POINTS
from anonrun.store.columns import CODEC_PCODEC, CODEC_RAW, CODEC_ZLIB, pack, unpack
from anonrun.store.database import Database
from anonrun.store.ingest import Incoming, Stored, append
from anonrun.store.reading import View, gather, sampled
from anonrun.store.schema import AXIS, CHUNK, SEG, TAIL
from anonrun.store.transaction import Tx
from support.site import SetClock
from support.stored import MakeRun


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def segment_of(frames: list[Frame], seq: int, writer: int = 1) -> Incoming:
    payload = encode(frames, writer=writer, seq=seq)
    return Incoming(decode(payload).header, payload, [name for frame in frames for name in frame.names])


class Filled:
    """A run, and what should be in it."""

    def __init__(self, db: Database, run_id: uuid.UUID) -> None:
        self.db = db
        self.run_id = run_id
        self.rows: dict[str, list[tuple[int, int, bytes]]] = {}
        self._next = 0

    def add(self, *frames: Frame) -> None:
        one = segment_of(list(frames), self._next)
        outcome = self.db.write_now(lambda tx: append(tx, self.run_id, [one], None))
        assert isinstance(outcome, Stored)
        self._next += sum(len(frame.steps) for frame in frames)
        for frame in frames:
            for name, column in zip(frame.names, frame.columns, strict=True):
                points = zip(frame.steps, frame.times_us, map(bits, column), strict=True)
                self.rows.setdefault(name, []).extend(points)

    def ramp(self, n: int, *names: str, first: int | None = None) -> None:
        """Add rows whose steps go on from the last."""
        begin = self._next if first is None else first
        steps = range(begin, begin + n)
        columns = [[math.sin(step / 50) * (i + 1) for step in steps] for i in range(len(names))]
        self.add(Frame.of(names, steps, [1_000_000 + 10 * step for step in steps], columns))

    def compact(self, *, most_points: int = 400_000) -> bool:
        plan = self.db.read_now(lambda tx: compaction.prepare(tx, self.run_id, most_points=most_points))
        return plan is not None and self.db.write_now(lambda tx: compaction.apply(tx, plan))

    def compact_all(self) -> None:
        while self.compact():
            pass

    def check(self) -> None:
        """Every way of reading gives just what was stored."""
        found = self.db.read_now(lambda tx: gather(tx, self.run_id, None))
        assert found is not None
        assert list(found[0]) == list(self.rows)
        for name, points in found[0].items():
            got = list(
                zip(points.steps.tolist(), points.times_us.tolist(), map(bits, points.values.tolist()), strict=True)
            )
            assert got == self.rows[name]
        assert self.paged(1) == self.rows == self.paged(1 << 30)
        for name in self.rows:
            assert self.paged(1_000, name) == {name: self.rows[name]}

    def paged(self, size_bytes: int, *names: str, after: int = 0) -> dict[str, list[tuple[int, int, bytes]]]:
        read: dict[str, list[tuple[int, int, bytes]]] = {}
        end = False
        while not end:
            page = self.db.read_now(
                lambda tx, after=after: history.page(tx, self.run_id, after=after, names=names, size_bytes=size_bytes)  # type: ignore[misc]  # the default binds the loop's value
            )
            assert page is not None
            assert page.end or page.position > after, "a page passes at least one position"
            after, end = page.position, page.end
            for frame in (frame for payload in page.segments for frame in decode(payload).frames):
                for name, column in zip(frame.names, frame.columns, strict=True):
                    points = zip(frame.steps, frame.times_us, map(bits, column), strict=True)
                    read.setdefault(name, []).extend(points)
        return read if names else {name: read[name] for name in self.rows if name in read}


@pytest.fixture
def filled(db: Database, make_run: MakeRun) -> Filled:
    return Filled(db, make_run())


def count(db: Database, table: object) -> int:
    return db.read_now(lambda tx: tx.conn.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]  # a table


ODD = [0.0, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan]
VALUES = st.one_of(
    st.sampled_from(ODD),
    st.floats(width=64),
    st.integers(0, 2**64 - 1).map(lambda n: struct.unpack("<d", struct.pack("<Q", n))[0]),
)
STEPS = st.one_of(st.integers(0, 50), st.integers(-(2**63), 2**63 - 1))


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    names = draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True))
    n = draw(st.integers(1, 6))
    column = st.lists(VALUES, min_size=n, max_size=n)
    steps = draw(st.lists(STEPS, min_size=n, max_size=n))
    times = draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=n, max_size=n))
    return Frame.of(names, steps, times, [draw(column) for _ in names])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.one_of(st.lists(frames(), min_size=1, max_size=3), st.integers(1, 40)), max_size=12))
def test_any_history_is_read_as_it_came_whatever_was_compacted(
    db: Database, make_run: MakeRun, actions: list[list[Frame] | int]
) -> None:
    run = Filled(db, make_run())
    for action in actions:
        if isinstance(action, int):
            run.compact(most_points=action)
        else:
            run.add(*action)
    run.check()
    run.compact_all()
    run.check()


def test_chunks_are_full_but_the_last_and_shared_axes_are_stored_once(db: Database, filled: Filled) -> None:
    for _ in range(10):
        filled.ramp(1_000, "loss", "acc", "lr")
        filled.compact_all()
    filled.check()
    sizes = db.read_now(lambda tx: tx.conn.execute(select(AXIS.c.n).order_by(AXIS.c.first_position)).scalars().all())
    assert sizes == [CHUNK_POINTS, CHUNK_POINTS, 10_000 - 2 * CHUNK_POINTS]
    assert count(db, CHUNK) == 9
    assert count(db, SEG) == count(db, TAIL) == 0


def test_metrics_that_part_ways_keep_their_own_axes(filled: Filled) -> None:
    filled.ramp(100, "loss", "acc")
    filled.compact_all()
    filled.ramp(100, "loss")
    filled.compact_all()
    filled.ramp(100, "acc", "f1")
    filled.compact_all()
    filled.check()


def test_a_point_is_read_after_a_position_inside_of_chunks(filled: Filled) -> None:
    for _ in range(20):
        filled.ramp(7, "loss")
    filled.compact_all()
    filled.ramp(7, "loss")
    for after in range(22):
        assert filled.paged(100, "loss", after=after).get("loss", []) == filled.rows["loss"][7 * after :]


def test_a_reader_between_preparing_and_applying_sees_each_point_once(db: Database, filled: Filled) -> None:
    filled.ramp(500, "loss")
    plan = db.read_now(lambda tx: compaction.prepare(tx, filled.run_id))
    assert plan
    filled.ramp(500, "loss")
    filled.check()
    assert db.write_now(lambda tx: compaction.apply(tx, plan))
    filled.check()
    assert count(db, TAIL) == 1


def test_of_two_compactions_of_the_same_tail_one_counts(db: Database, filled: Filled) -> None:
    filled.ramp(500, "loss")
    plans = [db.read_now(lambda tx: compaction.prepare(tx, filled.run_id)) for _ in range(2)]
    assert [db.write_now(lambda tx, plan=plan: compaction.apply(tx, plan)) for plan in plans] == [True, False]  # type: ignore[misc]  # the default binds the loop's value
    filled.check()


def test_a_run_that_was_deleted_meanwhile_is_not_compacted(db: Database, filled: Filled) -> None:
    filled.ramp(10, "loss")
    plan = db.read_now(lambda tx: compaction.prepare(tx, filled.run_id))
    assert plan
    db.write_now(lambda tx: runs.delete(tx, filled.run_id))
    assert not db.write_now(lambda tx: compaction.apply(tx, plan))
    assert count(db, CHUNK) == 0


def test_a_tail_is_due_when_it_is_long_or_old_or_its_run_has_ended(
    db: Database, make_run: MakeRun, clock: SetClock
) -> None:
    def due() -> set[uuid.UUID]:
        return {run.run_id for run in db.read_now(lambda tx: compaction.due(tx, 10))}

    many, wide, ended, young = (Filled(db, make_run()) for _ in range(4))
    for _ in range(compaction.TAIL_SEGMENTS):
        many.ramp(1, "loss")
    wide.ramp(compaction.TAIL_POINTS // 10, *"abcdefghij")
    ended.ramp(1, "loss")
    young.ramp(1, "loss")
    run = db.read_now(lambda tx: runs.find(tx, ended.run_id))
    assert run
    db.write_now(lambda tx: runs.change(tx, run, {"state": "finished"}))
    assert due() == {many.run_id, wide.run_id, ended.run_id}
    for filled in (many, wide, ended):
        filled.compact_all()
    assert due() == set()
    clock.forward(seconds=601)
    assert due() == {young.run_id}


def test_the_summary_is_that_of_all_points_before_and_after(db: Database, filled: Filled) -> None:
    filled.add(Frame.of(["loss", "nan"], [1, 2], [1, 2], [[3.0, -1.0], [math.nan, math.nan]]))
    before = db.read_now(lambda tx: summaries.metrics(tx, filled.run_id))
    filled.compact_all()
    assert repr(db.read_now(lambda tx: summaries.metrics(tx, filled.run_id))) == repr(before)
    filled.add(Frame.of(["loss", "nan"], [5], [3], [[7.0], [2.0]]))
    (loss, nan) = db.read_now(lambda tx: summaries.metrics(tx, filled.run_id))
    assert (loss.n, loss.last_step, loss.last, loss.min, loss.max) == (3, 5, 7.0, -1.0, 7.0)
    assert (nan.n, nan.last_step, nan.last, nan.min, nan.max) == (3, 5, 2.0, 2.0, 2.0)
    filled.compact_all()
    assert db.read_now(lambda tx: summaries.metrics(tx, filled.run_id)) == [loss, nan]


def test_what_a_run_takes_is_counted_in_bytes_that_are_there(db: Database, filled: Filled) -> None:
    def held() -> int:
        columns = {
            SEG: ["payload"],
            CHUNK: ["rollup", "vals"],
            AXIS: ["rollup", "steps", "times", "positions"],
        }
        return sum(
            db.read_now(lambda tx, c=table.c[name]: tx.conn.execute(select(func.sum(func.length(c)))).scalar() or 0)  # type: ignore[misc]  # the default binds the loop's value
            for table, names in columns.items()
            for name in names
        )

    def counted() -> int:
        run = db.read_now(lambda tx: runs.find(tx, filled.run_id))
        assert run
        return run.stored_bytes

    for _ in range(3):
        filled.ramp(3_000, "loss", "acc")
        assert counted() == held()
        filled.compact_all()
        assert counted() == held()


# --- sampling ---------------------------------------------------------------------------------------------------------


def truth(filled: Filled, name: str) -> np.ndarray:
    return np.array([struct.unpack("<d", value)[0] for _, _, value in filled.rows[name]])


@pytest.mark.parametrize("x", ["step", "wall", "relative"])
@pytest.mark.parametrize("window", [None, (0.1, 0.9), (0.5, 0.5001)], ids=["all", "most", "few"])
def test_a_sample_from_rollups_keeps_every_point_counted_and_every_extreme(
    db: Database, filled: Filled, x: str, window: tuple[float, float] | None
) -> None:
    rng = np.random.default_rng(7)
    n = 40_000
    values = rng.normal(size=n)
    for begin in range(0, n, 5_000):
        steps = range(begin, begin + 5_000)
        filled.add(Frame.of(["loss"], steps, [10_000_000 + 10 * s for s in steps], [values[begin : begin + 5_000]]))
        if begin < 35_000:
            filled.compact_all()
    unit = 1.0 if x == "step" else 10 / 1e6
    zero = 10.0 if x == "wall" else 0.0
    start, end = (None, None) if window is None else (n * part * unit + zero for part in window)
    low, high = (0, n - 1) if window is None else (math.ceil(n * window[0]), math.floor(n * window[1]))
    found = db.read_now(
        lambda tx: sampled(tx, filled.run_id, None, View(buckets=100, x=x, start=start, end=end))  # type: ignore[arg-type]  # one of three
    )
    assert found
    sample = found.metrics["loss"]
    assert sample.total == sum(sample.count) == high - low + 1
    assert len(sample.x) <= 100
    begins = np.cumsum([0, *sample.count[:-1]]) + low
    assert sample.step == begins.tolist()
    assert sample.low == np.fmin.reduceat(values[: high + 1], begins).tolist()
    assert sample.high == np.fmax.reduceat(values[: high + 1], begins).tolist()
    assert sample.first == values[begins].tolist()
    assert sample.last == values[np.append(begins[1:], high + 1) - 1].tolist()
    assert sample.x == pytest.approx([zero + unit * step for step in sample.step])


def test_rows_that_came_out_of_order_are_sampled_in_order(db: Database, filled: Filled) -> None:
    rng = np.random.default_rng(1)
    steps = rng.permutation(30_000)
    for some in np.array_split(steps, 6):
        filled.add(Frame.of(["loss"], some.tolist(), some.tolist(), [some.astype(float)]))
        filled.compact_all()
    found = db.read_now(lambda tx: sampled(tx, filled.run_id, ["loss"], View(buckets=10)))
    assert found
    sample = found.metrics["loss"]
    assert sample.low == [float(step) for step in sample.step] == [3_000.0 * i for i in range(10)]
    assert sample.high == [3_000.0 * i + 2_999 for i in range(10)]


def test_a_series_is_drawn_over_another_metric_by_step(db: Database, filled: Filled) -> None:
    filled.add(Frame.of(["loss", "epoch"], [0, 1, 2], [0, 1, 2], [[5.0, 4.0, 3.0], [0.0, 0.5, 1.0]]))
    filled.compact_all()
    filled.add(Frame.of(["loss"], [3], [3], [[2.0]]))
    filled.add(Frame.of(["epoch"], [3], [3], [[1.5]]), Frame.of(["loss"], [9], [4], [[1.0]]))
    view = View(buckets=100, x="metric", x_metric="epoch")
    found = db.read_now(lambda tx: sampled(tx, filled.run_id, None, view))
    assert found
    assert list(found.metrics) == ["loss"], "the other metric is the axis"
    assert found.metrics["loss"].x == [0.0, 0.5, 1.0, 1.5], "step 9 has no epoch"
    assert found.metrics["loss"].first == [5.0, 4.0, 3.0, 2.0]
    assert (
        db.read_now(lambda tx: sampled(tx, filled.run_id, ["loss"], View(buckets=5, x="metric", x_metric="no"))).metrics
        == {}
    )  # type: ignore[union-attr]  # there is a run


# --- damage -----------------------------------------------------------------------------------------------------------


def spoil(db: Database, column: object, where: object) -> None:
    def change(tx: Tx) -> None:
        data = bytearray(tx.conn.execute(select(column).where(where)).scalar_one())  # type: ignore[arg-type,call-overload]  # a column
        data[len(data) // 2] ^= 1
        tx.conn.execute(update(column.table).where(where).values({column.name: bytes(data)}))  # type: ignore[attr-defined,arg-type]

    db.write_now(change)


def test_a_damaged_chunk_is_left_out_and_counted_and_the_rest_is_read(db: Database, filled: Filled) -> None:
    filled.ramp(3 * CHUNK_POINTS, "loss", "acc")
    filled.compact_all()
    spoil(db, CHUNK.c.vals, (CHUNK.c.metric_id == 0) & (CHUNK.c.no == 1))
    found = db.read_now(lambda tx: sampled(tx, filled.run_id, None, View(buckets=20_000)))
    assert found
    assert found.damaged == 1
    assert (found.metrics["loss"].total, found.metrics["acc"].total) == (2 * CHUNK_POINTS, 3 * CHUNK_POINTS)
    rows = filled.rows["loss"]
    assert filled.paged(1 << 20, "loss") == {"loss": rows[:CHUNK_POINTS] + rows[2 * CHUNK_POINTS :]}


def test_a_damaged_segment_is_left_out_and_never_removed(db: Database, filled: Filled) -> None:
    for _ in range(3):
        filled.ramp(10, "loss")
    spoil(db, SEG.c.payload, SEG.c.position == 2)
    filled.compact_all()
    assert count(db, SEG) == 1, "what is damaged stays, for whoever can repair it"
    filled.ramp(10, "loss")
    rows = filled.rows["loss"]
    assert filled.paged(1 << 20, "loss") == {"loss": rows[:10] + rows[20:]}
    found = db.read_now(lambda tx: sampled(tx, filled.run_id, None, View(buckets=100)))
    assert found
    assert (found.damaged, found.metrics["loss"].total) == (1, 30)


# --- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", [None, CODEC_RAW, CODEC_ZLIB, CODEC_PCODEC], ids=["best", "raw", "zlib", "pcodec"])
@given(numbers=st.lists(VALUES, max_size=200))
def test_floats_come_back_bit_by_bit(codec: int | None, numbers: list[float]) -> None:
    values = np.array(numbers, np.float64)
    assert unpack(pack(values, codec=codec)).view(np.int64).tolist() == values.view(np.int64).tolist()


@pytest.mark.parametrize("codec", [None, CODEC_RAW, CODEC_ZLIB, CODEC_PCODEC], ids=["best", "raw", "zlib", "pcodec"])
@given(numbers=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=200))
def test_integers_come_back(codec: int | None, numbers: list[int]) -> None:
    assert unpack(pack(np.array(numbers, np.int64), codec=codec)).tolist() == numbers


def flips(data: bytes) -> Iterator[bytes]:
    for at in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        yield bytes(flipped)


@pytest.mark.parametrize("codec", [CODEC_RAW, CODEC_ZLIB, CODEC_PCODEC], ids=["raw", "zlib", "pcodec"])
def test_no_flipped_bit_and_no_cut_column_is_read(codec: int) -> None:
    data = pack(np.linspace(0, 1, 50), codec=codec)
    for damaged in [*flips(data), *(data[:end] for end in range(len(data)))]:
        with pytest.raises(DamagedDataError):
            unpack(damaged)
