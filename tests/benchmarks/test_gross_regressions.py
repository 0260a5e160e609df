"""By ratio to fixed work in the same process, never by absolute time: see `benchmarks.guards`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.flushes import bodies
from benchmarks.guards import Guard, compressing, counting, quickest_s, ratio, storing
from benchmarks.load import Load, generate
from benchmarks.served import Store, serving

import anonrun
from anonrun.core.wire import decode

_ROW = {f"metric_{number}": number + 0.5 for number in range(10)}
_LOG = Guard("log() of 10 metrics, 500 times, against 10,000 turns of a loop of Python", limit=2.0, usual=0.5)
_DECODE = Guard("decoding a 100-point segment, against zlib of as much", limit=4.0, usual=1.0)
_INGEST = Guard("the server taking a 100-point flush, against zlib and SQLite's INSERT of one", limit=420, usual=105)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Give a call that logs 500 rows."""
    monkeypatch.setenv("ANONRUN_DATA_DIR", str(tmp_path))
    run = anonrun.init(project="bench", mode="offline", system_metrics=False)

    def rows() -> None:
        for _ in range(500):
            run.log(_ROW)

    yield rows
    run.finish()


def test_logging_has_not_become_several_times_slower(log: Callable[[], None]) -> None:
    assert _LOG.complaint(ratio(log, counting(10_000))) is None


def test_decoding_has_not_become_several_times_slower() -> None:
    [body] = bodies(1, rows=10)

    def subject() -> None:
        for _ in range(200):
            decode(body)

    assert _DECODE.complaint(ratio(subject, compressing(200))) is None


def test_taking_flushes_has_not_become_several_times_slower(tmp_path: Path) -> None:
    with serving(Store("SQLite", tmp_path / "data")) as server:
        with server.connect() as asking:
            key = asking.make_key()
            runs = [asking.make_run(key) for _ in range(8)]
        load = Load(port=server.port, runs=(), flushes=100, rows=10, per_second=None)
        seen = generate(server, runs, load, processes=1)
    with storing(tmp_path, 64) as work:
        [reference_s] = quickest_s([work])
    assert _INGEST.complaint(seen.server_cpu_s / seen.flushes / (reference_s / 64)) is None


def test_logging_that_is_slowed_down_is_noticed(log: Callable[[], None]) -> None:
    def slow() -> None:
        log()
        counting(80_000)()

    complaint = _LOG.complaint(ratio(slow, counting(10_000)))
    assert complaint is not None
    assert "2 the limit" in complaint


@pytest.mark.parametrize("times", [1, 6])
def test_a_ratio_says_how_many_times_the_work_it_is(times: int) -> None:
    assert ratio(counting(5_000 * times), counting(5_000)) == pytest.approx(times, rel=0.5)


def test_waiting_for_others_does_not_count() -> None:
    def waiting() -> None:
        time.sleep(0.002)  # stands for a core that another process has
        counting(5_000)()

    assert ratio(waiting, counting(5_000), rounds=5) < 3
