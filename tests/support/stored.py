"""Runs in a store, without a server."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from anonrun.core.wire import Frame, decode, encode
from anonrun.store.ingest import Incoming

MakeRun = Callable[..., uuid.UUID]


def hash_of(run_id: uuid.UUID, kind: str) -> bytes:
    """Return the hash of the token of a kind that the fixture `make_run` gives a run."""
    return kind.encode() * 16 + run_id.bytes


def incoming(values: list[float], *, seq: int = 0, writer: int = 1, names: tuple[str, ...] = ("loss",)) -> Incoming:
    """Return a segment of rows that hold the same values for each name; its steps follow from `seq`."""
    steps = range(seq, seq + len(values))
    payload = encode([Frame.of(names, steps, steps, [values] * len(names))], writer=writer, seq=seq)
    return Incoming(decode(payload).header, payload, names)
