"""Makes the reference file of a run: its curves in a few points, each of them one that was logged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from anonrun.client.outlines import FEWEST_POINTS, MOST_POINTS, MOST_RUN_POINTS, charted, start_of
from anonrun.core.reference import MOST_METRICS, Outline, Reference, write_reference
from anonrun.errors import UsageError

if TYPE_CHECKING:
    from anonrun.client.api import ApiRun
    from anonrun.client.series import Series

__all__ = ["reference_file"]


def _extremes(values: Sequence[float], most: int) -> list[int]:
    """Return the indices of at most `most` values: first, last, and each stretch's smallest and largest."""
    n = len(values)
    if n <= most:
        return list(range(n))
    stretches = max(1, (most - 2) // 2)
    bounds = [i * n // stretches for i in range(stretches + 1)]
    picked = {0, n - 1}
    for low, high in pairwise(bounds):
        stretch = range(low, high)
        picked |= {min(stretch, key=values.__getitem__), max(stretch, key=values.__getitem__)}
    return sorted(picked)


def _outline(series: Series, start: float, most: int) -> Outline:
    finite = [i for i, value in enumerate(series.value.tolist()) if math.isfinite(value)]
    values = [float(series.value[i]) for i in finite]
    picks = [finite[i] for i in _extremes(values, most)]
    return Outline(
        tuple(int(series.step[i]) for i in picks),
        tuple(float(series.time[i]) - start for i in picks),
        tuple(float(series.value[i]) for i in picks),
    )


def reference_file(run: ApiRun, *, name: str | None = None, metrics: Sequence[str] = ()) -> bytes:
    """Return the reference file of a run; the same run gives the same bytes.

    Args:
        run: which.
        name: what it is called where it is shown; None for the run's own name.
        metrics: those to keep; none for all.

    Raises:
        UsageError: there are too many metrics, or none that has a finite number.
        NotFoundError: the run lacks one of them.
    """
    wanted = charted(run.metrics) if not metrics else sorted(set(metrics))
    if len(wanted) > MOST_METRICS:
        raise UsageError(
            f"Run {run.id} has {len(wanted)} metrics, and a reference holds {MOST_METRICS}: choose with --metric NAME."
        )
    series = {metric: run.series(metric) for metric in wanted}
    first_s = min((float(one.time.min()) for one in series.values()), default=math.inf)
    start = start_of(run.created_at, first_s)
    most = max(FEWEST_POINTS, min(MOST_POINTS, MOST_RUN_POINTS // max(1, len(series))))
    while True:
        outlines = {metric: _outline(one, start, most) for metric, one in series.items()}
        kept = {metric: outline for metric, outline in outlines.items() if len(outline)}
        if not kept:
            raise UsageError(f"Run {run.id} has no metric with a finite number, so there is nothing to refer to.")
        try:
            return write_reference(Reference(name or run.name, kept))
        except UsageError:
            if most <= FEWEST_POINTS:
                raise
            most //= 2  # long names, or long numbers
