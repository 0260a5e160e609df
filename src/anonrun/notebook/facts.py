"""What a static view says of a run beside its curves; never a secret, never who or where.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from anonrun.notebook.numbers import utc_text

__all__ = ["Facts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One instant of a run.

    Attributes:
        state: `running`, `finished`, `failed` or `crashed`.
        anonymous: whether the run is unclaimed.
        claimed: whether it was anonymous and has been claimed since.
        deleted: whether it was deleted on purpose.
        expires_at: when it stops existing, by the server; None where it is kept or the server has not said yet.
        url: the run's page, without a secret; None where no server is known.
        embedded: whether that page is on the machine that ran the notebook.
        temporary: whether that machine, and an embedded server with it, is soon gone.
        trouble: a sentence for people where delivery is in trouble.
        unsent_rows: rows that the server does not have yet.
        total: steps that the training will make; None where nobody said so.
        failure: what stopped it, in one line; None where nothing did.
    """

    run_id: str
    name: str
    project: str
    state: str
    anonymous: bool
    claimed: bool = False
    deleted: bool = False
    expires_at: datetime | None = None
    url: str | None = None
    embedded: bool = True
    temporary: str | None = None
    trouble: str | None = None
    unsent_rows: int = 0
    total: int | None = None
    failure: str | None = None

    @property
    def banner(self) -> tuple[str, str]:
        """How long the run is kept: strong words, and the rest. Absolute, since it is read at any time later."""
        if self.deleted:
            return "Deleted.", "This run is no longer on its server; this picture is what is left."
        if self.claimed:
            return "Claimed.", "This run is kept."
        if not self.anonymous:
            return "Kept.", "This run belongs to an account."
        if self.temporary and self.embedded:
            return (
                "Anonymous run.",
                f"Its server is on this {self.temporary} machine and ends with it, so download what you want to keep.",
            )
        if self.expires_at is None:
            return (
                "Anonymous run.",
                "Kept for a limited time unless claimed; the server has not said until when.",
            )
        return "Anonymous run.", f"Kept until {utc_text(self.expires_at)} unless claimed, then deleted."
