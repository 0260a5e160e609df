from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import anonrun
from anonrun.client.api import Api
from anonrun.client.outlines import follow_link, read_link
from anonrun.core.reference import read_reference
from anonrun.errors import UsageError
from support.script import run_command, run_script
from support.server import Server, anonrun_server

_LOG = """if True:
    import anonrun, math
    with anonrun.init("p", id="one", config={"lr": 0.1}) as run:
        for i in range(1000):
            run.log({"loss": 1 / (i + 1), "even": i} if i % 2 == 0 else {"loss": 1 / (i + 1)})
        run.log({"loss": math.nan}); run.log({"loss": math.inf}); run.log({"loss": -0.0})
        run.log({"late": 5}, step=3)
        run.log({"späße / x": 1})
    with anonrun.init("p", id="two") as run: run.log({"x": 1})
    with anonrun.init("q", id="two") as run: run.log({"x": 2})
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    home = tmp_path_factory.mktemp("home")
    with anonrun_server(tmp_path_factory.mktemp("lab")) as server:
        run_script(_LOG, home, ANONRUN_SERVER=server.url)
        yield server, home


@pytest.fixture
def api(lab: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("ANONRUN_DATA_DIR", str(lab[1]))
    found = anonrun.Api(server=lab[0].url)
    yield found
    found.close()


def test_every_point_comes_back_as_arrays(api: Api) -> None:
    series = api.run("one").series("loss")
    assert (series.step.dtype, series.time.dtype, series.value.dtype) == (np.int64, np.float64, np.float64)
    assert series.step.tolist() == list(range(1003))
    assert series.value[:1000].tolist() == [1 / (i + 1) for i in range(1000)]
    assert math.isnan(series.value[1000])
    assert series.value[1001] == math.inf
    assert struct.pack("<d", series.value[1002]) == struct.pack("<d", -0.0)
    assert (np.diff(series.time) >= 0).all()


def test_the_server_knows_last_smallest_and_largest_of_each_metric(api: Api) -> None:
    loss = api.run("one").metric_info("loss")
    assert (loss.n, loss.last_step, loss.last, loss.min, loss.max) == (1003, 1002, 0.0, -0.0, math.inf)
    even = api.run("one").metric_info("even")
    assert (even.n, even.last_step, even.last, even.min, even.max) == (500, 998, 998.0, 0.0, 998.0)
    with pytest.raises(anonrun.NotFoundError, match="it has even, late"):
        api.run("one").metric_info("nothing")


def test_a_series_is_sorted_by_step(api: Api) -> None:
    assert api.run("one").series("late").step.tolist() == [3]
    assert api.run("one").series("even").step.tolist() == list(range(0, 1000, 2))


def test_names_of_any_kind_are_found(api: Api) -> None:
    assert api.run("one").series("späße / x").value.tolist() == [1]


def test_sampled_keeps_extremes_and_says_how_many_there_were(api: Api) -> None:
    sampled = api.run("one").sampled("loss", points=20)
    assert len(sampled) <= 22
    assert sampled.total == 1003
    assert sampled.count.sum() == 1003
    assert np.nanmax(sampled.max) == math.inf
    part = api.run("one").sampled("loss", points=10, start=100, end=199)
    assert (part.total, part.step[0]) == (100, 100)
    assert part.max.max() == 1 / 101


def test_sampled_takes_time_or_another_metric_as_x(api: Api) -> None:
    run = api.run("one")
    steps, relative, wall = (run.sampled("loss", x=x) for x in ("step", "relative", "wall"))
    assert (steps.x == steps.step).all()
    assert relative.x[0] == 0
    assert (np.diff(relative.x) >= 0).all()
    assert wall.x == pytest.approx(wall.time)
    along = run.sampled("loss", x="metric:even")
    assert set(along.x) <= set(run.series("even").value)
    assert along.total == len(run.series("even"))
    with pytest.raises(anonrun.ServerError, match="x must be"):
        run.sampled("loss", x="epoch")


def test_history_has_one_row_a_step(api: Api) -> None:
    history = api.run("one").history()
    assert history[0].keys() == {"_step", "_time", "loss", "even"}
    assert (history[3]["late"], history[3]["loss"]) == (5, 0.25)
    assert [row["_step"] for row in history] == sorted({row["_step"] for row in history})


def test_a_data_frame_has_the_same(api: Api) -> None:
    frame = api.run("one").to_pandas()
    assert frame.index.name == "step"
    assert frame.loc[3, "late"] == 5
    assert math.isnan(frame.loc[1, "even"])
    assert frame["loss"].iloc[:2].tolist() == [1.0, 0.5]


def test_runs_are_found_by_project_id_and_uuid(api: Api) -> None:
    assert [run.id for run in api.runs()] == ["two", "two", "one"]
    assert [run.id for run in api.runs("p")] == ["two", "one"]
    one = api.run("one")
    assert api.run(one.run_id).id == api.run("p/one").id == "one"
    assert api.run("q/two").series("x").value.tolist() == [2]
    assert (one.state, one.config["lr"], one.anonymous, one.project) == ("finished", 0.1, True, "p")
    assert one.expires_at is not None
    assert one.account.startswith("anon-")
    assert one.metrics == ["even", "late", "loss", "späße / x"]


def test_what_is_not_there_is_said(api: Api) -> None:
    with pytest.raises(anonrun.UsageError, match=r"p/two.*q/two|q/two.*p/two"):
        api.run("two")
    with pytest.raises(anonrun.NotFoundError, match="nothing"):
        api.run("nothing")
    with pytest.raises(anonrun.NotFoundError):
        api.run("01a20ba9-35c1-76fc-a9e6-3e10e8a6256b")
    with pytest.raises(anonrun.NotFoundError, match="it has even, late, loss"):
        api.run("one").series("accuracy")
    with pytest.raises(anonrun.NotFoundError):
        api.run("one").sampled("accuracy")
    with pytest.raises(anonrun.UsageError, match="csv"):
        api.run("one").export("xml")


def test_without_a_key_the_ways_on_are_named(
    lab: tuple[Server, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANONRUN_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("ANONRUN_API_KEY", raising=False)
    with pytest.raises(anonrun.AuthenticationError, match="anonrun login"):
        anonrun.Api(server=lab[0].url)


def test_a_share_link_is_made_and_a_run_deleted(api: Api, lab: tuple[Server, Path]) -> None:
    run_script("import anonrun\nwith anonrun.init(id='gone') as r: r.log({'x': 1})", lab[1], ANONRUN_SERVER=lab[0].url)
    run = api.run("gone")
    assert re.fullmatch(rf"{lab[0].url}/r/{run.run_id}#s=anr_s_\w{{36}}", run.share())
    assert "anr_" not in run.url + repr(run) + repr(api)
    run.delete()
    with pytest.raises(anonrun.NotFoundError):
        run.refresh()


def test_all_public_names_are_there() -> None:
    for name in anonrun.__all__:
        assert hasattr(anonrun, name), name


def test_the_same_run_is_exported_by_command(lab: tuple[Server, Path], tmp_path: Path) -> None:
    target = tmp_path / "run.csv"
    run_command("export", "p/one", "--server", lab[0].url, "--output", str(target), data_dir=lab[1])
    lines = target.read_text().splitlines()
    assert lines[0].startswith("step,time,loss")
    assert len(lines) > 1003


def test_a_reference_file_is_small_exact_and_the_same_each_time(
    api: Api, lab: tuple[Server, Path], tmp_path: Path
) -> None:
    server, home = lab
    file = tmp_path / "reference.json"
    command = ("export", "one", "--reference", "-o", str(file), "--name", "the paper", "--server", server.url)
    run_command(*command, data_dir=home)
    first = file.read_bytes()
    run_command(*command, data_dir=home)
    assert file.read_bytes() == first
    reference = read_reference(first)
    assert reference.name == "the paper"
    assert set(reference.metrics) == {"loss", "even", "late", "späße / x"}
    loss = reference.metrics["loss"]
    assert len(loss) <= 500
    assert (loss.steps[0], loss.values[0], loss.steps[-1], loss.values[-1]) == (0, 1.0, 1002, 0.0)
    assert all(
        value == pytest.approx(1 / (step + 1), rel=1e-6)
        for step, value in zip(loss.steps[:-1], loss.values, strict=False)
    )
    assert 0 <= loss.seconds[0] <= loss.seconds[-1] < 600
    assert api.run("one").account not in first.decode()
    assert "lr" not in first.decode(), "no config"


def test_a_reference_keeps_the_metrics_that_are_named(lab: tuple[Server, Path]) -> None:
    server, home = lab
    done = run_command("export", "one", "--reference", "--metric", "even", "--server", server.url, data_dir=home)
    assert list(read_reference(done.stdout.encode()).metrics) == ["even"]
    wrong = run_command("export", "one", "--metric", "even", "--server", server.url, data_dir=home, check=False)
    assert "belong to --reference" in wrong.stderr
    wrong = run_command("export", "one", "--reference", "--json", "--server", server.url, data_dir=home, check=False)
    assert "a format of its own" in wrong.stderr


def test_a_view_link_is_enough_to_read_a_reference_and_a_wrong_one_tells_no_secret(
    api: Api, lab: tuple[Server, Path]
) -> None:
    link = api.run("one").share(blind=True)
    reference = follow_link(link)
    assert set(reference.metrics) == {"loss", "even", "late", "späße / x"}
    loss = reference.metrics["loss"]
    assert (loss.steps[0], loss.values[0], loss.steps[-1], loss.values[-1]) == (0, 1.0, 1002, 0.0)
    assert list(loss.steps) == sorted(loss.steps)
    assert list(loss.values) == sorted(loss.values, reverse=True), "a falling curve stays one"
    assert "anr_" not in repr(read_link(link))
    other = api.run("p/two").share()
    for wrong in (f"{link.partition('#')[0]}#{other.partition('#')[2]}", link.partition("#")[0]):
        with pytest.raises(UsageError) as refused:
            follow_link(wrong)
        assert "anr_" not in str(refused.value)
