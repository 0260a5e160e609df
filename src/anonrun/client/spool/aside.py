"""Rows that the server takes in no way, set aside so that those behind them are delivered: one file, beside the folder.

A line of JSON a row, for people and programs. The file is also what says which rows a reader leaves out from then on,
in this process and in any other: the stream goes on behind such a row as behind a damaged one. It outlives the run's
folder and is never removed by us.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from typing import Any

from anonrun.core.wire import Frame

__all__ = ["ASIDE_SUFFIX", "Aside"]

ASIDE_SUFFIX = ".aside.jsonl"


class Aside:
    """The rows of one run that were set aside.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder.with_name(f"{folder.name}{ASIDE_SUFFIX}")
        self._places: list[tuple[int, int]] | None = None

    def places(self) -> list[tuple[int, int]]:
        """Return the rows that were set aside, by stream and index in it, in order."""
        if self._places is None:
            self._places = []
            with contextlib.suppress(OSError):
                for line in self.path.read_text(encoding="utf-8").splitlines():
                    with contextlib.suppress(ValueError, KeyError, TypeError):  # a line that was cut off
                        entry = json.loads(line)
                        self._places.append((int(entry["writer"]), int(entry["row"])))
        return self._places

    def streak(self) -> int:
        """Return how many of the last rows stood one directly behind the other."""
        count = 0
        for _, row in reversed(self.places()):
            count += 1
            if row:  # else nothing stands before it in its stream
                break
        return count

    def add(self, writer: int, row: int, frame: Frame, *, why: str) -> None:
        """Set the first row of a frame aside.

        Raises:
            OSError: it cannot be written, and must stay where it is.
        """
        values = {name: _plain(column[0]) for name, column in zip(frame.names, frame.columns, strict=True)}
        place = {"writer": str(writer), "row": row}
        entry = {**place, "why": why, "step": frame.steps[0], "time_us": frame.times_us[0], "values": values}
        places = self.places()
        self._append(json.dumps(entry, allow_nan=False).encode() + b"\n")
        places.append((writer, row))

    def _append(self, line: bytes) -> None:
        fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            if os.fstat(fd).st_size:
                os.lseek(fd, -1, os.SEEK_END)
                line = line if os.read(fd, 1) == b"\n" else b"\n" + line  # behind one that was cut off
            if os.write(fd, line) != len(line):
                raise OSError(f"{self.path} could not be written in full.")
            os.fsync(fd)
        finally:
            os.close(fd)


def _plain(value: float) -> Any:  # noqa: ANN401  JSON has no narrower type
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
