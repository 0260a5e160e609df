"""What a point takes on disk, once the server has tidied up."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.curves import METRICS
from benchmarks.database import settled_bytes, vacuum
from benchmarks.figures import Figure, Result
from benchmarks.flushes import bodies
from benchmarks.served import account_key, serving, stores
from benchmarks.setup import Setup

_BUDGET_BYTES = 4.5
_ROWS_A_FLUSH = 100
_VACUUM_EVERY = 50  # on PostgreSQL; a training that flushes so often takes minutes, in which autovacuum comes


def run(setup: Setup) -> Iterator[Result]:
    """Yield bytes a point of a finished run of noisy curves."""
    flushes = setup.either(500, 50)
    segments = bodies(flushes, rows=_ROWS_A_FLUSH)
    points = flushes * _ROWS_A_FLUSH * len(METRICS)
    with stores(setup.database_url) as found:
        for store in found:
            key = account_key(store)
            with serving(store) as server, server.connect() as asking:
                made = asking.make_run(key)
                before = settled_bytes(store)
                for number, body in enumerate(segments):
                    asking.send(made, body)
                    if number % _VACUUM_EVERY == 0:
                        vacuum(store)
                asking.end(made)
                per_point = (settled_bytes(store) - before) / points
            yield Figure(
                f"stored on {store.name}",
                (per_point,),
                "bytes/point",
                _BUDGET_BYTES,
                note=f"{points:,} points of {len(METRICS)} noisy metrics, steps and times included; "
                f"on the wire {sum(map(len, segments)) / points:.1f}; PostgreSQL vacuumed on the way",
            )
