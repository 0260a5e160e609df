"""Trackio with its local database and no dashboard."""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers.adapters.disk import size_bytes, until_still

_PROJECT = "bench"


class _Log:
    def __init__(self, run: Any) -> None:
        self._log = run.log
        self.finish = run.finish

    def log(self, row: Mapping[str, float], _: int) -> None:
        self._log(dict(row))


def prepare(folder: Path) -> None:
    os.environ |= {"TRACKIO_DIR": str(folder), "HF_HUB_OFFLINE": "1"}


def load() -> None:
    import trackio  # noqa: F401


def begin(folder: Path) -> _Log:
    import trackio

    return _Log(trackio.init(project=_PROJECT, name="run", embed=False, auto_log_gpu=False))


def fill(folder: Path, columns: Mapping[str, array[float]]) -> None:
    from trackio.sqlite_storage import SQLiteStorage

    names = tuple(columns)
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        SQLiteStorage.bulk_log(_PROJECT, "run", part, steps=list(range(start, start + len(part))))


def count(folder: Path) -> int:
    from trackio.sqlite_storage import SQLiteStorage

    until_still(lambda: size_bytes(folder))
    return len(SQLiteStorage.get_logs(_PROJECT, "run"))


def read(folder: Path, metric: str) -> int:
    from trackio.sqlite_storage import SQLiteStorage

    return len([row[metric] for row in SQLiteStorage.get_logs(_PROJECT, "run") if metric in row])


def stored_bytes(folder: Path) -> int:
    """Return what its database takes, with the write-ahead log put back into it."""
    import sqlite3

    for file in folder.rglob("*.db"):
        with sqlite3.connect(file) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return size_bytes(folder)


def close(_: Path) -> None:
    """Nothing: what it starts ends by itself."""
