"""Starting and ending what is measured."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

__all__ = ["cpu_s", "free_port", "resident_mb", "seconds_until_it_answers", "stop_embedded_server"]


def stop_embedded_server(data_dir: Path) -> None:
    """End the embedded server of a data folder and wait until it has let go of it."""
    state = data_dir / "server" / "state.json"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        pid = json.loads(state.read_text())["pid"]
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.02)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def seconds_until_it_answers(url: str, process: subprocess.Popen[bytes], deadline_s: float = 60) -> float:
    """Return how long it takes from now until `url` answers.

    Raises:
        RuntimeError: the process ended before.
        TimeoutError: it did not answer in time.
    """
    start = time.perf_counter()
    while time.perf_counter() - start < deadline_s:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return time.perf_counter() - start
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with status {process.returncode} before it answered.")
        time.sleep(0.002)
    raise TimeoutError(f"{url} did not answer within {deadline_s} s")


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, all its threads together (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
