"""How cost follows the number of metrics in a run, and of runs in the database.

Points in a series are in `reading`, runs at once in `fleet`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from benchmarks.database import add_runs, expire_runs
from benchmarks.figures import Absent, Growth, Result, Trace, percentile
from benchmarks.flushes import bodies, wide_row
from benchmarks.scenarios.client import wide_log_us
from benchmarks.served import Asking, Made, Store, account_key, environ, per_request_ms, serving, stores
from benchmarks.setup import Setup

_CHARTS = 12
_SWEPT = 1_000


def run(setup: Setup) -> Iterator[Result]:
    """Yield the two growths on each store."""
    with stores(setup.database_url) as found:
        for store in found:
            yield _metrics(setup, store)
            if store.url is None:
                yield _runs(setup, store)
            else:
                yield Absent(f"Runs in the database, {store.name}", "its rows are copied on SQLite only")


def _metrics(setup: Setup, store: Store) -> Growth:
    sizes = (1, 10, 100, 1_000, 5_000)
    key = account_key(store)
    send_ms: list[float] = []
    list_ms: list[float] = []
    charts_ms: list[float] = []
    repeat = setup.either(15, 5)
    with serving(store) as server, server.connect() as asking:
        for size in sizes:
            made = asking.make_run(key)
            segments = [wide_row(size, number) for number in range(repeat + 1)]
            asking.send(made, segments[0])  # makes the metrics
            send_ms.append(percentile([_sent_ms(asking, made, body) for body in segments[1:]], 0.5))
            base = f"/api/v1/runs/{made.run_id}"
            shown = [("metric", f"layer_{i}/norm") for i in range(min(size, _CHARTS))]
            for path, spent in ((f"{base}/metrics", list_ms), (f"{base}/sampled?{urlencode(shown)}", charts_ms)):
                spent.append(percentile(per_request_ms(asking, [("GET", path)] * repeat, made.view), 0.5))
    return Growth(
        f"Metrics in a run, {store.name}",
        "metrics",
        sizes,
        (
            Trace("`log()` of all of them", "µs", tuple(wide_log_us(size) for size in sizes)),
            Trace("flush of one row acknowledged", "ms", tuple(send_ms)),
            Trace("list of metrics", "ms", tuple(list_ms)),
            Trace(f"series of the first {_CHARTS} charts", "ms", tuple(charts_ms)),
        ),
        note="Medians.",
    )


def _sent_ms(asking: Asking, made: Made, body: bytes) -> float:
    start = time.perf_counter()
    asking.send(made, body)
    return (time.perf_counter() - start) * 1e3


def _runs(setup: Setup, store: Store) -> Growth:
    sizes = (1, 10, 100, 1_000, 10_000, 100_000) if not setup.quick else (1, 100, 10_000)
    repeat = setup.either(15, 5)
    key = account_key(store)
    list_ms: list[float] = []
    flush_ms: list[float] = []
    look_ms: list[float] = []
    sweep_ms: list[float | None] = []
    there = 0
    flushes = bodies(repeat + 1, rows=10)
    for size in sizes:
        with serving(store) as server, server.connect() as asking:
            made = asking.make_run(key)
            there += 1
        if size > there:
            add_runs(store, size - there)
            there = size
        with serving(store) as server, server.connect() as asking:
            per_request_ms(asking, [("GET", "/api/v1/runs?limit=50")], key)
            list_ms.append(percentile(per_request_ms(asking, [("GET", "/api/v1/runs?limit=50")] * repeat, key), 0.5))
            asking.send(made, flushes[0])
            flush_ms.append(percentile([_sent_ms(asking, made, body) for body in flushes[1:]], 0.5))
        look_ms.append(_swept_ms(store))
        if size > _SWEPT:
            expire_runs(store, _SWEPT)
            there -= _SWEPT
            sweep_ms.append(_swept_ms(store) - look_ms[-1])
        else:
            sweep_ms.append(None)
    return Growth(
        f"Runs in the database, {store.name}",
        "runs",
        sizes,
        (
            Trace("first page of the list", "ms", tuple(list_ms)),
            Trace("100-point flush acknowledged", "ms", tuple(flush_ms)),
            Trace("`anonrun gc`, nothing due", "ms", tuple(look_ms)),
            Trace(f"more for {_SWEPT:,} runs that are due", "ms", tuple(sweep_ms)),
        ),
        note="All of one account. `anonrun gc` is a process of its own, its start included.",
    )


def _swept_ms(store: Store) -> float:
    start = time.perf_counter()
    subprocess.run(store.command("gc"), env=environ(), check=True, capture_output=True)
    return (time.perf_counter() - start) * 1e3
