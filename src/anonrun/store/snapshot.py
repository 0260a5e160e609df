"""A live run's series as one transaction sees them: chunks and tail, each column read once and only when it is needed.

A chunk or segment whose checksum does not hold is left out and counted: the rest is still readable, and `check.py`
names the place.
"""

from __future__ import annotations

import itertools
import logging
import math
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, func, select

from anonrun.core.batches import batches
from anonrun.core.wire import decode
from anonrun.errors import DamagedDataError
from anonrun.store.chunks import block_counts, rollup_columns
from anonrun.store.columns import check_all, unpack
from anonrun.store.live import LIVE
from anonrun.store.sampling import Blocks, Points
from anonrun.store.schema import AXIS, CHUNK, METRIC, RUN, SEG
from anonrun.store.transaction import Tx

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Snapshot", "Spans"]

_log = logging.getLogger("anonrun.store.snapshot")

_AT_ONCE = 500
_FAR = 1 << 63

T = TypeVar("T")


# The statements of this path are built once: building them takes longer than SQLite takes to run them.
_OF = bindparam("of", type_=RUN.c.run_id.type)
_OF_CHUNK = and_(AXIS.c.run_id == CHUNK.c.run_id, AXIS.c.axis_id == CHUNK.c.axis_id)
_POSITION = select(RUN.c.position).where(RUN.c.run_id == _OF, LIVE)
_IDS = (
    select(METRIC.c.name, METRIC.c.metric_id)
    .join(RUN, RUN.c.run_id == METRIC.c.run_id)
    .where(METRIC.c.run_id == _OF, LIVE)
    .order_by(METRIC.c.metric_id)
)
_SOME_IDS = _IDS.where(METRIC.c.name.in_(bindparam("names", expanding=True)))
_TAIL = (
    select(SEG.c.position, SEG.c.payload)
    .join(RUN, RUN.c.run_id == SEG.c.run_id)
    .where(SEG.c.run_id == _OF, SEG.c.position <= bindparam("upto"), LIVE)
    .order_by(SEG.c.position)
)
_BEGAN = select(func.min(AXIS.c.time_min)).join(RUN, RUN.c.run_id == AXIS.c.run_id).where(AXIS.c.run_id == _OF, LIVE)
_AXES = (
    select(AXIS.c.axis_id, AXIS.c.steps, AXIS.c.times)
    .join(RUN, RUN.c.run_id == AXIS.c.run_id)
    .where(AXIS.c.run_id == _OF, AXIS.c.axis_id.in_(bindparam("axes", expanding=True)), LIVE)
)


def _spans_by(low: ColumnElement[int], high: ColumnElement[int], rises: ColumnElement[bool]) -> Select[Any]:
    return (
        select(CHUNK.c.metric_id, CHUNK.c.no, CHUNK.c.axis_id, AXIS.c.n, low, high, rises)
        .join(RUN, RUN.c.run_id == CHUNK.c.run_id)
        .join(AXIS, _OF_CHUNK)
        .where(CHUNK.c.run_id == _OF, LIVE, CHUNK.c.metric_id.in_(bindparam("metrics", expanding=True)))
        .where(high >= bindparam("low", type_=BigInteger), low <= bindparam("high", type_=BigInteger))
        .order_by(CHUNK.c.metric_id, CHUNK.c.no)
    )


_SPANS_BY_STEP = _spans_by(AXIS.c.step_min, AXIS.c.step_max, AXIS.c.steps_rise)
_SPANS_BY_TIME = _spans_by(AXIS.c.time_min, AXIS.c.time_max, AXIS.c.times_rise)


def _chunks_with(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(CHUNK.c.no, *columns)
        .join(RUN, RUN.c.run_id == CHUNK.c.run_id)
        .join(AXIS, _OF_CHUNK)
        .where(CHUNK.c.run_id == _OF, CHUNK.c.metric_id == bindparam("metric"), LIVE)
        .where(CHUNK.c.no.between(bindparam("first"), bindparam("last")))
        .order_by(CHUNK.c.no)
    )


_VALUES = _chunks_with(CHUNK.c.axis_id, CHUNK.c.vals)
_ROLLUPS = _chunks_with(CHUNK.c.rollup, AXIS.c.rollup.label("axis"))


@dataclass(frozen=True, slots=True)
class Spans:
    """What is known of some chunks of one metric without reading their columns, in order of arrival.

    Attributes:
        no: number of each chunk.
        axis_id: its axis.
        n: its points.
        low: its first place on x.
        high: its last.
        rises: whether x rises within it.
    """

    metric_id: int
    no: npt.NDArray[np.int64]
    axis_id: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    rises: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.no)

    def __getitem__(self, part: slice) -> Spans:
        return Spans(
            self.metric_id, self.no[part], self.axis_id[part], self.n[part], self.low[part], self.high[part],
            self.rises[part],
        )  # fmt: skip

    @property
    def in_order(self) -> bool:
        """Whether x rises within each and from each to the next."""
        return bool(self.rises.all()) and bool((self.low[1:] >= self.high[:-1]).all())


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

    @staticmethod
    def of(tx: Tx, run_id: uuid.UUID, names: Collection[str] | None) -> Snapshot | None:
        """Return a run's metrics (None: all of them) as they are now; None where the run is gone."""
        at = {"of": run_id, "now_us": tx.now_us}
        run = tx.conn.execute(_POSITION, at).first()
        if run is None:
            return None
        found = tx.conn.execute(_IDS, at) if names is None else tx.conn.execute(_SOME_IDS, at | {"names": list(names)})
        ids = {row.name: row.metric_id for row in found}
        here = Snapshot(tx, run_id, run.position, ids)
        here._read_tail()
        return here

    def _read_tail(self) -> None:
        """Read the segments: those that are not in chunks yet, and, to be counted, those that can never be."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        for row in self.tx.conn.execute(_TAIL, self._at(upto=self.position)):
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

    def spans(self, *, by_time: bool = False, start: float | None = None, end: float | None = None) -> dict[str, Spans]:
        """Return by metric what is known of its chunks that have something between two places on x, both included."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        low = -_FAR if start is None else _whole(math.ceil(start))
        high = _FAR - 1 if end is None else _whole(math.floor(end))
        query = _SPANS_BY_TIME if by_time else _SPANS_BY_STEP
        width = len(query.selected_columns)
        found: dict[int, npt.NDArray[np.int64]] = {}
        for some in batches(list(self.ids.values()), _AT_ONCE):
            rows = self.tx.conn.execute(query, self._at(metrics=some, low=low, high=high)).all()
            table = np.fromiter(itertools.chain.from_iterable(rows), np.int64, width * len(rows)).reshape(-1, width)
            begins = np.flatnonzero(np.diff(table[:, 0], prepend=-1))
            found |= {int(part[0, 0]): part for part in np.split(table, begins[1:]) if len(part)}
        none = np.empty((0, width), np.int64)
        return {name: Spans(metric_id, *found.get(metric_id, none).T[1:]) for name, metric_id in self.ids.items()}

    def began_us(self) -> int:
        """Return the time of the run's earliest row, whichever metrics were asked for."""
        first = self.tx.conn.execute(_BEGAN, self._at()).scalar()
        times = [int(points.times_us.min()) for parts in self.tail.values() for points in parts]
        return min(times if first is None else [first, *times], default=0)

    def points(self, spans: Spans) -> list[Points]:
        """Return every point of some chunks that follow each other."""
        if not len(spans):
            return []
        self._read_axes(set(spans.axis_id.tolist()))
        found = []
        for row in self._chunks(spans, _VALUES):
            if row.axis_id in self._axes:
                values = self._sound(lambda row=row: unpack(row.vals), _place(spans, row.no))  # type: ignore[misc]  # the default binds the loop's value
                if values is not None:
                    found.append(Points(*self._axes[row.axis_id], values))
        return found

    def _read_axes(self, axis_ids: set[int]) -> None:
        for some in batches(sorted(axis_ids - self._axes.keys()), _AT_ONCE):
            for row in self.tx.conn.execute(_AXES, self._at(axes=some)):
                axis = self._sound(lambda row=row: (unpack(row.steps), unpack(row.times)), f"axis {row.axis_id}")  # type: ignore[misc]  # the default binds the loop's value
                if axis:
                    self._axes[row.axis_id] = axis

    def blocks(self, spans: Spans, *, by_time: bool) -> Blocks | None:
        """Return some chunks that follow each other, merged to blocks: only their rollups are read."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        rows = list(self._chunks(spans, _ROLLUPS))
        sound = [
            row
            for row in rows
            if self._sound(lambda row=row: check_all((row.rollup, row.axis)), _place(spans, row.no))  # type: ignore[misc]  # the default binds the loop's value
        ]
        if not sound:
            return None
        axes = rollup_columns([row.axis for row in sound], 2, np.int64)
        values = rollup_columns([row.rollup for row in sound], 4, np.float64)
        sizes = dict(zip(spans.no.tolist(), spans.n.tolist(), strict=True))
        counts = block_counts([sizes[row.no] for row in sound])
        return Blocks(axes[1] if by_time else axes[0], axes[0], axes[1], counts, *values)

    def _chunks(self, spans: Spans, query: Select[Any]) -> Iterator[Any]:
        """Yield number and columns of some chunks that follow each other."""
        first, last = int(spans.no[0]), int(spans.no[-1])
        yield from self.tx.conn.execute(query, self._at(metric=spans.metric_id, first=first, last=last))

    def _at(self, **more: object) -> dict[str, object]:
        return {"of": self.run_id, "now_us": self.tx.now_us, **more}


def _whole(place: int) -> int:
    return max(-_FAR, min(_FAR - 1, place))


def _place(spans: Spans, no: int) -> str:
    return f"metric {spans.metric_id} chunk {no}"
