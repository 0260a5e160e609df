"""Series reduced to about as many buckets as there are pixels, with their extremes.

The range of steps is cut into equal buckets; each that has points gives its count, first, last, smallest and
largest value. Points are sorted by step, those of one step stay in order of arrival. NaN counts as a point
and never as an extreme; ±Inf is both. NumPy is imported when the first series is read.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anonrun.core.wire import decode
from anonrun.store import history
from anonrun.store.transaction import Tx

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Points", "Sample", "gather", "sample"]


@dataclass(frozen=True, slots=True)
class Points:
    """Every point of one metric in order of arrival, as arrays of one length."""

    steps: npt.NDArray[np.int64]
    times_us: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """One list entry a bucket; `low` and `high` are NaN where a bucket has nothing else. `total` counts all points."""

    total: int
    step: list[int]
    time_s: list[float]
    count: list[int]
    low: list[float]
    high: list[float]
    first: list[float]
    last: list[float]


def gather(tx: Tx, run_id: uuid.UUID, names: Collection[str] | None) -> tuple[dict[str, Points], int] | None:
    """Return every point of a live run's metrics (None: of all) and the position up to which they were read.

    None where the run is gone.
    """
    import numpy as np  # noqa: PLC0415  an idle server does without

    parts: dict[str, list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]]] = {}
    position = 0
    while True:
        page = history.page(tx, run_id, after=position)
        if page is None:
            return None
        for frame in (frame for payload in page.segments for frame in decode(payload).frames):
            steps = np.frombuffer(frame.steps, np.int64)
            times = np.frombuffer(frame.times_us, np.int64)
            for name, column in zip(frame.names, frame.columns, strict=True):
                if names is None or name in names:
                    parts.setdefault(name, []).append((steps, times, np.frombuffer(column, np.float64)))
        position = page.position
        if page.end:
            break
    points = {
        name: Points(*(np.concatenate(column) for column in zip(*found, strict=True))) for name, found in parts.items()
    }
    return points, position


def sample(points: Points, *, buckets: int, start: int | None = None, end: int | None = None) -> Sample:
    """Reduce one metric's points to at most `buckets` buckets between two steps, both included.

    Where there are no more points than buckets, each point is a bucket.
    """
    import numpy as np  # noqa: PLC0415  an idle server does without

    order = np.argsort(points.steps, kind="stable")
    steps = points.steps[order]
    low = 0 if start is None else int(np.searchsorted(steps, start, "left"))
    high = len(steps) if end is None else int(np.searchsorted(steps, end, "right"))
    total = max(0, high - low)
    if total == 0:
        return Sample(0, [], [], [], [], [], [], [])
    order, steps = order[low:high], steps[low:high]
    values = points.values[order]
    begins = np.arange(total) if total <= buckets else _bucket_begins(steps, buckets)
    ends = np.append(begins[1:], total)
    return Sample(
        total=total,
        step=steps[begins].tolist(),
        time_s=(points.times_us[order[begins]] / 1e6).tolist(),
        count=(ends - begins).tolist(),
        low=np.fmin.reduceat(values, begins).tolist(),
        high=np.fmax.reduceat(values, begins).tolist(),
        first=values[begins].tolist(),
        last=values[ends - 1].tolist(),
    )


def _bucket_begins(steps: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.intp]:
    """Return the index of the first point of each bucket that has any; `steps` are sorted."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    place = steps.astype(np.float64)
    span = place[-1] - place[0]
    if span == 0:
        return np.zeros(1, np.intp)
    number = np.minimum((place - place[0]) / span * buckets, buckets - 1).astype(np.int64)
    return np.append(0, np.flatnonzero(np.diff(number)) + 1)
