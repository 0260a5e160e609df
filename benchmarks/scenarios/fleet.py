"""Many runs that log at the same time, each at its own pace, as they do on a server that is shared."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, Growth, Result, Trace, spread
from benchmarks.load import Load, Seen, generate
from benchmarks.served import Store, account_key, serving, stores
from benchmarks.setup import Setup

_PER_SECOND = 10
_PROCESSES = 2
_ACK_MS = 250
_BUDGET_RUNS = 1_000
_HELD = 0.95


def live(store: Store, runs: int, *, seconds: int) -> tuple[Seen, float]:
    """Have runs flush at their pace; return what was seen, and the server's memory at the end."""
    key = account_key(store)
    with serving(store) as server:
        with server.connect() as asking:
            made = [asking.make_run(key) for _ in range(runs)]
        load = Load(port=0, runs=(), flushes=seconds * _PER_SECOND, rows=1, per_second=_PER_SECOND, most_s=2 * seconds)
        return generate(server, made, load, processes=min(_PROCESSES, runs)), server.resident_mb()


def run(setup: Setup) -> Iterator[Result]:
    """Yield what an acknowledgement takes by the number of live runs."""
    sizes = (1, 10, 100, 1_000) if not setup.quick else (1, 10, 100)
    seconds = setup.either(10, 3)
    with stores(setup.database_url) as found:
        for store in found:
            seen = [live(store, size, seconds=seconds) for size in sizes]
            spreads = [spread(one.latencies_ms) for one, _ in seen]
            most, memory_mb = seen[-1]
            what = f"{sizes[-1]:,} live runs at {_PER_SECOND} flushes/s, {store.name}"
            note = f"for {seconds} s, 10 metrics a flush; latency counts from when a flush was due"
            budget = _ACK_MS if sizes[-1] == _BUDGET_RUNS else None
            yield Figure(f"{what}: acknowledged, p99", (spreads[-1][1],), "ms", budget, note=note)
            wanted = sizes[-1] * _PER_SECOND
            held = most.flushes / most.seconds
            yield Figure(f"{what}: flushes taken", (held,), "flushes/s", _HELD * wanted if budget else None,
                         at_least=True, note=note)  # fmt: skip
            yield Figure(f"{what}: server's memory", (memory_mb,), "MB", note=note)
            yield Figure(
                f"{what}: the load's own processor time", (most.client_cpu_s / most.seconds,), "cores", note=note
            )
            yield Growth(
                f"Runs at once, each {_PER_SECOND} flushes/s, {store.name}",
                "live runs",
                sizes,
                (
                    Trace("acknowledged, p50", "ms", tuple(p50 for p50, _, _ in spreads)),
                    Trace("acknowledged, p99", "ms", tuple(p99 for _, p99, _ in spreads)),
                    Trace("flushes taken", "flushes/s", tuple(one.flushes / one.seconds for one, _ in seen)),
                    Trace("server's processor time", "cores", tuple(one.server_cpu_s / one.seconds for one, _ in seen)),
                ),
            )
