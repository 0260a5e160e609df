"""One value per metric: count, last, smallest, largest.

NaN counts as a value that was logged (it can be `last`) and never as smallest or largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["MetricSummary", "extremes_of"]


def extremes_of(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the smallest and the largest value that is not NaN; None for both where there is none."""
    floats = list(values)  # an array would make each float anew in each pass
    total = sum(floats)
    if total != total:  # noqa: PLR0124  the fast test for NaN; +Inf and −Inf together give one too
        floats = [v for v in floats if v == v]  # noqa: PLR0124
        if not floats:
            return None, None
    return min(floats), max(floats)


class MetricSummary(NamedTuple):
    """What is known of one metric of one run.

    A tuple, since the server makes one for each metric of each flush, and a frozen dataclass takes thrice as long.

    Attributes:
        n: values logged.
        last_step: step of the value logged last, in order of arrival.
        last: that value.
        min: smallest value that is not NaN; None where there is none.
        max: largest value that is not NaN; None where there is none.
    """

    n: int
    last_step: int
    last: float
    min: float | None
    max: float | None

    @staticmethod
    def of(steps: Sequence[int], values: Sequence[float]) -> MetricSummary:
        """Return the summary of values in order of arrival; there must be at least one."""
        return MetricSummary(len(values), steps[-1], values[-1], *extremes_of(values))

    def then(self, later: MetricSummary) -> MetricSummary:
        """Return the summary of these values followed by `later` ones."""
        n, step, last, low, high = later
        if self.min is not None and (low is None or self.min <= low):
            low = self.min
        if self.max is not None and (high is None or self.max >= high):
            high = self.max
        return MetricSummary(self.n + n, step, last, low, high)
