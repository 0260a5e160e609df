"""Items that wait on disk, in a run's folder: one file each, written whole or not at all.

A file's name begins with the time, so that names sort by it; it goes when the server has the item. Every process that
writes the run puts items here, and whoever delivers the run takes them. What the server does not take is set aside
beside the run's folder, and outlives it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from anonrun.client.media.content import Content
from anonrun.client.spool.folder import ASIDE_FOLDER_SUFFIX, RunFolder, write_private
from anonrun.core.media import MediaItem, item_problem
from anonrun.core.messages import from_json, to_json

__all__ = ["Full", "Shelf", "Waiting"]

LIMIT_BYTES = 2**28
_FOLDER = "media"
_SUFFIX = ".json"
_LOOK_FOR_ROOM_S = 0.5


class Full(Exception):  # noqa: N818  it becomes a warning
    """No more items are taken until some were delivered; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item that waits: its file, and how large that is."""

    file: Path
    size_bytes: int

    def load(self) -> MediaItem:
        """Return the item.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is damaged.
        """
        item = from_json(MediaItem, json.loads(self.file.read_text(encoding="utf-8")))
        problem = item_problem(item)
        if problem is not None:
            raise ValueError(problem)
        return item


class Shelf:
    """The items of one run that wait.

    Args:
        folder: the run's.
        limit_bytes: what they may take on disk.
        on_kept: called with each item once it is on disk.
    """

    def __init__(
        self,
        folder: RunFolder,
        limit_bytes: int = LIMIT_BYTES,
        on_kept: Callable[[MediaItem], object] = lambda _item: None,
    ) -> None:
        self._run_folder = folder.path
        self._folder = folder.path / _FOLDER
        self._limit_bytes = limit_bytes
        self._on_kept = on_kept
        self._bytes: int | None = None  # in the folder, at most; None before that was looked at
        self._look_at = 0.0
        self._numbers = itertools.count()
        self._closed = False
        self._lock = threading.RLock()  # a handler of signals may print, which is kept too

    @property
    def aside(self) -> Path:
        """Folder of the items that a server did not take."""
        return self._run_folder.with_name(f"{self._run_folder.name}{ASIDE_FOLDER_SUFFIX}")

    def put(self, key: str, step: int, contents: list[Content]) -> None:
        """Keep the items of one key; when this returns, they are on disk.

        Args:
            key: what they were logged under.
            step: at which step.
            contents: one an item.

        Raises:
            Full: there is no room for all; those before are kept.
            OSError: the disk refuses.
        """
        now_ns = time.time_ns()
        for index, content in enumerate(contents):
            item = MediaItem(
                media_id=os.urandom(16).hex(),
                kind=content.kind,
                key=key,
                step=step,
                time=datetime.fromtimestamp(now_ns / 1e9, timezone.utc),
                type=content.type,
                content=content.text,
                index=index,
                caption=content.caption,
            )
            if self._write(item, now_ns):
                self._on_kept(item)

    def waiting(self) -> list[Waiting]:
        """Return what waits, the oldest first; cheap where nothing does."""
        found = []
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.endswith(_SUFFIX) and entry.name[0] != ".":
                        with contextlib.suppress(OSError):  # delivered by another process just now
                            found.append(Waiting(Path(entry.path), entry.stat().st_size))
        except OSError:
            return []
        return sorted(found, key=lambda waiting: waiting.file.name)

    def count(self) -> int:
        """Return how many items wait."""
        return len(self.waiting())

    def remove(self, waiting: Waiting) -> None:
        """Forget an item that the server has."""
        with contextlib.suppress(OSError):
            waiting.file.unlink()
        with self._lock:
            self._bytes = None if self._bytes is None else max(0, self._bytes - waiting.size_bytes)

    def set_aside(self, waiting: Waiting) -> None:
        """Put an item where it waits no more, and is kept.

        Raises:
            OSError: the disk refuses.
        """
        self.aside.mkdir(parents=True, exist_ok=True, mode=0o700)
        waiting.file.replace(self.aside / waiting.file.name)
        with self._lock:
            self._bytes = None

    def close(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._closed = True

    def after_fork_in_child(self) -> None:
        """Go on in a forked process, whose parent may have been writing just then."""
        self._lock = threading.RLock()
        self._bytes = None

    def _write(self, item: MediaItem, now_ns: int) -> bool:
        """Write an item; return whether it was, which it is not once the shelf is closed."""
        text = json.dumps(to_json(item), ensure_ascii=False, allow_nan=False)
        size = len(text.encode("utf-8"))
        with self._lock:
            if self._closed:
                return False
            self._make_room(size)
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            name = f"{now_ns:020d}-{next(self._numbers):06d}-{item.media_id}{_SUFFIX}"
            write_private(self._folder / name, text)
            assert self._bytes is not None, "it was looked at for room"
            self._bytes += size
            return True

    def _make_room(self, size: int) -> None:
        over = self._bytes is not None and self._bytes + size > self._limit_bytes
        if self._bytes is None or (over and time.monotonic() >= self._look_at):  # others may have delivered some
            self._look_at = time.monotonic() + _LOOK_FOR_ROOM_S
            self._bytes = sum(waiting.size_bytes for waiting in self.waiting())
        if self._bytes + size > self._limit_bytes:
            raise Full(
                f"Pictures, tables and the like that no server has yet take {self._bytes:,} bytes in {self._folder}, "
                f"and {self._limit_bytes:,} are the bound. They are kept; more of them is not, until there is room "
                "again. Numbers are logged as before. Have the server answer, or run `anonrun sync`."
            )
