from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonrun.core.limits import Limits
from anonrun.core.wire import decode, decode_all
from anonrun.store import history, runs, summaries
from anonrun.store.database import Database
from anonrun.store.ingest import Gap, Incoming, NotThere, Stored, append, next_seq
from anonrun.store.quota import OverQuota
from anonrun.store.records import Account
from support.site import SetClock
from support.stored import MakeRun, incoming

SMALL = Limits(metrics=3, points=100, stored_bytes=4_000)


def put(db: Database, run_id: uuid.UUID, *segments: Incoming, limits: Limits | None = None) -> object:
    return db.write_now(lambda tx: append(tx, run_id, segments, limits))


def values_of(db: Database, run_id: uuid.UUID, writer: int = 1) -> list[float]:
    page = db.read_now(lambda tx: history.page(tx, run_id, after=0, size_bytes=1 << 30))
    assert page
    assert page.end
    segments = decode_all(b"".join(page.segments))
    return [v for s in segments if s.header.writer == writer for f in s.frames for v in f.columns[0]]


def test_a_segment_that_is_sent_again_is_acknowledged_and_ignored(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    first = put(db, run_id, incoming([1.0, 2.0]))
    again = put(db, run_id, incoming([1.0, 2.0]))
    assert isinstance(first, Stored)
    assert isinstance(again, Stored)
    assert (first.next_seq, first.new, again.next_seq, again.new) == (2, 1, 2, 0)
    assert values_of(db, run_id) == [1.0, 2.0]
    run = db.read_now(lambda tx: runs.find(tx, run_id))
    assert run
    assert run.points == 2


@pytest.mark.parametrize(
    ("seq", "rows"),
    [pytest.param(3, 1, id="gap"), pytest.param(1, 3, id="overlap at the end"), pytest.param(0, 5, id="covers all")],
)
def test_what_does_not_continue_the_stream_stores_nothing(db: Database, make_run: MakeRun, seq: int, rows: int) -> None:
    run_id = make_run()
    put(db, run_id, incoming([1.0, 2.0]))
    assert put(db, run_id, incoming([9.0] * rows, seq=seq)) == Gap(2)
    assert values_of(db, run_id) == [1.0, 2.0]


def test_a_request_with_a_gap_in_its_middle_stores_nothing(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    assert put(db, run_id, incoming([1.0]), incoming([3.0], seq=2)) == Gap(1)
    assert values_of(db, run_id) == []
    assert db.read_now(lambda tx: next_seq(tx, run_id, 1)) == 0


def test_the_first_row_of_a_writer_is_row_0(db: Database, make_run: MakeRun) -> None:
    assert put(db, make_run(), incoming([1.0], seq=5)) == Gap(0)


@pytest.mark.parametrize("writer", [0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_a_writer_may_have_any_number_of_64_bits(db: Database, make_run: MakeRun, writer: int) -> None:
    run_id = make_run()
    stored = put(db, run_id, incoming([1.0, 2.0], writer=writer))
    assert isinstance(stored, Stored)
    assert db.read_now(lambda tx: next_seq(tx, run_id, writer)) == 2
    assert values_of(db, run_id, writer) == [1.0, 2.0]


def test_two_writers_do_not_mind_each_other(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    put(db, run_id, incoming([1.0, 2.0], writer=7))
    stored = put(db, run_id, incoming([3.0], writer=8), incoming([4.0], writer=7, seq=2))
    assert isinstance(stored, Stored)
    assert (stored.next_seq, stored.run.position) == (3, 3)
    assert (values_of(db, run_id, 7), values_of(db, run_id, 8)) == ([1.0, 2.0, 4.0], [3.0])


def test_bits_come_back_as_they_were(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    segment = incoming([math.nan, math.inf, -math.inf, -0.0, 5e-324])
    put(db, run_id, segment)
    page = db.read_now(lambda tx: history.page(tx, run_id, after=0))
    assert page
    assert page.segments == [segment.payload]


def test_the_summary_is_that_of_all_values_in_order_of_arrival(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    put(db, run_id, incoming([math.nan, 2.0]))
    put(db, run_id, incoming([-math.inf, 7.0, math.nan], seq=2))
    (metric,) = db.read_now(lambda tx: summaries.metrics(tx, run_id))
    assert (metric.n, metric.last_step, metric.min, metric.max) == (5, 4, -math.inf, 7.0)
    assert math.isnan(metric.last)


def test_a_metric_of_nothing_but_nan_has_no_extremes(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    put(db, run_id, incoming([math.nan] * 3))
    (metric,) = db.read_now(lambda tx: summaries.metrics(tx, run_id))
    assert (metric.min, metric.max) == (None, None)


@pytest.mark.parametrize(
    ("fits", "too_much", "what"),
    [
        pytest.param([incoming([1.0] * 100)], incoming([1.0], seq=100), "points", id="points"),
        pytest.param(
            [incoming([1.0], names=("a", "b", "c"))], incoming([1.0], seq=1, names=("d",)), "metrics", id="metrics"
        ),
    ],
)
def test_a_limit_is_exact(
    db: Database, make_run: MakeRun, fits: Sequence[Incoming], too_much: Incoming, what: str
) -> None:
    run_id = make_run()
    assert isinstance(put(db, run_id, *fits, limits=SMALL), Stored)
    before = db.read_now(lambda tx: runs.find(tx, run_id))
    assert put(db, run_id, too_much, limits=SMALL) == OverQuota(what, getattr(SMALL, what))
    assert db.read_now(lambda tx: runs.find(tx, run_id)) == before


def test_the_limit_of_bytes_is_exact(db: Database, make_run: MakeRun) -> None:
    run_id, segment = make_run(), incoming([1.0])
    size = len(segment.payload)
    assert isinstance(put(db, run_id, segment, limits=Limits(stored_bytes=size)), Stored)
    over = put(db, make_run(), segment, limits=Limits(stored_bytes=size - 1))
    assert over == OverQuota("stored_bytes", size - 1)


def test_a_run_that_is_kept_has_no_limit(db: Database, make_run: MakeRun, user: Account) -> None:
    run_id = make_run(owner=user, keep_us=None)
    assert isinstance(put(db, run_id, incoming([1.0] * 101), limits=SMALL), Stored)


def test_nothing_is_stored_in_a_run_that_is_no_more(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    deleted, expired = make_run(), make_run()
    db.write_now(lambda tx: runs.delete(tx, deleted))
    assert put(db, deleted, incoming([1.0])) == NotThere()
    clock.forward(days=7, us=-1)
    assert isinstance(put(db, expired, incoming([1.0])), Stored)
    clock.forward(us=1)
    assert put(db, expired, incoming([2.0], seq=1)) == NotThere()


def test_pages_follow_each_other_without_a_gap_and_within_their_size(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    segments = [incoming([float(i)], seq=i) for i in range(150)]
    put(db, run_id, *segments)
    size, read, position, end = len(segments[0].payload), [], 0, False
    while not end:
        page = db.read_now(lambda tx, after=position: history.page(tx, run_id, after=after, size_bytes=10 * size))  # type: ignore[misc]  # the default binds the loop's value
        assert page
        assert len(page.segments) <= 10
        read += page.segments
        position, end = page.position, page.end
    assert read == [segment.payload for segment in segments]
    assert position == 150


def test_one_segment_larger_than_a_page_is_still_read(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    put(db, run_id, incoming([1.0] * 50))
    page = db.read_now(lambda tx: history.page(tx, run_id, after=0, size_bytes=1))
    assert page
    assert len(page.segments) == 1
    assert page.end


def test_of_a_segment_only_the_wanted_metrics_are_left(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    segment = incoming([1.0, 2.0], names=("a", "b", "c"))
    put(db, run_id, segment)

    def only(*names: str) -> list[bytes]:
        page = db.read_now(lambda tx: history.page(tx, run_id, after=0, names=names))
        assert page
        return page.segments

    (kept,) = only("c", "a")
    (frame,) = decode(kept).frames
    assert (frame.names, list(frame.steps), list(frame.columns[1])) == (("a", "c"), [0, 1], [1.0, 2.0])
    assert only("x") == []
    assert only("a", "b", "c") == [segment.payload]


_chunks = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=_chunks)
def test_whatever_order_segments_come_in_each_row_is_there_once(
    tmp_path: Path, chunks: list[tuple[int, int]], db: Database, make_run: MakeRun
) -> None:
    run_id, end = make_run(), 0
    for seq, rows in chunks:
        outcome = put(db, run_id, incoming([float(i) for i in range(seq, seq + rows)], seq=seq))
        if seq == end:
            end += rows
            assert isinstance(outcome, Stored)
        elif seq + rows <= end:
            assert isinstance(outcome, Stored)
            assert outcome.new == 0
        else:
            assert outcome == Gap(end)
    assert values_of(db, run_id) == [float(i) for i in range(end)]
