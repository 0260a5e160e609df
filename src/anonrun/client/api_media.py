"""What a run has logged beside numbers, as the server has it."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from anonrun.client.access import Access
from anonrun.core.media import MediaInfo, MediaKind
from anonrun.core.messages import RunInfo
from anonrun.errors import UsageError

__all__ = ["ApiMedia", "media_of"]

_SUFFIXES = {
    "application/json": ".json",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "text/plain": ".txt",
}
_UNSAFE = re.compile(r"[^0-9A-Za-z._-]+")
_MOST_NAME_CHARS = 80


class ApiMedia:
    """One item of a run's media on the server."""

    def __init__(self, access: Access, run: RunInfo, info: MediaInfo) -> None:
        self._access = access
        self._run = run
        self._info = info
        self._data: bytes | None = None

    @property
    def info(self) -> MediaInfo:
        """All that the server says of it."""
        return self._info

    @property
    def kind(self) -> str:
        """What it is, such as `image`."""
        return self._info.kind.value

    @property
    def key(self) -> str:
        """What it was logged under."""
        return self._info.key

    @property
    def step(self) -> int:
        """At which step."""
        return self._info.step

    @property
    def index(self) -> int:
        """Its place among those that one call logged under the key."""
        return self._info.index

    @property
    def time(self) -> datetime:
        """When it was logged, UTC."""
        return self._info.time

    @property
    def caption(self) -> str:
        """What its maker says of it."""
        return self._info.caption

    @property
    def type(self) -> str:
        """Content type, such as `image/png`."""
        return self._info.type

    @property
    def size_bytes(self) -> int:
        """Of its content."""
        return self._info.size_bytes

    def bytes(self) -> bytes:
        """Return its content: a picture's file, or text in UTF-8; asks the server for a picture's."""
        content = self._info.content
        if self._data is None and content is not None:
            picture = self._info.kind is MediaKind.IMAGE
            self._data = base64.b64decode(content) if picture else content.encode("utf-8")
        if self._data is None:
            with self._access.asking(f"{self.key} of run {self._run.id}") as remote:
                self._data = remote.media_content(self._access.key, self._run.run_id, self._info.media_id)
        return self._data

    @property
    def content(self) -> str:
        """Its text: JSON, plain text, or, of a picture, its bytes as base64."""
        data = self.bytes()
        return base64.b64encode(data).decode("ascii") if self._info.kind is MediaKind.IMAGE else data.decode("utf-8")

    @property
    def json(self) -> Any:  # noqa: ANN401  what it is depends on the kind
        """What its JSON says, such as `columns` and `rows` of a table.

        Raises:
            UsageError: it is no JSON.
        """
        if self.type != "application/json":
            raise UsageError(f"{self.key} is {self.type} and no JSON; use bytes() or content.")
        return json.loads(self.bytes())

    @property
    def file_name(self) -> str:
        """A name for its file, which has key, step and index in it."""
        name = _UNSAFE.sub("_", self.key).strip("._")[:_MOST_NAME_CHARS] or "media"
        more = f"_{self.index}" if self.index else ""
        return f"{name}_{self.step}{more}_{self._info.media_id[:8]}{_SUFFIXES.get(self.type, '.bin')}"

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write its content to a file, and return where.

        Args:
            path: of the file, or of a folder that is there; None for the working folder. In a folder it gets
                `file_name`.
        """
        place = Path() if path is None else Path(path)
        if place.is_dir():
            place /= self.file_name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self.bytes())
        return place

    def __repr__(self) -> str:
        return f"<anonrun.ApiMedia {self.key} ({self.kind}) of step {self.step}, {self.size_bytes:,} bytes>"


def media_of(access: Access, run: RunInfo, kind: str | None, key: str | None) -> Iterator[ApiMedia]:
    """Return a run's media in order of arrival; they are asked for a page at a time.

    Raises:
        UsageError: there is no such kind.
    """
    kinds = [one.value for one in MediaKind]
    if kind is not None and kind not in kinds:
        raise UsageError(f"kind={kind!r} is not known; use one of {', '.join(kinds)}.")
    return _pages(access, run, () if kind is None else (kind,), () if key is None else (key,))


def _pages(access: Access, run: RunInfo, kinds: tuple[str, ...], keys: tuple[str, ...]) -> Iterator[ApiMedia]:
    after = 0
    while True:
        with access.asking(f"Run {run.id}") as remote:
            page = remote.media(access.key, run.run_id, after=after, kinds=kinds, keys=keys)
        for info in page.items:
            yield ApiMedia(access, run, info)
        if page.end:
            return
        after = page.position
