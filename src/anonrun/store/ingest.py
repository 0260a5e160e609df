"""Segments come in: each row of a writer's stream exactly once, in order, and never into a run that is gone.

One conditional UPDATE of the run's row carries the predicate of live runs, counts against the limits and
takes the next positions; everything else of the transaction depends on it. Positions are therefore taken
under the lock of the run's row, and a reader who continues after a position misses nothing.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import BigInteger, and_, bindparam, insert, or_, select, update

from anonrun.core.limits import Limits
from anonrun.core.summary import MetricSummary
from anonrun.core.wire import Header
from anonrun.store import runs
from anonrun.store.accounts import ACCOUNT_COLUMNS
from anonrun.store.live import LIVE
from anonrun.store.records import Account, Standing
from anonrun.store.schema import ACCOUNT, METRIC, RUN, SEG, WRITER
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
    run: Standing


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


# The statements of this path are built once: building one takes longer than SQLite takes to run it.
_HERE = and_(RUN.c.run_id == bindparam("of", type_=RUN.c.run_id.type), LIVE)
_STANDING = (
    select(*ACCOUNT_COLUMNS, RUN.c.state, RUN.c.expires_at, RUN.c.heartbeat_at, RUN.c.position)
    .join_from(RUN, ACCOUNT, RUN.c.account_id == ACCOUNT.c.account_id)
    .where(_HERE)
    .with_for_update()
)
_NEXT_SEQ = (
    select(WRITER.c.next_seq)
    .join(RUN, RUN.c.run_id == WRITER.c.run_id)
    .where(_HERE, WRITER.c.writer == bindparam("by", type_=BigInteger))
)
_KNOWN = (
    select(METRIC)
    .join(RUN, RUN.c.run_id == METRIC.c.run_id)
    .where(_HERE, METRIC.c.name.in_(bindparam("names", expanding=True)))
)
_COUNTED = ("points", "stored_bytes", "metrics")
_COUNT = (
    update(RUN)
    .where(_HERE)
    .values({what: RUN.c[what] + bindparam(f"more_{what}", type_=BigInteger) for what in _COUNTED})
    .values(position=RUN.c.position + bindparam("segments", type_=BigInteger), heartbeat_at=bindparam("now_us"))
    .returning(RUN.c.metrics, RUN.c.position)
)
_FITS = and_(
    *(
        RUN.c[what] + bindparam(f"more_{what}", type_=BigInteger) <= bindparam(f"most_{what}", type_=BigInteger)
        for what in _COUNTED
    )
)
_COUNT_WITHIN = _COUNT.where(or_(RUN.c.expires_at.is_(None), _FITS))
_HELD = select(*(RUN.c[what] for what in _COUNTED)).where(_HERE)
_RAISE = update(METRIC).where(
    METRIC.c.run_id == bindparam("of", type_=RUN.c.run_id.type), METRIC.c.metric_id == bindparam("number")
)
_NEW_METRIC = insert(METRIC)
_NEW_SEGMENT = insert(SEG)


def next_seq(tx: Tx, run_id: uuid.UUID, writer: int) -> int:
    """Return the index of the first row of a writer's stream that a live run does not have."""
    at = {"of": run_id, "now_us": tx.now_us, "by": _signed(writer)}
    return tx.conn.execute(_NEXT_SEQ, at).scalar() or 0


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
    standing = _standing(tx, run_id)
    if standing is None:
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
    position = _store(tx, run_id, new, limits) if new else standing.position
    if not isinstance(position, int):
        return position
    rows = [
        {"run_id": run_id, "writer": _signed(writer), "next_seq": ends[writer]}
        for writer in dict.fromkeys(s.header.writer for s in new)
    ]
    if rows:
        tx.conn.execute(tx.dialect.upsert(WRITER, key=("run_id", "writer")), rows)
    else:
        runs.heartbeat(tx, run_id)
    now = replace(standing, heartbeat_at=tx.now_us, position=position)
    return Stored(ends[segments[-1].header.writer], len(new), now)


def _standing(tx: Tx, run_id: uuid.UUID) -> Standing | None:
    row = tx.conn.execute(_STANDING, {"of": run_id, "now_us": tx.now_us}).first()
    if row is None:
        return None
    account = Account(row.account_id, row.account_name, row.account_kind, row.account_created_at)
    return Standing(account, row.state, row.expires_at, row.heartbeat_at, row.position)


def _store(tx: Tx, run_id: uuid.UUID, new: Sequence[Incoming], limits: Limits | None) -> int | OverQuota | NotThere:
    """Store segments that continue their streams; return the position of the last one."""
    fresh, known = _merged(tx, run_id, new)
    more = {
        "points": sum(segment.header.points for segment in new),
        "stored_bytes": sum(len(segment.payload) for segment in new),
        "metrics": len(fresh),
    }
    values = {"of": run_id, "now_us": tx.now_us, "segments": len(new)}
    values |= {f"more_{what}": count for what, count in more.items()}
    if limits is not None:
        values |= {f"most_{what}": getattr(limits, what) for what in _COUNTED}
    row = tx.conn.execute(_COUNT if limits is None else _COUNT_WITHIN, values).first()
    if row is None:
        return _over(tx, run_id, more, limits)
    _write_metrics(tx, run_id, fresh, known, first_id=row.metrics - len(fresh))
    last: int = row.position
    first = last - len(new) + 1
    tx.conn.execute(
        _NEW_SEGMENT,
        [
            {"run_id": run_id, "position": first + i, "points": s.header.points, "payload": s.payload}
            for i, s in enumerate(new)
        ],
    )
    return last


def _over(tx: Tx, run_id: uuid.UUID, more: Mapping[str, int], limits: Limits | None) -> OverQuota | NotThere:
    held = tx.conn.execute(_HELD, {"of": run_id, "now_us": tx.now_us}).first()
    if held is None or limits is None:
        return NotThere()
    return next(
        OverQuota(what, getattr(limits, what))
        for what, count in more.items()
        if getattr(held, what) + count > getattr(limits, what)
    )


def _merged(
    tx: Tx, run_id: uuid.UUID, new: Iterable[Incoming]
) -> tuple[dict[str, MetricSummary], dict[int, MetricSummary]]:
    """Return what the metrics will be: those that are new by name, those that are known by their number."""
    coming: dict[str, MetricSummary] = {}
    for segment in new:
        for name, summary in segment.summaries.items():
            coming[name] = coming[name].then(summary) if name in coming else summary
    rows = tx.conn.execute(_KNOWN, {"of": run_id, "now_us": tx.now_us, "names": list(coming)})
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
            _RAISE, [{"of": run_id, "number": number, **_columns(summary)} for number, summary in known.items()]
        )
    if fresh:
        tx.conn.execute(
            _NEW_METRIC,
            [
                {"run_id": run_id, "metric_id": first_id + i, "name": name, **_columns(summary)}
                for i, (name, summary) in enumerate(fresh.items())
            ],
        )
