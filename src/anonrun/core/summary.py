"""One value per metric: count, last, smallest, largest.

NaN counts as a value that was logged (it can be `last`) and never as smallest or largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MetricSummary"]


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """What is known of one metric of one run.

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
        real = [v for v in values if v == v]  # noqa: PLR0124  the fast test for NaN
        return MetricSummary(
            n=len(values),
            last_step=steps[-1],
            last=values[-1],
            min=min(real) if real else None,
            max=max(real) if real else None,
        )

    def then(self, later: MetricSummary) -> MetricSummary:
        """Return the summary of these values followed by `later` ones."""
        lows = [v for v in (self.min, later.min) if v is not None]
        highs = [v for v in (self.max, later.max) if v is not None]
        return MetricSummary(
            n=self.n + later.n,
            last_step=later.last_step,
            last=later.last,
            min=min(lows) if lows else None,
            max=max(highs) if highs else None,
        )
