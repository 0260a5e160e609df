from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.metrics import name_problem
from anonrun.core.reference import (
    FORMAT,
    MOST_BYTES,
    Outline,
    Reference,
    read_reference,
    shown_name,
    write_reference,
)
from anonrun.errors import UsageError

EXAMPLE = Path(__file__).parents[2] / "docs" / "reference-files.md"
FILE: dict[str, Any] = {
    "format": FORMAT,
    "version": 1,
    "name": "paper",
    "metrics": {"loss": {"step": [0, 1], "seconds": [0, 1.5], "value": [2.5, -1]}},
}


def _file(**changes: Any) -> bytes:
    return json.dumps({**FILE, **changes}).encode()


def _metric(**changes: Any) -> bytes:
    return _file(metrics={"loss": {**FILE["metrics"]["loss"], **changes}})


_names = st.text(min_size=1, max_size=40).filter(lambda name: name_problem(name) is None)
_values = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def _outlines(draw: st.DrawFn) -> Outline:
    steps = sorted(draw(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=20)))
    n = len(steps)
    seconds = draw(st.lists(st.floats(0, 1e7).map(lambda s: round(s, 2)), min_size=n, max_size=n))
    return Outline(tuple(steps), tuple(seconds), tuple(draw(st.lists(_values, min_size=n, max_size=n))))


@given(st.dictionaries(_names, _outlines(), min_size=1, max_size=5))
def test_what_is_written_is_read_back_to_seven_digits_and_written_again_to_the_same_bytes(
    metrics: dict[str, Outline],
) -> None:
    data = write_reference(Reference("paper", metrics))
    read = read_reference(data)
    assert read.name == "paper"
    assert {name: one.steps for name, one in read.metrics.items()} == {name: one.steps for name, one in metrics.items()}
    for name, one in read.metrics.items():
        assert one.values == pytest.approx(metrics[name].values, rel=1e-6)
        assert one.seconds == metrics[name].seconds
    assert write_reference(read) == data


def test_the_order_in_which_metrics_came_leaves_no_trace() -> None:
    one, two = Outline((1,), (0.0,), (1.0,)), Outline((2,), (0.0,), (2.0,))
    assert write_reference(Reference("a", {"x": one, "y": two})) == write_reference(
        Reference("a", {"y": two, "x": one})
    )


def test_the_documented_example_is_what_is_written() -> None:
    example = EXAMPLE.read_text().split("```json\n")[1].split("```")[0]
    assert write_reference(read_reference(example.encode())).decode() == example


def test_a_file_that_would_be_too_large_is_not_written() -> None:
    many = tuple(range(20_000))
    with pytest.raises(UsageError, match=r"would take [\d,]+ bytes, and 100,000 are allowed"):
        write_reference(Reference("a", {"x": Outline(many, (0.0,) * 20_000, tuple(i / 7 for i in many))}))
    assert MOST_BYTES == 100_000


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "it is no JSON", id="empty"),
        pytest.param(b"\xff\xfe\x00", "it is no JSON", id="not UTF-8"),
        pytest.param(b"\x89PNG\r\n", "it is no JSON", id="a picture"),
        pytest.param(b"[" * 100_000, "it is no JSON", id="nested without end"),
        pytest.param(b"[1]", "it is no reference file", id="a list"),
        pytest.param(b'{"name": "x"}', "it is no reference file", id="other JSON"),
        pytest.param(_file(version=2), "it is of version 2, and this anonrun reads version 1", id="later version"),
        pytest.param(_file(version="9" * 4000), "it is of version 99999999999999999999, and", id="long version"),
        pytest.param(_file(name=7), "it has no name", id="name that is no text"),
        pytest.param(_file(name="\n\t"), "it has no name", id="name that is not seen"),
        pytest.param(_file(metrics={}), "it has no metrics", id="no metrics"),
        pytest.param(_file(metrics=[]), "it has no metrics", id="metrics as a list"),
        pytest.param(_file(metrics={"a": 1}), "its metric 'a' is no object", id="metric that is a number"),
        pytest.param(_file(metrics={"a\n<b>": FILE["metrics"]["loss"]}), "a control character", id="line break"),
        pytest.param(_file(metrics={"x" * 4000: FILE["metrics"]["loss"]}), "has 4000 characters", id="long name"),
        pytest.param(_file(metrics={str(i): {} for i in range(101)}), "it has 101 metrics, and 100 are", id="too many"),
        pytest.param(_metric(step=None), "has no list 'step'", id="no steps"),
        pytest.param(_metric(step=[0]), "are not of one length", id="lengths differ"),
        pytest.param(_metric(step=[0, 1.5]), "no whole number of 64 bits", id="step that is a fraction"),
        pytest.param(_metric(step=[0, True]), "no whole number of 64 bits", id="step that is true"),
        pytest.param(_metric(step=[0, 2**63]), "no whole number of 64 bits", id="step beyond 64 bits"),
        pytest.param(_metric(step=[1, 0]), "the steps of its metric 'loss' fall", id="steps fall"),
        pytest.param(_metric(value=[1, "NaN"]), "no finite number", id="value that is text"),
        pytest.param(_metric(value=[1, None]), "no finite number", id="value that is null"),
        pytest.param(_metric(value=[1, float("nan")]), "it is no JSON", id="NaN"),
        pytest.param(_metric(value=[1, float("-inf")]), "it is no JSON", id="infinity"),
        pytest.param(_metric(value=[1, 10**400]), "no finite number", id="larger than a double"),
        pytest.param(_metric().replace(b"2.5", b"1e999"), "no finite number", id="overflows a double"),
        pytest.param(_metric().replace(b"2.5", b"9" * 5000), "it is no JSON", id="5,000 digits"),
        pytest.param(_metric(seconds=[0, "1"]), "'seconds' of its metric 'loss'", id="time that is text"),
        pytest.param(_metric(step=[], seconds=[], value=[]), "it has no points", id="no points"),
        pytest.param(b" " * 1_000_001, "it has more than 1,000,000 bytes", id="huge"),
        pytest.param(_metric(**dict.fromkeys(("step", "seconds", "value"), [0] * 50_001)), "50,000 points", id="many"),
    ],
)  # fmt: skip
def test_a_file_that_breaks_a_rule_is_refused_with_the_reason(data: bytes, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_reference(data)
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_but_a_usage_error_comes_of_anything(data: bytes) -> None:
    with pytest.raises(UsageError):
        read_reference(data)


def test_a_name_is_shown_on_one_line_and_not_for_ever() -> None:
    assert shown_name(" a\nb\u202ec\x00 ") == "a b c"
    assert len(shown_name("x" * 4000)) == 120


def test_what_a_later_version_adds_beside_is_passed_over() -> None:
    assert read_reference(_file(more=[1])).metrics["loss"].values == (2.5, -1.0)
