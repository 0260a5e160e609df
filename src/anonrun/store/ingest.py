"""Segments come in: each row of a writer's stream exactly once, in order, and never into a run that is gone.

One conditional UPDATE of the run's row carries the predicate of live runs, counts against the limits and
takes the next positions; everything else of the transaction depends on it. Positions are therefore taken
under the lock of the run's row, and a reader who continues after a position misses nothing.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, insert, select, update

from anonrun.core.limits import Limits
from anonrun.core.summary import MetricSummary
from anonrun.core.wire import Header
from anonrun.store import runs
from anonrun.store.live import is_live
from anonrun.store.records import Run
from anonrun.store.schema import METRIC, RUN, SEG, WRITER
from anonrun.store.transaction import Tx

__all__ = ["Gap", "Incoming", "NotThere", "OverQuota", "Stored", "append", "next_seq"]

_SIGN_BIT = 1 << 63


@dataclass(frozen=True, slots=True)
class Incoming:
    """A segment that was checked and decoded.

    Attributes:
        header: its header.
        payload: the segment as it was received.
        summaries: what it says of each metric.
    """

    header: Header
    payload: bytes
    summaries: Mapping[str, MetricSummary]


@dataclass(frozen=True, slots=True)
class Stored:
    """All rows are in the store: `next_seq` is the first that is not, `new` the number of segments that came now."""

    next_seq: int
    new: int
    run: Run


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was stored: a segment does not continue its writer's stream at `next_seq`."""

    next_seq: int


@dataclass(frozen=True, slots=True)
class OverQuota:
    """Nothing was stored: the run would hold more of `what` than the `most` that an anonymous one may."""

    what: str
    most: int


@dataclass(frozen=True, slots=True)
class NotThere:
    """Nothing was stored: there is no such live run."""


def _signed(writer: int) -> int:
    return writer - (_SIGN_BIT << 1) if writer & _SIGN_BIT else writer


def next_seq(tx: Tx, run_id: uuid.UUID, writer: int) -> int:
    """Return the index of the first row of a writer's stream that a live run does not have."""
    found = tx.conn.execute(
        select(WRITER.c.next_seq)
        .join(RUN, RUN.c.run_id == WRITER.c.run_id)
        .where(WRITER.c.run_id == run_id, WRITER.c.writer == _signed(writer), is_live(tx.now_us))
    ).scalar()
    return found or 0


def append(
    tx: Tx, run_id: uuid.UUID, segments: Sequence[Incoming], limits: Limits | None
) -> Stored | Gap | OverQuota | NotThere:
    """Store segments; rows that are there already are left out, and anything else that does not fit stores nothing.

    Args:
        tx: a writer's transaction.
        run_id: the run.
        segments: at least one, in order.
        limits: what the run may hold if it is anonymous; None for no limit.
    """
    locked = select(RUN.c.run_id).where(RUN.c.run_id == run_id, is_live(tx.now_us)).with_for_update()
    if tx.conn.execute(locked).first() is None:
        return NotThere()
    ends = {writer: next_seq(tx, run_id, writer) for writer in dict.fromkeys(s.header.writer for s in segments)}
    new: list[Incoming] = []
    for segment in segments:
        head = segment.header
        end = ends[head.writer]
        if head.seq + head.rows <= end:
            continue
        if head.seq != end:
            return Gap(end)
        new.append(segment)
        ends[head.writer] = head.seq + head.rows
    refusal = _store(tx, run_id, new, limits) if new else None
    if refusal is not None:
        return refusal
    for writer in dict.fromkeys(s.header.writer for s in new):
        row = {"run_id": run_id, "writer": _signed(writer), "next_seq": ends[writer]}
        tx.conn.execute(tx.dialect.upsert(WRITER, row, key=("run_id", "writer")))
    if not new:
        runs.heartbeat(tx, run_id)
    run = runs.find(tx, run_id)
    return Stored(ends[segments[-1].header.writer], len(new), run) if run else NotThere()


def _store(tx: Tx, run_id: uuid.UUID, new: Sequence[Incoming], limits: Limits | None) -> OverQuota | NotThere | None:
    fresh, known = _merged(tx, run_id, new)
    points = sum(segment.header.points for segment in new)
    size_bytes = sum(len(segment.payload) for segment in new)
    counts = {"points": points, "stored_bytes": size_bytes, "metrics": len(fresh)}
    fits = () if limits is None else [_fits(what, more, limits) for what, more in counts.items()]
    row = tx.conn.execute(
        update(RUN)
        .where(RUN.c.run_id == run_id, is_live(tx.now_us), *fits)
        .values(
            {what: RUN.c[what] + more for what, more in counts.items()}
            | {"position": RUN.c.position + len(new), "heartbeat_at": tx.now_us}
        )
        .returning(RUN.c.metrics, RUN.c.position)
    ).first()
    if row is None:
        return _over(tx, run_id, counts, limits)
    _write_metrics(tx, run_id, fresh, known, first_id=row.metrics - len(fresh))
    first = row.position - len(new) + 1
    tx.conn.execute(
        insert(SEG),
        [
            {"run_id": run_id, "position": first + i, "points": s.header.points, "payload": s.payload}
            for i, s in enumerate(new)
        ],
    )
    return None


def _fits(what: str, more: int, limits: Limits) -> ColumnElement[bool]:
    fits: ColumnElement[bool] = RUN.c[what] + more <= getattr(limits, what)
    return RUN.c.expires_at.is_(None) | fits


def _over(tx: Tx, run_id: uuid.UUID, counts: Mapping[str, int], limits: Limits | None) -> OverQuota | NotThere:
    held = tx.conn.execute(
        select(RUN.c.points, RUN.c.stored_bytes, RUN.c.metrics).where(RUN.c.run_id == run_id, is_live(tx.now_us))
    ).first()
    if held is None or limits is None:
        return NotThere()
    return next(
        OverQuota(what, getattr(limits, what))
        for what, more in counts.items()
        if getattr(held, what) + more > getattr(limits, what)
    )


def _merged(
    tx: Tx, run_id: uuid.UUID, new: Iterable[Incoming]
) -> tuple[dict[str, MetricSummary], dict[int, MetricSummary]]:
    """Return what the metrics will be: those that are new by name, those that are known by their number."""
    coming: dict[str, MetricSummary] = {}
    for segment in new:
        for name, summary in segment.summaries.items():
            coming[name] = coming[name].then(summary) if name in coming else summary
    rows = tx.conn.execute(
        select(METRIC)
        .join(RUN, RUN.c.run_id == METRIC.c.run_id)
        .where(METRIC.c.run_id == run_id, METRIC.c.name.in_(list(coming)), is_live(tx.now_us))
    )
    known: dict[int, MetricSummary] = {}
    for row in rows:
        last = math.nan if row.last is None else row.last
        before = MetricSummary(row.n, row.last_step, last, row.min, row.max)
        known[row.metric_id] = before.then(coming.pop(row.name))
    return coming, known


def _columns(summary: MetricSummary) -> dict[str, float | int | None]:
    last = None if math.isnan(summary.last) else summary.last
    return {"n": summary.n, "last_step": summary.last_step, "last": last, "min": summary.min, "max": summary.max}


def _write_metrics(
    tx: Tx, run_id: uuid.UUID, fresh: Mapping[str, MetricSummary], known: Mapping[int, MetricSummary], *, first_id: int
) -> None:
    if known:
        tx.conn.execute(
            update(METRIC).where(METRIC.c.run_id == run_id, METRIC.c.metric_id == bindparam("number")),
            [{"number": number, **_columns(summary)} for number, summary in known.items()],
        )
    if fresh:
        tx.conn.execute(
            insert(METRIC),
            [
                {"run_id": run_id, "metric_id": first_id + i, "name": name, **_columns(summary)}
                for i, (name, summary) in enumerate(fresh.items())
            ],
        )
