"""The client: import, `init`, `log`, `finish`; each repetition in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result
from benchmarks.processes import free_port, stop_embedded_server
from benchmarks.served import environ
from benchmarks.setup import Setup

__all__ = ["run", "wide_log_us"]

_IMPORT = """
import time, json, sys
start = time.perf_counter()
import anonrun
took = time.perf_counter() - start
heavy = [m for m in ("numpy", "plotly", "anonrun.server", "starlette", "sqlalchemy", "anywidget") if m in sys.modules]
assert not heavy, heavy
print(json.dumps({"import": took * 1e3}))
"""

_LOG = """
import gc, json, sys, time
import anonrun
seconds, mode = float(sys.argv[1]), sys.argv[2]
start = time.perf_counter()
run = anonrun.init(project="bench", mode=mode, system_metrics=False)
init = time.perf_counter() - start
row = {f"metric_{i}": i + 0.5 for i in range(10)}
clock = time.perf_counter_ns
for _ in range(1000):
    run.log(row)
gc.collect()

def spread(spent):
    spent.sort()
    return [spent[len(spent) // 2] / 1e3, spent[len(spent) * 99 // 100] / 1e3, spent[-1] / 1e3]

burst = []
began = clock()
for _ in range(int(20_000 * seconds)):
    begin = clock()
    run.log(row)
    burst.append(clock() - begin)
rate = len(burst) / (clock() - began) * 1e9
paced = []
due = clock()
for _ in range(int(100 * seconds)):
    due += 10_000_000
    time.sleep(max(0, (due - clock()) / 1e9))
    begin = clock()
    run.log(row)
    paced.append(clock() - begin)
own = []
for step in range(100_000, 100_000 + int(5_000 * seconds)):
    begin = clock()
    run.log(row, step=step)
    own.append(clock() - begin)
start = time.perf_counter()
run.finish(timeout=60)
print(json.dumps({"init": init * 1e3, "own": spread(own), "burst": spread(burst), "paced": spread(paced), "rate": rate,
                  "backlog": (time.perf_counter() - start) * 1e3}))
"""

_SHORT = """
import json, time
import anonrun
run = anonrun.init(project="bench", system_metrics=False)
for step in range(100):
    run.log({f"metric_{i}": i + 0.5 for i in range(10)})
start = time.perf_counter()
run.finish()
print(json.dumps({"finish": (time.perf_counter() - start) * 1e3}))
"""

_WIDE = """
import json, sys, time
import anonrun
run = anonrun.init(project="bench", mode="offline", system_metrics=False)
row = {f"layer_{i}/norm": i + 0.5 for i in range(int(sys.argv[1]))}
spent = []
for _ in range(300):
    start = time.perf_counter_ns()
    run.log(row)
    spent.append(time.perf_counter_ns() - start)
print(json.dumps({"p50": sorted(spent)[150] / 1e3}))
run.finish()
"""


def _measure(script: str, data_dir: Path, *arguments: object, **more: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=environ(ANONRUN_DATA_DIR=str(data_dir), **more), check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return found


def wide_log_us(metrics: int) -> float:
    """Return the median time of a `log()` of so many metrics."""
    with tempfile.TemporaryDirectory() as folder:
        return float(_measure(_WIDE, Path(folder), metrics)["p50"])


def run(setup: Setup) -> Iterator[Result]:
    """Yield the client's figures."""
    repeat, seconds = setup.repeat, setup.either(3, 1)
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        imports = [_measure(_IMPORT, data_dir)["import"] for _ in range(repeat)]
        try:
            cold = _measure(_LOG, data_dir, 0.1, "online")
            online = [_measure(_LOG, data_dir, seconds, "online") for _ in range(repeat)]
            finish = [_measure(_SHORT, data_dir)["finish"] for _ in range(repeat)]
        finally:
            stop_embedded_server(data_dir)
        offline = [_measure(_LOG, data_dir, seconds, "offline") for _ in range(repeat)]
        nobody = f"http://127.0.0.1:{free_port()}"
        down = [_measure(_SHORT, data_dir, ANONRUN_SERVER=nobody)["finish"] for _ in range(setup.either(2, 1))]

    def figure(name: str, values: list[float], unit: str, budget: float | None = None, note: str = "") -> Figure:
        return Figure(name, tuple(values), unit, budget, note=note)

    yield figure("`import anonrun`", imports, "ms", 100, "and no server, plotly or NumPy with it")
    yield figure("`init()`, no server yet", [cold["init"]], "ms", 1_000)
    yield figure("`init()`, server up", [one["init"] for one in online], "ms", 150)
    for mode, found in (("online", online), ("offline", offline)):
        for pace, words, budgets in (
            ("burst", f"{20_000 * seconds:,} calls flat out", (3.5, 20, None)),
            ("own", f"{5_000 * seconds:,} calls flat out, each with `step=`", (None, None, None)),
            ("paced", f"{100 * seconds} calls at 100 a second", (None, None, None)),
        ):
            for number, (which, budget) in enumerate(zip(("p50", "p99", "max"), budgets, strict=True)):
                values = [one[pace][number] for one in found]
                yield figure(f"`log()` of 10 metrics, {mode}, {which}", values, "µs", budget, words)
        yield Figure(f"`log()` of 10 metrics, {mode}", tuple(one["rate"] for one in found), "calls/s",
                     at_least=True, note="flat out")  # fmt: skip
    yield figure("`finish()` after 100 steps", finish, "ms", 500)
    backlog = f"after {25_000 * seconds:,} calls flat out and {100 * seconds} at 100 a second"
    yield figure("`finish()` with a backlog", [one["backlog"] for one in online], "ms", None, backlog)
    yield figure("`finish()`, server down", down, "ms", 6_000, "ends with a message; nothing is lost")
