"""A run's history in order of arrival, as segments: whole, or with some metrics only, a page at a time.

What was compacted is put into segments again; their writer is 0, since they hold rows of any. Within one metric
the order is that of arrival, whatever the page's size.
"""

from __future__ import annotations

import logging
import uuid
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import and_, bindparam, func, select

from anonrun.core.batches import batches
from anonrun.core.frames import Frame, pieces
from anonrun.core.limits import DEFAULT_LIMITS
from anonrun.core.wire import decode, encode, peek
from anonrun.errors import DamagedDataError
from anonrun.store.chunks import Axis
from anonrun.store.columns import unpack
from anonrun.store.live import LIVE, is_live
from anonrun.store.schema import AXIS, CHUNK, METRIC, RUN, SEG
from anonrun.store.transaction import Tx

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Page", "page"]

_log = logging.getLogger("anonrun.store.history")

_ROWS_AT_ONCE = 64
_AXES_AT_ONCE = 64
_VALUE_BYTES = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a run's history.

    Attributes:
        segments: in order of arrival.
        position: up to which this goes; give it back as `after`.
        end: whether there is no more.
    """

    segments: list[bytes]
    position: int
    end: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a page is to hold: history after a position and up to another, of some metrics or (empty) of all."""

    tx: Tx
    run_id: uuid.UUID
    after: int
    last: int
    names: Collection[str]
    size_bytes: int


_WHERE = select(RUN.c.position, RUN.c.compacted).where(RUN.c.run_id == bindparam("of", type_=RUN.c.run_id.type), LIVE)


def page(
    tx: Tx,
    run_id: uuid.UUID,
    *,
    after: int,
    up_to: int | None = None,
    names: Collection[str] = (),
    size_bytes: int = 1 << 20,
) -> Page | None:
    """Return a live run's history after a position, about `size_bytes` of it; None where the run is gone.

    Args:
        tx: a snapshot.
        run_id: the run.
        after: position after which to begin; 0 for the first.
        up_to: last position to return; None for all that are there.
        names: these metrics only; empty for all.
        size_bytes: stop when this much is reached; at least one position is passed if there is one.
    """
    run = tx.conn.execute(_WHERE, {"of": run_id, "now_us": tx.now_us}).first()
    if run is None:
        return None
    last = run.position if up_to is None else min(run.position, up_to)
    asked = _Asked(tx, run_id, after, last, names, size_bytes)
    compacted = min(run.compacted, last)
    return _from_chunks(asked, compacted) if after < compacted else _from_tail(asked)


def _sound(asked: _Asked, read: Callable[[], T], what: str) -> T | None:
    """Return what can be read; note it and return None where its checksum does not hold."""
    try:
        return read()
    except DamagedDataError:
        _log.error("damaged data left out", extra={"fields": {"run_id": str(asked.run_id), "what": what}})
        return None


# --- the tail ---------------------------------------------------------------------------------------------------------


def _from_tail(asked: _Asked) -> Page:
    tx, after = asked.tx, asked.after
    found: list[bytes] = []
    held = 0
    while after < asked.last and held < asked.size_bytes:
        rows = tx.conn.execute(
            select(SEG.c.position, SEG.c.payload)
            .join(RUN, RUN.c.run_id == SEG.c.run_id)
            .where(
                SEG.c.run_id == asked.run_id,
                SEG.c.position > after,
                SEG.c.position <= asked.last,
                is_live(tx.now_us),
            )
            .order_by(SEG.c.position)
            .limit(_ROWS_AT_ONCE)
        ).all()
        if not rows:
            break
        for row in rows:
            if held and held + len(row.payload) > asked.size_bytes:
                return Page(found, after, end=False)
            held += len(row.payload)
            after = row.position
            kept = _sound(asked, lambda row=row: _only(row.payload, asked.names), f"segment {after}")  # type: ignore[misc]  # the default binds the loop's value
            if kept:
                found.append(kept)
    return Page(found, after, end=after >= asked.last)


def _only(payload: bytes, names: Collection[str]) -> bytes:
    """Return a segment with the rows and columns of these metrics only (empty: all); empty where it has none of them.

    Raises:
        DamagedDataError: its checksum does not hold.
    """
    if not names:
        peek(payload)
        return payload
    segment = decode(payload)
    if all(name in names for frame in segment.frames for name in frame.names):
        return payload
    frames = [kept for frame in segment.frames if (kept := _only_of(frame, names))]
    return encode(frames, writer=segment.header.writer, seq=segment.header.seq) if frames else b""


def _only_of(frame: Frame, names: Collection[str]) -> Frame | None:
    chosen = [i for i, name in enumerate(frame.names) if name in names]
    if not chosen:
        return None
    return Frame(
        tuple(frame.names[i] for i in chosen), frame.steps, frame.times_us, tuple(frame.columns[i] for i in chosen)
    )


# --- chunks -----------------------------------------------------------------------------------------------------------


def _from_chunks(asked: _Asked, compacted: int) -> Page:
    """Return rows from chunks: those of whole axes, and the parts of others, up to one position."""
    stretches = (
        select(AXIS.c.axis_id, AXIS.c.n, AXIS.c.first_position, AXIS.c.last_position, func.count().label("metrics"))
        .join(RUN, RUN.c.run_id == AXIS.c.run_id)
        .join(CHUNK, and_(CHUNK.c.run_id == AXIS.c.run_id, CHUNK.c.axis_id == AXIS.c.axis_id))
        .where(AXIS.c.run_id == asked.run_id, AXIS.c.last_position > asked.after, is_live(asked.tx.now_us))
        .group_by(AXIS.c.axis_id, AXIS.c.n, AXIS.c.first_position, AXIS.c.last_position)
        .order_by(AXIS.c.last_position, AXIS.c.axis_id)
    )
    if asked.names:
        named = and_(METRIC.c.run_id == CHUNK.c.run_id, METRIC.c.metric_id == CHUNK.c.metric_id)
        stretches = stretches.join(METRIC, named).where(METRIC.c.name.in_(list(asked.names)))
    axes = asked.tx.conn.execute(stretches).all()
    to, held = compacted, 0
    for axis in axes:
        held += axis.n * (2 + axis.metrics) * _VALUE_BYTES
        if held >= asked.size_bytes:
            to = min(compacted, axis.last_position)
            break
    chosen = sorted(
        (axis for axis in axes if axis.first_position <= to), key=lambda axis: (axis.first_position, axis.axis_id)
    )
    ids = [axis.axis_id for axis in chosen]
    frames = (frame for batch in batches(ids, _AXES_AT_ONCE) for frame in _frames(asked, batch, to))
    segments = [encode(piece, writer=0, seq=0) for piece in pieces(frames, DEFAULT_LIMITS.segment_raw_bytes)]
    return Page(segments, to, end=to >= asked.last)


def _frames(asked: _Asked, axis_ids: Sequence[int], to: int) -> Iterator[Frame]:
    """Yield the rows of some axes that arrived after the position that was asked for and not after `to`."""
    tx = asked.tx
    found: Iterable[Any] = tx.conn.execute(
        select(AXIS.c.axis_id, AXIS.c.steps, AXIS.c.times, AXIS.c.positions)
        .join(RUN, RUN.c.run_id == AXIS.c.run_id)
        .where(AXIS.c.run_id == asked.run_id, AXIS.c.axis_id.in_(axis_ids), is_live(tx.now_us))
    )
    axes = {row.axis_id: row for row in found}
    query = (
        select(CHUNK.c.axis_id, METRIC.c.name, CHUNK.c.no, CHUNK.c.vals)
        .join(RUN, RUN.c.run_id == CHUNK.c.run_id)
        .join(METRIC, and_(METRIC.c.run_id == CHUNK.c.run_id, METRIC.c.metric_id == CHUNK.c.metric_id))
        .where(CHUNK.c.run_id == asked.run_id, CHUNK.c.axis_id.in_(axis_ids), is_live(tx.now_us))
        .order_by(CHUNK.c.metric_id)
    )
    if asked.names:
        query = query.where(METRIC.c.name.in_(list(asked.names)))
    columns: dict[int, list[tuple[str, npt.NDArray[np.float64]]]] = {}
    for row in tx.conn.execute(query):
        values = _sound(asked, lambda row=row: unpack(row.vals), f"metric {row.name!r} chunk {row.no}")  # type: ignore[misc]  # the default binds the loop's value
        if values is not None:
            columns.setdefault(row.axis_id, []).append((row.name, values))
    for axis_id in axis_ids:
        if axis_id in columns:
            stored = axes[axis_id]
            axis = _sound(
                asked,
                lambda stored=stored: Axis.unpack(stored.steps, stored.times, stored.positions),  # type: ignore[misc]  # likewise
                f"axis {axis_id}",
            )
            if axis:
                yield from _cut(axis, columns[axis_id], asked.after, to)


def _cut(axis: Axis, columns: list[tuple[str, npt.NDArray[np.float64]]], after: int, to: int) -> Iterator[Frame]:
    """Yield the rows of an axis that arrived after one position and not after another."""
    begin, end = (int(at) for at in axis.positions.searchsorted([after, to], "right"))
    if begin < end:
        part = slice(begin, end)
        yield Frame(
            tuple(name for name, _ in columns),
            array("q", axis.steps[part].tobytes()),
            array("q", axis.times_us[part].tobytes()),
            tuple(array("d", values[part].tobytes()) for _, values in columns),
        )
