"""Appends records to this process's part files.

Invariant: a record that `append` accepted is in the operating system's hands (it survives `kill -9` of this
process), or, while the disk refuses, in a bounded queue in memory that stands for the bytes that follow the end
of the file. The queue is written out as soon as there is room; until then readers in this process read on in it.

A run's folder has a bound. It is looked at when a part is full, so that `append` costs nothing for it; beyond it
`full` says that no more rows should be given, while changes (config, summary, the run's end) are still taken.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anonrun.client.spool.machine import this_machine
from anonrun.client.spool.records import HEADER, pack_json

__all__ = ["KEEP_BYTES", "LIMIT_BYTES", "PART_BYTES", "PART_SUFFIX", "PartName", "SpoolWriter", "refused_text"]

LIMIT_BYTES = 2**30
KEEP_BYTES = 64 * 2**20
PART_BYTES = 8 * 2**20
PART_SUFFIX = ".part"
_PARTS_IN_LIMIT = 8  # so that a small bound is kept to an eighth of it
_QUEUE_BYTES = 64 * 2**20
_RETRY_S = 0.5
_LOOK_FOR_ROOM_S = 0.5
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_os_write = os.write


def refused_text(folder: Path, exc: OSError) -> str:
    """Return what to say where the disk refuses a run's folder: what that means, and what to do."""
    return (
        f"{folder} cannot be written to ({exc.strerror or exc}). Points wait in memory and are written when there is "
        "room; make room, or they are lost if this process ends before they are delivered."
    )


@dataclass(frozen=True, slots=True, order=True)
class PartName:
    """Which part a file is: the `no`th of its process, and the number of the stream in it."""

    no: int
    writer: int

    @property
    def file_name(self) -> str:
        """The file's name; sorts by `no`."""
        return f"{self.no:06d}-{self.writer:016x}{PART_SUFFIX}"

    @staticmethod
    def parse(file_name: str) -> PartName | None:
        """Return the part that a file name spells, or None."""
        no, _, writer = file_name.removesuffix(PART_SUFFIX).partition("-")
        try:
            name = PartName(int(no), int(writer, 16))
        except ValueError:
            return None
        return name if name.file_name == file_name else None


class SpoolWriter:
    """The writing end of a run's spool in this process.

    Whoever calls `append` holds `lock`, and so decides what else happens in the same breath.

    Args:
        folder: the run's folder; made where it does not exist.
        part_bytes: size at which a new part is begun.
        queue_bytes: what memory may hold while the disk refuses.
        limit_bytes: what the parts of all processes in the folder may take before `full` is set.

    Attributes:
        part: the part that is written now.
        trouble: a sentence while the disk refuses; else None.
        full: whether the folder was at its bound when that was looked at last.
        on_new_part: called, under the lock, when a new part is begun: nothing is defined in it yet.
        on_refused: called, under the lock, when the disk refuses; `trouble` says why.
    """

    def __init__(
        self,
        folder: Path,
        *,
        part_bytes: int = PART_BYTES,
        queue_bytes: int = _QUEUE_BYTES,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self.lock = threading.Lock()
        self.trouble: str | None = None
        self.full = False
        self.on_new_part: Callable[[], object] = lambda: None
        self.on_refused: Callable[[], object] = lambda: None
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._part_bytes = max(1, min(part_bytes, limit_bytes // _PARTS_IN_LIMIT))
        self._look_at = 0.0
        self._queue_bytes = queue_bytes
        self._queue = bytearray()
        self._on_disk = 0  # bytes of the part that are in its file; exact only while there is a queue
        self._size = 0
        self._fd = -1
        self._retry_at = 0.0
        self._closed = False
        self._unused = False
        self._mine: set[int] = set()
        self._process = secrets.token_hex(8)
        self.part = PartName(-1, 0)
        self.begin_part()

    def append(self, record: bytes) -> bool:
        """Take one record; return whether it is safe. Never raises for the disk's sake."""
        if self._queue or self._fd < 0:
            return self._append_to_queue(record)
        try:
            written = _os_write(self._fd, record)
        except OSError as exc:
            self._refused(exc)
            written = 0
        self._size += len(record)
        if written != len(record):
            self._start_queue(record[written:])
        elif self._size >= self._part_bytes:
            self.begin_part()
        return True

    def wrote(self, part: PartName) -> bool:
        """Return whether a part is of this writer."""
        return part.writer in self._mine

    def unwritten(self, part: PartName, offset: int) -> bytes:
        """Return the queued bytes of a part from `offset` on; nothing where they are in the file."""
        with self.lock:
            if part != self.part or not self._queue or offset < self._on_disk:
                return b""
            return bytes(self._queue[offset - self._on_disk :])

    @property
    def full_text(self) -> str:
        """What to say of a folder at its bound: what is kept, what is not, and what to do."""
        return (
            f"{self._folder} has reached its bound of {self._limit_bytes:,} bytes that no server has yet. All that was "
            "logged so far is kept and will be delivered; rows logged from now on are not kept until there is room "
            "again (config, summary and the run's end are). Have the server answer, or run `anonrun sync`; to allow "
            "more, set ANONRUN_SPOOL_BYTES before the run."
        )

    def has_room(self) -> bool:
        """Return whether rows may be given; cheap, also while the folder is full. Whoever calls holds the lock."""
        if self.full and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_FOR_ROOM_S
            self.full = self._folder_bytes() > self._limit_bytes - self._part_bytes
        return not self.full

    def retry(self) -> None:
        """Write the queue out where the disk allows it again."""
        with self.lock:
            if self._queue:
                self._flush_queue()

    def release(self, part: PartName, offset: int) -> None:
        """Give up the queue and begin a new part, if all up to the end of `part`, `offset`, was delivered."""
        with self.lock:
            if part == self.part and self._queue and offset == self._on_disk + len(self._queue) and not self._closed:
                self._queue.clear()
                self.begin_part()

    def close(self) -> None:
        """Write what can be written and let go of the file."""
        with self.lock:
            self._closed = True
            if self._queue and not self._unused:
                self._flush_queue()
            if self._fd >= 0 and not self._queue:
                os.close(self._fd)
                self._fd = -1

    def after_fork_in_child(self) -> None:
        """Go on in parts of this process's own; the parent keeps its file and its queue."""
        self.lock = threading.Lock()
        self._queue.clear()
        self._mine.clear()
        self._process = secrets.token_hex(8)
        self.trouble = None
        if not self._closed:
            self._name_next_part()
            self._queue += self._header()  # its file is made by the first record: most children never log
            self._unused = True
            self._retry_at = 0.0

    def begin_part(self) -> bool:
        """Go on in a new file, as a new stream; return whether that is possible. Whoever calls holds the lock."""
        if self._queue:
            return False
        self._name_next_part()
        self._open()
        self.append(self._header())
        return True

    def _name_next_part(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self.part = PartName(self.part.no + 1, secrets.randbits(64))
        self._mine.add(self.part.writer)
        self._size = self._on_disk = 0
        self.full = self._folder_bytes() >= self._limit_bytes
        self.on_new_part()

    def _header(self) -> bytes:
        process = {"pid": os.getpid(), "process": self._process, "machine": this_machine()}
        return pack_json(HEADER, {"version": 1, "writer": str(self.part.writer), **process})

    def _folder_bytes(self) -> int:
        try:
            with os.scandir(self._folder) as entries:
                return sum(entry.stat().st_size for entry in entries if entry.name.endswith(PART_SUFFIX))
        except OSError:  # no folder yet, or a part that went away just now
            return 0

    def _open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(self._folder / self.part.file_name, _FLAGS, 0o600)
        except OSError as exc:
            self._refused(exc)

    def _refused(self, exc: OSError) -> None:
        self._retry_at = time.monotonic() + _RETRY_S
        self.trouble = refused_text(self._folder, exc)
        self.on_refused()

    def _start_queue(self, rest: bytes) -> None:
        self._on_disk = os.lseek(self._fd, 0, os.SEEK_END)
        self._queue += rest
        if self.trouble is None:  # a short write: the next one says why
            self._flush_queue()

    def _append_to_queue(self, record: bytes) -> bool:
        self._unused = False
        if time.monotonic() >= self._retry_at:
            self._flush_queue()
            if not self._queue and self._fd >= 0:
                return self.append(record)
        if len(self._queue) + len(record) > self._queue_bytes:
            return False
        self._queue += record
        return True

    def _flush_queue(self) -> None:
        if self._fd < 0:
            self._open()
            if self._fd < 0:
                return
        try:
            while self._queue:
                written = _os_write(self._fd, memoryview(self._queue)[: 2**20])
                del self._queue[:written]
                self._on_disk += written
        except OSError as exc:
            self._refused(exc)
            return
        self._size = self._on_disk
        self.trouble = None
