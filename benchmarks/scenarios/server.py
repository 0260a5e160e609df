"""The server: from process start to the first answer, and what it takes while idle."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, Result
from benchmarks.served import serving, stores
from benchmarks.setup import Setup

_START_MS, _IDLE_MB = 600, 60


def run(setup: Setup) -> Iterator[Result]:
    """Yield the server's figures."""
    with stores(setup.database_url) as found:
        for store in found:
            new_ms: list[float] = []
            again_ms: list[float] = []
            idle_mb: list[float] = []
            for number in range(setup.repeat + 1):
                with serving(store) as server:
                    (again_ms if number else new_ms).append(server.started_s * 1e3)
                    idle_mb.append(server.resident_mb())
            where = f"server on {store.name}"
            yield Figure(f"{where}: start to first answer", tuple(again_ms), "ms", _START_MS)
            yield Figure(f"{where}: the same, new database", tuple(new_ms), "ms")
            yield Figure(f"{where}: resident memory, idle", tuple(idle_mb), "MB", _IDLE_MB)
