"""What is known of a run's metrics: the summary of what was compacted, and the tail's on top of it.

Segments are stored without looking at their values, so that storing is quick; whoever asks for a summary pays for
the tail, which is short.
"""

from __future__ import annotations

import contextlib
import math
import uuid
from collections.abc import Iterator, Sequence

from sqlalchemy import and_, func, select

from anonrun.core.digest import digest
from anonrun.core.metrics import SYSTEM_PREFIX, is_of_training
from anonrun.core.summary import MetricSummary
from anonrun.core.wire import checked_places, decode, peek, raw_body
from anonrun.errors import DamagedDataError
from anonrun.store.live import is_live
from anonrun.store.records import Metric
from anonrun.store.schema import AXIS, CHUNK, METRIC, RUN, SEG
from anonrun.store.transaction import Tx

__all__ = ["highest_step", "last_values", "metrics"]


def metrics(tx: Tx, run_id: uuid.UUID) -> list[Metric]:
    """Return a live run's metrics in order of their first appearance."""
    return _metrics(tx, [run_id])[run_id]


def last_values(tx: Tx, run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, float]]:
    """Return the last value of each metric of live runs."""
    return {run_id: {m.name: m.last for m in found} for run_id, found in _metrics(tx, run_ids).items()}


def highest_step(tx: Tx, run_id: uuid.UUID) -> int | None:
    """Return the highest step of a live run's training, in whatever order its rows arrived; None where it has none.

    Rows of system metrics alone have steps of their own. Of what was compacted it reads one number for each stretch of
    rows, of the tail the steps.
    """
    of_training = (
        select(CHUNK.c.axis_id)
        .join(METRIC, and_(METRIC.c.run_id == CHUNK.c.run_id, METRIC.c.metric_id == CHUNK.c.metric_id))
        .where(CHUNK.c.run_id == AXIS.c.run_id, CHUNK.c.axis_id == AXIS.c.axis_id)
        .where(func.substr(METRIC.c.name, 1, len(SYSTEM_PREFIX)) != SYSTEM_PREFIX)  # LIKE has SQLite fold the case
    )
    compacted = tx.conn.execute(
        select(func.max(AXIS.c.step_max))
        .join(RUN, RUN.c.run_id == AXIS.c.run_id)
        .where(AXIS.c.run_id == run_id, is_live(tx.now_us), of_training.exists())
    ).scalar()
    found = [] if compacted is None else [int(compacted)]
    for _, payload in _tail_of(tx, [run_id]):
        with contextlib.suppress(DamagedDataError):
            found += [max(frame.steps) for frame in decode(payload).frames if is_of_training(frame.names)]
    return max(found, default=None)


def _metrics(tx: Tx, run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Metric]]:
    tails = _tails(tx, run_ids)
    found: dict[uuid.UUID, list[Metric]] = {run_id: [] for run_id in run_ids}
    rows = tx.conn.execute(
        select(METRIC)
        .join(RUN, RUN.c.run_id == METRIC.c.run_id)
        .where(METRIC.c.run_id.in_(list(run_ids)), is_live(tx.now_us))
        .order_by(METRIC.c.run_id, METRIC.c.metric_id)
    )
    for row in rows:
        tail = tails.get(row.run_id, {}).get(row.name)
        before = None
        if row.n:
            last = math.nan if row.last is None else row.last
            before = MetricSummary(row.n, row.last_step, last, row.min, row.max)
        whole = tail if before is None else before if tail is None else before.then(tail)
        if whole is not None:
            found[row.run_id].append(Metric(row.name, whole.n, whole.last_step, whole.last, whole.min, whole.max))
    return found


def _tails(tx: Tx, run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, MetricSummary]]:
    found: dict[uuid.UUID, dict[str, MetricSummary]] = {}
    for run_id, payload in _tail_of(tx, run_ids):
        with contextlib.suppress(DamagedDataError):  # left out here as in every reading; `check.py` names it
            held = found.setdefault(run_id, {})
            for name, summary in _digest(payload).items():
                held[name] = held[name].then(summary) if name in held else summary
    return found


def _tail_of(tx: Tx, run_ids: Sequence[uuid.UUID]) -> Iterator[tuple[uuid.UUID, bytes]]:
    """Yield the segments of live runs that were not compacted yet, in order of arrival."""
    rows = tx.conn.execute(
        select(SEG.c.run_id, SEG.c.payload)
        .join(RUN, and_(RUN.c.run_id == SEG.c.run_id, SEG.c.position > RUN.c.compacted))
        .where(SEG.c.run_id.in_(list(run_ids)), is_live(tx.now_us))
        .order_by(SEG.c.run_id, SEG.c.position)
    )
    for row in rows:
        yield row.run_id, row.payload


def _digest(payload: bytes) -> dict[str, MetricSummary]:
    header = peek(payload)
    raw = raw_body(payload, header)
    return digest(raw, checked_places(raw, header))
