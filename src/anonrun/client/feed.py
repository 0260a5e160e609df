"""A reader of a run's rows for whoever shows them, such as the notebook; it asks nobody but the spool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from anonrun.client.spool.folder import RunFolder
from anonrun.client.spool.reader import PartReader
from anonrun.client.spool.writer import PartName, SpoolWriter
from anonrun.core.wire import Frame

__all__ = ["RowFeed"]

_LOOK_S = 1.0


class RowFeed:
    """Gives each row of a run once, from the first on.

    Args:
        folder: the run's folder.
        writer: the writing end in this process.
        otherwise: gives all rows where the folder is gone, since all was delivered.
    """

    def __init__(self, folder: RunFolder, writer: SpoolWriter, otherwise: Callable[[], list[Frame]]) -> None:
        self._folder = folder
        self._writer = writer
        self._otherwise: Callable[[], list[Frame]] | None = otherwise
        self._readers: dict[PartName, PartReader] = {}
        self._done: set[PartName] = set()
        self._look_at = 0.0
        self._lock = threading.Lock()

    def read_new(self) -> list[Frame]:
        """Return the rows that were logged since the last call, in order of arrival; cheap where there are none."""
        with self._lock:
            if not self._readers and self._otherwise is not None and not self._folder.path.exists():
                frames, self._otherwise = self._otherwise(), None
                return frames
            return self._read()

    def _read(self) -> list[Frame]:
        self._look()
        frames: list[Frame] = []
        writing = (
            self._writer.part
        )  # asked before anything is read: all of every other part of ours is then in its file
        for name in sorted(self._readers.keys() - self._done):
            reader = self._readers[name]
            while True:
                try:
                    batch = reader.read()
                except OSError:
                    break
                if batch.empty:
                    break
                frames += batch.frames
            if name != writing:
                reader.close()  # a file that is held open takes room on the disk after it was removed
                if self._writer.wrote(name) or not reader.path.exists():
                    self._done.add(name)
        return frames

    def _look(self) -> None:
        now = time.monotonic()
        names = [self._writer.part]
        if now >= self._look_at or names[0] not in self._readers:
            self._look_at = now + _LOOK_S
            names += self._folder.parts()
        for name in names:
            if name not in self._readers:
                unwritten = self._writer.unwritten if self._writer.wrote(name) else None
                self._readers[name] = (
                    PartReader(self._folder.path, name, unwritten) if unwritten else PartReader(self._folder.path, name)
                )
