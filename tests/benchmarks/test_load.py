from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from benchmarks.curves import METRICS, column, rows
from benchmarks.database import add_runs, expire_runs, settled_bytes
from benchmarks.flushes import bodies, long_series, wide_row
from benchmarks.load import Load, generate
from benchmarks.peers.environments import Absent, install
from benchmarks.served import Made, Server, Store, environ, serving

from anonrun.core.wire import decode, decode_all


def test_curves_are_the_same_each_time_and_single_precision_where_frameworks_are() -> None:
    assert column("train/loss", 100) == column("train/loss", 100)
    assert list(next(iter(rows(1)))) == list(METRICS)
    for value in column("train/loss", 100):
        assert struct.unpack("<f", struct.pack("<f", value))[0] == value


def test_flushes_of_a_stream_follow_each_other() -> None:
    headers = [decode(body).header for body in bodies(5, rows=10)]
    assert [header.seq for header in headers] == [0, 10, 20, 30, 40]
    assert all(header.points == 100 for header in headers)


@pytest.mark.parametrize("points", [999, 1_050_000])
def test_a_long_series_has_every_point_once(points: int) -> None:
    steps = [frame.steps for body in long_series(points) for frame in decode(body).frames]
    assert sum(map(len, steps)) == points
    assert steps[-1][-1] == points - 1


def test_a_wide_row_has_each_metric_once() -> None:
    [segment] = decode_all(wide_row(5_000, 3))
    assert segment.header.points == 5_000


def test_every_flush_of_a_load_arrives_and_is_timed(tmp_path: Path) -> None:
    with serving(Store("SQLite", tmp_path)) as server, server.connect() as asking:
        key = asking.make_key()
        runs = [asking.make_run(key) for _ in range(3)]
        load = Load(port=0, runs=(), flushes=5, rows=10, per_second=100)
        seen = generate(server, runs, load, processes=2)
        assert seen.flushes == len(seen.latencies_ms) == 15
        assert seen.points == 1_500
        for run in runs:
            listed = asking.json("GET", f"/api/v1/runs/{run.run_id}/metrics", run.view)
            assert sorted(metric["name"] for metric in listed) == sorted(METRICS)
            series = asking.ask("GET", f"/api/v1/runs/{run.run_id}/series", run.view)
            assert sum(segment.header.points for segment in decode_all(series)) == 500


def test_a_flush_that_is_refused_is_told(tmp_path: Path) -> None:
    with serving(Store("SQLite", tmp_path)) as server:
        stranger = [Made("0192f7d0-0000-7000-8000-000000000001", "anr_w_" + "0" * 36, "")]
        with pytest.raises(RuntimeError, match=r"refused.*401"):
            _send_one(server, stranger)


def _send_one(server: Server, runs: list[Made]) -> None:
    generate(server, runs, Load(port=0, runs=(), flushes=1, rows=1, per_second=None), processes=1)


def test_runs_are_copied_and_made_to_expire(tmp_path: Path) -> None:
    store = Store("SQLite", tmp_path)
    with serving(store) as server, server.connect() as asking:
        key = asking.make_key()
        asking.make_run(key)
    add_runs(store, 120)
    with serving(store) as server, server.connect() as asking:
        assert len(asking.json("GET", "/api/v1/runs?limit=200", key)["runs"]) == 121
        expire_runs(store, 100)
        assert len(asking.json("GET", "/api/v1/runs?limit=200", key)["runs"]) == 21
        assert settled_bytes(store, still_s=0.1) > 0
    subprocess.run(store.command("gc"), env=environ(), check=True)
    add_runs(store, 100)
    with serving(store) as server, server.connect() as asking:
        assert len(asking.json("GET", "/api/v1/runs?limit=200", key)["runs"]) == 121


def test_what_cannot_be_installed_is_an_answer(tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing-here")
    found = install(tmp_path / "env", package="nothing", requirements=[missing])
    assert isinstance(found, Absent)
    assert "nothing-here" in found.reason
    assert str(tmp_path) not in found.reason
