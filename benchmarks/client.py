"""The client: import, `init`, `log`, `finish`; each repetition in a fresh process with an empty data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.processes import stop_embedded_server

_IMPORT = """
import time, json
start = time.perf_counter()
import anonrun
print(json.dumps({"import": (time.perf_counter() - start) * 1e3}))
"""

_RUN = """
import gc, json, sys, time
import anonrun
start = time.perf_counter()
run = anonrun.init(project="bench")
init = time.perf_counter() - start
row = {f"metric_{i}": i + 0.5 for i in range(10)}
clock = time.perf_counter_ns
spent = []
for _ in range(1000):
    run.log(row)
for _ in range(20_000):
    begin = clock()
    run.log(row)
    spent.append(clock() - begin)
run.finish()
spent.sort()
short = anonrun.init(project="bench")
for step in range(100):
    short.log(row)
start = time.perf_counter()
short.finish()
print(json.dumps({
    "init": init * 1e3,
    "finish": (time.perf_counter() - start) * 1e3,
    "log_p50": spent[len(spent) // 2] / 1e3,
    "log_p99": spent[len(spent) * 99 // 100] / 1e3,
}))
"""


def _measure(script: str, data_dir: Path) -> dict[str, float]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ANONRUN_")} | {"ANONRUN_DATA_DIR": str(data_dir)}
    out = subprocess.run([sys.executable, "-c", script], env=env, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(out.stdout.splitlines()[-1])
    return figures


def run(repetitions: int) -> Iterator[Figure]:
    """Yield the client's figures."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        imports = [_measure(_IMPORT, data_dir)["import"] for _ in range(repetitions)]
        yield Figure("`import anonrun`", tuple(imports), "ms", 100)
        try:
            cold = _measure(_RUN, data_dir)
            warm = [_measure(_RUN, data_dir) for _ in range(repetitions)]
        finally:
            stop_embedded_server(data_dir)
    yield Figure("`init()`, no server yet", (cold["init"],), "ms", 1000)
    yield Figure("`init()`, server up", tuple(w["init"] for w in warm), "ms", 150)
    yield Figure("`log()` of 10 metrics, p50", tuple(w["log_p50"] for w in warm), "µs", 8, "20,000 calls flat out")
    yield Figure("`log()` of 10 metrics, p99", tuple(w["log_p99"] for w in warm), "µs", 20, "20,000 calls flat out")
    yield Figure("`finish()` after 100 steps", tuple(w["finish"] for w in warm), "ms", 500)
