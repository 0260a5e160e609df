"""What a receiver keeps of a segment that it stores as it came: the summary of each metric.

Reads the values where they lie in the body and makes no frames. Metric names are held to the rules of
`anonrun.core.metrics` here, since a segment that breaks them must not be stored.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable
from functools import lru_cache

from anonrun.core.damage import Reason, SegmentError
from anonrun.core.frames import Place, doubles_at
from anonrun.core.metrics import name_problem
from anonrun.core.summary import MetricSummary, extremes_of

__all__ = ["Extremes", "digest"]

Extremes = Callable[["array[float]"], tuple[float | None, float | None]]

_STEP = struct.Struct("<q")


@lru_cache(maxsize=4_096)
def _checked(name: str) -> str:
    problem = name_problem(name)
    if problem is not None:
        raise SegmentError(Reason.NAME, problem)
    return name


def digest(raw: bytes, places: Iterable[Place], *, extremes: Extremes = extremes_of) -> dict[str, MetricSummary]:
    """Return the summary of each metric, in the order of their first appearance.

    Args:
        raw: a decompressed body.
        places: where its frames lie, as `anonrun.core.wire.checked_places` found them.
        extremes: gives the smallest and the largest of some values, None for both where all are NaN. A caller that
            has NumPy loaded may give one that is faster.

    Raises:
        SegmentError: a metric's name breaks a rule.
    """
    found: dict[str, MetricSummary] = {}
    for place in places:
        rows = place.rows
        (last_step,) = _STEP.unpack_from(raw, place.values - 8 * rows - 8)
        values = doubles_at(raw, place.values, place.stop)
        for i, name in enumerate(place.names):
            if rows == 1:
                last = values[i]
                low = high = last if last == last else None  # noqa: PLR0124  the fast test for NaN
            else:
                column = values[i * rows : (i + 1) * rows]
                last = column[-1]
                low, high = extremes(column)
            summary = MetricSummary(rows, last_step, last, low, high)
            before = found.get(name)
            found[name] = summary if before is None else before.then(summary)
    for name in found:
        _checked(name)
    return found
