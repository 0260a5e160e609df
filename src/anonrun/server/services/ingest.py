"""Segments from the wire to the store: checked and decoded before the writer's turn, stored in it.

Decoding costs time and memory in proportion to the body, which is bounded before; a large body is decoded on
a reader's thread, so that the event loop answers others meanwhile.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

from anonrun.core.metrics import name_problem
from anonrun.core.summary import MetricSummary
from anonrun.core.wire import Segment, decode, split
from anonrun.errors import DamagedDataError
from anonrun.server.problems import ProblemError
from anonrun.server.services.core import Core
from anonrun.store.ingest import Gap, Incoming, NotThere, OverQuota, Stored, append
from anonrun.store.transaction import Tx

__all__ = ["decode_body", "incoming", "store"]

_INLINE_BYTES = 32 * 1024
_MOST_SEGMENTS = 4_096
_MOST_UNPACKED = 16 * 2**20
_MOST_METRICS = 10_000


def _decoded(body: bytes) -> Iterator[tuple[Segment, bytes]]:
    """Yield the segments of a body; all together they stay within what one may unpack to."""
    unpacked = 0
    for count, (offset, header) in enumerate(split(body)):
        unpacked += header.raw_size
        if count >= _MOST_SEGMENTS:
            raise ProblemError("body_too_large", f"A request may hold {_MOST_SEGMENTS} segments. Send larger ones.")
        if unpacked > _MOST_UNPACKED:
            raise ProblemError("body_too_large", f"A request may unpack to {_MOST_UNPACKED} bytes. Send less at once.")
        yield decode(body, offset=offset), body[offset : offset + header.size]


def _summaries(segment: Segment) -> dict[str, MetricSummary]:
    found: dict[str, MetricSummary] = {}
    for frame in segment.frames:
        if len(set(frame.names)) != len(frame.names):
            raise DamagedDataError("A frame names a metric twice.")
        for name, column in zip(frame.names, frame.columns, strict=True):
            if name not in found:
                problem = name_problem(name)
                if problem is not None:
                    raise DamagedDataError(problem)
            summary = MetricSummary.of(frame.steps, column)
            found[name] = found[name].then(summary) if name in found else summary
        if len(found) > _MOST_METRICS:
            raise DamagedDataError(f"A segment may hold {_MOST_METRICS} metrics.")
    return found


def incoming(body: bytes) -> list[Incoming]:
    """Return the segments of a body, checked.

    Raises:
        ProblemError: `segment_damaged` or `body_too_large`.
    """
    try:
        segments = [Incoming(segment.header, payload, _summaries(segment)) for segment, payload in _decoded(body)]
    except DamagedDataError as exc:
        raise ProblemError("segment_damaged", str(exc)) from None
    if not segments:
        raise ProblemError("segment_damaged", "The body holds no segment.")
    if len(set().union(*(segment.summaries for segment in segments))) > _MOST_METRICS:
        raise ProblemError("body_too_large", f"A request may name {_MOST_METRICS} metrics. Send fewer at once.")
    return segments


async def decode_body(body: bytes) -> list[Incoming]:
    """Return the segments of a body, checked; large ones on a thread.

    Raises:
        ProblemError: as `incoming`.
    """
    if len(body) <= _INLINE_BYTES:
        return incoming(body)
    return await asyncio.get_running_loop().run_in_executor(None, incoming, body)


def store(core: Core, tx: Tx, run_id: uuid.UUID, segments: list[Incoming]) -> Stored:
    """Store segments in a run.

    Raises:
        ProblemError: `segment_gap`, `quota_exceeded` or `run_not_found`.
    """
    outcome = append(tx, run_id, segments, core.settings.limits)
    if isinstance(outcome, Gap):
        raise ProblemError("segment_gap", next=outcome.next_seq)
    if isinstance(outcome, OverQuota):
        what = {"stored_bytes": "bytes of history"}.get(outcome.what, outcome.what)
        raise ProblemError("quota_exceeded", f"An anonymous run holds at most {outcome.most} {what}.")
    if isinstance(outcome, NotThere):
        raise ProblemError("run_not_found")
    return outcome
