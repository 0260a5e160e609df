"""A run's history as it arrived: segments in order of position, whole or with some metrics only."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from anonrun.core.wire import Frame, decode, encode
from anonrun.store.live import is_live
from anonrun.store.schema import RUN, SEG
from anonrun.store.transaction import Tx

__all__ = ["Page", "only", "page"]

_ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a run's segments.

    Attributes:
        segments: as they were received, in order of position.
        position: of the last one that was looked at; give it back as `after`.
        end: whether there were no more.
    """

    segments: list[bytes]
    position: int
    end: bool


def page(tx: Tx, run_id: uuid.UUID, *, after: int, up_to: int | None = None, size_bytes: int = 1 << 20) -> Page | None:
    """Return the segments of a live run after a position, about `size_bytes` at a time; None where the run is gone.

    Args:
        tx: the transaction.
        run_id: the run.
        after: position after which to begin; 0 for the first.
        up_to: last position to return; None for all that are there.
        size_bytes: stop when this much is reached; at least one segment is returned if there is one.
    """
    last = tx.conn.execute(select(RUN.c.position).where(RUN.c.run_id == run_id, is_live(tx.now_us))).scalar()
    if last is None:
        return None
    last = last if up_to is None else min(last, up_to)
    found: list[bytes] = []
    held = 0
    while after < last and held < size_bytes:
        rows = tx.conn.execute(
            select(SEG.c.position, SEG.c.payload)
            .join(RUN, RUN.c.run_id == SEG.c.run_id)
            .where(SEG.c.run_id == run_id, SEG.c.position > after, SEG.c.position <= last, is_live(tx.now_us))
            .order_by(SEG.c.position)
            .limit(_ROWS_AT_ONCE)
        ).all()
        if not rows:
            break
        for row in rows:
            if found and held + len(row.payload) > size_bytes:
                return Page(found, after, end=False)
            found.append(row.payload)
            held += len(row.payload)
            after = row.position
    return Page(found, after, end=after >= last)


def only(payload: bytes, names: Collection[str]) -> bytes | None:
    """Return a segment with the rows and columns of these metrics only, or None where it has none of them."""
    segment = decode(payload)
    if all(name in names for frame in segment.frames for name in frame.names):
        return payload
    frames = [kept for frame in segment.frames if (kept := _only_of(frame, names))]
    return encode(frames, writer=segment.header.writer, seq=segment.header.seq) if frames else None


def _only_of(frame: Frame, names: Collection[str]) -> Frame | None:
    chosen = [i for i, name in enumerate(frame.names) if name in names]
    if not chosen:
        return None
    return Frame(
        tuple(frame.names[i] for i in chosen), frame.steps, frame.times_us, tuple(frame.columns[i] for i in chosen)
    )
