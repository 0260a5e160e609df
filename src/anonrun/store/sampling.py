"""Series reduced to about as many buckets as there are pixels, with their extremes.

Pure. The range of x is cut into equal buckets; each that has points gives its count, first, last, smallest and
largest value. Points are sorted by x, those of one x stay in order of arrival. NaN counts as a point and never as
an extreme; ±Inf is both. What comes in may be points, or blocks of neighbouring points that were merged before:
then the edges of buckets fall between blocks, and every extreme is still there. NumPy is imported when the first
series is read.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Blocks", "Points", "Sample", "along", "sample"]

_WORTH_A_TURN = 4_096


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

    def __len__(self) -> int:
        return len(self.x)

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


def sample(parts: Sequence[Blocks], *, buckets: int, start: float | None = None, end: float | None = None) -> Sample:
    """Reduce one metric's blocks to at most `buckets` buckets between two places on x, both included.

    Where there are no more blocks than buckets, each block is a bucket. Parts in order are reduced one by one, while
    the processor's cache holds them: putting a long series together first takes longer than all else.

    Args:
        parts: stretches in order of arrival.
        buckets: as many as there are pixels.
        start: None for the first.
        end: None for the last.
    """
    parts = _cut(_in_order([part for part in _joined(parts) if len(part)]), start, end)
    held = sum(map(len, parts))
    if not held:
        return Sample(0, [], [], [], [], [], [], [], [])
    whole = Blocks.of(parts) if held <= buckets else _reduced(parts, _Cells(parts, held, buckets))
    count = [1] * held if whole.count is None else whole.count.tolist()
    return Sample(
        total=sum(count),
        x=whole.x.tolist(),
        step=whole.steps.tolist(),
        time_s=(whole.times_us / 1e6).tolist(),
        count=count,
        low=whole.low.tolist(),
        high=whole.high.tolist(),
        first=whole.first.tolist(),
        last=whole.last.tolist(),
    )


def _joined(parts: Iterable[Blocks]) -> Iterator[Blocks]:
    """Yield parts of some size: many small ones would each cost as much as a large one."""
    some: list[Blocks] = []
    held = 0
    for part in parts:
        some.append(part)
        held += len(part)
        if held >= _WORTH_A_TURN:
            yield Blocks.of(some)
            some, held = [], 0
    if some:
        yield Blocks.of(some)


def _in_order(parts: list[Blocks]) -> list[Blocks]:
    """Return parts in which x rises, and from each to the next; those that came otherwise are sorted as one."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    rises = all(bool((part.x[1:] >= part.x[:-1]).all()) for part in parts)
    if rises and all(bool(part.x[0] >= before.x[-1]) for before, part in itertools.pairwise(parts)):
        return parts
    whole = Blocks.of(parts)
    return [whole[np.argsort(whole.x, kind="stable")]]


def _cut(parts: list[Blocks], start: float | None, end: float | None) -> list[Blocks]:
    """Return what lies between two places on x, both included."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    if start is not None:
        parts = [part[int(np.searchsorted(part.x, start, "left")) :] if part.x[0] < start else part for part in parts]
    if end is not None:
        parts = [
            part[: int(np.searchsorted(part.x, end, "right"))] if len(part) and part.x[-1] > end else part
            for part in parts
        ]
    return [part for part in parts if len(part)]


class _Cells:
    """The buckets into which a range of x is cut: equal stretches of it, or of ranks where it reaches to infinity.

    Args:
        parts: in order, none of them empty.
        held: their blocks.
        buckets: how many cells.
    """

    def __init__(self, parts: Sequence[Blocks], held: int, buckets: int) -> None:
        self._first, self._last = float(parts[0].x[0]), float(parts[-1].x[-1])
        self._held = held
        self._buckets = buckets

    def numbers(self, x: npt.NDArray[Any], before: int) -> npt.NDArray[np.int64]:
        """Return the cell of each place; `before` blocks came in front of the first."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        first, last = self._first, self._last
        if not (math.isfinite(first) and math.isfinite(last)):
            place, span = np.arange(before, before + len(x), dtype=np.float64), float(self._held - 1)
        elif math.isfinite(last - first):
            place, span = x.astype(np.float64) - first, last - first
        else:  # half of each, so that a range over all of float64 does not overflow
            place, span = x / 2 - first / 2, last / 2 - first / 2
        if span == 0:
            return np.zeros(len(x), np.int64)
        return np.minimum(place / span * self._buckets, self._buckets - 1).astype(np.int64)


def _reduced(parts: Sequence[Blocks], cells: _Cells) -> Blocks:
    """Return parts in order with all blocks of one cell merged."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    merged, numbers, before = [], [], 0
    for part in parts:
        number = cells.numbers(part.x, before)
        before += len(part)
        begins = _begins(number)
        merged.append(_merged(part, begins))
        numbers.append(number[begins])
    return _merged(Blocks.of(merged), _begins(np.concatenate(numbers)))


def _begins(number: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return where each stretch of one number begins."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    return np.append(0, np.flatnonzero(number[1:] != number[:-1]) + 1)


def _merged(blocks: Blocks, begins: npt.NDArray[np.intp]) -> Blocks:
    """Return blocks merged from each beginning up to the next."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    ends = np.append(begins[1:], len(blocks))
    return Blocks(
        blocks.x[begins], blocks.steps[begins], blocks.times_us[begins],
        ends - begins if blocks.count is None else np.add.reduceat(blocks.count, begins),
        np.fmin.reduceat(blocks.low, begins), np.fmax.reduceat(blocks.high, begins),
        blocks.first[begins], blocks.last[ends - 1],
    )  # fmt: skip
