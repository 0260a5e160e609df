"""A run's tail as arrays: what a compaction takes in before it makes chunks of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from anonrun.core.summary import MetricSummary
from anonrun.core.wire import Frame, decode
from anonrun.errors import DamagedDataError
from anonrun.store.chunks import Axis

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Tail", "summary_of"]


class Tail:
    """Segments of one run as they are taken in, in order of position.

    Args:
        compacted: the position after which they begin.

    Attributes:
        before: that position.
        upto: position of the last one.
        points: their points.
        size: bytes of those that could be read.
        damaged: positions of those that could not.
        frames: their frames, each with its position.
        where: by metric, the frames that have it, each with the number of its column.
    """

    def __init__(self, compacted: int) -> None:
        self.before = compacted
        self.upto = compacted
        self.points = 0
        self.size = 0
        self.damaged: list[int] = []
        self.frames: list[tuple[int, Frame]] = []
        self.where: dict[str, list[tuple[int, int]]] = {}

    def take(self, position: int, points: int, payload: bytes) -> None:
        """Take a segment in."""
        self.upto = position
        self.points += points
        try:
            segment = decode(payload)
        except DamagedDataError:
            self.damaged.append(position)
            return
        self.size += len(payload)
        for frame in segment.frames:
            for column, name in enumerate(frame.names):
                self.where.setdefault(name, []).append((len(self.frames), column))
            self.frames.append((position, frame))

    def axis(self, frames: Iterable[int]) -> Axis:
        """Return the rows of some frames."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        return Axis.of(
            [
                Axis(
                    np.frombuffer(frame.steps, np.int64),
                    np.frombuffer(frame.times_us, np.int64),
                    np.full(len(frame.steps), position, np.int64),
                )
                for position, frame in (self.frames[i] for i in frames)
            ]
        )

    def values(self, name: str) -> npt.NDArray[np.float64]:
        """Return a metric's values."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        return np.concatenate(
            [np.frombuffer(self.frames[i][1].columns[column], np.float64) for i, column in self.where[name]]
        )


def summary_of(axis: Axis, values: npt.NDArray[np.float64]) -> MetricSummary:
    """Return the summary of one metric's values, in order of arrival; there must be at least one."""
    import numpy as np  # noqa: PLC0415  an idle server does without

    real = values[~np.isnan(values)]
    low, high = (float(real.min()), float(real.max())) if len(real) else (None, None)
    return MetricSummary(len(values), int(axis.steps[-1]), float(values[-1]), low, high)
