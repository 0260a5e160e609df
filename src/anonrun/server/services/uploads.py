"""Receiving the bytes of files, part by part, until all of a file is there and is what was announced.

A part is a request's body. It is streamed to an object of its own and counts once that is on disk; the next request
goes on where it ended, whatever happened to the connection, the client or this server meanwhile. A file is there for
readers only after its digest was verified.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect

from anonrun.core.artifacts import MAX_PART_BYTES, MIN_PART_BYTES
from anonrun.core.words import counted
from anonrun.server.problems import ProblemError
from anonrun.store import blobs
from anonrun.store.blobs import Blob, Part
from anonrun.store.database import Database
from anonrun.store.objects import Objects

__all__ = ["Uploads", "read_blob"]

_BLOCK = 1 << 20
_AT_ONCE = 8
_SILENCE_S = 30.0
_SLOWEST_BYTES_PER_S = 4_096
_GRACE_S = 60.0


def _wrong_offset(blob: Blob) -> ProblemError:
    return ProblemError("upload_offset", f"The file goes on at byte {blob.arrived}.", offset=blob.arrived)


@dataclass(slots=True)
class _Body:
    """A request's body on its way into an object.

    Attributes:
        most: bytes that it may have.
        silence_s: how long it may pause.
        whole: hash of what has come.
        got: bytes that have come.
        cut: whether the connection ended within it.
    """

    stream: AsyncIterator[bytes]
    most: int
    silence_s: float
    whole: hashlib._Hash
    got: int = 0
    cut: bool = False

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield what comes, in blocks of a megabyte."""
        block = bytearray()
        began_s = time.monotonic()
        while (chunk := await self._next(began_s)) is not None:
            self.got += len(chunk)
            if self.got > self.most:
                raise ProblemError("body_too_large", f"The body may have {counted(self.most, 'byte')}.")
            block += chunk
            if len(block) >= _BLOCK:
                yield await self._hashed(bytes(block))
                block.clear()
        if block:
            yield await self._hashed(bytes(block))

    async def _hashed(self, block: bytes) -> bytes:
        await asyncio.to_thread(self.whole.update, block)
        return block

    async def _next(self, began_s: float) -> bytes | None:
        """Return what came next; None at the end, or where the connection ended."""
        try:
            chunk = await asyncio.wait_for(anext(self.stream, None), self.silence_s)
        except ClientDisconnect:
            self.cut = True
            return None
        except asyncio.TimeoutError:
            raise ProblemError("body_too_slow") from None
        took_s = time.monotonic() - began_s
        if took_s > _GRACE_S and self.got < took_s * _SLOWEST_BYTES_PER_S:
            raise ProblemError("body_too_slow")
        return chunk


class Uploads:
    """Receives parts of files.

    Args:
        db: the store.
        objects: where the bytes go.
        silence_s: how long a body may pause.
    """

    def __init__(self, db: Database, objects: Objects, *, silence_s: float = _SILENCE_S) -> None:
        self._db = db
        self._objects = objects
        self._silence_s = silence_s
        self._open: Counter[int] = Counter()

    async def receive(self, blob: Blob, offset: int, stream: AsyncIterator[bytes], announced: int | None) -> Blob:
        """Take the bytes of a file from `offset` on; return how far it has arrived.

        Args:
            blob: as it was when the request came.
            offset: where the body begins in the file.
            stream: the body.
            announced: its size, where the request says.

        Raises:
            ProblemError: `upload_offset`, which says where to go on, `body_too_large`, `part_too_small`,
                `body_too_slow`, `digest_mismatch`, `too_many_requests`.
            ObjectsError: the bytes cannot be written now.
        """
        if blob.stored:
            return blob
        if offset != blob.arrived:
            raise _wrong_offset(blob)
        if blob.arrived == blob.size_bytes:
            return await self._verified(blob, None)
        most = min(blob.size_bytes - blob.arrived, MAX_PART_BYTES)
        if announced is not None and announced > most:
            raise ProblemError("body_too_large", f"The body may have {counted(most, 'byte')}.")
        with self._place(blob.account_id):
            body = _Body(stream, most, self._silence_s, hashlib.sha256())
            blob = await self._write(blob, body)
        if blob.arrived < blob.size_bytes:
            return blob
        return await self._verified(blob, body.whole.digest() if body.got == blob.size_bytes else None)

    @contextmanager
    def _place(self, account_id: int) -> Iterator[None]:
        """Hold one of the places for an account's uploads."""
        if self._open[account_id] >= _AT_ONCE:
            raise ProblemError(
                "too_many_requests", f"{_AT_ONCE} files are being uploaded already.", headers={"Retry-After": "2"}
            )
        self._open[account_id] += 1
        try:
            yield
        finally:
            self._open[account_id] -= 1
            if not self._open[account_id]:
                del self._open[account_id]

    async def _write(self, blob: Blob, body: _Body) -> Blob:
        name = blob.digest.hex()
        key = f"{name[:2]}/{name}-{secrets.token_hex(8)}"
        if not await self._db.write(lambda tx: blobs.begin_part(tx, blob, key)):
            raise _wrong_offset(await self._now(blob))
        try:
            await self._objects.put(key, body.blocks())
        except BaseException:
            # The end of this task must not leave a row that waits for a day: it is written down all the same.
            await asyncio.shield(self._drop(blob, key))
            raise
        too_small = body.got < min(MIN_PART_BYTES, blob.size_bytes - blob.arrived)
        if too_small:
            await self._drop(blob, key)
            raise ProblemError("request_invalid" if body.cut else "part_too_small")
        counts = await self._db.write(lambda tx: blobs.end_part(tx, blob, key, body.got))
        if counts is None:  # it arrived for longer than a day, and nobody knows of it any more
            await self._objects.delete([key])
        if not counts:
            raise _wrong_offset(await self._now(blob))
        return Blob(blob.account_id, blob.digest, blob.blob_id, blob.size_bytes, blob.arrived + body.got, stored=False)

    async def _drop(self, blob: Blob, key: str) -> None:
        await self._db.write(lambda tx: blobs.doom_part(tx, blob.blob_id, key))

    async def _now(self, blob: Blob) -> Blob:
        """Return a blob as it is now.

        Raises:
            ProblemError: `artifact_not_found` where it is not wanted any more.
        """
        found = await self._db.read(lambda tx: blobs.find(tx, blob.account_id, blob.digest))
        if found is None:
            raise ProblemError("artifact_not_found")
        return found

    async def _verified(self, blob: Blob, digest: bytes | None) -> Blob:
        """Compare what has arrived with what was announced; `digest`: of all of it, where it is known already."""
        if digest is None:
            held = await self._db.read(lambda tx: blobs.parts(tx, blob.blob_id))
            whole = hashlib.sha256()
            async for block in read_blob(self._objects, held, 0, blob.size_bytes):
                await asyncio.to_thread(whole.update, block)
            digest = whole.digest()
        if digest != blob.digest:
            await self._db.write(lambda tx: blobs.start_over(tx, blob))
            raise ProblemError("digest_mismatch")
        if not await self._db.write(lambda tx: blobs.store(tx, blob)):
            raise _wrong_offset(await self._now(blob))
        return Blob(blob.account_id, blob.digest, blob.blob_id, blob.size_bytes, blob.arrived, stored=True)


async def read_blob(objects: Objects, held: list[Part], start: int, end: int) -> AsyncIterator[bytes]:
    """Yield the bytes `start … end` − 1 of a file from the objects that hold it.

    Raises:
        ObjectsError: one of them cannot be read.
    """
    for part in held:
        low, high = max(start, part.first), min(end, part.first + part.size_bytes)
        if low < high:
            async for block in objects.read(part.key, low - part.first, high - part.first):
                yield block
