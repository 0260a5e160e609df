"""One move on disk: a run as it was read, in the very segments that are sent, and how far the move has come.

A folder of its owner's alone below the data folder. `move.json` counts only when it was written whole, and of `rows`
and `media` counts only what it says; so after a `kill -9` at any instant all are as they were a moment before. The
segments are one stream, whose rows keep their numbers for ever: the other server's cursor says where to go on.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from anonrun.client.spool.folder import write_private
from anonrun.core.frames import Frame, pieces
from anonrun.core.media import MediaItem
from anonrun.core.messages import RunInfo, from_json, to_json
from anonrun.core.tokens import TokenKind, kind_of
from anonrun.core.wire import HEADER_SIZE, Segment, decode, encode, peek
from anonrun.errors import DamagedDataError, UsageError

__all__ = ["WRITER", "Journal", "Move", "journals"]

WRITER = 1
"""The stream that a run's history is on its new server."""

_FILE = "move.json"
_ROWS = "rows"
_MEDIA = "media"
_SEGMENT_BYTES = 1 << 20


@dataclass(slots=True)
class Move:
    """What `move.json` says.

    Attributes:
        run_id: the run, here and there.
        source: address of the server where it was; None for the embedded one.
        key_hash: SHA-256 of the API key that owns it there, hexadecimal: another key would not see it, which is not
            to be taken for its end.
        to: address of the server where it goes.
        instance: the random id of that server's database.
        run: what the source said of the run when it was read.
        write: the write token that it gets there.
        view: the view token that it gets there.
        position: up to which it was read.
        rows: how many rows that were, in the numbers of the stream.
        size_bytes: how many bytes of `rows` they are.
        media_position: up to which its media were read.
        media_items: how many items that were.
        media_bytes: how many bytes of `media` they are.
        whole: whether that is all, and `run` describes it.
        verified: whether the other server was found to hold all of it, and nothing but that.
    """

    run_id: str
    source: str | None
    key_hash: str
    to: str
    instance: str
    run: dict[str, Any]
    write: str = field(repr=False)
    view: str = field(repr=False)
    position: int = 0
    rows: int = 0
    size_bytes: int = 0
    media_position: int = 0
    media_items: int = 0
    media_bytes: int = 0
    whole: bool = False
    verified: bool = False
    version: int = 1

    @property
    def info(self) -> RunInfo:
        """What the source said of the run."""
        return from_json(RunInfo, self.run)

    def is_of(self, name: str, source: str | None) -> bool:
        """Return whether it moves the run that is called so on a server: by its id, `project/id` or UUID."""
        names = (self.run_id, self.run["id"], f"{self.run['project']}/{self.run['id']}")
        return self.source == source and name in names


class Journal:
    """The folder of one move."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def owned(self) -> Iterator[None]:
        """Own the move for a while.

        Raises:
            UsageError: another process does.
        """
        import filelock  # noqa: PLC0415  `import anonrun` does without it

        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = filelock.FileLock(self.path / "lock", timeout=0, thread_local=False, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise UsageError("Another process is moving this run at this moment; wait for it.") from None
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                lock.release()

    def load(self) -> Move | None:
        """Return what `move.json` says; None where there is none.

        Raises:
            UsageError: it is damaged.
        """
        try:
            text = (self.path / _FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            data = json.loads(text)
            move = Move(**data)
            sound = data["version"] == 1 and kind_of(move.write) is TokenKind.WRITE and move.info.run_id == move.run_id
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            raise UsageError(
                f"{self.path / _FILE} is damaged, or of a later version. Remove that folder to begin the move again; "
                "what has arrived on the other server stays there."
            )
        return move

    def save(self, move: Move) -> None:
        """Write `move.json`."""
        write_private(self.path / _FILE, json.dumps(asdict(move)))

    def append(self, move: Move, frames: Iterable[Frame], *, position: int) -> None:
        """Add rows that were read up to a position, and note it."""
        rows, size = move.rows, move.size_bytes
        with self._going_on(_ROWS, size) as file:
            for piece in pieces(frames, _SEGMENT_BYTES):
                size += file.write(encode(piece, writer=WRITER, seq=rows))
                rows += sum(len(frame.steps) for frame in piece)
        move.position, move.rows, move.size_bytes = position, rows, size
        self.save(move)

    def append_media(self, move: Move, items: Iterable[MediaItem], *, position: int) -> None:
        """Add items that were read up to a position, and note it."""
        count, size = move.media_items, move.media_bytes
        with self._going_on(_MEDIA, size) as file:
            for item in items:
                size += file.write(json.dumps(to_json(item)).encode() + b"\n")
                count += 1
        move.media_position, move.media_items, move.media_bytes = position, count, size
        self.save(move)

    @contextlib.contextmanager
    def _going_on(self, name: str, size_bytes: int) -> Iterator[BinaryIO]:
        """Have a file written behind what counts of it; what was written is on disk in the end."""
        fd = os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(fd, "r+b") as file:
            file.truncate(size_bytes)
            file.seek(size_bytes)
            yield file
            file.flush()
            os.fsync(file.fileno())

    def segments(self, move: Move) -> Iterator[Segment]:
        """Yield what was read, from the first row on.

        Raises:
            DamagedDataError: it is not what was written.
        """
        if not move.size_bytes:
            return
        with (self.path / _ROWS).open("rb") as file:
            while (at := file.tell()) < move.size_bytes:
                head = file.read(HEADER_SIZE)
                size = int.from_bytes(head[36:40], "little")
                data = head + file.read(min(size, move.size_bytes - at))
                yield decode(data, header=peek(data))

    def media(self, move: Move) -> Iterator[MediaItem]:
        """Yield the items that were read, from the first on.

        Raises:
            DamagedDataError: they are not what was written.
        """
        if not move.media_items:
            return
        with (self.path / _MEDIA).open("rb") as file:
            try:
                for _ in range(move.media_items):
                    yield from_json(MediaItem, json.loads(file.readline()))
            except ValueError:
                raise DamagedDataError(f"{self.path / _MEDIA} is damaged") from None

    def remove(self) -> None:
        """Delete the folder; where that cannot be, it is left."""
        with contextlib.suppress(OSError):
            (self.path / _FILE).unlink()  # first: what is left of the folder says nothing then
        shutil.rmtree(self.path, ignore_errors=True)


def journals(root: Path) -> list[Journal]:
    """Return the moves that are not over, the oldest run first."""
    try:
        return [Journal(path) for path in sorted(root.iterdir()) if (path / _FILE).is_file()]
    except OSError:
        return []
