"""What the notebook remembers of a run's points: bounded, however long the run lasts.

Each metric has a list of points in order of arrival. When it is full, of each stretch of neighbours
the smallest and the largest stay, so that a spike is never lost from the picture, and the first of
those that are NaN or ±Inf. Memory is flat, however long the run.

Pure: no clock, no thread, no display. The store keeps every point; this is for drawing only.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonrun.core.metrics import is_of_machine, is_of_training
from anonrun.core.progress import Progress
from anonrun.core.summary import MetricSummary
from anonrun.core.wire import Frame

__all__ = ["RunBuffer", "Series", "extremes", "thinned"]

_MOST_POINTS = 60_000
_MOST_PER_METRIC = 2_048
_FEWEST_PER_METRIC = 128
_FIRST_STRIDE = 2

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def _extremes_of(values: Floats, groups: Ints) -> npt.NDArray[np.intp]:
    """Return the indices, rising, of each group's smallest and largest value; `groups` must be rising."""
    if not len(values):
        return np.empty(0, dtype=np.intp)
    order = np.lexsort((values, groups))
    ends = np.flatnonzero(np.diff(groups[order])) + 1
    return np.unique(order[np.concatenate([[0], ends, ends - 1, [len(values) - 1]])])


def extremes(values: Floats, buckets: int) -> npt.NDArray[np.intp]:
    """Return the indices of each bucket's smallest and largest value, and of the first and last, in order.

    Args:
        values: finite numbers.
        buckets: stretches of neighbours; at most `2 * buckets + 2` indices come back.
    """
    n = len(values)
    if n <= 2 * buckets:
        return np.arange(n)
    picks = _extremes_of(values, np.arange(n) * buckets // n)
    return np.unique(np.concatenate([[0], picks, [n - 1]]))


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one metric, sorted by step; those of one step in order of arrival."""

    steps: Ints
    values: Floats


class _Points:
    """Points of one metric in order of arrival, each with its number among all that arrived.

    Thinning cuts those numbers into stretches of `stride` and keeps each stretch's extremes; the stride
    doubles until it fits. So old and new are kept equally densely, whenever they were thinned.
    """

    __slots__ = ("_numbers", "_stride", "steps", "summary", "times_us", "values")

    def __init__(self) -> None:
        self.summary: MetricSummary | None = None
        self.steps = array("q")
        self.times_us = array("q")
        self.values = array("d")
        self._numbers = array("q")
        self._stride = _FIRST_STRIDE

    def extend(self, steps: array[int], times_us: array[int], values: array[float], most: int) -> None:
        new = MetricSummary.of(steps, values)
        arrived = self.summary.n if self.summary else 0
        self.summary = self.summary.then(new) if self.summary else new
        self.steps.extend(steps)
        self.times_us.extend(times_us)
        self.values.extend(values)
        self._numbers.extend(range(arrived, arrived + len(values)))
        if len(self.values) > most:
            self._thin(most // 2)

    def _thin(self, most: int) -> None:
        self._keep(self._kept())
        while len(self.values) > most:
            self._stride *= 2
            self._keep(self._kept())

    def _kept(self) -> npt.NDArray[np.intp]:
        values = np.frombuffer(self.values)
        groups = np.frombuffer(self._numbers, np.int64) // self._stride
        finite = np.isfinite(values)
        regular, odd = np.flatnonzero(finite), np.flatnonzero(~finite)
        odd = odd[np.diff(groups[odd], prepend=-1) != 0]
        ends = [0, len(values) - 1]
        return np.unique(np.concatenate([ends, regular[_extremes_of(values[regular], groups[regular])], odd]))

    def even(self) -> tuple[Ints, Floats]:
        """Return steps and values, the newest thinned like the others."""
        steps, values = np.frombuffer(self.steps, np.int64), np.frombuffer(self.values)
        keep = self._kept() if self._stride > _FIRST_STRIDE else slice(None)
        return steps[keep].copy(), values[keep].copy()

    def _keep(self, indices: npt.NDArray[np.intp]) -> None:
        self.steps, self.times_us, self._numbers = (
            array("q", np.frombuffer(column, np.int64)[indices].tobytes())
            for column in (self.steps, self.times_us, self._numbers)
        )
        self.values = array("d", np.frombuffer(self.values)[indices].tobytes())


class RunBuffer:
    """A bounded picture of a run, fed with frames in order of arrival.

    Not thread-safe: its owner holds a lock.

    Attributes:
        rows: rows of the training that came in; samples of the machine are no reason to draw anew.
    """

    def __init__(self) -> None:
        self._metrics: dict[str, _Points] = {}
        self.rows = 0
        self._first_us: int | None = None
        self._last_us = 0
        self._all: list[Frame] | None = []
        self._all_points = 0
        self._first_step: int | None = None
        self._last_step = -1

    def add(self, frames: Iterable[Frame]) -> None:
        """Take in new rows."""
        for frame in frames:
            self._keep_whole(frame)
            if is_of_training(frame.names):
                self._follow(frame)
            for name, column in zip(frame.names, frame.columns, strict=True):
                points = self._metrics.setdefault(name, _Points())
                points.extend(frame.steps, frame.times_us, column, self._most)

    def _follow(self, frame: Frame) -> None:
        """Note how far the training is."""
        self.rows += len(frame.steps)
        self._first_us = frame.times_us[0] if self._first_us is None else min(self._first_us, frame.times_us[0])
        self._last_us = max(self._last_us, frame.times_us[-1])
        low, high = min(frame.steps), max(frame.steps)
        self._first_step = low if self._first_step is None else min(self._first_step, low)
        self._last_step = max(self._last_step, high)

    def _keep_whole(self, frame: Frame) -> None:
        """Keep the rows as they came, as long as they are few."""
        self._all_points += len(frame.steps) * len(frame.names)
        if self._all is None or self._all_points > _MOST_POINTS:
            self._all = None
        elif self._all and self._all[-1].names == frame.names:
            last = self._all[-1]
            last.steps.extend(frame.steps)
            last.times_us.extend(frame.times_us)
            for whole, part in zip(last.columns, frame.columns, strict=True):
                whole.extend(part)
        else:
            self._all.append(Frame(frame.names, frame.steps[:], frame.times_us[:], tuple(c[:] for c in frame.columns)))

    @property
    def complete(self) -> bool:
        """Whether `frames` are all rows, as they came."""
        return self._all is not None

    @property
    def _most(self) -> int:
        return max(_FEWEST_PER_METRIC, min(_MOST_PER_METRIC, _MOST_POINTS // len(self._metrics)))

    def __len__(self) -> int:
        """Return the points held."""
        return sum(len(points.values) for points in self._metrics.values())

    @property
    def names(self) -> list[str]:
        """The metrics in order of their first appearance."""
        return list(self._metrics)

    @property
    def last_step(self) -> int | None:
        """The largest step of the training; None before its first row."""
        return None if self._first_step is None else self._last_step

    def progress(self, total: int | None) -> Progress | None:
        """Return how far the run is on its way to `total` steps; None before the first row."""
        return None if self._first_step is None else Progress(self._first_step, self._last_step, total)

    @property
    def seconds(self) -> float:
        """Time between the training's first row and its last, seconds; 0 before the second row."""
        return 0.0 if self._first_us is None else (self._last_us - self._first_us) / 1e6

    def summary(self, name: str) -> MetricSummary:
        """Return what is known of a metric, of all its points and not only of those still held."""
        summary = self._metrics[name].summary
        assert summary is not None, "a metric is known from its first value on"
        return summary

    def summaries(self, *, of_machine: bool = False) -> list[tuple[str, MetricSummary]]:
        """Return the metrics of the training, or those of the machine, with what is known of them."""
        return [(name, self.summary(name)) for name in self.names if is_of_machine(name) is of_machine]

    def series(self, name: str) -> Series:
        """Return points of a metric that stand for all of it, everywhere equally dense."""
        steps, values = self._metrics[name].even()
        order = np.argsort(steps, kind="stable")
        return Series(steps[order], values[order])

    def points(self, name: str) -> tuple[Ints, Ints, Floats]:
        """Return steps, times in microseconds and values of a metric as they are held, sorted by step."""
        held = self._metrics[name]
        steps, times = (np.frombuffer(column, np.int64) for column in (held.steps, held.times_us))
        order = np.argsort(steps, kind="stable")
        return steps[order], times[order], np.frombuffer(held.values)[order]

    def frames(self) -> list[Frame]:
        """Return everything that is held: all rows as they came, or a frame for each metric where they are many."""
        if self._all is not None:
            return list(self._all)
        return [
            Frame((name,), points.steps[:], points.times_us[:], (points.values[:],))
            for name, points in self._metrics.items()
        ]


def thinned(frames: Sequence[Frame], most_points: int) -> list[Frame] | None:
    """Return fewer points, metric by metric, where frames hold more than `most_points`; None where they do not.

    What a page draws in a tenth of a second is bounded, however fast a loop logs.
    """
    if sum(len(frame.steps) * len(frame.names) for frame in frames) <= most_points:
        return None
    by_name: dict[str, _Points] = {}
    names = {name for frame in frames for name in frame.names}
    most = max(_FEWEST_PER_METRIC, most_points // len(names))
    for frame in frames:
        for name, column in zip(frame.names, frame.columns, strict=True):
            by_name.setdefault(name, _Points()).extend(frame.steps, frame.times_us, column, most)
    return [Frame((name,), points.steps, points.times_us, (points.values,)) for name, points in by_name.items()]
