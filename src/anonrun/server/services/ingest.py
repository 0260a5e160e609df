"""Segments from the wire to the store: checked before the writer's turn, stored in it together with others'.

Checking costs time and memory in proportion to the body, which is bounded before; a large body is checked on a
thread, so that the event loop answers others meanwhile.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import lru_cache

from anonrun.core.damage import Reason, SegmentError
from anonrun.core.frames import Place
from anonrun.core.limits import MAX_SEGMENT_COLUMNS, MAX_SEGMENT_FRAMES
from anonrun.core.metrics import name_problem
from anonrun.core.wire import Header, checked_places, raw_body, split
from anonrun.server.actors import NOBODY, KeyHolder, TokenHolder
from anonrun.server.policy import Action, can
from anonrun.server.problems import ProblemError
from anonrun.server.services.limits import too_many
from anonrun.store.ingest import Gap, Incoming, Outcome, Stored
from anonrun.store.quota import NoRoom, OverQuota, TooFast
from anonrun.store.records import Account, Standing, Token

__all__ = ["Admitted", "check_held", "decode_body", "incoming", "may_ingest", "stored"]

_INLINE_BYTES = 32 * 1024
_MOST_SEGMENTS = 4_096
_MOST_UNPACKED = 16 * 2**20
_MOST_METRICS = 10_000
_ADMITTED = 10_000
_ADMITTED_FOR_S = 60.0
_FULL_RETRY_S = "60"


@lru_cache(maxsize=4_096)
def _check_name(name: str) -> None:
    problem = name_problem(name)
    if problem is not None:
        raise SegmentError(Reason.NAME, problem)


def _segments(body: bytes) -> Iterator[Incoming]:
    """Yield the segments of a body; all together they stay within what one request may cost."""
    unpacked = frames = columns = 0
    for count, (offset, header) in enumerate(split(body)):
        unpacked += header.raw_size
        if count >= _MOST_SEGMENTS:
            raise ProblemError("body_too_large", f"A request may hold {_MOST_SEGMENTS} segments. Send larger ones.")
        if unpacked > _MOST_UNPACKED:
            raise ProblemError("body_too_large", f"A request may unpack to {_MOST_UNPACKED} bytes. Send less at once.")
        places = _places(raw_body(body, header, offset=offset), header)
        frames += len(places)
        columns += sum(len(place.names) for place in places)
        if frames > 2 * MAX_SEGMENT_FRAMES or columns > 2 * MAX_SEGMENT_COLUMNS:
            raise ProblemError("body_too_large", "Rows change their metrics too often here. Send less at once.")
        names = dict.fromkeys(name for names in dict.fromkeys(place.names for place in places) for name in names)
        for name in names:
            _check_name(name)
        yield Incoming(header, body[offset : offset + header.size], names.keys())


def _places(raw: bytes, header: Header) -> list[Place]:
    try:
        return checked_places(raw, header)
    except SegmentError as exc:
        if exc.reason is not Reason.TOO_LARGE:
            raise
        raise ProblemError("body_too_large", str(exc)) from None  # sound, but more than one segment may hold


def incoming(body: bytes) -> list[Incoming]:
    """Return the segments of a body, checked.

    Raises:
        ProblemError: `segment_damaged` or `body_too_large`.
    """
    segments: list[Incoming] = []
    names: set[str] = set()
    try:
        for segment in _segments(body):
            segments.append(segment)
            names.update(segment.names)
            if len(names) > _MOST_METRICS:
                raise ProblemError("body_too_large", f"A request may name {_MOST_METRICS} metrics. Send fewer at once.")
    except SegmentError as exc:
        raise ProblemError("segment_damaged", str(exc)) from None
    if not segments:
        raise ProblemError("segment_damaged", "The body holds no segment.")
    return segments


async def decode_body(body: bytes) -> list[Incoming]:
    """Return the segments of a body, checked; large ones on a thread.

    Raises:
        ProblemError: as `incoming`.
    """
    if len(body) <= _INLINE_BYTES:
        return incoming(body)
    return await asyncio.get_running_loop().run_in_executor(None, incoming, body)


def may_ingest(token: Token | None, account: Account | None, run: Standing) -> bool:
    """Whether the holder of a run's token, or an account, may store segments in a run."""
    actor = TokenHolder(token) if token else KeyHolder(account, b"") if account else NOBODY
    return can(actor, Action.INGEST, run)


class Admitted:
    """Tokens that were found good for a run a moment ago: their next request may be read without asking first.

    Only whether a body is read depends on it; whether it is stored is decided anew in each transaction.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._seen: OrderedDict[tuple[bytes, uuid.UUID], float] = OrderedDict()

    def knows(self, token_hash: bytes, run_id: uuid.UUID) -> bool:
        """Whether a token was good for a run within the last minute."""
        seen_s = self._seen.get((token_hash, run_id))
        return seen_s is not None and self._clock_s() - seen_s < _ADMITTED_FOR_S

    def note(self, token_hash: bytes, run_id: uuid.UUID) -> None:
        """Note that a token is good for a run."""
        self._seen[token_hash, run_id] = self._clock_s()
        self._seen.move_to_end((token_hash, run_id))
        if len(self._seen) > _ADMITTED:
            self._seen.popitem(last=False)

    def forget(self, token_hash: bytes, run_id: uuid.UUID) -> None:
        """Forget a token that was refused."""
        self._seen.pop((token_hash, run_id), None)


def stored(outcome: Outcome) -> Stored | None:
    """Return what was stored; None where the run is not there for who asked, who is to be told why.

    Raises:
        ProblemError: `segment_gap`, or as `check_held`.
    """
    check_held(outcome)
    if isinstance(outcome, Gap):
        raise ProblemError("segment_gap", next=outcome.next_seq)
    return outcome if isinstance(outcome, Stored) else None


def check_held(outcome: object) -> None:
    """Refuse what an anonymous run may not deliver, or not so often.

    Raises:
        ProblemError: `quota_exceeded`, `too_many_requests` or `storage_full`.
    """
    if isinstance(outcome, TooFast):
        raise too_many(f"An anonymous run may deliver {outcome.most} times a second.", outcome.wait_us)
    if isinstance(outcome, NoRoom):
        raise ProblemError("storage_full", headers={"Retry-After": _FULL_RETRY_S})
    if isinstance(outcome, OverQuota):
        what = {"stored_bytes": "bytes of history and media", "media": "items of media"}.get(outcome.what, outcome.what)
        raise ProblemError("quota_exceeded", f"An anonymous run holds at most {outcome.most} {what}.")
