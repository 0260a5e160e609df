"""A live run's series as one transaction sees them: chunks and tail, each column read once and only when it is needed.

A chunk or segment whose checksum does not hold is left out and counted: the rest is still readable, and `check.py`
names the place.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import and_, func, select

from anonrun.core.wire import decode
from anonrun.errors import DamagedDataError
from anonrun.store.chunks import AxisRollup, Rollup, block_counts
from anonrun.store.columns import unpack
from anonrun.store.live import is_live
from anonrun.store.sampling import Blocks, Points
from anonrun.store.schema import AXIS, CHUNK, METRIC, RUN, SEG
from anonrun.store.transaction import Tx

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Snapshot", "Span"]

_log = logging.getLogger("anonrun.store.snapshot")

_AT_ONCE = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of a chunk without reading its columns.

    Attributes:
        n: its points.
        steps: smallest and largest step.
        times_us: earliest and latest time.
        steps_rise: whether no step is below the one before.
        times_rise: likewise.
    """

    metric_id: int
    no: int
    axis_id: int
    n: int
    steps: tuple[int, int]
    times_us: tuple[int, int]
    steps_rise: bool
    times_rise: bool


@dataclass(slots=True)
class Snapshot:
    """A live run as one transaction sees it. Make one by `Snapshot.of`.

    Attributes:
        ids: number by name of the metrics that were asked for, in order of first appearance.
        position: of the run's last segment.
        tail: by name, what is not in chunks yet, in order of arrival.
        damaged: stretches that could not be read so far.
    """

    tx: Tx
    run_id: uuid.UUID
    position: int
    ids: dict[str, int]
    tail: dict[str, list[Points]] = field(default_factory=dict)
    damaged: int = 0
    _axes: dict[int, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = field(default_factory=dict)
    _rollups: dict[int, AxisRollup] = field(default_factory=dict)

    @staticmethod
    def of(tx: Tx, run_id: uuid.UUID, names: Collection[str] | None) -> Snapshot | None:
        """Return a run's metrics (None: all of them) as they are now; None where the run is gone."""
        run = tx.conn.execute(
            select(RUN.c.position, RUN.c.compacted).where(RUN.c.run_id == run_id, is_live(tx.now_us))
        ).first()
        if run is None:
            return None
        wanted = (
            select(METRIC.c.name, METRIC.c.metric_id)
            .join(RUN, RUN.c.run_id == METRIC.c.run_id)
            .where(METRIC.c.run_id == run_id, is_live(tx.now_us))
            .order_by(METRIC.c.metric_id)
        )
        if names is not None:
            wanted = wanted.where(METRIC.c.name.in_(list(names)))
        ids = {row.name: row.metric_id for row in tx.conn.execute(wanted)}
        here = Snapshot(tx, run_id, run.position, ids)
        here._read_tail(run.compacted)
        return here

    def _read_tail(self, compacted: int) -> None:
        import numpy as np  # noqa: PLC0415  an idle server does without

        rows = self.tx.conn.execute(
            select(SEG.c.position, SEG.c.payload)
            .join(RUN, RUN.c.run_id == SEG.c.run_id)
            .where(
                SEG.c.run_id == self.run_id,
                SEG.c.position > compacted,
                SEG.c.position <= self.position,
                is_live(self.tx.now_us),
            )
            .order_by(SEG.c.position)
        )
        for row in rows:
            segment = self._sound(lambda row=row: decode(row.payload), f"segment {row.position}")  # type: ignore[misc]  # the default binds the loop's value
            for frame in segment.frames if segment else ():
                steps, times = np.frombuffer(frame.steps, np.int64), np.frombuffer(frame.times_us, np.int64)
                for name, column in zip(frame.names, frame.columns, strict=True):
                    if name in self.ids:
                        points = Points(steps, times, np.frombuffer(column, np.float64))
                        self.tail.setdefault(name, []).append(points)

    def _sound(self, read: Callable[[], T], what: str) -> T | None:
        """Return what can be read; note it and return None where its checksum does not hold."""
        try:
            return read()
        except DamagedDataError:
            self.damaged += 1
            _log.error("damaged data left out", extra={"fields": {"run_id": str(self.run_id), "what": what}})
            return None

    def spans(self) -> dict[str, list[Span]]:
        """Return by metric what is known of its chunks, in order of arrival."""
        names = {metric_id: name for name, metric_id in self.ids.items()}
        found: dict[str, list[Span]] = {name: [] for name in self.ids}
        query = (
            select(CHUNK.c.metric_id, CHUNK.c.no, CHUNK.c.axis_id, AXIS.c.n, AXIS.c.steps_rise, AXIS.c.times_rise)
            .add_columns(AXIS.c.step_min, AXIS.c.step_max, AXIS.c.time_min, AXIS.c.time_max)
            .join(RUN, RUN.c.run_id == CHUNK.c.run_id)
            .join(AXIS, and_(AXIS.c.run_id == CHUNK.c.run_id, AXIS.c.axis_id == CHUNK.c.axis_id))
            .where(CHUNK.c.run_id == self.run_id, is_live(self.tx.now_us))
            .order_by(CHUNK.c.metric_id, CHUNK.c.no)
        )
        for some in _batches(list(names)):
            for row in self.tx.conn.execute(query.where(CHUNK.c.metric_id.in_(some))):
                found[names[row.metric_id]].append(
                    Span(
                        row.metric_id, row.no, row.axis_id, row.n, (row.step_min, row.step_max),
                        (row.time_min, row.time_max), row.steps_rise, row.times_rise,
                    )
                )  # fmt: skip
        return found

    def began_us(self) -> int:
        """Return the time of the run's earliest row, whichever metrics were asked for."""
        first = self.tx.conn.execute(
            select(func.min(AXIS.c.time_min))
            .join(RUN, RUN.c.run_id == AXIS.c.run_id)
            .where(AXIS.c.run_id == self.run_id, is_live(self.tx.now_us))
        ).scalar()
        times = [int(points.times_us.min()) for parts in self.tail.values() for points in parts]
        return min(times if first is None else [first, *times], default=0)

    def points(self, spans: Sequence[Span]) -> list[Points]:
        """Return every point of some chunks of one metric that follow each other."""
        if not spans:
            return []
        missing = sorted({span.axis_id for span in spans} - self._axes.keys())
        query = select(AXIS.c.axis_id, AXIS.c.steps, AXIS.c.times).join(RUN, RUN.c.run_id == AXIS.c.run_id)
        for some in _batches(missing):
            mine = query.where(AXIS.c.run_id == self.run_id, AXIS.c.axis_id.in_(some), is_live(self.tx.now_us))
            for stored in self.tx.conn.execute(mine):
                axis = self._sound(lambda row=stored: (unpack(row.steps), unpack(row.times)), f"axis {stored.axis_id}")  # type: ignore[misc]  # the default binds the loop's value
                if axis:
                    self._axes[stored.axis_id] = axis
        found = []
        for row in self._chunks(spans, "vals"):
            if row.axis_id in self._axes:
                values = self._sound(lambda row=row: unpack(row.vals), _place(spans, row.no))  # type: ignore[misc]  # the default binds the loop's value
                if values is not None:
                    found.append(Points(*self._axes[row.axis_id], values))
        return found

    def blocks(self, spans: Sequence[Span], *, by_time: bool) -> list[Blocks]:
        """Return some chunks of one metric that follow each other, merged to blocks: only their rollups are read."""
        missing = sorted({span.axis_id for span in spans} - self._rollups.keys())
        query = select(AXIS.c.axis_id, AXIS.c.rollup).join(RUN, RUN.c.run_id == AXIS.c.run_id)
        for some in _batches(missing):
            mine = query.where(AXIS.c.run_id == self.run_id, AXIS.c.axis_id.in_(some), is_live(self.tx.now_us))
            for stored in self.tx.conn.execute(mine):
                axis = self._sound(lambda row=stored: AxisRollup.unpack(row.rollup), f"axis {stored.axis_id}")  # type: ignore[misc]  # the default binds the loop's value
                if axis:
                    self._rollups[stored.axis_id] = axis
        sizes = {span.no: span.n for span in spans}
        found = []
        for row in self._chunks(spans, "rollup"):
            if row.axis_id in self._rollups:
                values = self._sound(lambda row=row: Rollup.unpack(row.rollup), _place(spans, row.no))  # type: ignore[misc]  # the default binds the loop's value
                if values:
                    axis = self._rollups[row.axis_id]
                    x = axis.times_us if by_time else axis.steps
                    count = block_counts(sizes[row.no])
                    found.append(
                        Blocks(x, axis.steps, axis.times_us, count, values.low, values.high, values.first, values.last)
                    )
        return found

    def _chunks(self, spans: Sequence[Span], column: str) -> Iterator[Any]:
        yield from self.tx.conn.execute(
            select(CHUNK.c.no, CHUNK.c.axis_id, CHUNK.c[column])
            .join(RUN, RUN.c.run_id == CHUNK.c.run_id)
            .where(
                CHUNK.c.run_id == self.run_id,
                CHUNK.c.metric_id == spans[0].metric_id,
                CHUNK.c.no.between(spans[0].no, spans[-1].no),
                is_live(self.tx.now_us),
            )
            .order_by(CHUNK.c.no)
        )


def _place(spans: Sequence[Span], no: int) -> str:
    return f"metric {spans[0].metric_id} chunk {no}"


def _batches(items: Sequence[int]) -> Iterator[Sequence[int]]:
    return (items[begin : begin + _AT_ONCE] for begin in range(0, len(items), _AT_ONCE))
