"""One series reduced to as many buckets as a chart has pixels: in the store, and over HTTP; from 10³ to 10⁷ points."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from benchmarks.curves import METRICS
from benchmarks.database import settled_bytes
from benchmarks.figures import Figure, Growth, Result, Trace, percentile
from benchmarks.flushes import long_series
from benchmarks.served import Asking, Made, Store, account_key, per_request_ms, serving, stores
from benchmarks.setup import Setup
from benchmarks.store_level import sampled_ms

_BUCKETS = 1_000
_LONG = 100_000
_BUDGETS_MS = {("SQLite", _LONG): (5, 20), ("PostgreSQL", _LONG): (8, 20), ("SQLite", 10_000_000): (50, None)}


def _fill(store: Store, asking: Asking, key: str, points: int) -> tuple[Made, float]:
    """Log a series; return its run, and bytes a point once the server has tidied up."""
    made = asking.make_run(key)
    before = settled_bytes(store, still_s=0.5)
    for body in long_series(points):
        asking.send(made, body)
    asking.end(made)
    return made, (settled_bytes(store) - before) / points


def _over_http(asking: Asking, made: Made, repeat: int) -> list[float]:
    path = f"/api/v1/runs/{made.run_id}/sampled?metric={quote(METRICS[0])}&points={_BUCKETS}"
    per_request_ms(asking, [("GET", path)], made.view)  # the first loads NumPy
    return per_request_ms(asking, [("GET", path)] * repeat, made.view)


def run(setup: Setup) -> Iterator[Result]:
    """Yield how long reading takes by the length of the series."""
    sizes = tuple(10**n for n in range(3, setup.either(8, 7)))
    repeat = setup.either(15, 5)
    with stores(setup.database_url) as found:
        for store in found:
            key = account_key(store)
            with serving(store) as server, server.connect() as asking:
                filled = [_fill(store, asking, key, size) for size in sizes]
                http = [_over_http(asking, made, repeat) for made, _ in filled]
            direct = [sampled_ms(store, made.run_id, METRICS[0], buckets=_BUCKETS, repeat=repeat) for made, _ in filled]
            for size, inside, outside in zip(sizes, direct, http, strict=True):
                if size < _LONG:
                    continue
                in_store, over_http = _BUDGETS_MS.get((store.name, size), (None, None))
                what = f"read {size:,} points as {_BUCKETS:,} buckets, {store.name}"
                yield Figure(f"{what}: store", tuple(inside), "ms", in_store)
                yield Figure(f"{what}: HTTP", tuple(outside), "ms", over_http)
            yield Growth(
                f"Points in a series, {store.name}",
                "points",
                sizes,
                (
                    Trace("read in the store", "ms", tuple(percentile(d, 0.5) for d in direct)),
                    Trace("read over HTTP", "ms", tuple(percentile(h, 0.5) for h in http)),
                    Trace("stored", "bytes/point", tuple(size for _, size in filled)),
                ),
                note=f"One metric, reduced to {_BUCKETS:,} buckets. A lone metric bears its steps and times alone; "
                "pages of the database count whole.",
            )
