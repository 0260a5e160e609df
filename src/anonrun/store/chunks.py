"""Chunks: stretches of series as arrays, and what is kept of each so that a wide view need not read them.

Pure: arrays in, values out. An axis holds steps, times and positions of a stretch of rows; every metric that was
logged in just these rows shares it. A rollup has an entry for each 64 rows: of an axis the first step and time, of
a metric smallest, largest, first and last value (NaN is never smallest or largest, unless there is nothing else).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anonrun.store.columns import CODEC_RAW, HEAD_SIZE, pack, unpack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["BLOCK_POINTS", "CHUNK_POINTS", "Axis", "block_counts", "packed_rollup", "rollup_columns"]

CHUNK_POINTS = 4_096
BLOCK_POINTS = 64


def block_counts(sizes: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return how many points each entry of the rollups of chunks stands for; `sizes` are the chunks' points."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    blocks = [-(-n // BLOCK_POINTS) for n in sizes]
    counts = np.full(sum(blocks), BLOCK_POINTS, np.int64)
    counts[np.cumsum(blocks) - 1] = [n - BLOCK_POINTS * (held - 1) for n, held in zip(sizes, blocks, strict=True)]
    return counts


def rollup_columns(stored: Sequence[bytes], width: int, kind: type) -> npt.NDArray[Any]:
    """Return the rollups of chunks that follow each other as one, a row for each of their `width` columns.

    They must be sound, and all but the last of a whole chunk; `kind` is their values' type.
    """
    import numpy as np  # noqa: PLC0415  an idle server does without

    def columns(some: Sequence[bytes]) -> npt.NDArray[Any]:
        packed = b"".join(data[HEAD_SIZE:] for data in some)
        values: npt.NDArray[Any] = np.frombuffer(packed, np.dtype(kind).newbyteorder("<"))
        table: npt.NDArray[Any] = values.reshape(len(some), width, -1).swapaxes(0, 1).reshape(width, -1)
        return table

    parts = [columns(list(some)) for _, some in itertools.groupby(stored, len)]
    whole: npt.NDArray[Any] = np.concatenate(parts, axis=1)
    return whole.astype(np.dtype(kind), copy=False)


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


def packed_rollup(values: npt.NDArray[np.float64]) -> bytes:
    """Return as a stored column the smallest, largest, first and last value of each block; there is at least one."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    begins = np.arange(0, len(values), BLOCK_POINTS)
    ends = np.minimum(begins + BLOCK_POINTS, len(values)) - 1
    low, high = np.fmin.reduceat(values, begins), np.fmax.reduceat(values, begins)
    return pack(np.concatenate([low, high, values[begins], values[ends]]), codec=CODEC_RAW)
