"""What may be logged."""

from __future__ import annotations

import decimal
import fractions
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.limits import MAX_METRIC_NAME_CHARS
from anonrun.core.metrics import flatten, name_problem, to_float


class _Tensor:
    """Has what PyTorch's and JAX's zero-dimensional tensors have."""

    def __repr__(self) -> str:
        return f"tensor({self._value})"

    def __init__(self, value: float, size: int = 1) -> None:
        self.shape = (size,)
        self._value = value

    def item(self) -> float:
        if self.shape != (1,):
            raise RuntimeError("a Tensor with 3 elements cannot be converted to Scalar")
        return self._value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (True, 1.0),
        (0.25, 0.25),
        (np.float32(0.5), 0.5),
        (np.float16(2), 2.0),
        (np.int64(7), 7.0),
        (np.bool_(False), 0.0),
        (np.array(3.5), 3.5),
        (np.array([[4.5]]), 4.5),
        (_Tensor(1.5), 1.5),
        (decimal.Decimal("0.1"), 0.1),
        (fractions.Fraction(1, 4), 0.25),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
    ],
    ids=repr,
)
def test_numbers_of_any_library_are_taken(value: object, expected: float) -> None:
    assert to_float(value) == expected


@pytest.mark.parametrize(
    "value",
    ["1.0", b"1", None, [1], (1,), {"a"}, 1j, np.array([1, 2]), np.array([]), _Tensor(1, 3), object(), 10**400],
    ids=lambda v: type(v).__name__,
)
def test_what_is_not_one_number_is_not_taken(value: object) -> None:
    assert to_float(value) is None


@given(st.binary(min_size=8, max_size=8))
def test_every_bit_of_a_float_survives(raw: bytes) -> None:
    (value,) = struct.unpack("<d", raw)
    number = to_float(value)
    assert number is not None
    assert struct.pack("<d", number) == raw


def test_nested_mappings_are_joined_by_a_slash() -> None:
    row = flatten({"train": {"loss": 1, "acc": {"top1": 2}}, "lr": 3})
    assert row.names == ("train/loss", "train/acc/top1", "lr")
    assert row.values == (1.0, 2.0, 3.0)


def test_keys_that_are_not_text_become_text() -> None:
    assert flatten({3: 1, None: 2, (1, 2): 3}).names == ("3", "None", "(1, 2)")


def test_of_two_entries_with_one_name_the_later_counts() -> None:
    row = flatten({"a/b": 1, "a": {"b": 2}})
    assert (row.names, row.values) == (("a/b",), (2.0,))


def test_a_bad_entry_does_not_cost_the_good_ones() -> None:
    row = flatten({"loss": 0.5, "note": "hi", "image": np.zeros((2, 3))})
    assert row.names == ("loss",)
    assert [r.name for r in row.refusals] == ["note", "image"]
    assert "a value of type str, which is not one number" in row.refusals[0].problem
    assert "numpy.ndarray of shape (2, 3)" in row.refusals[1].problem


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x00", "x" * (MAX_METRIC_NAME_CHARS + 1), "\ud800"], ids=ascii)
def test_a_bad_name_is_refused_with_a_sentence(name: str) -> None:
    assert str(name_problem(name)).endswith(".")
    assert flatten({name: 1.0}).names == ()


@pytest.mark.parametrize("name", ["loss", "Train Loss (%)", "größe", "损失", "<script>", "a/b.c-d_e"])
def test_people_may_name_their_metrics_as_they_like(name: str) -> None:
    assert name_problem(name) is None


def test_a_mapping_that_holds_itself_ends() -> None:
    loop: dict[object, object] = {"loss": 1.0}
    loop["self"] = loop
    row = flatten(loop)
    assert "loss" in row.names
    assert row.refusals


@given(st.dictionaries(st.text(), st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.binary())))
def test_every_entry_is_either_logged_or_refused(data: dict[object, object]) -> None:
    row = flatten(data)
    assert len(row.names) == len(row.values)
    assert len(set(row.names)) == len(row.names)
    assert not set(row.names) & {r.name for r in row.refusals}
    if data:
        assert row.names or row.refusals
