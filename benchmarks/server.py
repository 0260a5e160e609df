"""The server: from process start to the first answer, and what it takes while idle."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.processes import free_port, resident_mb, seconds_until_it_answers


def _start_once() -> tuple[float, float]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ANONRUN_")}
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [sys.executable, "-m", "anonrun", "server", "--port", str(port), "--data-dir", folder]
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            seconds = seconds_until_it_answers(f"http://127.0.0.1:{port}/healthz")
            return seconds * 1e3, resident_mb(process.pid)
        finally:
            process.terminate()
            process.wait(10)


def run(repetitions: int) -> Iterator[Figure]:
    """Yield the server's figures."""
    runs = [_start_once() for _ in range(repetitions)]
    yield Figure("server: start to first answer, new database", tuple(ms for ms, _ in runs), "ms", 1000)
    yield Figure("server: resident memory, idle", tuple(mb for _, mb in runs), "MB", 60)
