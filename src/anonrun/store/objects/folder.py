"""Objects as files in a folder.

A file is written under another name, synced, renamed, and its folder synced; so it is there as a whole or not at all,
a loss of power included. Whatever else is found in the folder was left by a process that was killed, and is listed like
an object, so that it goes with the orphans. Only the server's own user may read it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from anonrun.store.objects.base import Listed, ObjectsError, ObjectsFullError

__all__ = ["FolderObjects"]

T = TypeVar("T")

_BLOCK = 1 << 20
_THREADS = 4
_LISTED_AT_ONCE = 1_000
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class FolderObjects:
    """A folder of files.

    Args:
        folder: made when the first object is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="anonrun-files")

    @property
    def place(self) -> str:
        """Where it is, as it may be shown."""
        return str(self._folder)

    async def put(self, key: str, blocks: AsyncIterator[bytes]) -> None:
        """Write an object and wait until it is on disk; see `Objects.put`."""
        path = self._path(key)
        made = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        file = await self._run(lambda: _begin(made))
        try:
            async for block in blocks:
                await self._run(lambda block=block: file.write(block))  # type: ignore[misc]  # the default binds the loop's value
            await self._run(lambda: _end(file, made, path))
        except BaseException:
            # Not on a thread: this may be the end of the request, where nothing may be waited for any more.
            with contextlib.suppress(OSError):
                file.close()
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)
            raise

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield bytes of an object; see `Objects.read`."""
        path = self._path(key)
        file = await self._run(lambda: path.open("rb"))
        try:
            await self._run(lambda: file.seek(start))
            while start < end:
                size = min(_BLOCK, end - start)
                block = await self._run(lambda size=size: file.read(size))  # type: ignore[misc]  # the default binds the loop's value
                if not block:
                    raise ObjectsError(f"{path} ends before byte {end}.")
                start += len(block)
                yield block
        finally:
            file.close()

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, and wait until that is on disk; see `Objects.delete`."""
        paths = [self._path(key) for key in keys]

        def remove() -> None:
            for path in paths:
                path.unlink(missing_ok=True)
            for folder in {path.parent for path in paths}:
                with contextlib.suppress(FileNotFoundError):  # another process has removed it, or it never was
                    _sync_folder(folder)
                with contextlib.suppress(OSError):  # others are in it
                    folder.rmdir()

        await self._run(remove)

    async def listed(self) -> AsyncIterator[list[Listed]]:
        """Yield every file in the folder; see `Objects.listed`."""
        found = self._walk()
        while batch := await self._run(lambda: list(islice(found, _LISTED_AT_ONCE))):
            yield batch

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _walk(self) -> Iterator[Listed]:
        for path in self._folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile
                about = path.lstat()
                if not path.is_dir():
                    key = path.relative_to(self._folder).as_posix()
                    yield Listed(key, about.st_size, about.st_mtime_ns // 1_000)

    def _path(self, key: str) -> Path:
        return self._folder.joinpath(*key.split("/"))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as exc:
            kind = ObjectsFullError if exc.errno in _FULL else ObjectsError
            raise kind(f"{exc.filename or self._folder}: {exc.strerror}") from exc


def _begin(made: Path) -> BinaryIO:
    while True:
        _make_private(made.parent)
        with contextlib.suppress(FileNotFoundError):  # a deletion has just removed the empty folder
            handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            return os.fdopen(handle, "wb", buffering=0)


def _make_private(folder: Path) -> None:
    """Make a folder and those above it, all for their owner only, which `mkdir` does for the last one alone."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _end(file: BinaryIO, made: Path, path: Path) -> None:
    os.fsync(file.fileno())
    file.close()
    made.replace(path)
    _sync_folder(path.parent)
    for above in (path.parent.parent, path.parent.parent.parent):  # folders that may be new
        _sync_folder(above)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows syncs no folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
