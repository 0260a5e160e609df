"""Reads a run's series for a chart or a program: no more of its chunks than is needed.

A wide view over many points is answered from rollups, which are an eighth of the values' size and need no
decompression; a narrow one from the chunks in its range.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from anonrun.store.chunks import BLOCK_POINTS
from anonrun.store.sampling import Blocks, Points, Sample, along, sample
from anonrun.store.snapshot import Snapshot, Spans
from anonrun.store.transaction import Tx

__all__ = ["Sampled", "View", "gather", "sampled"]

_BLOCKS_A_BUCKET = 4
"""A rollup is used where a bucket holds so many of its blocks or more: its edge is then off by a quarter at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a chart shows.

    Attributes:
        buckets: at most so many for each metric.
        x: what they divide: `step`, `wall` (seconds since the Unix epoch), `relative` (seconds since the run's earliest
            row) or `metric`.
        x_metric: by its name, for that last one.
        start: first place on x, included, in its unit; None for the first there is.
        end: last place on x, included.
    """

    buckets: int
    x: Literal["step", "wall", "relative", "metric"] = "step"
    x_metric: str = ""
    start: float | None = None
    end: float | None = None

    @property
    def by_time(self) -> bool:
        """Whether x is a time."""
        return self.x in {"wall", "relative"}

    def in_us(self, zero_us: int) -> View:
        """Return it with its range as microseconds since the Unix epoch, where x is a time."""
        if not self.by_time:
            return self
        start = None if self.start is None else self.start * 1e6 + zero_us
        end = None if self.end is None else self.end * 1e6 + zero_us
        return replace(self, start=start, end=end)


@dataclass(frozen=True, slots=True)
class Sampled:
    """Reduced series by metric, in order of first appearance.

    Attributes:
        position: of the last segment that was read.
        damaged: stretches that could not be read.
    """

    metrics: dict[str, Sample]
    position: int
    damaged: int


def gather(tx: Tx, run_id: uuid.UUID, names: Collection[str] | None) -> tuple[dict[str, Points], int] | None:
    """Return every point of a live run's metrics (None: of all) and the position up to which they were read.

    None where the run is gone.
    """
    here = Snapshot.of(tx, run_id, names)
    if here is None:
        return None
    parts = {name: here.points(spans) + here.tail.get(name, []) for name, spans in here.spans().items()}
    return {name: Points.of(found) for name, found in parts.items() if found}, here.position


def sampled(tx: Tx, run_id: uuid.UUID, names: Collection[str] | None, view: View) -> Sampled | None:
    """Return a live run's metrics (None: all) reduced to buckets; None where the run is gone."""
    wanted = names if names is None or view.x != "metric" else {*names, view.x_metric}
    here = Snapshot.of(tx, run_id, wanted)
    if here is None:
        return None
    metrics = _along_metric(here, names, view) if view.x == "metric" else _along_rows(here, view)
    return Sampled(metrics, here.position, here.damaged)


def _along_rows(here: Snapshot, view: View) -> dict[str, Sample]:
    zero_us = here.began_us() if view.x == "relative" else 0
    view = view.in_us(zero_us)
    found = {}
    for name, spans in here.spans(by_time=view.by_time, start=view.start, end=view.end).items():
        blocks = _blocks(here, spans, here.tail.get(name, []), view)
        if blocks:
            reduced = sample(blocks, buckets=view.buckets, start=view.start, end=view.end)
            found[name] = replace(reduced, x=[(us - zero_us) / 1e6 for us in reduced.x]) if view.by_time else reduced
    return found


def _along_metric(here: Snapshot, names: Collection[str] | None, view: View) -> dict[str, Sample]:
    points = {name: here.points(spans) + here.tail.get(name, []) for name, spans in here.spans().items()}
    if not points.get(view.x_metric):
        return {}
    across = Points.of(points[view.x_metric])
    return {
        name: sample([along(Points.of(mine), across)], buckets=view.buckets, start=view.start, end=view.end)
        for name, mine in points.items()
        if mine and (name != view.x_metric or (names is not None and name in names))
    }


def _blocks(here: Snapshot, spans: Spans, tail: Sequence[Points], view: View) -> list[Blocks]:
    """Return what a metric has in a view's range, or more.

    Of chunks that lie in it only the rollups are read, where they are fine enough. That needs x to rise from chunk to
    chunk; where rows arrived in another order, each of their points is read.
    """
    if int(spans.n.sum()) < view.buckets * BLOCK_POINTS * _BLOCKS_A_BUCKET or not spans.in_order:
        return _single(here.points(spans) + list(tail), view)
    # In order, only the first and the last chunk can reach beyond the range.
    begin = int(view.start is not None and spans.low[0] < view.start)
    end = len(spans) - int(view.end is not None and spans.high[-1] > view.end)
    middle = here.blocks(spans[begin:end], by_time=view.by_time) if begin < end else None
    last = spans[max(begin, end) :]
    return [
        *_single(here.points(spans[:begin]), view),
        *([middle] if middle else []),
        *_single(here.points(last) + list(tail), view),
    ]


def _single(parts: Sequence[Points], view: View) -> list[Blocks]:
    return [Blocks.single(points, points.times_us if view.by_time else points.steps) for points in parts]
