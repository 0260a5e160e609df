"""What may be logged: names and values of metrics.

A mapping given to `log` becomes a flat row of names and floats. What cannot be logged becomes a
`Refusal`, a value and not an exception, so that one bad entry never costs the others.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from anonrun.core.limits import MAX_METRIC_NAME_CHARS

__all__ = [
    "SYSTEM_PREFIX",
    "Refusal",
    "Row",
    "flatten",
    "is_of_machine",
    "is_of_training",
    "name_problem",
    "of_training",
    "to_float",
]

SYSTEM_PREFIX = "system/"
"""With it begin the names of metrics of the machine: their steps are no steps of the training."""

_MAX_DEPTH = 16
_DOUBLE = struct.Struct("<d")


def is_of_machine(name: str) -> bool:
    """Return whether a metric is one of the machine."""
    return name.startswith(SYSTEM_PREFIX)


def is_of_training(names: Iterable[str]) -> bool:
    """Return whether a row of these metrics is one of the training, and not only of the machine.

    Example:
        >>> is_of_training(["system/cpu"]), is_of_training(["system/cpu", "loss"])
        (False, True)
    """
    return not all(map(is_of_machine, names))


def of_training(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a summary that are of the training, without those of the machine.

    Example:
        >>> of_training({"loss": 0.5, "system/cpu": 71.0})
        {'loss': 0.5}
    """
    return {name: value for name, value in values.items() if not is_of_machine(name)}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One entry that was not logged.

    Attributes:
        name: the metric as far as it can be named.
        problem: a sentence that says what was wrong and what to do.
        value: what was given, where the name may be; it may be something else that can be logged.
    """

    name: str
    problem: str
    value: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """The metrics of one `log` call, flat: `names[i]` has `values[i]`; and what was refused."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    refusals: tuple[Refusal, ...] = ()


def name_problem(name: str) -> str | None:
    """Return what is wrong with a metric's name, or None where nothing is."""
    if not name or name.isspace():
        return "A metric needs a name; this one is empty."
    if len(name) > MAX_METRIC_NAME_CHARS:
        return f"Metric name {name[:40]!r}… has {len(name)} characters; use at most {MAX_METRIC_NAME_CHARS}."
    if not name.isprintable():
        return f"Metric name {name!r} has a control character or a line break; use printable characters."
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return f"Metric name {name!r} is not valid Unicode; use printable characters."
    return None


def to_float(value: object) -> float | None:
    """Return a number as a float, or None where `value` is no single real number.

    Takes Python numbers, NumPy scalars, and arrays or tensors of one element of any library that has
    `.item()` (PyTorch, JAX, TensorFlow, CuPy), without importing those. NaN and ±Inf are numbers.
    Text is not, even where it looks like one.
    """
    if isinstance(value, (str, bytes, bytearray)) or value is None:
        return None
    item = getattr(value, "item", None)
    if callable(item):
        try:
            value = item()
        except Exception:  # noqa: BLE001  any library's refusal means the same: not one number
            return None
    try:
        return float(_DOUBLE.unpack(_DOUBLE.pack(value))[0])
    except (struct.error, TypeError, ValueError, OverflowError):
        return None


def _describe(value: object) -> str:
    if isinstance(value, int):
        return "an integer too large for a float"
    kind = type(value)
    shape = getattr(value, "shape", None)
    size = f" of shape {tuple(shape)}" if isinstance(shape, tuple) and shape else ""
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    return f"a value of type {name}{size}"


def _instead(value: object) -> str:
    """Return what to do with a value that is no number."""
    if isinstance(value, (str, bytes)):
        return "log anonrun.Text(...) to keep it"
    if hasattr(value, "columns"):
        return "log anonrun.Table(dataframe=...) to keep it"
    if isinstance(getattr(value, "shape", None), tuple) and hasattr(value, "dtype"):
        return "log anonrun.Histogram(...) or anonrun.Image(...) to keep it"
    if isinstance(value, (list, tuple)):
        return "log single numbers, or anonrun.Histogram(...) of them"
    return "log a single int or float"


def _entries(data: Mapping[object, object], prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    for key, value in data.items():
        name = prefix + (key if type(key) is str else str(key))
        if isinstance(value, Mapping) and depth < _MAX_DEPTH:
            yield from _entries(value, name + "/", depth + 1)
        else:
            yield name, value


def flatten(data: Mapping[object, object]) -> Row:
    """Return the flat row of a mapping given to `log`.

    Nested mappings are joined by `/`; keys that are not text become `str(key)`; of two entries that
    come to the same name the later one counts.

    Example:
        >>> flatten({"train": {"loss": 0.5}, "epoch": 3})
        Row(names=('train/loss', 'epoch'), values=(0.5, 3.0), refusals=())
    """
    good: dict[str, float] = {}
    bad: dict[str, Refusal] = {}
    for name, value in _entries(data, "", 0):
        problem = name_problem(name)
        if problem is None:
            number = to_float(value)
            if number is not None:
                good[name] = number
                continue
            problem = f"Metric {name!r} got {_describe(value)}, which is not one number; {_instead(value)}."
            bad[name] = Refusal(name, problem, value)
            continue
        bad[name[:MAX_METRIC_NAME_CHARS]] = Refusal(name[:MAX_METRIC_NAME_CHARS], problem)
    return Row(tuple(good), tuple(good.values()), tuple(bad.values()))
