"""The last chunks of a run's metrics while they have room: what a compaction makes anew."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, tuple_

from anonrun.core.batches import batches
from anonrun.errors import DamagedDataError
from anonrun.store.chunks import CHUNK_POINTS, Axis
from anonrun.store.columns import unpack
from anonrun.store.live import is_live
from anonrun.store.schema import AXIS, CHUNK, RUN
from anonrun.store.transaction import Tx

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["OpenChunk", "OpenChunks", "last_chunks", "open_chunks"]

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class OpenChunk:
    """The last chunk of a metric while it has room: what it holds, and by which name it is stored."""

    no: int
    axis_id: int
    values: npt.NDArray[np.float64]


@dataclass(slots=True)
class OpenChunks:
    """What is made anew: chunks by metric, and their axes.

    Attributes:
        sizes: bytes of each axis.
        unused: the axes that no other chunk has.
        size: bytes of all that goes.
    """

    chunks: dict[int, OpenChunk] = field(default_factory=dict)
    axes: dict[int, Axis] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    unused: list[int] = field(default_factory=list)
    size: int = 0


def last_chunks(tx: Tx, run_id: uuid.UUID, metric_ids: Collection[int]) -> dict[int, int]:
    """Return the number of the last chunk of each metric that has any."""
    rows = tx.conn.execute(
        select(CHUNK.c.metric_id, func.max(CHUNK.c.no))
        .join(RUN, RUN.c.run_id == CHUNK.c.run_id)
        .where(CHUNK.c.run_id == run_id, CHUNK.c.metric_id.in_(metric_ids), is_live(tx.now_us))
        .group_by(CHUNK.c.metric_id)
    )
    return {row[0]: row[1] for row in rows}


def open_chunks(tx: Tx, run_id: uuid.UUID, last: dict[int, int]) -> OpenChunks:
    """Return the last chunks that have room. One that is damaged is left as it is, and a new one begun after it."""
    left = OpenChunks()
    for some in batches(list(last.items()), _AT_ONCE):
        rows = tx.conn.execute(
            select(CHUNK.c.metric_id, CHUNK.c.no, CHUNK.c.axis_id, CHUNK.c.vals, CHUNK.c.rollup)
            .join(RUN, RUN.c.run_id == CHUNK.c.run_id)
            .join(AXIS, and_(AXIS.c.run_id == CHUNK.c.run_id, AXIS.c.axis_id == CHUNK.c.axis_id))
            .where(
                CHUNK.c.run_id == run_id,
                tuple_(CHUNK.c.metric_id, CHUNK.c.no).in_(some),
                AXIS.c.n < CHUNK_POINTS,
                is_live(tx.now_us),
            )
        ).all()
        sizes = _read_axes(tx, run_id, {row.axis_id for row in rows} - left.axes.keys(), left.axes)
        for row in rows:
            if row.axis_id in left.axes:
                with contextlib.suppress(DamagedDataError):
                    left.chunks[row.metric_id] = OpenChunk(row.no, row.axis_id, unpack(row.vals))
                    left.size += len(row.vals) + len(row.rollup)
        left.sizes.update(sizes)
    users = tx.conn.execute(
        select(CHUNK.c.axis_id, CHUNK.c.metric_id)
        .join(RUN, RUN.c.run_id == CHUNK.c.run_id)
        .where(CHUNK.c.run_id == run_id, CHUNK.c.axis_id.in_(list(left.axes)), is_live(tx.now_us))
    )
    in_use = {row.axis_id for row in users if row.metric_id not in left.chunks}
    left.unused += (axis_id for axis_id in left.axes if axis_id not in in_use)
    left.size += sum(left.sizes[axis_id] for axis_id in left.unused)
    return left


def _read_axes(tx: Tx, run_id: uuid.UUID, axis_ids: Collection[int], into: dict[int, Axis]) -> dict[int, int]:
    """Read axes that are sound; return the bytes of each."""
    sizes: dict[int, int] = {}
    for row in tx.conn.execute(
        select(AXIS.c.axis_id, AXIS.c.steps, AXIS.c.times, AXIS.c.positions, AXIS.c.rollup)
        .join(RUN, RUN.c.run_id == AXIS.c.run_id)
        .where(AXIS.c.run_id == run_id, AXIS.c.axis_id.in_(list(axis_ids)), is_live(tx.now_us))
    ):
        with contextlib.suppress(DamagedDataError):
            into[row.axis_id] = Axis.unpack(row.steps, row.times, row.positions)
            sizes[row.axis_id] = sum(map(len, (row.steps, row.times, row.positions, row.rollup)))
    return sizes
