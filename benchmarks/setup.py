"""What the scenarios are given: how much effort, which databases, where to keep things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Setup"]

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Setup:
    """How to measure.

    Attributes:
        quick: a minute for all of it, for a look; figures of a quick run are not for publication.
        repeat: repetitions of what is short.
        database_url: of an empty PostgreSQL database to measure on as well; None where there is none.
        environments: folder in which the peers' environments are kept.
    """

    quick: bool
    repeat: int
    database_url: str | None
    environments: Path

    def either(self, full: int, quick: int) -> int:
        """Return how often, how many or how long, by the effort that is wanted."""
        return quick if self.quick else full
