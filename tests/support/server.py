"""A real `anonrun server` process, and what a browser or another client would ask of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from support.jupyter import free_port
from support.script import environment
from support.site import PASSWORD


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: `url` without a trailing slash."""

    url: str
    pid: int
    data_dir: Path


def user_key(server: Server, name: str = "ada") -> str:
    """Sign somebody up in a browser, and return an API key of theirs."""
    with httpx.Client(base_url=server.url, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        body = {"username": name, "password": PASSWORD}
        browser.post("/api/v1/session/sign-up", json=body).raise_for_status()
        return str(browser.post("/api/v1/account/keys", json={}).json()["key"])


def later(shift: timedelta) -> dict[str, str]:
    """Return the environment in which a process believes it is `shift` later (libfaketime)."""
    if shutil.which("faketime") is None:
        missing = "needs libfaketime: apt install faketime"
        if os.environ.get("CI"):
            raise RuntimeError(missing)
        pytest.skip(missing)
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{shift.total_seconds():+.0f}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def anonrun_server(data_dir: Path, *flags: str, port: int | None = None, **more: str) -> Iterator[Server]:
    """Start a server on a free port (or `port`) and end it."""
    port = port or free_port()
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir / "server-process.log"
    command = [sys.executable, "-m", "anonrun", "server", "--port", str(port), "--data-dir", str(data_dir), *flags]
    with log.open("ab") as sink:
        process = subprocess.Popen(command, env=environment(data_dir, **more), stdout=sink, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 30
        while not _answers(f"http://127.0.0.1:{port}/healthz"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.02)
        yield Server(f"http://127.0.0.1:{port}", process.pid, data_dir)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
