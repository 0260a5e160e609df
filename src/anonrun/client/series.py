"""Points that were read back, as numpy arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonrun.core.messages import SampledMetric
from anonrun.core.metrics import is_of_training
from anonrun.core.wire import Frame

__all__ = ["Sampled", "Series", "rows_of", "sampled_of", "series_of"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_US = 1e-6


@dataclass(frozen=True, slots=True)
class Series:
    """Every point of one metric, sorted by step; points of one step stay in order of arrival.

    Attributes:
        step: int64.
        time: float64, seconds since the Unix epoch.
        value: float64, bit by bit what was logged; NaN and ±Inf included.
    """

    step: Ints
    time: Floats
    value: Floats

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A metric reduced to buckets of neighbouring points; a spike survives in `min` or `max`.

    Attributes:
        x: float64, where each bucket begins on the x axis that was asked for.
        step: int64, first step of each bucket.
        time: float64, its time in seconds since the Unix epoch.
        count: int64, points in each bucket.
        min: float64, smallest value that is not NaN; NaN where there is none.
        max: float64, largest value that is not NaN; NaN where there is none.
        first: float64, first value.
        last: float64, last value.
        total: points in the range before reduction.
    """

    x: Floats
    step: Ints
    time: Floats
    count: Ints
    min: Floats
    max: Floats
    first: Floats
    last: Floats
    total: int

    def __len__(self) -> int:
        return len(self.step)


def _floats(values: Iterable[float | str | None]) -> Floats:
    return np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)


def series_of(metric: str, frames: Iterable[Frame]) -> Series:
    """Return the series of a metric from frames in order of arrival."""
    with_it = [frame for frame in frames if metric in frame.names]
    if not with_it:
        return Series(np.empty(0, np.int64), np.empty(0), np.empty(0))
    step = np.concatenate([np.frombuffer(f.steps, np.int64) for f in with_it])
    time = np.concatenate([np.frombuffer(f.times_us, np.int64) for f in with_it]) * _US
    value = np.concatenate([np.frombuffer(f.columns[f.names.index(metric)], np.float64) for f in with_it])
    if len(step) > 1 and not (step[1:] >= step[:-1]).all():
        order = np.argsort(step, kind="stable")
        step, time, value = step[order], time[order], value[order]
    return Series(step, time, value)


def sampled_of(metric: SampledMetric) -> Sampled:
    """Return a server's answer as arrays."""
    return Sampled(
        x=_floats(metric.x or metric.step),
        step=np.array(metric.step, np.int64),
        time=np.array(metric.time, np.float64),
        count=np.array(metric.count, np.int64),
        min=_floats(metric.min),
        max=_floats(metric.max),
        first=_floats(metric.first),
        last=_floats(metric.last),
        total=metric.total,
    )


def rows_of(frames: Iterable[Frame]) -> list[dict[str, float]]:
    """Return one dict a step, sorted: `_step`, `_time` (of its last row, seconds) and the metrics logged there.

    Rows of the same step are one; where a metric was logged twice at a step, the later value counts. Rows that hold
    system metrics only are left out: their steps are no steps of the training.
    """
    rows: dict[int, dict[str, float]] = {}
    for frame in frames:
        if not is_of_training(frame.names):
            continue
        for step, time_us, *values in zip(frame.steps, frame.times_us, *frame.columns, strict=True):
            row = rows.setdefault(step, {"_step": step})
            row["_time"] = time_us * _US
            row.update(zip(frame.names, values, strict=True))
    return [rows[step] for step in sorted(rows)]
