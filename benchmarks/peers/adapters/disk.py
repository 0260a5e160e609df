"""What adapters share: sizes of folders, and waiting for helpers that outlive their process."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["log_all", "size_bytes", "until_still"]


def size_bytes(folder: Path) -> int:
    """Return what the files below a folder hold."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def until_still(measure: Callable[[], int], *, still_s: float = 1.0, within_s: float = 60.0) -> int:
    """Return what `measure` gives once it has not changed for a while."""
    last, since, deadline = measure(), time.monotonic(), time.monotonic() + within_s
    while time.monotonic() - since < still_s:
        time.sleep(0.05)
        now = measure()
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() > deadline:
            raise TimeoutError(f"still changing after {within_s} s")
    return last


def log_all(log: Callable[[dict[str, float], int], None], columns: Mapping[str, array[float]]) -> None:
    """Log columns row by row, where a program has no quicker way."""
    names = tuple(columns)
    for step, values in enumerate(zip(*columns.values(), strict=True)):
        log(dict(zip(names, values, strict=True)), step)
