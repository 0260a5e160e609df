"""How far a training is: what counts as a total, how many steps are made, and how that is said.

Pure. The front end counts in the same way (`js/status/progress.ts`).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

__all__ = ["MOST_STEPS", "Progress", "total_of"]

MOST_STEPS = 2**53 - 1
"""The largest total: a page counts in doubles."""


def total_of(value: object) -> int | None:
    """Return a number of steps that is to be made; None for what cannot be one.

    Example:
        >>> total_of(1000), total_of(2e4), total_of("1000"), total_of(0), total_of(0.5), total_of(True)
        (1000, 20000, None, None, None, None)
    """
    if isinstance(value, bool):
        return None
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # what is no integer raises, and that is the test
    except TypeError:
        number = int(value) if isinstance(value, float) and value.is_integer() else 0
    return number if 1 <= number <= MOST_STEPS else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        first_step: the smallest step that was logged.
        last_step: the step where it stands.
        total: steps that it will make; None where nobody said so.
    """

    first_step: int
    last_step: int
    total: int | None

    @property
    def done(self) -> int:
        """Steps made: who counts from 0 has made one more than the last step's number."""
        return max(0, self.last_step + (self.first_step < 1))

    @property
    def share(self) -> float | None:
        """What part of the total is done, 0 to 1, however far beyond it the run is; None without a total.

        Example:
            >>> [Progress(0, last, 1000).share for last in (0, 499, 999, 1200)]
            [0.001, 0.5, 1.0, 1.0]
        """
        return None if self.total is None else min(1.0, self.done / self.total)

    @property
    def text(self) -> str:
        r"""How far it is, in words that stay true beyond the total.

        Example:
            >>> Progress(0, 499, 1000).text, Progress(1, 500, 1000).text
            ('step 499 of 1\u202f000 (50\u202f%)', 'step 500 of 1\u202f000 (50\u202f%)')
            >>> Progress(0, 1200, 1000).text, Progress(0, 499, None).text
            ('step 1\u202f200, beyond the 1\u202f000 planned', 'step 499')
        """
        step = f"step {_grouped(self.last_step)}"
        if self.total is None:
            return step
        if self.done > self.total:
            return f"{step}, beyond the {_grouped(self.total)} planned"
        return f"{step} of {_grouped(self.total)} ({100 * self.done // self.total}\u202f%)"


def _grouped(n: int) -> str:
    return f"{n:,}".replace(",", "\u202f")
