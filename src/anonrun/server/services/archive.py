"""A zip file that is made while it is sent: nothing is kept but what was not taken yet. No request and no store."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime

__all__ = ["Archive"]


class _Outlet(io.RawIOBase):
    """Takes what a ZipFile writes; that it cannot seek makes ZipFile write sizes behind each file."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]  # bytes-like, which typing cannot say before 3.12
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Archive:
    """A zip file in the making; what is yielded is to be sent in order, and `end` last.

    Args:
        at: the time that its files bear.
    """

    def __init__(self, at: datetime) -> None:
        self._outlet = _Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w", zipfile.ZIP_DEFLATED)
        self._at = at.timetuple()[:6]

    async def add(
        self, name: str, parts: AsyncIterable[str] | AsyncIterable[bytes], *, packed: bool = True
    ) -> AsyncIterator[bytes]:
        """Add a file, and yield what there is to send meanwhile; packing happens on a thread.

        Args:
            name: its path in the archive.
            parts: its text, or bytes.
            packed: whether to pack it; files of weights and images do not get smaller, and take long.
        """
        loop = asyncio.get_running_loop()
        info = zipfile.ZipInfo(name, self._at)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with self._zip.open(info, "w", force_zip64=True) as file:
            async for part in parts:
                await loop.run_in_executor(None, file.write, part.encode() if isinstance(part, str) else part)
                if ready := self._outlet.take():
                    yield ready
        yield self._outlet.take()

    def end(self) -> bytes:
        """Return the last of it."""
        self._zip.close()
        return self._outlet.take()
