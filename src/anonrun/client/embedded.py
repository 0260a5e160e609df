"""The embedded server: this person's own server on this machine, as a process that outlives its starter.

It is found through `state.json`, and believed only if what listens there names the same instance. Of several
processes that start one at the same time, one wins; the others find it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from anonrun.client.home import without_home
from anonrun.client.transport import LoopbackTransport, Request
from anonrun.errors import ServerUnavailableError

if TYPE_CHECKING:
    import subprocess

__all__ = ["EmbeddedServer", "State", "ensure_running", "find", "read_state", "start", "stop"]

_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class State:
    """What `state.json` says.

    Attributes:
        vouch: the secret by which Jupyter's server extension vouches for its user.
    """

    pid: int
    port: int
    instance: str
    vouch: str = field(repr=False)

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running embedded server."""

    url: str
    instance: str


def read_state(folder: Path) -> State | None:
    """Return what `state.json` in the server's folder says, or None where there is none that can be used."""
    try:
        data = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        state = State(int(data["pid"]), int(data["port"]), str(data["instance"]), str(data.get("vouch", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if 0 < state.port < 1 << 16 and state.pid > 0 else None


def find(folder: Path, *, timeout_s: float = 2.0) -> EmbeddedServer | None:
    """Return the server of this folder if it answers and is the one that the folder belongs to."""
    state = read_state(folder)
    if state is None:
        return None
    transport = LoopbackTransport(state.url)
    try:
        answer = transport.send(Request(method="GET", path="/healthz", timeout_s=timeout_s))
        instance = json.loads(answer.body)["instance"]
    except (ServerUnavailableError, ValueError, KeyError, TypeError):
        return None
    finally:
        transport.close()
    return EmbeddedServer(state.url, state.instance) if instance == state.instance else None


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start a server for this folder and return at once.

    Raises:
        OSError: the folder cannot be written to, or no process can be started.
    """
    import subprocess  # noqa: PLC0415  most programs find a server, or name one

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [sys.executable, "-m", "anonrun", "server", "--embedded", "--data-dir", str(folder.parent)]
    log = os.open(folder / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603  our own interpreter and module
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            close_fds=True,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    finally:
        os.close(log)


def ensure_running(folder: Path, *, timeout_s: float = 20.0) -> EmbeddedServer:
    """Return the folder's server, started where it does not run.

    Raises:
        ServerUnavailableError: it does not come up in time; the message names its log.
    """
    found = find(folder)
    if found is not None:
        return found
    try:
        process = start(folder)
    except OSError as exc:
        raise ServerUnavailableError(without_home(f"The server on this machine cannot be started: {exc}.")) from None
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = find(folder)
        if found is not None:
            return found
        if process.poll() not in (None, 0):  # 0: another one was quicker, and will answer
            break
        time.sleep(_POLL_S)
    raise ServerUnavailableError(
        without_home(
            f"The server on this machine did not come up; {folder / 'server.log'} says why. Points are safe on disk."
        )
    )


def stop(folder: Path, *, timeout_s: float = 10.0) -> bool:
    """End the folder's server, and return whether there was one."""
    import psutil  # noqa: PLC0415  only the command line needs it

    state = read_state(folder)
    if state is None or find(folder) is None:
        return False
    try:
        process = psutil.Process(state.pid)
        process.terminate()
        process.wait(timeout_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True
