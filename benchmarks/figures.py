"""A measured figure beside its budget, and how figures are written down."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Attributes:
        name: what was measured.
        values: one value a repetition, in `unit`.
        unit: such as `ms`.
        budget: what the median should not be over; None where there is none.
        note: how it was measured, where the name does not say it.
    """

    name: str
    values: tuple[float, ...]
    unit: str
    budget: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The middle of `values`."""
        return statistics.median(self.values)


def machine() -> dict[str, Any]:
    """Describe the machine that the figures are of."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a Markdown table."""
    rows = ["| what | median | min – max | budget |", "|---|---|---|---|"]
    for f in figures:
        budget = "" if f.budget is None else f"≤ {f.budget:g} {f.unit}"
        span = f"{min(f.values):.3g} – {max(f.values):.3g}"
        rows.append(f"| {f.name} | {f.median:.3g} {f.unit} | {span} | {budget} |")
    return "\n".join(rows) + "\n"


def write(figures: Sequence[Figure], folder: Path) -> None:
    """Write `bench.json` and `bench.md` into `folder` and the table to standard output."""
    folder.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine(), "figures": [dataclasses.asdict(f) | {"median": f.median} for f in figures]}
    (folder / "bench.json").write_text(json.dumps(result, indent=2) + "\n")
    text = table(figures)
    (folder / "bench.md").write_text(text)
    sys.stdout.write(text)
