"""What the driver asks of an adapter module."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

__all__ = ["Adapter", "Log"]


class Log(Protocol):
    """One run that is open."""

    def log(self, row: Mapping[str, float], step: int) -> None:
        """Log one row as the program's own manual does: without the step, where it counts by itself."""

    def finish(self) -> None:
        """End the run; when it returns, all is stored."""


class Adapter(Protocol):
    """A module of functions; `folder` is where the program keeps all that it keeps."""

    def prepare(self, folder: Path) -> None:
        """Set what the program reads from the environment, before it is imported."""

    def load(self) -> None:
        """Import the program."""

    def begin(self, folder: Path) -> Log:
        """Start a run that talks to no other machine."""

    def fill(self, folder: Path, columns: Mapping[str, array[float]]) -> None:
        """Store columns of one length, in the quickest way that the program has."""

    def count(self, folder: Path) -> int:
        """Return how many rows can be read back, by the program's own means, after its process was killed."""

    def read(self, folder: Path, metric: str) -> int:
        """Read every point of one metric by the program's own means; return how many there were."""

    def close(self, folder: Path) -> None:
        """End what may still run in the folder."""

    def stored_bytes(self, folder: Path) -> int:
        """Return what it takes on disk once it is written and tidied up."""
