"""TensorBoard's own event file writer, as `torch.utils.tensorboard` uses it."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers.adapters.disk import log_all, size_bytes


class _Log:
    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._event, self._summary, self._value = Event, Summary, Summary.Value
        self._writer = EventFileWriter(str(folder))

    def log(self, row: Mapping[str, float], step: int) -> None:
        now = time.time()
        for name, value in row.items():  # `add_scalar` writes one event a scalar
            summary = self._summary(value=[self._value(tag=name, simple_value=value)])
            self._writer.add_event(self._event(wall_time=now, step=step, summary=summary))

    def finish(self) -> None:
        self._writer.flush()
        self._writer.close()


def prepare(_: Path) -> None:
    """Nothing: it is told its folder."""


def load() -> None:
    import tensorboard.summary.writer.event_file_writer  # noqa: F401


def begin(folder: Path) -> _Log:
    return _Log(folder)


def fill(folder: Path, columns: Mapping[str, array[float]]) -> None:
    log = _Log(folder)
    log_all(log.log, columns)
    log.finish()


def _values(folder: Path) -> Iterator[Any]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for file in sorted(folder.rglob("events.out.tfevents.*")):
        for event in EventFileLoader(str(file)).Load():
            yield from event.summary.value


def count(folder: Path) -> int:
    """Return rows by their last column: the writer knows of no rows."""
    from benchmarks.curves import METRICS

    return sum(1 for value in _values(folder) if value.tag == METRICS[-1])


def read(folder: Path, metric: str) -> int:
    return len([value.tensor.float_val[0] for value in _values(folder) if value.tag == metric])


def stored_bytes(folder: Path) -> int:
    return size_bytes(folder)


def close(_: Path) -> None:
    """Nothing: what it starts ends by itself."""
