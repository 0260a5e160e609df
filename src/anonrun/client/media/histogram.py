"""Histograms of numbers: counted here, so that what is stored is as small however many numbers there were."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from anonrun.client.media.arrays import as_array, numbers_in, plain_list
from anonrun.client.media.content import Content, Media, Unloggable, caption_of, json_content
from anonrun.core.media import MAX_BINS, MediaKind
from anonrun.core.media import Histogram as Counted
from anonrun.core.metrics import to_float
from anonrun.core.words import counted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Histogram"]


class Histogram(Media):
    """How numbers are distributed.

    Args:
        sequence: the numbers: a list, or an array or tensor of any shape and library. NaN and ±Infinity are left out,
            with a warning.
        num_bins: bins of equal width, at most 512.
        np_histogram: what `numpy.histogram` returned, instead of `sequence`: counts and edges.
        caption: said below it.

    Example:
        >>> Histogram([1, 2, 2, 3], num_bins=2)
        <anonrun.Histogram of 4 values in 2 bins>
    """

    def __init__(
        self,
        sequence: object = None,
        num_bins: int = 64,
        np_histogram: object = None,
        caption: object = None,
    ) -> None:
        self._caption = caption_of(caption)
        self._notes: list[str] = []
        self._counted: Counted | None = None
        self._problem = ""
        try:
            if np_histogram is not None:
                self._counted = _given(np_histogram)
            else:
                self._counted = self._count(sequence, self._checked_bins(num_bins))
        except Unloggable as exc:
            self._problem = str(exc)

    def content(self) -> Content:
        """See `Media.content`."""
        if self._counted is None:
            raise Unloggable(self._problem)
        return json_content(MediaKind.HISTOGRAM, self._counted, caption=self._caption, notes=tuple(self._notes))

    def __repr__(self) -> str:
        if self._counted is None:
            return f"<anonrun.Histogram: {self._problem}>"
        return (
            f"<anonrun.Histogram of {sum(self._counted.counts):,.0f} values in "
            f"{counted(len(self._counted.counts), 'bin')}>"
        )

    def _checked_bins(self, num_bins: object) -> int:
        number = to_float(num_bins)
        if number is None or not 1 <= number <= MAX_BINS:
            self._notes.append(f"num_bins={num_bins!r} is not from 1 to {MAX_BINS}; the nearest was taken.")
            number = 64 if number is None or math.isnan(number) else min(max(number, 1), MAX_BINS)
        return int(number)

    def _count(self, sequence: object, bins: int) -> Counted:
        found = numbers_in(sequence, "A histogram's sequence")
        if isinstance(found, tuple):
            numbers, strange = found
            kept = [number for number in numbers if math.isfinite(number)]
            self._note(len(numbers) - len(kept), strange)
            return _counted(kept, bins)
        return self._count_array(found, bins)

    def _count_array(self, numbers: npt.NDArray[np.float64], bins: int) -> Counted:
        import numpy as np  # noqa: PLC0415  it is there, since this is an array

        kept = numbers[np.isfinite(numbers)]
        self._note(int(numbers.size - kept.size), 0)
        if not kept.size:
            raise Unloggable("The histogram has no numbers; give at least one that is finite.")
        edges = _edges(float(kept.min()), float(kept.max()), bins)
        counts, _ = np.histogram(kept, np.asarray(edges))
        return Counted(edges, counts.tolist())

    def _note(self, not_finite: int, strange: int) -> None:
        if not_finite:
            self._notes.append(f"{counted(not_finite, 'value')} of a histogram, NaN or infinite, left out.")
        if strange:
            self._notes.append(f"{counted(strange, 'thing')} in a histogram that are no numbers, left out.")


def _edges(low: float, high: float, bins: int) -> list[float]:
    if low == high:
        half = max(0.5, abs(low) * 1e-6)  # as NumPy's, but of numbers so large that a half is nothing beside them
        low, high = low - half, high + half
    width = (high - low) / bins
    if math.isfinite(width):
        edges = [low + width * i for i in range(bins)] + [high]
    else:  # beyond every float
        edges = [low * (1 - i / bins) + high * (i / bins) for i in range(bins + 1)]
    if not all(math.isfinite(edge) for edge in edges) or any(a > b for a, b in pairwise(edges)):
        raise Unloggable("The numbers of the histogram are too large or too near each other to be counted in bins.")
    return edges


def _counted(numbers: list[float], bins: int) -> Counted:
    if not numbers:
        raise Unloggable("The histogram has no numbers; give at least one that is finite.")
    edges = _edges(min(numbers), max(numbers), bins)
    low, width = edges[0], edges[-1] / bins - edges[0] / bins
    counts = [0.0] * bins
    for number in numbers:
        at = min(bins - 1, max(0, int(number / width - low / width))) if width else 0
        # Rounding may have put it one bin beside: the edges decide, as they do in NumPy.
        if number < edges[at]:
            at -= 1
        elif at < bins - 1 and number >= edges[at + 1]:
            at += 1
        counts[at] += 1
    return Counted(edges, counts)


def _given(np_histogram: Any) -> Counted:  # noqa: ANN401  the user's values
    try:
        counts, edges = np_histogram
    except (TypeError, ValueError):
        raise Unloggable("np_histogram is counts and edges, as numpy.histogram returns them.") from None
    numbers = [_floats(part, what) for part, what in ((counts, "The counts"), (edges, "The edges"))]
    made = Counted(edges=numbers[1], counts=numbers[0])
    problem = made.problem()
    if problem is not None:
        raise Unloggable(f"{problem[0].upper()}{problem[1:]}.")
    return made


def _floats(values: object, what: str) -> list[float]:
    array = as_array(values)
    listed = plain_list(values if array is None else array.ravel(), f"{what} of np_histogram")
    numbers = [to_float(value) for value in listed]
    if any(number is None for number in numbers):
        raise Unloggable(f"{what} of np_histogram are not all numbers.")
    return [number for number in numbers if number is not None]
