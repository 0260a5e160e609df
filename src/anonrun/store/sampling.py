"""Series reduced to about as many buckets as there are pixels, with their extremes.

Pure. The range of x is cut into equal buckets; each that has points gives its count, first, last, smallest and
largest value. Points are sorted by x, those of one x stay in order of arrival. NaN counts as a point and never as
an extreme; ±Inf is both. What comes in may be points, or blocks of neighbouring points that were merged before:
then the edges of buckets fall between blocks, and every extreme is still there. NumPy is imported when the first
series is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Blocks", "Points", "Sample", "along", "sample"]


@dataclass(frozen=True, slots=True)
class Points:
    """Every point of one metric in order of arrival, as arrays of one length."""

    steps: npt.NDArray[np.int64]
    times_us: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    @staticmethod
    def of(parts: list[Points]) -> Points:
        """Return stretches that follow each other as one; there must be at least one."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        if len(parts) == 1:
            return parts[0]
        return Points(
            np.concatenate([part.steps for part in parts]),
            np.concatenate([part.times_us for part in parts]),
            np.concatenate([part.values for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Blocks:
    """Neighbouring points merged: of each block its first x, step and time, and what is known of its values.

    Attributes:
        x: where the block begins: steps, microseconds, or another metric's values.
        count: points in each block; None where each is a single point.
    """

    x: npt.NDArray[Any]
    steps: npt.NDArray[np.int64]
    times_us: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64] | None
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    first: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]

    @staticmethod
    def single(points: Points, x: npt.NDArray[Any]) -> Blocks:
        """Return points as blocks of one."""
        values = points.values
        return Blocks(x, points.steps, points.times_us, None, values, values, values, values)

    @staticmethod
    def of(parts: list[Blocks]) -> Blocks:
        """Return stretches that follow each other as one; there must be at least one."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        if len(parts) == 1:
            return parts[0]
        if all(part.count is None for part in parts):
            points = Points.of([Points(part.steps, part.times_us, part.first) for part in parts])
            return Blocks.single(points, np.concatenate([part.x for part in parts]))
        counts = [np.ones(len(part.x), np.int64) if part.count is None else part.count for part in parts]
        return Blocks(
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.steps for part in parts]),
            np.concatenate([part.times_us for part in parts]),
            np.concatenate(counts),
            np.concatenate([part.low for part in parts]),
            np.concatenate([part.high for part in parts]),
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.last for part in parts]),
        )

    def __getitem__(self, part: Any) -> Blocks:  # noqa: ANN401  a slice or an array of indexes
        count = None if self.count is None else self.count[part]
        if self.count is None and self.low is self.first:
            points = Points(self.steps[part], self.times_us[part], self.first[part])
            return Blocks.single(points, self.x[part])
        return Blocks(
            self.x[part], self.steps[part], self.times_us[part], count,
            self.low[part], self.high[part], self.first[part], self.last[part],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One list entry a bucket; `low` and `high` are NaN where a bucket has nothing else. `total` counts all points."""

    total: int
    x: list[float]
    step: list[int]
    time_s: list[float]
    count: list[int]
    low: list[float]
    high: list[float]
    first: list[float]
    last: list[float]


def along(points: Points, other: Points) -> Blocks:
    """Return points with another metric as x: its value of the same step, the last one where there are several.

    Points whose step the other metric does not have, or where it is NaN, are left out.
    """
    import numpy as np  # noqa: PLC0415  an idle server does without

    order = np.argsort(other.steps, kind="stable")
    steps = other.steps[order]
    at = np.searchsorted(steps, points.steps, "right") - 1
    there = (at >= 0) & (steps[at] == points.steps)
    x = other.values[order[at]]
    there &= ~np.isnan(x)
    return Blocks.single(Points(points.steps[there], points.times_us[there], points.values[there]), x[there])


def sample(blocks: Blocks, *, buckets: int, start: float | None = None, end: float | None = None) -> Sample:
    """Reduce one metric's blocks to at most `buckets` buckets between two places on x, both included.

    Where there are no more blocks than buckets, each block is a bucket.

    Args:
        blocks: in order of arrival.
        buckets: as many as there are pixels.
        start: None for the first.
        end: None for the last.
    """
    import numpy as np  # noqa: PLC0415  an idle server does without

    if not bool((blocks.x[1:] >= blocks.x[:-1]).all()):
        blocks = blocks[np.argsort(blocks.x, kind="stable")]
    low = 0 if start is None else int(np.searchsorted(blocks.x, start, "left"))
    high = len(blocks.x) if end is None else int(np.searchsorted(blocks.x, end, "right"))
    if high <= low:
        return Sample(0, [], [], [], [], [], [], [], [])
    blocks = blocks[low:high]
    held = high - low
    begins = np.arange(held) if held <= buckets else _bucket_begins(blocks.x, buckets)
    ends = np.append(begins[1:], held)
    count = ends - begins if blocks.count is None else np.add.reduceat(blocks.count, begins)
    return Sample(
        total=int(count.sum()),
        x=blocks.x[begins].tolist(),
        step=blocks.steps[begins].tolist(),
        time_s=(blocks.times_us[begins] / 1e6).tolist(),
        count=count.tolist(),
        low=np.fmin.reduceat(blocks.low, begins).tolist(),
        high=np.fmax.reduceat(blocks.high, begins).tolist(),
        first=blocks.first[begins].tolist(),
        last=blocks.last[ends - 1].tolist(),
    )


def _bucket_begins(x: npt.NDArray[Any], buckets: int) -> npt.NDArray[np.intp]:
    """Return the index of the first block of each bucket that has any; `x` rises."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    first, last = x[0], x[-1]
    if np.isfinite(first) and np.isfinite(last):
        span = float(last) - float(first)
        # Half of each first, so that a range over all of float64 does not overflow.
        place = x / 2 - first / 2 if not np.isfinite(span) else x.astype(np.float64) - float(first)
        span = float(last) / 2 - float(first) / 2 if not np.isfinite(span) else span
    else:  # ±Inf on x: one bucket each, and what is between is cut by rank
        place, span = np.arange(len(x), dtype=np.float64), float(len(x) - 1)
    if span == 0:
        return np.zeros(1, np.intp)
    number = np.minimum(place / span * buckets, buckets - 1).astype(np.int64)
    return np.append(0, np.flatnonzero(np.diff(number)) + 1)
