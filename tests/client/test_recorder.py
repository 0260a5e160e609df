from __future__ import annotations

import threading
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
