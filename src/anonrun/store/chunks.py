"""Chunks: stretches of series as arrays, and what is kept of each so that a wide view need not read them.

Pure: arrays in, values out. An axis holds steps, times and positions of a stretch of rows; every metric that was
logged in just these rows shares it. A rollup has an entry for each 64 rows: of an axis the first step and time, of
a metric smallest, largest, first and last value (NaN is never smallest or largest, unless there is nothing else).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anonrun.store.columns import CODEC_RAW, pack, unpack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["BLOCK_POINTS", "CHUNK_POINTS", "Axis", "AxisRollup", "Rollup", "block_counts"]

CHUNK_POINTS = 4_096
BLOCK_POINTS = 64


def block_counts(n: int) -> npt.NDArray[np.int64]:
    """Return how many points each entry of a rollup of `n` points stands for."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    counts = np.full(-(-n // BLOCK_POINTS), BLOCK_POINTS, np.int64)
    if n % BLOCK_POINTS:
        counts[-1] = n % BLOCK_POINTS
    return counts


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of rows in order of arrival; three arrays of one length."""

    steps: npt.NDArray[np.int64]
    times_us: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, part: slice) -> Axis:
        return Axis(self.steps[part], self.times_us[part], self.positions[part])

    @staticmethod
    def of(parts: list[Axis]) -> Axis:
        """Return stretches that follow each other as one."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        return Axis(
            np.concatenate([part.steps for part in parts]),
            np.concatenate([part.times_us for part in parts]),
            np.concatenate([part.positions for part in parts]),
        )

    @staticmethod
    def unpack(steps: bytes, times: bytes, positions: bytes) -> Axis:
        """Return an axis from its stored columns.

        Raises:
            DamagedDataError: one is damaged.
        """
        return Axis(unpack(steps), unpack(times), unpack(positions))

    def columns(self) -> dict[str, object]:
        """Return what is stored of it, by the names of the table's columns."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        return {
            "n": len(self),
            "first_position": int(self.positions[0]),
            "last_position": int(self.positions[-1]),
            "step_min": int(self.steps.min()),
            "step_max": int(self.steps.max()),
            "time_min": int(self.times_us.min()),
            "time_max": int(self.times_us.max()),
            "steps_rise": bool((self.steps[1:] >= self.steps[:-1]).all()),
            "times_rise": bool((self.times_us[1:] >= self.times_us[:-1]).all()),
            "rollup": pack(
                np.concatenate([self.steps[::BLOCK_POINTS], self.times_us[::BLOCK_POINTS]]), codec=CODEC_RAW
            ),
            "steps": pack(self.steps),
            "times": pack(self.times_us),
            "positions": pack(self.positions),
        }


@dataclass(frozen=True, slots=True)
class AxisRollup:
    """First step and time of each block of an axis."""

    steps: npt.NDArray[np.int64]
    times_us: npt.NDArray[np.int64]

    @staticmethod
    def unpack(data: bytes) -> AxisRollup:
        """Return a rollup from its stored column.

        Raises:
            DamagedDataError: it is damaged.
        """
        both = unpack(data).reshape(2, -1)
        return AxisRollup(both[0], both[1])


@dataclass(frozen=True, slots=True)
class Rollup:
    """Smallest, largest, first and last value of each block of a metric's points."""

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    first: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]

    @staticmethod
    def of(values: npt.NDArray[np.float64]) -> Rollup:
        """Return the rollup of a stretch of values; there must be at least one."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        begins = np.arange(0, len(values), BLOCK_POINTS)
        ends = np.minimum(begins + BLOCK_POINTS, len(values)) - 1
        return Rollup(np.fmin.reduceat(values, begins), np.fmax.reduceat(values, begins), values[begins], values[ends])

    @staticmethod
    def unpack(data: bytes) -> Rollup:
        """Return a rollup from its stored column.

        Raises:
            DamagedDataError: it is damaged.
        """
        return Rollup(*unpack(data).reshape(4, -1))

    def pack(self) -> bytes:
        """Return it as a stored column."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        return pack(np.concatenate([self.low, self.high, self.first, self.last]), codec=CODEC_RAW)
