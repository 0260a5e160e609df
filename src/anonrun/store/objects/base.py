"""The seam to where bytes of files lie. An object has a key, is written once, and is never changed.

A key is made of `a-z 0-9 - /`, by us alone. What is written is there as a whole or not at all, and stays there through
a loss of power once `put` has returned.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from anonrun.store.errors import StoreError

__all__ = ["Listed", "Objects", "ObjectsError", "ObjectsFullError"]


class ObjectsError(StoreError):
    """The folder or bucket cannot be read or written now, or an object is not there."""


class ObjectsFullError(ObjectsError):
    """There is no room for more."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object that is there; `changed_us` is when it was written."""

    key: str
    size_bytes: int
    changed_us: int


class Objects(Protocol):
    """A folder or bucket."""

    @property
    def place(self) -> str:
        """Where it is, as it may be shown."""
        ...

    async def put(self, key: str, blocks: AsyncIterator[bytes]) -> None:
        """Write an object; what `blocks` raises is raised, and nothing is there then.

        Raises:
            ObjectsError: it cannot be written.
        """
        ...

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes `start … end` − 1 of an object, in blocks.

        Raises:
            ObjectsError: it cannot be read, is not there, or ends before `end`.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are not there are removed already.

        Raises:
            ObjectsError: one cannot be removed.
        """
        ...

    def listed(self) -> AsyncIterator[list[Listed]]:
        """Yield every object that is there, in batches.

        Raises:
            ObjectsError: it cannot be listed.
        """
        ...

    async def close(self) -> None:
        """End what it has open."""
        ...
