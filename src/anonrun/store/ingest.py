"""Segments come in: each row of a writer's stream exactly once, in order, and never into a run that is gone.

Many callers' segments are stored together: a fixed number of statements for all of them, whatever their number.
The runs' rows are read under their locks with the predicate of live runs, and everything else depends on them: what
fits, which positions come next, what each writer has sent. Positions are therefore taken under the lock of the
run's row, and a reader who continues after a position misses nothing. Nothing is computed from the values here;
`compaction.py` and `summaries.py` do that when it is needed.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, and_, bindparam, select, update

from anonrun.core.limits import Limits
from anonrun.core.wire import Header
from anonrun.store.accounts import ACCOUNT_COLUMNS
from anonrun.store.live import LIVE
from anonrun.store.quota import NoRoom, OverQuota, TooFast, paced, refusal
from anonrun.store.records import Account, Standing, Token
from anonrun.store.room import Room
from anonrun.store.schema import ACCOUNT, METRIC, RUN, SEG, TAIL, WRITER
from anonrun.store.tokens import find_all
from anonrun.store.transaction import Tx

__all__ = [
    "Append",
    "Denied",
    "Gap",
    "Incoming",
    "Ingest",
    "NotThere",
    "Outcome",
    "Stored",
    "append",
    "next_seq",
]

_SIGN_BIT = 1 << 63
_RUNS_REMEMBERED = 4_096
_COUNTED = ("points", "stored_bytes", "metrics")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A segment that was checked.

    Attributes:
        header: its header.
        payload: the segment as it was received.
        names: the metrics that it has.
    """

    header: Header
    payload: bytes
    names: Collection[str]


@dataclass(frozen=True, slots=True)
class Append:
    """A wish to store segments.

    Attributes:
        run_id: the run.
        segments: at least one, in order.
        limits: what the run may hold, and how often it may deliver, if it is anonymous; None for no limit.
        room: bytes that all anonymous runs together may take; None for no limit.
        token_hash: of the run's token by which this is asked.
        account: by which it is asked, where there is no such token.
    """

    run_id: uuid.UUID
    segments: Sequence[Incoming]
    limits: Limits | None
    token_hash: bytes | None = None
    account: Account | None = None
    room: int | None = None


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
class NotThere:
    """Nothing was stored: there is no such live run."""


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was stored: whoever asked may not."""


Outcome = Stored | Gap | OverQuota | TooFast | NoRoom | NotThere | Denied

Decide = Callable[[Token | None, Account | None, Standing], bool]
"""Whether the holder of a token, or else an account, may store segments in a run."""


def _signed(writer: int) -> int:
    return writer - (_SIGN_BIT << 1) if writer & _SIGN_BIT else writer


# The statements of this path are built once: building one takes longer than SQLite takes to run it.
_RUN_KEY = RUN.c.run_id.type
_THESE = and_(RUN.c.run_id.in_(bindparam("these", expanding=True, type_=_RUN_KEY)), LIVE)
_STANDINGS = (
    select(*ACCOUNT_COLUMNS, RUN.c.run_id, RUN.c.state, RUN.c.expires_at, RUN.c.heartbeat_at, RUN.c.position)
    .add_columns(RUN.c.flushes_until, *(RUN.c[what] for what in _COUNTED))
    .join_from(RUN, ACCOUNT, RUN.c.account_id == ACCOUNT.c.account_id)
    .where(_THESE)
    .order_by(RUN.c.run_id)  # all take the locks in one order, so that none waits for another in a circle
    .with_for_update(of=RUN, key_share=True)  # of the account too, every run of it would wait
)
_ENDS = (
    select(WRITER.c.run_id, WRITER.c.writer, WRITER.c.next_seq)
    .join(RUN, RUN.c.run_id == WRITER.c.run_id)
    .where(_THESE, WRITER.c.writer.in_(bindparam("writers", expanding=True, type_=BigInteger)))
)
_NEXT_SEQ = (
    select(WRITER.c.next_seq)
    .join(RUN, RUN.c.run_id == WRITER.c.run_id)
    .where(RUN.c.run_id == bindparam("of", type_=_RUN_KEY), LIVE, WRITER.c.writer == bindparam("by", type_=BigInteger))
)
_NAMES = (
    select(METRIC.c.name)
    .join(RUN, RUN.c.run_id == METRIC.c.run_id)
    .where(RUN.c.run_id == bindparam("of", type_=_RUN_KEY), LIVE)
)
_COUNT = (
    update(RUN)
    .where(RUN.c.run_id == bindparam("of", type_=_RUN_KEY), LIVE)
    .values({what: bindparam(f"new_{what}", type_=BigInteger) for what in _COUNTED})
    .values(position=bindparam("new_position", type_=BigInteger), heartbeat_at=bindparam("now_us", type_=BigInteger))
    .values(flushes_until=bindparam("new_flushes_until", type_=BigInteger))
)


@dataclass(slots=True)
class _Run:
    """A run while segments are stored in it."""

    standing: Standing
    counts: dict[str, int]
    position: int
    flushes_until: int
    ends: dict[int, int] = field(default_factory=dict)
    names: set[str] | None = None
    touched: bool = False


@dataclass(slots=True)
class _Rows:
    """What is to be inserted."""

    segments: list[dict[str, object]] = field(default_factory=list)
    metrics: list[dict[str, object]] = field(default_factory=list)
    writers: set[tuple[uuid.UUID, int]] = field(default_factory=set)


class Ingest:
    """Stores segments; remembers which metrics the runs have that it stored in last.

    What it remembers was committed, and a live run's metrics are never removed, so it needs no invalidation.

    Args:
        decide: whether who asks may.
        room: what anonymous runs have taken, shared with whoever else stores in them; None for a count of its own.
    """

    def __init__(self, decide: Decide, room: Room | None = None) -> None:
        self._decide = decide
        self._names: OrderedDict[uuid.UUID, set[str]] = OrderedDict()
        self._room = room or Room()

    def store(self, tx: Tx, appends: Sequence[Append]) -> list[Outcome]:
        """Store what was asked for, in order, and return what became of each; one that fails stores nothing.

        Args:
            tx: a writer's transaction.
            appends: any number, for any runs.
        """
        here = _read(tx, appends)
        tokens = find_all(tx, {a.token_hash for a in appends if a.token_hash is not None})
        rows = _Rows()
        outcomes: list[Outcome] = []
        for wish in appends:
            run = here.get(wish.run_id)
            if run is None:
                outcomes.append(NotThere())
            elif not self._decide(tokens.get(wish.token_hash or b""), wish.account, run.standing):
                outcomes.append(Denied())
            else:
                outcomes.append(self._place(tx, wish, run, rows))
        _write(tx, here, rows)
        return outcomes

    def _place(self, tx: Tx, wish: Append, run: _Run, rows: _Rows) -> Outcome:
        """Find a place for one caller's segments, if all of them fit."""
        limits = None if run.standing.expires_at is None else wish.limits
        flushes_until = paced(limits, run.flushes_until, tx.now_us)
        if isinstance(flushes_until, TooFast):
            return flushes_until
        ends = dict(run.ends)
        new: list[Incoming] = []
        for segment in wish.segments:
            head = segment.header
            end = ends.get(head.writer, 0)
            if head.seq + head.rows <= end:
                continue
            if head.seq != end:
                return Gap(end)
            new.append(segment)
            ends[head.writer] = head.seq + head.rows
        fresh = self._fresh(tx, wish.run_id, run, new)
        more = {
            "points": sum(segment.header.points for segment in new),
            "stored_bytes": sum(len(segment.payload) for segment in new),
            "metrics": len(fresh),
        }
        if limits is not None and new:
            refused = refusal(tx, limits, run.counts, more, room=self._room, most_bytes=wish.room)
            if refused is not None:
                return refused
        run.touched = True
        run.flushes_until = flushes_until
        run.ends = ends
        first_id = run.counts["metrics"]
        for what, count in more.items():
            run.counts[what] += count
        rows.metrics += (_new_metric(wish.run_id, first_id + i, name) for i, name in enumerate(fresh))
        if run.names is not None:
            run.names.update(fresh)
        for segment in new:
            run.position += 1
            rows.writers.add((wish.run_id, segment.header.writer))
            rows.segments.append(
                {
                    "run_id": wish.run_id,
                    "position": run.position,
                    "points": segment.header.points,
                    "payload": segment.payload,
                }
            )
        standing = run.standing
        now = Standing(standing.account, standing.run_id, standing.state, standing.expires_at, tx.now_us, run.position)
        return Stored(ends.get(wish.segments[-1].header.writer, 0), len(new), now)

    def _fresh(self, tx: Tx, run_id: uuid.UUID, run: _Run, new: Iterable[Incoming]) -> list[str]:
        """Return the metrics that the run does not have yet, in order of appearance."""
        if run.names is None:
            known = self._names.get(run_id)
            if known is not None and all(name in known for segment in new for name in segment.names):
                self._names.move_to_end(run_id)
                return []
            found = set(tx.conn.execute(_NAMES, {"of": run_id, "now_us": tx.now_us}).scalars())
            self._names[run_id] = found
            if len(self._names) > _RUNS_REMEMBERED:
                self._names.popitem(last=False)
            run.names = set(found)
        names = run.names
        return list(dict.fromkeys(name for segment in new for name in segment.names if name not in names))


def _read(tx: Tx, appends: Sequence[Append]) -> dict[uuid.UUID, _Run]:
    """Lock the runs that are live, and read how they stand."""
    at = {"these": list({a.run_id for a in appends}), "now_us": tx.now_us}
    found: dict[uuid.UUID, _Run] = {}
    for row in tx.conn.execute(_STANDINGS, at):
        account = Account(row.account_id, row.account_name, row.account_kind, row.account_created_at)
        standing = Standing(account, row.run_id, row.state, row.expires_at, row.heartbeat_at, row.position)
        found[row.run_id] = _Run(
            standing, {what: getattr(row, what) for what in _COUNTED}, row.position, row.flushes_until
        )
    writers = {s.header.writer for a in appends for s in a.segments}
    for row in tx.conn.execute(_ENDS, at | {"writers": [_signed(writer) for writer in writers]}):
        found[row.run_id].ends[row.writer & (_SIGN_BIT << 1) - 1] = row.next_seq
    return found


def _new_metric(run_id: uuid.UUID, number: int, name: str) -> dict[str, object]:
    nothing = {"n": 0, "last_step": 0, "last": None, "min": None, "max": None}
    return {"run_id": run_id, "metric_id": number, "name": name, **nothing}


def _write(tx: Tx, here: Mapping[uuid.UUID, _Run], rows: _Rows) -> None:
    touched = [(run_id, run) for run_id, run in here.items() if run.touched]
    if not touched:
        return
    tx.conn.execute(
        _COUNT,
        [
            {"of": run_id, "now_us": tx.now_us, "new_position": run.position, "new_flushes_until": run.flushes_until}
            | {f"new_{what}": count for what, count in run.counts.items()}
            for run_id, run in touched
        ],
    )
    if rows.metrics:
        tx.dialect.insert_rows(tx.conn, METRIC, rows.metrics)
    if rows.segments:
        tx.dialect.insert_rows(tx.conn, SEG, rows.segments)
        tx.conn.execute(
            tx.dialect.upsert(WRITER, key=("run_id", "writer")),
            [
                {"run_id": run_id, "writer": _signed(writer), "next_seq": here[run_id].ends[writer]}
                for run_id, writer in sorted(rows.writers, key=lambda key: (key[0].bytes, key[1]))
            ],
        )
        with_tail = sorted({run_id for run_id, _ in rows.writers}, key=lambda run_id: run_id.bytes)
        tx.conn.execute(tx.dialect.insert_new(TAIL), [{"run_id": run_id, "since": tx.now_us} for run_id in with_tail])


def next_seq(tx: Tx, run_id: uuid.UUID, writer: int) -> int:
    """Return the index of the first row of a writer's stream that a live run does not have."""
    at = {"of": run_id, "now_us": tx.now_us, "by": _signed(writer)}
    return tx.conn.execute(_NEXT_SEQ, at).scalar() or 0


def append(tx: Tx, run_id: uuid.UUID, segments: Sequence[Incoming], limits: Limits | None) -> Outcome:
    """Store segments in one run, for a caller who has established the right to."""
    return Ingest(lambda *_: True).store(tx, [Append(run_id, segments, limits)])[0]
