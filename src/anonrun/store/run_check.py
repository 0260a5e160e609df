"""Reads through one run, decodes every column, and compares what is kept twice.

What is kept so that it need not be computed (counts, bounds, rollups, summaries) is computed once more. Everything is
read in one snapshot, so that what belongs together is seen together; a run that is being removed is passed over, since
its rows go in batches.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, Select, select

from anonrun.core.media import MediaKind
from anonrun.core.wire import decode
from anonrun.errors import DamagedDataError
from anonrun.store.chunks import CHUNK_POINTS, Axis, packed_rollup
from anonrun.store.columns import unpack
from anonrun.store.findings import Fault, Report
from anonrun.store.live import beyond_live
from anonrun.store.media import weight
from anonrun.store.schema import AXIS, CHUNK, MEDIA, METRIC, RUN, SEG, TAIL, WRITER
from anonrun.store.transaction import Tx

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["RunCheck", "everything"]

_ROWS_AT_ONCE = 64
_SIGN_BIT = 1 << 63
_KINDS = frozenset(kind.value for kind in MediaKind)
_STATES = frozenset({"running", "finished", "failed"})


def everything(statement: Select[Any]) -> Select[Any]:
    """Mark a statement that reads whatever is stored, live or not."""
    return beyond_live(statement, reason="a check reads everything that is stored")


@dataclass(slots=True)
class _Held:
    """What the chunks of one metric hold.

    Attributes:
        sound: whether all of them could be decoded, so that what is computed of them may be compared.
    """

    n: int = 0
    chunks: int = 0
    last_position: int = 0
    short: int | None = None
    sound: bool = True
    last_step: int = 0
    last: float = 0.0
    low: float | None = None
    high: float | None = None


class RunCheck:
    """Reads through one run, in one snapshot."""

    def __init__(self, tx: Tx, run_id: uuid.UUID, report: Report) -> None:
        self._tx = tx
        self._run_id = run_id
        self._report = report
        self._size = 0
        self._axes: dict[int, tuple[int, int, int, int] | None] = {}
        self._used: set[int] = set()

    def check(self) -> None:
        """Read through the run."""
        run = self._tx.conn.execute(everything(select(RUN).where(RUN.c.run_id == self._run_id))).first()
        if run is None:
            return  # it went since
        if run.deleted_at is not None:
            self._report.removing += 1
            return
        self._report.runs += 1
        self._check_texts(run)
        metrics = {row.metric_id: row for row in self._rows(select(METRIC).where(METRIC.c.run_id == self._run_id))}
        if sorted(metrics) != list(range(run.metrics)):
            self._fault("run", f"it counts {run.metrics} metrics; {len(metrics)} are there, or their numbers have gaps")
        tail_points = self._check_tail(run, {row.name for row in metrics.values()})
        self._check_axes(run)
        held = self._check_chunks(metrics)
        for metric_id, row in metrics.items():
            self._check_summary(row, held.get(metric_id, _Held()))
        for axis_id in self._axes.keys() - self._used:
            self._fault(f"axis {axis_id}", "no chunk uses it")
        compacted = sum(row.n for row in metrics.values())
        if run.compacted_points != compacted:
            self._fault("run", f"it counts {run.compacted_points} points in chunks, its metrics {compacted}")
        if run.points != run.compacted_points + tail_points:
            self._fault(
                "run",
                f"it counts {run.points} points; chunks and segments count {run.compacted_points} and {tail_points}",
            )
        self._check_media(run)
        if run.stored_bytes != self._size:
            self._fault("run", f"it counts {run.stored_bytes} bytes of history and media; {self._size} are there")

    def _rows(self, statement: Select[Any]) -> Iterable[Row[Any]]:
        return self._tx.conn.execute(everything(statement).execution_options(yield_per=_ROWS_AT_ONCE))

    def _fault(self, place: str, problem: str, metric: str | None = None) -> None:
        self._report.faults.append(Fault(self._run_id, metric, place, problem))

    def _check_texts(self, run: Row[Any]) -> None:
        for name in ("config", "summary", "tags"):
            try:
                json.loads(getattr(run, name))
            except ValueError:  # noqa: PERF203  three times
                self._fault("run", f"its {name} is no JSON")
        if run.state not in _STATES:
            self._fault("run", f"its state {run.state!r} is none that is known")

    # --- the tail ---------------------------------------------------------------------------------------------------

    def _check_tail(self, run: Row[Any], names: set[str]) -> int:
        """Read the run's segments; return how many points their rows count."""
        if not 0 <= run.compacted <= run.position:
            self._fault("run", f"chunks reach to position {run.compacted}, the run only to {run.position}")
        points, expected = 0, run.compacted + 1
        ends: dict[int, int] = {}
        for row in self._rows(select(SEG).where(SEG.c.run_id == self._run_id).order_by(SEG.c.position)):
            if row.position != expected:
                self._fault(f"segment {row.position}", f"position {expected} should come here")
            expected = row.position + 1
            points += row.points
            self._size += len(row.payload)
            self._check_segment(row, names, ends)
        if expected != run.position + 1:
            self._fault("run", f"it goes to position {run.position}, its segments only to {expected - 1}")
        self._check_writers(ends)
        waits = self._tx.conn.execute(everything(select(TAIL).where(TAIL.c.run_id == self._run_id))).first() is not None
        if waits != (run.position > run.compacted):
            self._fault("tail", "it is listed and has no segments" if waits else "it has segments and is not listed")
        return points

    def _check_segment(self, row: Row[Any], names: set[str], ends: dict[int, int]) -> None:
        place = f"segment {row.position}"
        self._report.segments += 1
        self._report.size_bytes += len(row.payload)
        try:
            segment = decode(row.payload)
        except DamagedDataError as exc:
            self._fault(place, f"{exc} Its {row.points} points are lost; later ones wait behind it, and are read.")
            return
        head = segment.header
        self._report.points += head.points
        if head.points != row.points:
            self._fault(place, f"it holds {head.points} points, its row counts {row.points}")
        if ends.get(head.writer, head.seq) != head.seq:
            self._fault(place, f"it begins at row {head.seq} of its writer; {ends[head.writer]} should follow")
        ends[head.writer] = head.seq + head.rows
        for name in {name for frame in segment.frames for name in frame.names} - names:
            self._fault(place, "the run's metrics lack it", metric=name)

    def _check_writers(self, ends: dict[int, int]) -> None:
        stored = {
            row.writer & (_SIGN_BIT << 1) - 1: row.next_seq
            for row in self._rows(select(WRITER).where(WRITER.c.run_id == self._run_id))
        }
        for writer, end in ends.items():
            if stored.get(writer) != end:
                self._fault(f"writer {writer}", f"its cursor is at {stored.get(writer)}, its segments end at {end}")

    # --- media ------------------------------------------------------------------------------------------------------

    def _check_media(self, run: Row[Any]) -> None:
        expected = 1
        for row in self._rows(select(MEDIA).where(MEDIA.c.run_id == self._run_id).order_by(MEDIA.c.position)):
            place = f"media {row.position}"
            if row.position != expected:
                self._fault(place, f"position {expected} should come here")
            expected = row.position + 1
            self._size += weight(len(row.content), row.caption)
            self._report.media += 1
            self._report.size_bytes += len(row.content)
            if row.size_bytes != len(row.content):
                self._fault(place, f"it holds {len(row.content)} bytes, its row counts {row.size_bytes}")
            if hashlib.sha256(row.content).digest() != row.digest:
                self._fault(place, f"the content of {row.kind} {row.key!r} is not what was sent")
            elif row.kind not in _KINDS:
                self._fault(place, f"its kind {row.kind!r} is none that is known")
        if run.media != expected - 1:
            self._fault("run", f"it counts {run.media} items of media; they go to position {expected - 1}")

    # --- chunks -----------------------------------------------------------------------------------------------------

    def _check_axes(self, run: Row[Any]) -> None:
        for row in self._rows(select(AXIS).where(AXIS.c.run_id == self._run_id)):
            place = f"axis {row.axis_id}"
            columns = (row.rollup, row.steps, row.times, row.positions)
            self._count(columns)
            self._report.axes += 1
            self._axes[row.axis_id] = None
            if (axis := self._decoded(place, row)) is None:
                continue
            self._axes[row.axis_id] = (len(axis), int(axis.positions[0]), int(axis.positions[-1]), int(axis.steps[-1]))
            stored = {name: value for name, value in axis.columns().items() if not isinstance(value, bytes)}
            wrong = sorted(name for name, value in stored.items() if getattr(row, name) != value)
            if wrong:
                self._fault(place, f"its {', '.join(wrong)} do not fit what it holds")
            if (axis.positions[1:] < axis.positions[:-1]).any() or axis.positions[0] < 1:
                self._fault(place, "its positions do not rise")
            if axis.positions[-1] > run.compacted:
                self._fault(place, f"it holds position {axis.positions[-1]}; chunks reach to {run.compacted}")
            if len(axis) > CHUNK_POINTS:
                self._fault(place, f"it holds {len(axis)} rows, more than {CHUNK_POINTS}")

    def _decoded(self, place: str, row: Row[Any]) -> Axis | None:
        """Return an axis; None, and the fault noted, where it or its rollup is damaged."""
        import numpy as np  # noqa: PLC0415  an idle server does without

        steps, times = self._column(place, row.steps, "steps"), self._column(place, row.times, "times")
        positions, rollup = self._column(place, row.positions, "positions"), self._column(place, row.rollup, "rollup")
        if steps is None or times is None or positions is None or rollup is None:
            return None
        axis = Axis(steps, times, positions)
        if len({len(axis.steps), len(axis.times_us), len(axis.positions)}) != 1 or not len(axis):
            self._fault(place, "its columns have different lengths or none")
            return None
        packed = axis.columns()["rollup"]
        assert isinstance(packed, bytes), "a stored column"
        if not np.array_equal(rollup, unpack(packed)):
            self._fault(place, "its rollup does not fit what it holds: wide views are wrong there")
        return axis

    def _check_chunks(self, metrics: dict[int, Row[Any]]) -> dict[int, _Held]:
        """Read the run's chunks; return what each metric's hold."""
        held: dict[int, _Held] = {}
        query = select(CHUNK).where(CHUNK.c.run_id == self._run_id).order_by(CHUNK.c.metric_id, CHUNK.c.no)
        for row in self._rows(query):
            self._report.chunks += 1
            self._count((row.rollup, row.vals))
            self._used.add(row.axis_id)
            name = metrics[row.metric_id].name if row.metric_id in metrics else None
            if name is None:
                self._fault(f"chunk {row.no}", f"there is no metric {row.metric_id}")
            self._check_chunk(row, name, held.setdefault(row.metric_id, _Held()))
        return held

    def _check_chunk(self, row: Row[Any], name: str | None, held: _Held) -> None:
        import numpy as np  # noqa: PLC0415  an idle server does without

        place = f"chunk {row.no}"
        if row.no != held.chunks:
            self._fault(place, f"chunk {held.chunks} should come here", name)
        if held.short is not None:
            self._fault(f"chunk {held.short}", "it is not full, and not the last", name)
        held.chunks, held.short = row.no + 1, None
        values = self._column(place, row.vals, "values", name)
        rollup = self._column(place, row.rollup, "rollup", name)
        axis = self._axes.get(row.axis_id)
        if row.axis_id not in self._axes:
            self._fault(place, f"its axis {row.axis_id} is not there", name)
        if values is None or axis is None:
            held.sound = False  # a damaged axis was named already
            return
        n, first, last, last_step = axis
        if len(values) != n or not n:
            held.sound = False
            self._fault(place, f"it holds {len(values)} values, its axis {n} rows", name)
            return
        if rollup is not None and not np.array_equal(rollup, unpack(packed_rollup(values)), equal_nan=True):
            self._fault(place, "its rollup does not fit what it holds: wide views are wrong there", name)
        if first < held.last_position:
            self._fault(place, "its rows arrived before those of the chunk before it", name)
        held.last_position, held.short = last, row.no if n < CHUNK_POINTS else None
        self._report.points += n
        held.n += n
        held.last_step, held.last = last_step, float(values[-1])
        real = values[~np.isnan(values)]
        if len(real):
            low, high = float(real.min()), float(real.max())
            held.low = low if held.low is None else min(held.low, low)
            held.high = high if held.high is None else max(held.high, high)

    def _check_summary(self, row: Row[Any], held: _Held) -> None:
        if not held.sound:
            return
        if row.n != held.n:
            self._fault("metric", f"it counts {row.n} points, its chunks hold {held.n}", row.name)
        elif row.n:
            last = None if math.isnan(held.last) else held.last
            kept = (row.last_step, row.last, row.min, row.max)
            if kept != (held.last_step, last, held.low, held.high):
                self._fault("metric", "its last, smallest or largest value is not that of its chunks", row.name)

    def _count(self, columns: Iterable[bytes]) -> None:
        size = sum(map(len, columns))
        self._size += size
        self._report.size_bytes += size

    def _column(self, place: str, data: bytes, what: str, metric: str | None = None) -> npt.NDArray[Any] | None:
        """Return a column's values; None, and the fault noted, where it cannot be decoded."""
        try:
            return unpack(data)
        except DamagedDataError as exc:
            self._fault(place, f"{what}: {exc}", metric)
        except Exception as exc:  # noqa: BLE001  whatever a decoder makes of bytes that are none of its own
            self._fault(place, f"{what}: it does not decompress ({type(exc).__name__})", metric)
        return None
