"""Makes chunks of a run's tail: the segments that arrived last.

`prepare` reads and computes in a reader's snapshot and changes nothing; `apply` is one short transaction that takes
effect only if the run is still live and nobody compacted it meanwhile. So a stop at any point loses nothing, two
compactors at once do the work twice and keep it once, and a reader sees each point exactly once: in a segment
before that transaction, in a chunk after it.

A metric's points keep their order of arrival. All its chunks but the last hold `CHUNK_POINTS`; the last one is
made anew when more arrive. A segment whose bytes are damaged stays where it is, below the position up to which chunks
hold the run: readers count it, and `check.py` names it.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Executable, Row, and_, bindparam, delete, func, or_, select, update

from anonrun.core.summary import MetricSummary
from anonrun.store.chunks import CHUNK_POINTS, Axis, packed_rollup
from anonrun.store.columns import pack
from anonrun.store.live import LIVE, beyond_live, is_live
from anonrun.store.open_chunks import last_chunks, open_chunks
from anonrun.store.schema import AXIS, CHUNK, METRIC, RUN, SEG, TAIL
from anonrun.store.tail import Tail, summary_of
from anonrun.store.transaction import Tx

__all__ = ["Due", "Plan", "apply", "due", "end_of_tail", "prepare"]

E = TypeVar("E", bound=Executable)

TAIL_SEGMENTS = 64
TAIL_POINTS = 100_000
TAIL_AGE_US = 600 * 1_000_000
_POINTS_AT_ONCE = 400_000
_SEGMENTS_AT_ONCE = 4_096
_NO_END = (1 << 63) - 1

_HERE = and_(RUN.c.run_id == bindparam("of", type_=RUN.c.run_id.type), LIVE)


@dataclass(frozen=True, slots=True)
class Due:
    """A run whose tail is to become chunks, and how long it is."""

    run_id: uuid.UUID
    segments: int
    points: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A compaction that was computed and not made yet.

    Attributes:
        before: the position up to which chunks held the run when this was computed.
        upto: the position up to which they hold it after.
        points: points that move from segments to chunks, or are in segments that cannot be read.
        damaged: positions of those segments.
        axes: rows of the table, by the names of its columns.
        chunks: likewise.
        summaries: of the metrics, with what moves.
        replaced: metric and number of the chunks that are made anew.
        left_axes: axes that nothing uses then.
        size_change: bytes that the run takes after, less those before.
    """

    run_id: uuid.UUID
    before: int
    upto: int
    points: int
    damaged: list[int]
    axes: list[dict[str, Any]]
    chunks: list[dict[str, Any]]
    summaries: list[dict[str, Any]]
    replaced: list[tuple[int, int]]
    left_axes: list[int]
    size_change: int


def due(tx: Tx, limit: int) -> list[Due]:
    """Return live runs whose tail is to become chunks: it is long, or nothing more is expected soon."""
    segments, points = RUN.c.position - RUN.c.compacted, RUN.c.points - RUN.c.compacted_points
    rows = tx.conn.execute(
        select(TAIL.c.run_id, segments.label("segments"), points.label("points"))
        .join(RUN, RUN.c.run_id == TAIL.c.run_id)
        .where(
            is_live(tx.now_us),
            segments > 0,
            or_(
                segments >= TAIL_SEGMENTS,
                points >= TAIL_POINTS,
                RUN.c.state != "running",
                TAIL.c.since <= tx.now_us - TAIL_AGE_US,
            ),
        )
        .order_by(points.desc())
        .limit(limit)
    )
    return [Due(row.run_id, row.segments, row.points) for row in rows]


def end_of_tail(tx: Tx, run_id: uuid.UUID) -> int:
    """Return the position of a live run's last segment; 0 where there is none."""
    return tx.conn.execute(select(RUN.c.position).where(_HERE), {"of": run_id, "now_us": tx.now_us}).scalar() or 0


def prepare(tx: Tx, run_id: uuid.UUID, *, end: int = _NO_END, most_points: int = _POINTS_AT_ONCE) -> Plan | None:
    """Compute chunks from the oldest segments of a live run's tail; None where there is nothing to do.

    Args:
        tx: a snapshot.
        run_id: the run.
        end: leave segments beyond this position where they are.
        most_points: stop at about so many; at least one segment is taken.
    """
    at = {"of": run_id, "now_us": tx.now_us}
    compacted = tx.conn.execute(select(RUN.c.compacted).where(_HERE), at).scalar()
    if compacted is None:
        return None
    tail = _tail(tx, run_id, compacted, end, most_points)
    if tail.upto == compacted:
        return None
    metrics = {
        row.name: row
        for row in tx.conn.execute(
            select(METRIC)
            .join(RUN, RUN.c.run_id == METRIC.c.run_id)
            .where(METRIC.c.run_id == run_id, METRIC.c.name.in_(list(tail.where)), is_live(tx.now_us))
        )
    }
    return _planned(tx, run_id, tail, metrics)


def _tail(tx: Tx, run_id: uuid.UUID, compacted: int, end: int, most_points: int) -> Tail:
    """Read the oldest segments of a run's tail; their number of points is looked at before their bytes are."""
    waiting = tx.conn.execute(
        select(SEG.c.position, SEG.c.points)
        .join(RUN, RUN.c.run_id == SEG.c.run_id)
        .where(SEG.c.run_id == run_id, SEG.c.position > compacted, SEG.c.position <= end, is_live(tx.now_us))
        .order_by(SEG.c.position)
        .limit(_SEGMENTS_AT_ONCE)
    )
    upto, points = compacted, 0
    for position, more in waiting:
        if points and points + more > most_points:
            break
        upto, points = position, points + more
    tail = Tail(compacted)
    for row in tx.conn.execute(
        select(SEG.c.position, SEG.c.points, SEG.c.payload)
        .join(RUN, RUN.c.run_id == SEG.c.run_id)
        .where(SEG.c.run_id == run_id, SEG.c.position > compacted, SEG.c.position <= upto, is_live(tx.now_us))
        .order_by(SEG.c.position)
    ):
        tail.take(row.position, row.points, row.payload)
    return tail


def _planned(tx: Tx, run_id: uuid.UUID, tail: Tail, metrics: dict[str, Row[Any]]) -> Plan:
    import numpy as np  # noqa: PLC0415  an idle server does without

    ids = {name: row.metric_id for name, row in metrics.items()}
    held = last_chunks(tx, run_id, list(ids.values()))
    left = open_chunks(tx, run_id, held)
    next_axis = (tx.conn.execute(_LAST_AXIS, {"of": run_id, "now_us": tx.now_us}).scalar() or 0) + 1
    # Metrics whose open chunks share an axis, and which stand in the same frames, go on sharing one.
    alike: dict[tuple[int | None, tuple[int, ...]], list[str]] = {}
    for name, metric_id in ids.items():
        before = left.chunks.get(metric_id)
        frames = tuple(i for i, _ in tail.where[name])
        alike.setdefault((before.axis_id if before else None, frames), []).append(name)
    axes: list[dict[str, Any]] = []
    chunks: list[dict[str, Any]] = []
    summaries: list[dict[str, Any]] = []
    for (axis_id, frames), names in alike.items():
        fresh = tail.axis(frames)
        axis = fresh if axis_id is None else Axis.of([left.axes[axis_id], fresh])
        parts = [slice(begin, begin + CHUNK_POINTS) for begin in range(0, len(axis), CHUNK_POINTS)]
        numbers = range(next_axis, next_axis + len(parts))
        next_axis = numbers.stop
        axes += (
            {"run_id": run_id, "axis_id": number, **axis[part].columns()}
            for number, part in zip(numbers, parts, strict=True)
        )
        for name in names:
            metric_id, values = ids[name], tail.values(name)
            summaries.append(_summary(run_id, metrics[name], summary_of(fresh, values)))
            before = left.chunks.get(metric_id)
            if before is not None:
                values = np.concatenate([before.values, values])
            first = before.no if before else held.get(metric_id, -1) + 1
            chunks += (
                {
                    "run_id": run_id,
                    "metric_id": metric_id,
                    "no": first + i,
                    "axis_id": number,
                    "rollup": packed_rollup(values[part]),
                    "vals": pack(values[part]),
                }
                for i, (number, part) in enumerate(zip(numbers, parts, strict=True))
            )
    return Plan(
        run_id=run_id,
        before=tail.before,
        upto=tail.upto,
        points=tail.points,
        damaged=tail.damaged,
        axes=axes,
        chunks=chunks,
        summaries=summaries,
        replaced=[(metric_id, chunk.no) for metric_id, chunk in left.chunks.items()],
        left_axes=left.unused,
        size_change=sum(map(_size, axes)) + sum(map(_size, chunks)) - tail.size - left.size,
    )


def _summary(run_id: uuid.UUID, row: Row[Any], more: MetricSummary) -> dict[str, Any]:
    """Return what a metric's row says after some more values."""
    before = MetricSummary(row.n, row.last_step, 0.0, row.min, row.max)
    now = before.then(more) if row.n else more
    return {
        "of": run_id,
        "metric": row.metric_id,
        "new_n": now.n,
        "new_last_step": now.last_step,
        "new_last": None if math.isnan(now.last) else now.last,
        "new_min": now.min,
        "new_max": now.max,
    }


def _size(row: dict[str, Any]) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, bytes))


_LAST_AXIS = (
    select(func.max(AXIS.c.axis_id))
    .join(RUN, RUN.c.run_id == AXIS.c.run_id)
    .where(AXIS.c.run_id == bindparam("of", type_=RUN.c.run_id.type), LIVE)
)


def apply(tx: Tx, plan: Plan) -> bool:
    """Make a compaction; return whether it was still the thing to do."""
    won = tx.conn.execute(
        update(RUN)
        .where(RUN.c.run_id == plan.run_id, RUN.c.compacted == plan.before, is_live(tx.now_us))
        .values(
            compacted=plan.upto,
            compacted_points=RUN.c.compacted_points + plan.points,
            stored_bytes=RUN.c.stored_bytes + plan.size_change,
        )
        .returning(RUN.c.position)
    ).first()
    if won is None:
        return False
    run_id = plan.run_id
    if plan.replaced:
        replaced = [{"of": run_id, "metric": metric_id, "number": no} for metric_id, no in plan.replaced]
        tx.conn.execute(_held(_DROP_CHUNK), replaced)
    tx.dialect.insert_rows(tx.conn, AXIS, plan.axes)
    tx.dialect.insert_rows(tx.conn, CHUNK, plan.chunks)
    if plan.summaries:
        tx.conn.execute(_held(_SUMMARIZE), plan.summaries)
    if plan.left_axes:
        tx.conn.execute(_held(delete(AXIS).where(AXIS.c.run_id == run_id, AXIS.c.axis_id.in_(plan.left_axes))))
    passed = and_(SEG.c.run_id == run_id, SEG.c.position > plan.before, SEG.c.position <= plan.upto)
    tx.conn.execute(_held(delete(SEG).where(passed, SEG.c.position.not_in(plan.damaged))))
    if won.position == plan.upto:
        tx.conn.execute(_held(delete(TAIL).where(TAIL.c.run_id == run_id)))
    else:
        tx.conn.execute(_held(update(TAIL).where(TAIL.c.run_id == run_id).values(since=tx.now_us)))
    return True


_DROP_CHUNK = delete(CHUNK).where(
    CHUNK.c.run_id == bindparam("of", type_=RUN.c.run_id.type),
    CHUNK.c.metric_id == bindparam("metric"),
    CHUNK.c.no == bindparam("number"),
)
_SUMMARIZE = (
    update(METRIC)
    .where(METRIC.c.run_id == bindparam("of", type_=RUN.c.run_id.type), METRIC.c.metric_id == bindparam("metric"))
    .values({name: bindparam(f"new_{name}") for name in ("n", "last_step", "last", "min", "max")})
)


def _held(statement: E) -> E:
    return beyond_live(statement, reason="a compaction holds the run's row, which was found live")
