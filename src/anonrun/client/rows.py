"""What a run's rows look like to whoever shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from anonrun.core.wire import Frame

__all__ = ["NoRows", "Rows"]


class Rows(Protocol):
    """Rows that come as they are logged."""

    def read_new(self) -> list[Frame]:
        """Return the rows that were logged since the last call, in order of arrival; cheap where there are none."""


class NoRows:
    """The rows of a run that records nothing."""

    def read_new(self) -> list[Frame]:
        """Return nothing."""
        return []
