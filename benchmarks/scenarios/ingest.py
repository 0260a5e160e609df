"""Flushes over HTTP, each on disk before it is answered, as fast as they are taken."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.curves import METRICS
from benchmarks.figures import Figure, Result, spread
from benchmarks.load import Load, Seen, generate
from benchmarks.served import Store, account_key, serving, stores
from benchmarks.setup import Setup

_PROCESSES = 2
_CONNECTIONS = 64
_MOST_S = 15
_SMALL_ROWS, _LARGE_ROWS = 10, 1_000
_BUDGET = {"SQLite": 1e6, "PostgreSQL": 0.5e6}
_BUDGET_WRITERS = {"SQLite": _CONNECTIONS, "PostgreSQL": 8}


def flood(store: Store, *, connections: int, flushes: int, rows: int) -> Seen:
    """Send flushes from several processes and return what they saw."""
    key = account_key(store)
    with serving(store) as server:
        with server.connect() as asking:
            runs = [asking.make_run(key) for _ in range(connections)]
        load = Load(port=0, runs=(), flushes=flushes, rows=rows, per_second=None, most_s=_MOST_S)
        return generate(server, runs, load, processes=_PROCESSES)


def run(setup: Setup) -> Iterator[Result]:
    """Yield points a second and what an answer takes, for small and for large flushes."""
    for rows, flushes in ((_SMALL_ROWS, setup.either(600, 60)), (_LARGE_ROWS, setup.either(20, 4))):
        with stores(setup.database_url) as found:
            for store in found:
                writers = _BUDGET_WRITERS[store.name]
                seen = flood(store, connections=writers, flushes=flushes, rows=rows)
                points = rows * len(METRICS)
                note = f"flushes of {points:,} points from {writers} connections of {_PROCESSES} processes, flat out"
                rate = seen.points / seen.seconds
                p50, p99, _ = spread(seen.latencies_ms)
                small = rows == _SMALL_ROWS
                budget = _BUDGET[store.name] if small else None
                what = f"ingest over HTTP on {store.name}, {points:,}-point flushes"
                yield Figure(what, (rate / 1e6,), "M points/s", budget and budget / 1e6, at_least=True, note=note)
                yield Figure(f"{what}: acknowledged, p50", (p50,), "ms", note=note)
                yield Figure(f"{what}: acknowledged, p99", (p99,), "ms", note=note)
                cpu = seen.server_cpu_s / seen.flushes * 1e6
                yield Figure(f"{what}: the server's processor time", (cpu,), "µs/flush", note=note)
