from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonrun.client.notices import Notices
from anonrun.client.recorder import Recorder
from anonrun.client.spool.folder import RunFolder
from anonrun.client.spool.reader import PartReader
from anonrun.client.spool.writer import SpoolWriter


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(SpoolWriter(tmp_path), Notices())


def rows_in(folder: Path) -> list[tuple[int, dict[str, float]]]:
    return list(_rows(folder))


def _rows(folder: Path) -> Iterator[tuple[int, dict[str, float]]]:
    for part in RunFolder(folder).parts():
        reader = PartReader(folder, part)
        while not (batch := reader.read(final=True)).empty:
            for frame in batch.frames:
                for at, step in enumerate(frame.steps):
                    yield step, {n: c[at] for n, c in zip(frame.names, frame.columns, strict=True)}
        reader.close()


class _Tensor:
    """As a tensor of one element: a number only by `.item()`."""

    def __init__(self, value: float) -> None:
        self._value = value

    def item(self) -> float:
        return self._value


class _Hostile:
    def __float__(self) -> float:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(3, id="int"),
        pytest.param(True, id="bool"),
        pytest.param(np.float32(0.5), id="float32"),
        pytest.param(np.int64(7), id="int64"),
        pytest.param(np.array(2.5), id="0-d array"),
        pytest.param(np.array([2.5]), id="array of one"),
        pytest.param(_Tensor(1.5), id="tensor of one"),
    ],
)
@pytest.mark.parametrize("way", ["first", "again"])
def test_what_is_one_number_is_logged(recorder: Recorder, tmp_path: Path, value: Any, way: str) -> None:
    if way == "again":
        recorder.log({"x": 0.0})
    recorder.log({"x": value})
    expected = value.item() if hasattr(value, "item") else float(value)
    assert rows_in(tmp_path)[-1][1] == {"x": expected}


@pytest.mark.parametrize(
    ("value", "named"),
    [
        pytest.param("0.5", "str", id="text"),
        pytest.param(None, "NoneType", id="None"),
        pytest.param([1, 2], "list", id="list"),
        pytest.param(np.zeros((2, 3)), r"numpy.ndarray of shape (2, 3)", id="array"),
        pytest.param(_Hostile(), "_Hostile", id="hostile"),
        pytest.param(10**400, "integer too large", id="huge"),
    ],
)
@pytest.mark.parametrize("way", ["first", "again"])
def test_what_is_no_number_is_left_out_with_one_warning(
    recorder: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: Any, named: str, way: str
) -> None:
    if way == "again":
        recorder.log({"bad": 0.0, "good": 0.0})
    for _ in range(3):
        recorder.log({"bad": value, "good": 1.0})
    assert rows_in(tmp_path)[-1] == (2 + (way == "again"), {"good": 1.0})
    printed = capsys.readouterr().err
    assert printed.count("'bad'") == 1
    assert named in printed


def test_nested_dicts_and_keys_that_are_no_text(recorder: Recorder, tmp_path: Path) -> None:
    recorder.log({"train": {"loss": 1, "by": {3: 2}}, 7: 3, None: 4})
    assert rows_in(tmp_path) == [(0, {"train/loss": 1.0, "train/by/3": 2.0, "7": 3.0, "None": 4.0})]


def test_the_same_keys_in_another_order_or_nesting_keep_their_values_apart(recorder: Recorder, tmp_path: Path) -> None:
    recorder.log({"a": 1, "b": 2})
    recorder.log({"b": 3, "a": 4})
    recorder.log({"a": {"b": 5}})
    recorder.log({"a/b": 6})
    recorder.log({1: 7})
    recorder.log({True: 8})
    assert [row for _, row in rows_in(tmp_path)] == [
        {"a": 1, "b": 2}, {"b": 3, "a": 4}, {"a/b": 5}, {"a/b": 6}, {"1": 7}, {"True": 8},
    ]  # fmt: skip


def test_steps_count_by_themselves(recorder: Recorder, tmp_path: Path) -> None:
    for _ in range(3):
        recorder.log({"x": 0})
    assert [step for step, _ in rows_in(tmp_path)] == [0, 1, 2]


def test_commit_false_stays_at_the_step(recorder: Recorder, tmp_path: Path) -> None:
    recorder.log({"a": 1}, commit=False)
    recorder.log({"b": 2}, commit=False)
    recorder.log({"c": 3})
    recorder.log({"a": 4})
    assert rows_in(tmp_path) == [(0, {"a": 1}), (0, {"b": 2}), (0, {"c": 3}), (1, {"a": 4})]


def test_a_step_of_ones_own_stays_until_committed(recorder: Recorder, tmp_path: Path) -> None:
    recorder.log({"a": 1}, step=10)
    recorder.log({"b": 2})
    recorder.log({"a": 3}, step=np.int64(20), commit=True)
    recorder.log({"a": 4})
    assert [step for step, _ in rows_in(tmp_path)] == [10, 10, 20, 21]


def test_a_step_that_goes_back_is_kept_with_one_warning(
    recorder: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in (5, 3, 2, 6):
        recorder.log({"x": step}, step=step)
    recorder.log({"x": 7})
    assert [step for step, _ in rows_in(tmp_path)] == [5, 3, 2, 6, 6]
    assert capsys.readouterr().err.count("Step 3 was logged after step 5") == 1


@pytest.mark.parametrize("step", ["7", 1.5, 2**63, object(), float("nan")])
def test_a_step_that_is_none_keeps_the_row(
    recorder: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str], step: Any
) -> None:
    recorder.log({"x": 1}, step=step)
    assert rows_in(tmp_path) == [(0, {"x": 1})]
    assert "64 bits" in capsys.readouterr().err


def test_the_largest_step_is_not_passed(recorder: Recorder, tmp_path: Path) -> None:
    recorder.log({"x": 1}, step=2**63 - 2, commit=True)
    recorder.log({"x": 2})
    recorder.log({"x": 3})
    assert [row["x"] for _, row in rows_in(tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize("data", [None, 3, "loss", [("loss", 1)]])
def test_data_that_is_no_dict_is_refused_with_a_warning(
    recorder: Recorder, capsys: pytest.CaptureFixture[str], data: Any
) -> None:
    recorder.log(data)
    assert "takes a dict" in capsys.readouterr().err
    assert recorder.rows == 0


def test_log_after_the_end_warns_once(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    recorder.closed = True
    recorder.log({"x": 1})
    recorder.log({"x": 2})
    assert capsys.readouterr().err.count("The run is finished") == 1


def test_names_with_tokens_in_them_are_not_printed(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    recorder.log({"anr_c_0123456789": "text"})
    assert "anr_c_0123456789" not in capsys.readouterr().err


def test_threads_lose_nothing_and_share_the_step(recorder: Recorder, tmp_path: Path) -> None:
    def work(name: str) -> None:
        for value in range(500):
            recorder.log({name: value})

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = rows_in(tmp_path)
    assert [step for step, _ in rows] == list(range(2000))
    for i in range(4):
        assert [row[f"t{i}"] for _, row in rows if f"t{i}" in row] == list(range(500))


def test_the_last_value_of_each_metric_is_known(recorder: Recorder) -> None:
    recorder.log({"a": 1, "b": 2})
    recorder.log({"a": 3})
    recorder.log({"b": float("inf"), "c": 5})
    assert recorder.latest() == {"a": 3.0, "b": float("inf"), "c": 5.0}


def test_thousands_of_metrics_in_one_row_and_over_time(recorder: Recorder, tmp_path: Path) -> None:
    wide = {f"m{i}": i for i in range(20_000)}
    recorder.log(wide)
    recorder.log({"next": 1})
    merged: dict[str, float] = {}
    for step, row in rows_in(tmp_path):
        if step == 0:
            merged.update(row)
    assert merged == wide
    assert rows_in(tmp_path)[-1][0] == 1


def test_more_sets_of_keys_than_a_part_can_number(recorder: Recorder, tmp_path: Path) -> None:
    for i in range(66_000):
        recorder.log({f"m{i}": i})
    rows = rows_in(tmp_path)
    assert [step for step, _ in rows] == list(range(66_000))
    assert all(row == {f"m{step}": float(step)} for step, row in rows)


# What wandb 0.31.0 did with the same calls: `run.step` after each, and the rows of its offline file, which has one row
# a step. Of a step that goes back wandb drops the row; here it is kept where it was said to belong.
_Call = tuple[dict[str, Any], int | None, bool | None]
_AS_WANDB: list[tuple[list[_Call], list[int], dict[int, dict[str, float]]]] = [
    ([({"a": 1}, None, None), ({"a": 2}, None, None)], [1, 2], {0: {"a": 1}, 1: {"a": 2}}),
    (
        [({"a": 1}, None, False), ({"b": 2}, None, None), ({"a": 3}, None, None)],
        [0, 1, 2],
        {0: {"a": 1, "b": 2}, 1: {"a": 3}},
    ),
    ([({"a": 1}, 5, None), ({"a": 2}, 5, None), ({"a": 3}, 6, None)], [5, 5, 6], {5: {"a": 2}, 6: {"a": 3}}),
    ([({"a": 1}, 10, True), ({"b": 2}, None, None)], [11, 12], {10: {"a": 1}, 11: {"b": 2}}),
    ([({"a": 1}, 0, None), ({"a": 2}, 1, None), ({"a": 3}, None, None)], [0, 1, 2], {0: {"a": 1}, 1: {"a": 3}}),
    (
        [({"a": 1}, None, True), ({"a": 2}, 4, False), ({"b": 2}, None, True), ({"a": 5}, None, None)],
        [1, 4, 5, 6],
        {0: {"a": 1}, 4: {"a": 2, "b": 2}, 5: {"a": 5}},
    ),
    ([({"a": {"b": 1, "c": {"d": 2}}}, None, None)], [1], {0: {"a/b": 1, "a/c/d": 2}}),
    ([({"a": 1}, None, False)], [0], {0: {"a": 1}}),
    (
        [({"a": 1}, 5, None), ({"a": 2}, 3, None), ({"a": 3}, 6, None), ({"a": 4}, None, None)],
        [5, 5, 6, 7],
        {5: {"a": 1}, 3: {"a": 2}, 6: {"a": 4}},
    ),
]


@pytest.mark.parametrize(("calls", "steps", "rows"), _AS_WANDB)
def test_step_and_commit_mean_what_they_mean_in_wandb(
    recorder: Recorder, tmp_path: Path, calls: list[_Call], steps: list[int], rows: dict[int, dict[str, float]]
) -> None:
    seen = []
    for data, step, commit in calls:
        recorder.log(data, step, commit)
        seen.append(recorder.step)
    assert seen == steps
    merged: dict[int, dict[str, float]] = {}
    for step, row in rows_in(tmp_path):
        merged.setdefault(step, {}).update(row)
    assert merged == rows


def test_a_row_of_nothing_commits_what_waits_at_the_step(recorder: Recorder, tmp_path: Path) -> None:
    recorder.log({"a": 1}, commit=False)
    recorder.log({})
    recorder.log({"a": 2})
    assert rows_in(tmp_path) == [(0, {"a": 1}), (1, {"a": 2})]


def test_a_resumed_counter_goes_on_and_never_back(recorder: Recorder, tmp_path: Path) -> None:
    recorder.go_on_at(100)
    recorder.log({"x": 1})
    recorder.go_on_at(7)
    recorder.log({"x": 2})
    assert [step for step, _ in rows_in(tmp_path)] == [100, 101]


_OF_NUMPY = [
    *(np.float16(0.5), np.float32(0.5), np.float64(0.5), np.longdouble(0.5)),
    *(np.int8(1), np.uint64(2**63), np.bool_(True)),
]


@pytest.mark.parametrize("value", [pytest.param(value, id=type(value).__name__) for value in _OF_NUMPY])
@pytest.mark.parametrize("shape", [None, (), (1,), (1, 1)])
def test_every_real_number_of_numpy_is_one(
    recorder: Recorder, tmp_path: Path, value: Any, shape: tuple[int, ...] | None
) -> None:
    recorder.log({"x": value if shape is None else np.full(shape, value)})
    assert rows_in(tmp_path) == [(0, {"x": float(value)})]


def test_threads_that_log_different_keys_with_steps_and_parts_that_end_lose_nothing(tmp_path: Path) -> None:
    """Small parts end in the midst of it, so that plans are forgotten while other threads use them."""
    recorder = Recorder(SpoolWriter(tmp_path, part_bytes=2_000), Notices())
    rounds, width = 400, 8

    def work(number: int) -> None:
        for value in range(rounds):
            recorder.log({f"t{number}": value, **({"odd": number} if value % 2 else {})}, commit=value % 3 != 0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(width)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [row for _, row in rows_in(tmp_path)]
    for number in range(width):
        assert [row[f"t{number}"] for row in rows if f"t{number}" in row] == list(range(rounds))
    assert sum("odd" in row for row in rows) == width * rounds // 2
    assert len(rows) == recorder.rows == width * rounds


# --- the bound ------------------------------------------------------------------------------------------------------


def _bounded(folder: Path) -> tuple[Recorder, SpoolWriter]:
    writer = SpoolWriter(folder, limit_bytes=100_000)
    return Recorder(writer, Notices()), writer


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.part"))


def test_at_the_bound_what_was_logged_is_kept_and_one_message_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder, writer = _bounded(tmp_path)
    for value in range(20_000):
        recorder.log({"x": value})
    kept = [row["x"] for _, row in rows_in(tmp_path)]
    assert kept == list(range(recorder.rows))
    assert recorder.rows + recorder.lost == 20_000
    assert 100_000 <= _bytes_in(tmp_path) < 115_000
    assert writer.full
    assert recorder.trouble is not None
    printed = capsys.readouterr().err
    assert printed.count("warning:") == 1
    for said in ("100,000 bytes", "is kept", "are not kept", "anonrun sync", "ANONRUN_SPOOL_BYTES"):
        assert said in printed


def test_at_the_bound_changes_are_still_taken_and_steps_go_on(tmp_path: Path) -> None:
    recorder, writer = _bounded(tmp_path)
    while not writer.full:
        recorder.log({"x": 1})
    before = recorder.step
    recorder.log({"x": 2})
    assert recorder.step == before + 1
    assert recorder.change({"state": "finished", "exit_code": 0})
    changes = []
    for part in RunFolder(tmp_path).parts():
        reader = PartReader(tmp_path, part)
        while not (batch := reader.read(final=True)).empty:
            changes += batch.changes
        reader.close()
    assert changes == [{"state": "finished", "exit_code": 0}]


def test_rows_are_kept_again_once_parts_are_gone(tmp_path: Path) -> None:
    recorder, writer = _bounded(tmp_path)
    while not writer.full:
        recorder.log({"x": 1})
    for part in RunFolder(tmp_path).parts()[:4]:
        (tmp_path / part.file_name).unlink()
    end = time.monotonic() + 20
    while recorder.trouble is not None:
        assert time.monotonic() < end, "the room is not noticed"
        time.sleep(0.01)
    lost = recorder.lost
    recorder.log({"y": 2})
    assert recorder.lost == lost
    assert rows_in(tmp_path)[-1][1] == {"y": 2}


def test_the_parts_of_other_processes_count_too(tmp_path: Path) -> None:
    recorder, writer = _bounded(tmp_path)
    while not writer.full:
        recorder.log({"x": 1})
    other, _ = _bounded(tmp_path)
    other.log({"x": 1})
    assert (other.rows, other.lost) == (0, 1)


# --- forks ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_that_logs_nothing_leaves_no_file(tmp_path: Path) -> None:
    script = f"""if True:
        import os
        from pathlib import Path
        from anonrun.client.notices import Notices
        from anonrun.client.recorder import Recorder
        from anonrun.client.spool.writer import SpoolWriter
        folder = Path({str(tmp_path)!r})
        writer = SpoolWriter(folder)
        recorder = Recorder(writer, Notices())
        recorder.log({{"x": 1}})
        for child in range(20):
            pid = os.fork()
            if pid == 0:
                recorder.after_fork_in_child()
                if child == 7:
                    recorder.log({{"child": 1}})
                writer.close()
                os._exit(0)
            os.waitpid(pid, 0)
        recorder.log({{"x": 2}})
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)
    assert len(RunFolder(tmp_path).parts()) == 2
    assert sorted(str(row) for _, row in rows_in(tmp_path)) == ["{'child': 1.0}", "{'x': 1.0}", "{'x': 2.0}"]
