"""Reads one part file, finished or still growing.

A reader keeps its place and gives every row once, as frames in the sense of `anonrun.core.wire`. A record that is
not whole yet ends the reading for now. A damaged record is skipped and reported; the rows after it belong to
another stream (`after_damage`), since a stream's numbers have no gap.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonrun.client.spool.machine import this_machine
from anonrun.client.spool.records import CHANGE, HEAD_SIZE, HEADER, KEYS, ROW, head_at, is_sound, next_sound
from anonrun.client.spool.writer import PartName
from anonrun.core.wire import Frame

__all__ = ["Batch", "PartReader", "after_damage", "rows_in"]

_READ_BYTES = 2**20
_CRC = struct.Struct("<I")


def after_damage(writer: int, gaps: int) -> int:
    """Return the number of the stream that follows the `gaps`th damage, or row left out, in the part of `writer`."""
    if not gaps:
        return writer
    return int.from_bytes(hashlib.sha256(f"{writer}/{gaps}".encode()).digest()[:8], "little")


@dataclass(slots=True)
class Batch:
    """What one reading found, in order.

    Attributes:
        writer: the stream of all these rows.
        seq: index of the first row in it.
        rows: how many.
        frames: them; neighbours with the same metrics share a frame.
        changes: fields of `RunUpdate`, one dict a record.
        full: whether it ends at a bound, so that more may follow at once.
    """

    writer: int
    seq: int
    rows: int = 0
    frames: list[Frame] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    full: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing new was there."""
        return not self.rows and not self.changes


def _nothing_unwritten(_part: PartName, _offset: int) -> bytes:
    return b""


class PartReader:
    """Reads one part from its beginning on.

    Args:
        folder: the run's folder.
        part: which part.
        unwritten: gives the bytes from an offset on that are not in the file yet; of the writer in this process.
        left_out: gives the rows, by stream and index, that are not to be given.

    Attributes:
        offset: bytes read.
        row: index, in its stream, of the row that is read next.
        pid: process on this machine that writes the part; None while that was not read, and for another machine's.
        process: what the parts of that process share; None while that was not read.
        damage: a sentence for each damaged place.
    """

    def __init__(
        self,
        folder: Path,
        part: PartName,
        unwritten: Callable[[PartName, int], bytes] = _nothing_unwritten,
        left_out: Callable[[], Collection[tuple[int, int]]] = tuple,
    ) -> None:
        self.part = part
        self.path = folder / part.file_name
        self.offset = 0
        self.row = 0
        self.pid: int | None = None
        self.process: str | None = None
        self.damage: list[str] = []
        self._gaps = 0
        self._unwritten = unwritten
        self._left_out = left_out
        self._keys: dict[int, tuple[tuple[str, ...], struct.Struct]] = {}
        self._fd = -1

    @property
    def writer(self) -> int:
        """The stream of the row that is read next."""
        return after_damage(self.part.writer, self._gaps)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def at_end(self) -> bool:
        """Return whether all of the file was read."""
        try:
            return self.path.stat().st_size <= self.offset
        except FileNotFoundError:
            return True

    def skip_to(self, writer: int, row: int) -> list[dict[str, Any]]:
        """Go to a row of a stream, or to the part's end where it has no such row.

        Returns:
            the changes that stand before it.
        """
        self.offset = self.row = self._gaps = 0
        self._keys.clear()
        self.damage.clear()
        changes: list[dict[str, Any]] = []
        while self.writer != writer or self.row < row:
            most = row - self.row if self.writer == writer else None
            before = self.offset
            changes += self._step(most, 500_000, final=False).changes
            if self.offset == before:
                break
        return changes

    def read(self, *, most_rows: int | None = None, most_bytes: int = 500_000, final: bool = False) -> Batch:
        """Return what follows, up to a bound or the end of a stream.

        Args:
            most_rows: at most so many rows; None for no bound.
            most_bytes: stop after about so many bytes of records.
            final: nobody writes this part any more, so what is cut off at its end stays so.

        Raises:
            OSError: the file cannot be read.
        """
        while True:
            before = self.offset
            batch = self._step(most_rows, most_bytes, final=final)
            if not batch.empty or self.offset == before:
                return batch

    def _step(self, most_rows: int | None, most_bytes: int, *, final: bool) -> Batch:
        """Read on within a stream, or go to the next one."""
        left_out = [row for stream, row in self._left_out() if stream == self.writer and row >= self.row]
        if self.row in left_out:
            changes = self._leave_next_out(final=final)
            return Batch(self.writer, self.row, changes=changes)
        if left_out:
            until = min(left_out) - self.row
            most_rows = until if most_rows is None else min(most_rows, until)
        data = self._data(max(_READ_BYTES, most_bytes))
        if len(data) >= _READ_BYTES and is_sound(data, 0) is None:
            data = self._data(head_at(data, 0)[0])
        batch = Batch(self.writer, self.row)
        at = 0
        while at < most_bytes and (most_rows is None or batch.rows < most_rows) and is_sound(data, at):
            size, kind, keys = head_at(data, at)
            if kind == ROW:
                if keys not in self._keys:
                    break
                at = self._rows(batch, data, at, None if most_rows is None else most_rows - batch.rows)
                continue
            self._note(batch, kind, keys, data[at + HEAD_SIZE : at + size])
            at += size
        batch.full = at >= most_bytes or batch.rows == most_rows
        self.offset += at
        self.row += batch.rows
        if not at and data and self._skip(data, final=final):
            return Batch(self.writer, self.row)
        return batch

    def _leave_next_out(self, *, final: bool) -> list[dict[str, Any]]:
        """Go past the next row, if it is there, after which another stream begins; return the changes before it."""
        asked, self._left_out = self._left_out, tuple
        try:
            batch = self._step(1, 500_000, final=final)
        finally:
            self._left_out = asked
        if batch.rows:
            self.row = 0
            self._gaps += 1
        return batch.changes

    def _rows(self, batch: Batch, data: bytes, start: int, most: int | None) -> int:
        """Add the sound rows of one set of metrics that stand side by side; return where they end."""
        names, layout = self._keys[head_at(data, start)[2]]
        head = data[start + 4 : start + HEAD_SIZE]
        size, view, at, rows = layout.size, memoryview(data), start, 0
        stop = len(data) - size
        while at <= stop and data[at + 4 : at + HEAD_SIZE] == head and rows != most:
            if zlib.crc32(view[at + 4 : at + size]) != _CRC.unpack_from(data, at)[0]:
                break
            at += size
            rows += 1
        _, _, _, _, steps, times_us, *columns = zip(*layout.iter_unpack(view[start:at]), strict=True)
        batch.frames.append(Frame.of(names, steps, times_us, columns))
        batch.rows += rows
        return at

    def _note(self, batch: Batch, kind: int, keys: int, content: bytes) -> None:
        value = json.loads(content)
        if kind == KEYS:
            self._keys[keys] = tuple(value), struct.Struct(f"<IIHHqq{len(value)}d")
        elif kind == CHANGE:
            batch.changes.append(value)
        elif kind == HEADER:
            self.pid = value.get("pid") if value.get("machine") == this_machine() else None
            self.process = value.get("process")

    def _skip(self, data: bytes, *, final: bool) -> bool:
        """Go past a damaged place; return whether there is something to read behind it."""
        sound = is_sound(data, 0)
        if sound is None and not final:
            return False  # it is being written
        rest = self._data(self.path.stat().st_size)
        next_at = next_sound(rest, 0)
        while next_at is not None and head_at(rest, next_at)[1] == ROW and head_at(rest, next_at)[2] not in self._keys:
            next_at = next_sound(rest, next_at)
        if next_at is None:
            if not final:
                return False
            if sound is False:
                self.damage.append(f"{self.path}: the last {len(rest)} bytes, from {self.offset} on, are damaged.")
            self.offset += len(rest)
            return False
        self.damage.append(f"{self.path}: {next_at} bytes at {self.offset} are damaged; what follows is whole.")
        self.offset += next_at
        self.row = 0
        self._gaps += 1
        return True

    def _data(self, size: int) -> bytes:
        """Return up to `size` bytes from the place on where the reader is."""
        data = b""
        if self._fd < 0:
            with contextlib.suppress(FileNotFoundError):
                self._fd = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
        if self._fd >= 0:
            os.lseek(self._fd, self.offset, os.SEEK_SET)
            data = os.read(self._fd, size)
        return data if len(data) >= size else data + self._unwritten(self.part, self.offset + len(data))


def rows_in(folder: Path, part: PartName) -> int:
    """Return how many rows a part that nobody writes has, as far as it can be read.

    Raises:
        OSError: the file cannot be read.
    """
    reader, rows = PartReader(folder, part), 0
    try:
        while True:
            before = reader.offset
            rows += reader.read(final=True).rows
            if reader.offset == before:
                return rows
    finally:
        reader.close()
