"""Reference files: the curves of one run in a small file, to be drawn behind the runs of others.

`docs/reference-files.md` describes the file field by field. Invariants: equal curves give equal bytes; a file that is
written has at most `MOST_BYTES`; what is read is checked as something that a stranger made.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NoReturn

from anonrun.core.metrics import name_problem
from anonrun.errors import UsageError

__all__ = [
    "FORMAT",
    "MOST_BYTES",
    "MOST_METRICS",
    "Outline",
    "Reference",
    "read_reference",
    "shown_name",
    "write_reference",
]

FORMAT = "anonrun-reference"
VERSION = 1
MOST_BYTES = 100_000
"""Of a file that is written."""

MOST_METRICS = 100
_MOST_NAME_CHARS = 120
_MOST_READ_BYTES = 1_000_000
_MOST_READ_POINTS = 50_000
_MOST_STEP = 2**63 - 1
_DIGITS = 7
_COLUMNS = ("step", "seconds", "value")


@dataclass(frozen=True, slots=True)
class Outline:
    """A few points that stand for a series, finite ones only.

    Attributes:
        steps: not falling.
        seconds: since the run's start.
        values: of the points.
    """

    steps: tuple[int, ...]
    seconds: tuple[float, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True, slots=True)
class Reference:
    """A run to be drawn behind others.

    Attributes:
        name: for people.
        metrics: outlines by the metrics' names.
    """

    name: str
    metrics: Mapping[str, Outline]


def shown_name(name: str) -> str:
    """Return a name as it can be shown on one line; who wrote it is not to be trusted."""
    plain = "".join(char if char.isprintable() else " " for char in name).strip()
    return plain if len(plain) <= _MOST_NAME_CHARS else plain[: _MOST_NAME_CHARS - 1] + "…"


def _number(value: float, digits: int) -> float:
    """Return a number that is written with so many digits, and a whole one as a whole one."""
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short  # noqa: PLR2004  exact as a double


def write_reference(reference: Reference) -> bytes:
    """Return the file of a reference.

    Raises:
        UsageError: it would have more than `MOST_BYTES`.
    """
    parts = []
    for name, outline in sorted(reference.metrics.items()):
        columns = (
            outline.steps,
            [_number(round(second, 2), 12) for second in outline.seconds],
            [_number(value, _DIGITS) for value in outline.values],
        )
        lines = (
            f"{json.dumps(column)}: {json.dumps(values, allow_nan=False, separators=(',', ':'))}"
            for column, values in zip(_COLUMNS, columns, strict=True)
        )
        parts.append(f"  {json.dumps(name)}: {{\n   " + ",\n   ".join(lines) + "\n  }")
    head = f'{{\n "format": "{FORMAT}",\n "version": {VERSION},\n "name": {json.dumps(shown_name(reference.name))},\n'
    data = (head + ' "metrics": {\n' + ",\n".join(parts) + "\n }\n}\n").encode()
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"This reference would take {len(data):,} bytes, and {MOST_BYTES:,} are allowed: leave out metrics."
        )
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"it has {name}, which is no JSON")


def _column(entry: Mapping[str, Any], column: str, metric: str) -> Sequence[Any]:
    values = entry.get(column)
    if not isinstance(values, list):
        raise UsageError(f"its metric {metric!r} has no list {column!r}")
    return values


def _floats(values: Sequence[Any], column: str, metric: str) -> tuple[float, ...]:
    for value in values:
        # A bool is an int to Python, and an int may be larger than any float.
        if type(value) not in (int, float) or abs(value) > sys.float_info.max or math.isnan(value):
            raise UsageError(f"{column!r} of its metric {metric!r} has something that is no finite number")
    return tuple(map(float, values))


def _outline(metric: str, entry: object) -> Outline:
    if not isinstance(entry, dict):
        raise UsageError(f"its metric {metric!r} is no object")
    steps, seconds, values = (_column(entry, column, metric) for column in _COLUMNS)
    if not len(steps) == len(seconds) == len(values):
        raise UsageError(f"the lists of its metric {metric!r} are not of one length")
    if any(type(step) is not int or abs(step) > _MOST_STEP for step in steps):
        raise UsageError(f"'step' of its metric {metric!r} has something that is no whole number of 64 bits")
    if any(after < before for before, after in pairwise(steps)):
        raise UsageError(f"the steps of its metric {metric!r} fall")
    return Outline(tuple(steps), _floats(seconds, "seconds", metric), _floats(values, "value", metric))


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise UsageError("it is no JSON; make one with `anonrun export RUN --reference -o FILE`") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise UsageError("it is no reference file; make one with `anonrun export RUN --reference -o FILE`")
    if raw.get("version") != VERSION:
        raise UsageError(
            f"it is of version {str(raw.get('version'))[:20]}, and this anonrun reads version {VERSION}: update anonrun"
        )
    return raw


def read_reference(data: bytes) -> Reference:
    """Return what a reference file holds.

    Raises:
        UsageError: it is none, or breaks a rule; the message goes on after "The reference FILE cannot be used: ".
    """
    if len(data) > _MOST_READ_BYTES:
        raise UsageError(f"it has more than {_MOST_READ_BYTES:,} bytes, which no reference has")
    raw = _parsed(data)
    name, metrics = raw.get("name"), raw.get("metrics")
    if not isinstance(name, str) or not shown_name(name):
        raise UsageError("it has no name")
    if not isinstance(metrics, dict) or not metrics:
        raise UsageError("it has no metrics")
    if len(metrics) > MOST_METRICS:
        raise UsageError(f"it has {len(metrics):,} metrics, and {MOST_METRICS} are allowed")
    problem = next((problem for metric in metrics if (problem := name_problem(metric)) is not None), None)
    if problem is not None:
        raise UsageError(problem[0].lower() + problem[1:].rstrip("."))
    outlines = {metric: _outline(metric, entry) for metric, entry in metrics.items()}
    if sum(map(len, outlines.values())) > _MOST_READ_POINTS:
        raise UsageError(f"it has more than {_MOST_READ_POINTS:,} points")
    kept = {metric: outline for metric, outline in outlines.items() if len(outline)}
    if not kept:
        raise UsageError("it has no points")
    return Reference(shown_name(name), kept)
