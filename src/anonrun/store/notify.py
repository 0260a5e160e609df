"""News of runs between processes: that there is some, never what.

A lost message may only delay a reader, so nothing is acknowledged or kept; where messages may have been lost,
everybody is told to look. Messages name as many runs as fit, so that a thousand busy runs are a few messages.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator
from typing import Protocol

__all__ = ["EVERY_RUN", "Heard", "News", "NoNews", "packed", "unpacked"]

Heard = Callable[[Collection[uuid.UUID] | None], None]
"""Called with runs of which there is news; None where it may be any run."""

EVERY_RUN = "*"
_MOST_BYTES = 7_900  # PostgreSQL takes less than 8,000
_ID_CHARS = 32


class News(Protocol):
    """Carries news from this process to the others that share its database."""

    def tell(self, run_id: uuid.UUID) -> None:
        """Have the others know soon that there is news of a run. Returns at once, on any thread."""
        ...

    def close(self) -> None:
        """End it; what was told before is delivered if it can be."""
        ...


class NoNews:
    """Where there are no others."""

    def tell(self, run_id: uuid.UUID) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def packed(sender: str, run_ids: Collection[uuid.UUID]) -> Iterator[str]:
    """Yield messages that name runs, each of which PostgreSQL can carry.

    Example:
        >>> list(packed("w1", [uuid.UUID(int=1)]))
        ['w1:00000000000000000000000000000001']
    """
    fit = (_MOST_BYTES - len(sender) - 1) // _ID_CHARS
    names = [run_id.hex for run_id in run_ids]
    for start in range(0, len(names), fit):
        yield f"{sender}:{''.join(names[start : start + fit])}"


def unpacked(message: str) -> tuple[str, list[uuid.UUID] | None]:
    """Return sender and runs of a message; None for any run, also where it cannot be read.

    Example:
        >>> unpacked("w1:00000000000000000000000000000001")
        ('w1', [UUID('00000000-0000-0000-0000-000000000001')])
    """
    sender, _, names = message.partition(":")
    if len(names) % _ID_CHARS:
        return sender, None
    try:
        return sender, [uuid.UUID(names[i : i + _ID_CHARS]) for i in range(0, len(names), _ID_CHARS)]
    except ValueError:
        return sender, None
