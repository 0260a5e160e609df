"""What an anonymous run is held to, whatever is stored in it: how often, how much, and how much of all such runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonrun.core.limits import Limits
from anonrun.core.rates import take
from anonrun.store.room import Room
from anonrun.store.transaction import Tx

__all__ = ["NoRoom", "OverQuota", "TooFast", "paced", "refusal"]

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class OverQuota:
    """Nothing was stored: the run would hold more of `what` than the `most` that an anonymous one may."""

    what: str
    most: int


@dataclass(frozen=True, slots=True)
class TooFast:
    """Nothing was stored: the run has delivered as often as it may; `wait_us` until it may again."""

    most: int
    wait_us: int


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Nothing was stored: all anonymous runs together hold as much as they may."""


def paced(limits: Limits | None, flushes_until: int, now_us: int) -> int | TooFast:
    """Return until when a run's deliveries are paid for once this one is, or that it comes too soon.

    Args:
        limits: of an anonymous run; None for one that is held to nothing.
        flushes_until: until when those before it are.
        now_us: now.
    """
    if limits is None or not limits.flushes_per_s:
        return flushes_until
    until, wait_us = take(flushes_until, now_us, most=limits.flushes_per_s, span_us=_SECOND_US)
    return TooFast(limits.flushes_per_s, wait_us) if wait_us else until


def refusal(
    tx: Tx, limits: Limits, held: Mapping[str, int], more: Mapping[str, int], *, room: Room, most_bytes: int | None
) -> OverQuota | NoRoom | None:
    """Return why an anonymous run cannot hold so much more; None where it can, and the room is taken then.

    Args:
        tx: a writer's transaction.
        limits: of the run.
        held: what it holds, by the limits' names.
        more: what is to come, likewise; `stored_bytes` among it.
        room: what all anonymous runs together have taken.
        most_bytes: that they may take; None for no limit.
    """
    for what, count in more.items():
        most = getattr(limits, what)
        if held[what] + count > most:
            return OverQuota(what, most)
    if most_bytes is not None:
        if not room.has(tx, more["stored_bytes"], most_bytes):
            return NoRoom()
        room.take(more["stored_bytes"])
    return None
