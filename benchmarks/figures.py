"""What was measured, as values: figures beside their budgets, peers side by side, cost as something grows.

Pure. Absent is never silent: what could not be measured is a value too, with its reason in plain words.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Absent", "Comparison", "Figure", "Growth", "Result", "Row", "Trace", "percentile", "spread"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Attributes:
        name: what was measured.
        values: one value a repetition, in `unit`.
        unit: such as `ms`.
        budget: what the median should not be over, or under where `at_least`; None where there is none.
        at_least: whether more is better.
        note: pace, size and the like: what the value means nothing without.
    """

    name: str
    values: tuple[float, ...]
    unit: str
    budget: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        """The middle of `values`."""
        return statistics.median(self.values)

    @property
    def kept(self) -> bool | None:
        """Whether the median keeps the budget; None where there is none."""
        if self.budget is None:
            return None
        return self.median >= self.budget if self.at_least else self.median <= self.budget


@dataclass(frozen=True, slots=True)
class Absent:
    """What was not measured, and why in plain words."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity of a comparison.

    Attributes:
        values: by column; a column that is missing has no such quantity.
        digits: significant digits that are worth showing.
        at_least: whether more is better.
        ratio: whether it is worth saying how many times ours it is.
    """

    name: str
    unit: str
    values: Mapping[str, float]
    digits: int = 3
    at_least: bool = False
    ratio: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same quantities of several programs in one run; `ours` is the column that ratios are of."""

    title: str
    ours: str
    columns: Mapping[str, str]
    rows: tuple[Row, ...]
    absent: tuple[Absent, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """One quantity at each size of a growth; None where it was not measured there."""

    name: str
    unit: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """How cost follows size."""

    title: str
    of: str
    sizes: tuple[int, ...]
    traces: tuple[Trace, ...] = field(default=())
    note: str = ""


Result = Figure | Absent | Comparison | Growth


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of `values` does not exceed (nearest rank).

    Example:
        >>> percentile([4, 1, 3, 2], 0.5), percentile([4, 1, 3, 2], 0.99)
        (2, 4)
    """
    ranked = sorted(values)
    rank = min(len(ranked), max(1, math.ceil(share * len(ranked))))
    return ranked[rank - 1]


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return median, 99th percentile and largest of `values`."""
    return percentile(values, 0.5), percentile(values, 0.99), max(values)
