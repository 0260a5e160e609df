"""What a check of the store says: each fault with its place, and how much was looked at. Values only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

__all__ = ["Fault", "Report"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        run_id: of the run that it is in; None for the database as a whole.
        metric: name of the metric that it is in, where it is in one only.
        place: table row, such as `chunk 3` or `segment 12`.
        problem: what is wrong, and what follows from it.
    """

    run_id: uuid.UUID | None
    metric: str | None
    place: str
    problem: str

    def __str__(self) -> str:
        run = [] if self.run_id is None else [f"run {self.run_id}"]
        metric = [] if self.metric is None else [f"metric {self.metric!r}"]
        return f"{', '.join([*run, *metric, self.place])}: {self.problem}"


@dataclass(slots=True)
class Report:
    """What was looked at and what was found.

    Attributes:
        runs: runs that were read through.
        removing: runs that were passed over, since they are being removed.
        segments: of those runs, as are the next two.
        axes: stretches of steps and times.
        chunks: stretches of values.
        points: values that were decoded.
        media: items of media.
        size_bytes: bytes of what was decoded.
        files: files of artifacts' versions, by the rows that tell of them.
        objects: objects of files that were looked for in the folder or bucket; None where nobody looked.
        faults: in order of reading.
        complete: whether all was looked at; not where time ran out.
    """

    runs: int = 0
    removing: int = 0
    segments: int = 0
    axes: int = 0
    chunks: int = 0
    points: int = 0
    media: int = 0
    size_bytes: int = 0
    files: int = 0
    objects: int | None = None
    faults: list[Fault] = field(default_factory=list)
    complete: bool = True
