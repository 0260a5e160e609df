"""From the call of `log()` until a reader at the server has the point, over the live stream that pages use."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from anonrun.core.wire import decode_all
from benchmarks.figures import Figure, Result, percentile
from benchmarks.served import Server, environ, serving, stores
from benchmarks.setup import Setup

_BUDGET_MS = 250

_LOG = """
import json, sys, time
import anonrun
calls, pace = int(sys.argv[1]), float(sys.argv[2])
run = anonrun.init(project="bench", system_metrics=False)
run.log({"value": 0.0})
print(json.dumps({"url": run.url}), flush=True)
sys.stdin.readline()
at = []
for number in range(1, calls + 1):
    time.sleep(pace)
    at.append(time.time())
    run.log({"value": float(number)})
print(json.dumps(at), flush=True)
sys.stdin.readline()
run.finish()
"""


def _arrivals(server: Server, key: str, run_id: str, calls: int, deadline_s: float) -> Iterator[tuple[int, float]]:
    """Follow a run's stream; yield the number of each call, and when it came."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=deadline_s)
    connection.request("GET", f"/api/v1/runs/{run_id}/live?after=0", headers={"Authorization": f"Bearer {key}"})
    stream = connection.getresponse()
    seen = 0
    event = ""
    while seen < calls:
        line = stream.readline().decode().rstrip("\r\n")
        if line.startswith("event:"):
            event = line.partition(":")[2].strip()
        elif line.startswith("data:") and event == "points":
            now = time.time()
            data = base64.b64decode(line.partition(":")[2].strip())
            for frame in (frame for segment in decode_all(data) for frame in segment.frames):
                for number in map(int, frame.columns[frame.names.index("value")]):
                    seen = max(seen, number)
                    yield number, now
    connection.close()


def _latencies_ms(server: Server, *, calls: int, pace_s: float) -> list[float]:
    with server.connect() as asking:
        key = asking.make_key()
    with tempfile.TemporaryDirectory() as folder:
        environment = environ(ANONRUN_DATA_DIR=str(Path(folder)), ANONRUN_SERVER=server.url, ANONRUN_API_KEY=key)
        process = subprocess.Popen(
            [sys.executable, "-c", _LOG, str(calls), str(pace_s)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdin is not None, "it was opened with a pipe"
        assert process.stdout is not None, "it was opened with a pipe"
        try:
            url = json.loads(next(line for line in process.stdout if line.startswith("{")))["url"]
            run_id = url.rpartition("/")[2]
            arrivals = _arrivals(server, key, run_id, calls, 60)
            next(arrivals)  # the row before the clock runs: the stream is open
            process.stdin.write("go\n")
            process.stdin.flush()
            came = dict(arrivals)
            logged = json.loads(next(line for line in process.stdout if line.startswith("[")))
            process.stdin.write("end\n")
            process.stdin.flush()
            process.wait(60)
        finally:
            process.kill()
            process.communicate()
    return [(came[number] - at) * 1e3 for number, at in enumerate(logged, 1)]


def run(setup: Setup) -> Iterator[Result]:
    """Yield the time from `log()` to a reader, for rows that are far apart and for many."""
    with stores(setup.database_url) as found:
        for store in found:
            with serving(store) as server:
                for calls, pace_s in ((setup.either(30, 8), 0.5), (setup.either(500, 100), 0.01)):
                    spent = _latencies_ms(server, calls=calls, pace_s=pace_s)
                    note = f"{calls} calls at {1 / pace_s:g} a second"
                    what = f"`log()` to a reader at the server, {store.name}"
                    yield Figure(f"{what}, p50", (percentile(spent, 0.5),), "ms", note=note)
                    yield Figure(f"{what}, p95", (percentile(spent, 0.95),), "ms", _BUDGET_MS, note=note)
