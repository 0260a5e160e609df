"""anonrun: logged offline, as the peers are; stored and read by its embedded server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from array import array
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from benchmarks.peers.adapters.disk import log_all, until_still


class _Log:
    def __init__(self, run: object) -> None:
        self._log = run.log  # type: ignore[attr-defined]  # typed in its own environment only
        self.finish = run.finish  # type: ignore[attr-defined]

    def log(self, row: Mapping[str, float], _: int) -> None:
        self._log(row)


def prepare(folder: Path) -> None:
    os.environ["ANONRUN_DATA_DIR"] = str(folder)


def load() -> None:
    import anonrun  # noqa: F401


def begin(folder: Path) -> _Log:
    import anonrun

    return _Log(anonrun.init(project="bench", mode="offline", system_metrics=False))


def fill(folder: Path, columns: Mapping[str, array[float]]) -> None:
    import anonrun

    run = anonrun.init(project="bench", system_metrics=False)
    log_all(lambda row, _: run.log(row), columns)
    run.finish(timeout=120)


def count(folder: Path) -> int:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "anonrun", "sync", "--json"], check=True, capture_output=True, text=True
        )
        return sum(run["rows"] for run in json.loads(done.stdout))
    finally:
        _stop(folder)


def read(folder: Path, metric: str) -> int:
    import anonrun

    [run] = anonrun.Api().runs(project="bench")
    return len(run.series(metric).step)


def stored_bytes(folder: Path) -> int:
    """Return what the database takes without free pages, once the server has compacted what came."""
    import sqlite3

    with sqlite3.connect(f"file:{folder / 'server' / 'anonrun.db'}?mode=ro", uri=True) as db:

        def used() -> int:
            pages, free, size = (
                int(db.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
            return (pages - free) * size

        return until_still(used, still_s=3)


def close(folder: Path) -> None:
    """End what was started in the folder."""
    _stop(folder)


def _stop(folder: Path) -> None:
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        pid = json.loads((folder / "server" / "state.json").read_text())["pid"]
        os.kill(pid, signal.SIGTERM)
        until_still(lambda: int(_alive(pid)), still_s=0.1)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
