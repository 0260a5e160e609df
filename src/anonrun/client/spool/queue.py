"""What is on disk and not yet on the server, in the order in which it is sent.

Knows parts, batches and how much of them was acknowledged; nothing of requests. Parts of this process come in their
order, and take turns with those of other processes (forked workers), each of which is a stream of its own.

Invariant: a part is removed only after its last row was acknowledged, and never while someone may write it. Another
process has left a part for good when it has begun a later one, or was on this machine and is gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from anonrun.client.spool.aside import Aside
from anonrun.client.spool.folder import RunFolder
from anonrun.client.spool.machine import is_alive
from anonrun.client.spool.reader import Batch, PartReader, rows_in
from anonrun.client.spool.writer import PartName, SpoolWriter

__all__ = ["Part", "PartQueue"]

_BATCH_BYTES = 500_000
_KEEP_PARTS = 100  # delivered ones; a training may fork thousands of workers that each log a little


@dataclass(slots=True)
class Part:
    """One part on its way.

    Attributes:
        own: whether this process writes it, or did.
        complete: whether all of it was read, and nothing will follow.
        sent: rows that the server has, by stream.
    """

    reader: PartReader
    own: bool
    complete: bool = False
    sent: dict[int, int] = field(default_factory=dict)


class PartQueue:
    """The parts of one run.

    Args:
        folder: where they are.
        writer: the writing end in this process; None where nobody writes here any more.
        keep_bytes: delivered parts are kept up to this size in total, for readers in this process.
        tidy: whether delivered parts may be removed while the run goes on; where there is no writer here, that is so
            only if nobody else delivers the run.
    """

    def __init__(self, folder: RunFolder, writer: SpoolWriter | None, keep_bytes: int, *, tidy: bool = False) -> None:
        self._folder = folder
        self._aside = Aside(folder.path)
        self._writer = writer
        self._keep_bytes = keep_bytes
        self._tidy = tidy or writer is not None
        self._left: set[PartName] = set()
        self._parts: dict[PartName, Part] = {}
        self._removed: dict[PartName, Part] = {}
        self._own_turn = True

    @property
    def damage(self) -> list[str]:
        """Sentences about damaged places."""
        return [text for part in list(self._parts.values()) for text in part.reader.damage]

    @property
    def aside(self) -> Aside:
        """The rows that are not given any more."""
        return self._aside

    def look(self) -> None:
        """Notice parts that other processes have begun."""
        for name in self._folder.parts():
            self._take(name)
        if self._tidy:
            self._left = self._left_for_good()

    def next(self, *, most_rows: int, final: bool) -> tuple[Part, Batch] | None:
        """Return what is to be sent next, or None where nothing is there.

        Args:
            most_rows: at most so many rows.
            final: nobody writes the run any more.

        Raises:
            OSError: a part cannot be read.
        """
        writing = None if self._writer is None else self._writer.part
        if writing is None or writing not in self._parts:
            self.look()
        if writing is not None:
            self._take(writing)
        for name, part in self._in_turn():
            ended = final or (part.own and name != writing) or name in self._left
            batch = part.reader.read(most_rows=most_rows, most_bytes=_BATCH_BYTES, final=ended)
            if not batch.empty:
                self._own_turn = not part.own
                return part, batch
            part.complete = ended
            if ended:
                part.reader.close()
        return None

    def begin_anew(self) -> None:
        """Forget what was acknowledged, for a server that has nothing of it."""
        for part in self._parts.values():
            part.reader.skip_to(part.reader.part.writer, 0)
            part.complete = False
            part.sent.clear()

    def sent_rows(self, *, own: bool) -> int:
        """Return how many rows of this process, or of others, were acknowledged."""
        parts = [*list(self._parts.values()), *list(self._removed.values())]
        return sum(rows for part in parts if part.own is own for rows in list(part.sent.values()))

    def removed_rows(self) -> int:
        """Return how many rows were in parts that were removed."""
        return sum(sum(part.sent.values()) for part in list(self._removed.values()))

    def unsent_rows(self) -> int:
        """Return how many rows are on disk and were not acknowledged; reads them all."""
        waiting = 0
        for name in self._folder.parts():
            part = self._parts.get(name)
            waiting += rows_in(self._folder.path, name) - (0 if part is None else sum(part.sent.values()))
        return waiting

    def remove_sent(self) -> None:
        """Remove parts that were delivered in full, the oldest first; to be called when all that was read was sent."""
        if not self._tidy:
            return
        done = [name for name, part in sorted(self._parts.items()) if part.complete]
        kept = sum(self._parts[name].reader.offset for name in done)
        most = 0 if self._writer is not None and self._writer.full else self._keep_bytes
        for count, name in enumerate(done):
            if kept <= most and len(done) - count <= _KEEP_PARTS:
                break
            part = self._removed[name] = self._parts.pop(name)
            kept -= part.reader.offset
            part.reader.close()
            self._folder.remove_part(name)

    def all_read(self) -> bool:
        """Return whether nothing is on disk that was not read, and nobody will write more.

        Another process may have written a last row just now, or may write on.
        """
        if any(name not in self._parts and name not in self._removed for name in self._folder.parts()):
            return False
        foreign = [part.reader for part in self._parts.values() if not part.own]
        if any(is_alive(pid) for pid in {reader.pid for reader in foreign} if pid not in (None, os.getpid())):
            return False
        return all(reader.at_end() for reader in foreign)

    def close(self) -> None:
        """Let go of files."""
        for part in self._parts.values():
            part.reader.close()

    def _left_for_good(self) -> set[PartName]:
        foreign = [(name, part.reader) for name, part in self._parts.items() if not part.own and not part.complete]
        latest: dict[str, int] = {}
        for name, reader in foreign:
            if reader.process is not None:
                latest[reader.process] = max(name.no, latest.get(reader.process, 0))
        gone = {pid for pid in {reader.pid for _, reader in foreign} if pid is not None and not is_alive(pid)}
        return {
            name
            for name, reader in foreign
            if reader.process is not None and (reader.pid in gone or name.no < latest[reader.process])
        }

    def _in_turn(self) -> Iterator[tuple[PartName, Part]]:
        waiting = [(name, part) for name, part in sorted(self._parts.items()) if not part.complete]
        yield from sorted(waiting, key=lambda entry: entry[1].own is not self._own_turn)

    def _take(self, name: PartName) -> None:
        if name in self._parts or name in self._removed:
            return
        if self._writer is not None and self._writer.wrote(name):
            reader = PartReader(self._folder.path, name, self._writer.unwritten, self._aside.places)
            self._parts[name] = Part(reader, own=True)
        else:
            self._parts[name] = Part(PartReader(self._folder.path, name, left_out=self._aside.places), own=False)
