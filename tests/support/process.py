"""An embedded server as a client starts it: a process of its own, found by its state file."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.script import environment


def until(condition: Callable[[], Any], *, within_s: float = 20.0) -> Any:
    """Return what `condition` returns as soon as it is true; fail when it is not in time."""
    deadline = time.monotonic() + within_s
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


@dataclass(frozen=True)
class Embedded:
    """A started process; whether it serves is to be seen."""

    process: subprocess.Popen[bytes]
    data_dir: Path

    def state(self) -> dict[str, Any]:
        """Return its state file; empty where there is none or it is another process's."""
        try:
            state: dict[str, Any] = json.loads((self.data_dir / "server" / "state.json").read_text())
        except FileNotFoundError:
            return {}
        return state if state["pid"] == self.process.pid else {}

    def answers(self) -> bool:
        """Whether it says that it lives."""
        state = self.state()
        if not state:
            return False
        try:
            answer = httpx.get(f"http://127.0.0.1:{state['port']}/healthz", timeout=5)
        except httpx.TransportError:
            return False
        return bool(answer.json()["instance"] == state["instance"])

    def base(self) -> str:
        """Wait until it serves and return its address."""
        until(lambda: self.process.poll() is not None or self.answers())
        assert self.process.poll() is None, f"it ended with {self.process.returncode}"
        return f"http://127.0.0.1:{self.state()['port']}"


@contextlib.contextmanager
def embedded_server(data_dir: Path, **more: str) -> Iterator[Embedded]:
    """Start an embedded server and end it."""
    command = [sys.executable, "-m", "anonrun", "server", "--embedded", "--data-dir", str(data_dir)]
    data_dir.mkdir(exist_ok=True)
    process = subprocess.Popen(
        command, env=environment(data_dir, **more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield Embedded(process, data_dir)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def following(url: str, token: str) -> Iterator[list[str]]:
    """Read an event stream on another thread; yield the lines that came, the last of which is `ended`."""
    lines: list[str] = []

    def follow() -> None:
        with (
            contextlib.suppress(httpx.TransportError),
            httpx.stream("GET", url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as stream,
        ):
            lines.extend(stream.iter_lines())
            lines.append("ended")

    thread = threading.Thread(target=follow)
    thread.start()
    yield lines
    thread.join(20)
    assert not thread.is_alive()
