"""A real `anonrun server` process that is measured, and the few requests by which its runs are made.

Speaks the documented protocol by the standard library, so that nothing of the client is measured by accident.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonrun.core.ids import new_run_id
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.core.wire import CONTENT_TYPE
from benchmarks.peers.environments import clean_environ
from benchmarks.processes import free_port, resident_mb, seconds_until_it_answers

__all__ = ["Asking", "Made", "Server", "Store", "account_key", "environ", "per_request_ms", "serving", "stores"]

_BITS = 80
_MOST_MS = 5_000


def environ(**more: str) -> dict[str, str]:
    """Return the environment of a process that runs this tree's anonrun, without limits on who makes what."""
    ours = {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
    return clean_environ(
        ANONRUN_RUNS_PER_HOUR="0",
        ANONRUN_ALL_RUNS_PER_HOUR="0",
        ANONRUN_LIVE_RUNS_PER_ADDRESS="0",
        ANONRUN_FLUSHES_PER_SECOND="0",
        ANONRUN_ANONYMOUS_MEGABYTES="0",
        ANONRUN_SIGN_UPS_PER_HOUR="0",
        ANONRUN_LOG_LEVEL="warning",
    ) | (ours | more)


@dataclass(frozen=True, slots=True)
class Store:
    """Where a server keeps its data.

    Attributes:
        name: as tables show it.
        folder: its data folder.
        url: of its PostgreSQL database; None for SQLite in `folder`.
    """

    name: str
    folder: Path
    url: str | None = field(default=None, repr=False)

    @property
    def flags(self) -> list[str]:
        """What its commands are told."""
        flags = ["--data-dir", str(self.folder)]
        return flags if self.url is None else [*flags, "--database-url", self.url]

    @property
    def file(self) -> Path:
        """The SQLite database."""
        return self.folder / "server" / "anonrun.db"

    def command(self, *arguments: str) -> list[str]:
        """Return a command line of anonrun on this store."""
        return [sys.executable, "-m", "anonrun", *arguments, *self.flags]


@contextlib.contextmanager
def stores(database_url: str | None) -> Iterator[list[Store]]:
    """Give an empty SQLite store, and the PostgreSQL one where there is one."""
    with tempfile.TemporaryDirectory() as folder:
        found = [Store("SQLite", Path(folder) / "sqlite")]
        if database_url is not None:
            found.append(Store("PostgreSQL", Path(folder) / "postgresql", database_url))
        yield found


@dataclass(frozen=True, slots=True)
class Made:
    """A run that was made, and its secrets."""

    run_id: str
    write: str = field(repr=False)
    view: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    port: int
    pid: int
    started_s: float
    store: Store

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def resident_mb(self) -> float:
        """Return the memory that it takes now."""
        return resident_mb(self.pid)

    def connect(self) -> contextlib.closing[Asking]:
        """Give a connection that is kept open for as long as the context lasts."""
        return contextlib.closing(Asking(self.port))


class Asking:
    """One kept-alive connection, for one thread."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, method: str, path: str, token: str | None = None, body: object = None) -> bytes:
        """Send one request, bytes as segments and anything else as JSON, and return the body of its success.

        Raises:
            RuntimeError: it was refused.
        """
        headers, data = {}, None
        if isinstance(body, bytes):
            headers["Content-Type"], data = CONTENT_TYPE, body
        elif body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {path.partition('?')[0]}: {answer.status} {content[:300]!r}")
        return content

    def json(self, method: str, path: str, token: str | None = None, body: object = None) -> Any:  # noqa: ANN401  JSON
        """As `ask`, and read the answer."""
        return json.loads(self.ask(method, path, token, body))

    def make_key(self) -> str:
        """Make an anonymous account and return its key."""
        key = mint(TokenKind.API_KEY)
        self.ask("POST", "/api/v1/accounts/anonymous", body={"key_hash": token_hash(key).hex()})
        return key

    def make_run(self, key: str, project: str = "bench") -> Made:
        """Make a run."""
        write, view, claim = (mint(kind) for kind in (TokenKind.WRITE, TokenKind.VIEW, TokenKind.CLAIM))
        run_id = str(new_run_id(time.time_ns() // 1_000_000, secrets.token_bytes(_BITS // 8)))
        hashes = {"write": write, "view": view, "claim": claim}
        tokens = {kind: token_hash(token).hex() for kind, token in hashes.items()}
        self.ask("POST", "/api/v1/runs", key, {"run_id": run_id, "project": project, "tokens": tokens})
        return Made(run_id, write, view)

    def send(self, run: Made, segments: bytes) -> None:
        """Deliver segments."""
        self.ask("POST", f"/api/v1/runs/{run.run_id}/segments", run.write, segments)

    def end(self, run: Made) -> None:
        """Say that a run is finished."""
        self.ask("PATCH", f"/api/v1/runs/{run.run_id}", run.write, {"state": "finished", "exit_code": 0})


def account_key(store: Store) -> str:
    """Make a person's account in a store that no server uses, and return its key: its runs have no quota."""
    done = subprocess.run(
        store.command("admin", "user", "add", f"bench-{secrets.token_hex(4)}", "--json"),
        env=environ(), input=f"{secrets.token_hex(16)}\n", check=True, capture_output=True, text=True,
    )  # fmt: skip
    key: str = json.loads(done.stdout)["key"]
    return key


@contextlib.contextmanager
def serving(store: Store, *flags: str) -> Iterator[Server]:
    """Run a server on a store for as long as the context lasts."""
    port = free_port()
    store.folder.mkdir(parents=True, exist_ok=True)
    with (store.folder / "stderr.log").open("ab") as log:
        process = subprocess.Popen(
            store.command("server", "--port", str(port), *flags), env=environ(), stdout=subprocess.DEVNULL, stderr=log
        )
        try:
            started_s = seconds_until_it_answers(f"http://127.0.0.1:{port}/healthz", process)
            yield Server(port, process.pid, started_s, store)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def per_request_ms(asking: Asking, requests: Sequence[tuple[str, str]], token: str) -> list[float]:
    """Return how long each of these requests took, one after the other; when that is long, of fewer."""
    spent = []
    for method, path in requests:
        start = time.perf_counter()
        asking.ask(method, path, token)
        spent.append((time.perf_counter() - start) * 1e3)
        if sum(spent) > _MOST_MS:
            break
    return spent
