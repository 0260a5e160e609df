"""Flushes over HTTP, each on disk before it is answered, as fast as they are taken."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.curves import METRICS
from benchmarks.figures import Figure, Result, spread
from benchmarks.flushes import bodies
from benchmarks.load import Load, Seen, generate
from benchmarks.served import Store, account_key, serving, stores
from benchmarks.setup import Setup
from benchmarks.store_level import points_per_s

_PROCESSES = 2
_CONNECTIONS = 64
_STORE_WRITERS, _IN_FLIGHT = 8, 8
_MOST_S = 15
_SMALL_ROWS, _LARGE_ROWS = 10, 1_000
_BUDGET = {"SQLite": 1e6, "PostgreSQL": None}
_BUDGET_WRITERS = {"SQLite": _CONNECTIONS, "PostgreSQL": 8}


def flood(store: Store, *, connections: int, flushes: int, rows: int) -> Seen:
    """Send flushes from several processes and return what they saw."""
    key = account_key(store)
    with serving(store) as server:
        with server.connect() as asking:
            runs = [asking.make_run(key) for _ in range(connections)]
        load = Load(port=0, runs=(), flushes=flushes, rows=rows, per_second=None, most_s=_MOST_S)
        return generate(server, runs, load, processes=_PROCESSES)


def _in_the_store(setup: Setup) -> Iterator[Result]:
    """Yield points a second without HTTP: small flushes from a few writers, each of which has some on the way."""
    flushes = bodies(setup.either(2_000, 200), rows=_SMALL_ROWS)
    with stores(setup.database_url) as found:
        for store in found:
            rates = [
                points_per_s(store, flushes, writers=_STORE_WRITERS, in_flight=_IN_FLIGHT) / 1e6
                for _ in range(setup.either(3, 1))
            ]
            points = _SMALL_ROWS * len(METRICS)
            note = f"flushes of {points} points from {_STORE_WRITERS} writers with {_IN_FLIGHT} each on the way"
            what = f"ingest in the store, {store.name}, {points}-point flushes"
            yield Figure(what, tuple(rates), "M points/s", 0.5, at_least=True, note=note)


def run(setup: Setup) -> Iterator[Result]:
    """Yield points a second and what an answer takes, for small and for large flushes."""
    yield from _in_the_store(setup)
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
                budget = None if small else _BUDGET[store.name]
                what = f"ingest over HTTP on {store.name}, {points:,}-point flushes"
                yield Figure(what, (rate / 1e6,), "M points/s", budget and budget / 1e6, at_least=True, note=note)
                yield Figure(f"{what}: acknowledged, p50", (p50,), "ms", note=note)
                yield Figure(f"{what}: acknowledged, p99", (p99,), "ms", note=note)
                cpu = seen.server_cpu_s / seen.flushes * 1e6
                yield Figure(f"{what}: the server's processor time", (cpu,), "µs/flush", note=note)
