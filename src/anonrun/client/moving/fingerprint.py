"""What a run's history is, point by point, in little memory. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from anonrun.core.wire import Frame

if TYPE_CHECKING:
    from array import array

__all__ = ["Fingerprint"]


class _Series:
    """Every point of one metric, in order of arrival."""

    def __init__(self) -> None:
        self.points = 0
        self._columns = (hashlib.sha256(), hashlib.sha256(), hashlib.sha256())

    def take(self, *columns: array[int] | array[float]) -> None:
        self.points += len(columns[0])
        for sum_, column in zip(self._columns, columns, strict=True):
            sum_.update(column)

    def as_bytes(self) -> tuple[int, bytes, bytes, bytes]:
        steps, times, values = (sum_.digest() for sum_ in self._columns)
        return self.points, steps, times, values


class Fingerprint:
    """Steps, times and values of each metric, bit by bit and in order of arrival, as their SHA-256.

    How rows were cut into frames and segments on the way makes no difference.

    Example:
        >>> whole, parts = Fingerprint(), Fingerprint()
        >>> whole.take(Frame.of(["a"], [0, 1], [7, 8], [[0.5, -0.0]]))
        >>> parts.take(Frame.of(["a"], [0], [7], [[0.5]]))
        >>> parts.take(Frame.of(["a"], [1], [8], [[0.0]]))
        >>> whole.differences(parts)
        ['a']
    """

    def __init__(self) -> None:
        self._series: dict[str, _Series] = {}

    @property
    def points(self) -> int:
        """Values in all metrics together."""
        return sum(series.points for series in self._series.values())

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics that there are."""
        return frozenset(self._series)

    def take(self, frame: Frame) -> None:
        """Take in some more rows."""
        for name, column in zip(frame.names, frame.columns, strict=True):
            self._series.setdefault(name, _Series()).take(frame.steps, frame.times_us, column)

    def differences(self, other: Fingerprint) -> list[str]:
        """Return the metrics of which not every point is the same in both, sorted."""
        mine, theirs = (
            {name: series.as_bytes() for name, series in one._series.items()}  # noqa: SLF001  the same class
            for one in (self, other)
        )
        return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
