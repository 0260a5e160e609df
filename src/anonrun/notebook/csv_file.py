"""Every row of a run as a CSV file, from what the client holds.

One line a row, in order of arrival: step, time, and a column for each metric. The file appears complete or not at all.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from anonrun.core.times import format_time, from_us
from anonrun.core.wire import Frame

__all__ = ["new_path", "write_csv"]

_FORMULA = re.compile(r"[=+\-@\t\r]")


def new_path(folder: Path, name: str, extension: str) -> Path:
    """Return a path for a file of a run of this name that does not exist yet."""
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "run"
    candidates = (folder / f"{stem}{'' if i == 1 else f'-{i}'}.{extension}" for i in range(1, 10_000))
    return next(path for path in candidates if not path.exists())


def _heading(name: str) -> str:
    """Return a column's name; spreadsheets would take some for formulas."""
    return f"'{name}" if _FORMULA.match(name) else name


def _lines(frames: Sequence[Frame], names: Sequence[str]) -> Iterator[list[str]]:
    places = {name: i for i, name in enumerate(names)}
    for frame in frames:
        at = [places[name] for name in frame.names]
        for row, step in enumerate(frame.steps):
            cells = [""] * len(names)
            for place, column in zip(at, frame.columns, strict=True):
                cells[place] = repr(column[row])
            yield [str(step), format_time(from_us(frame.times_us[row])), *cells]


def write_csv(path: Path, frames: Iterable[Frame]) -> int:
    """Write rows to `path`, replacing what is there, and return how many there are.

    Raises:
        OSError: the file cannot be written.
    """
    held = list(frames)
    names = list(dict.fromkeys(name for frame in held for name in frame.names))
    part = path.with_name(f"{path.name}.part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "time", *map(_heading, names)])
        writer.writerows(_lines(held, names))
    part.replace(path)
    return sum(len(frame.steps) for frame in held)
