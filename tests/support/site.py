"""A server inside the test's own process, with a clock that the test sets, and people who use it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from anonrun.core.ids import new_run_id
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.core.wire import Frame, encode
from anonrun.server.app import create_app
from anonrun.server.services import passwords
from anonrun.server.services.core import Core
from anonrun.server.settings import Settings
from anonrun.store.database import Database
from support.databases import Place

HOST = "http://127.0.0.1"
PASSWORD = "a long passphrase"
VOUCH = "the secret that Jupyter's proxy knows"


class SetClock:
    """A clock that stands until the test moves it."""

    def __init__(self, now_us: int | None = None) -> None:
        self.us = now_us if now_us is not None else time.time_ns() // 1000

    def now_us(self) -> int:
        return self.us

    def forward(self, *, days: float = 0, seconds: float = 0, us: int = 0) -> None:
        self.us += round(days * 86_400e6 + seconds * 1e6) + us


def sha(token: str) -> str:
    return token_hash(token).hex()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def segment(
    values: list[float], *, seq: int = 0, writer: int = 1, name: str = "loss", first_step: int | None = None
) -> bytes:
    """Return a segment of one metric, one row a value."""
    first = seq if first_step is None else first_step
    steps = range(first, first + len(values))
    return encode([Frame.of([name], steps, [s * 1_000 for s in steps], [values])], writer=writer, seq=seq)


@dataclass(frozen=True)
class MadeRun:
    """A run and its secrets."""

    run_id: str
    write: str = field(default_factory=lambda: mint(TokenKind.WRITE))
    view: str = field(default_factory=lambda: mint(TokenKind.VIEW))
    claim: str = field(default_factory=lambda: mint(TokenKind.CLAIM))

    @property
    def path(self) -> str:
        return f"/api/v1/runs/{self.run_id}"

    def request(self, **more: Any) -> dict[str, Any]:
        tokens = {"write": sha(self.write), "view": sha(self.view), "claim": sha(self.claim)}
        return {"run_id": self.run_id, "tokens": tokens, **more}


class Transport(httpx.BaseTransport):
    """Hands requests to an application that runs on another thread's event loop."""

    def __init__(self, portal: BlockingPortal, app: Any) -> None:
        self._portal = portal
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.7", 4711))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._handle, request)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await self._inner.handle_async_request(asked)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def on_loop(self, function: Callable[[], Any]) -> Any:
        """Call a function where the application runs."""
        return self._portal.call(function)

    def with_late_body(self, request: httpx.Request, body: bytes, meanwhile: Callable[[], object]) -> httpx.Response:
        """Send a request whose body comes only after something else has happened."""

        async def content() -> AsyncIterator[bytes]:
            await anyio.to_thread.run_sync(meanwhile)
            yield body

        async def send() -> httpx.Response:
            asked = httpx.Request(request.method, request.url, headers=request.headers, content=content())
            answer = await self._inner.handle_async_request(asked)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return self._portal.call(send)

    @contextmanager
    def following(self, app: Any, path: str, headers: dict[str, str], told: bytearray) -> Iterator[None]:
        """Have the answer to a GET written to `told` as it comes; wait in the end until it is over."""
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "server": ("127.0.0.1", 80), "client": ("203.0.113.7", 4711), "state": {},
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()  # its reader stays
            raise AssertionError("nothing comes")

        async def send(message: dict[str, Any]) -> None:
            told.extend(message.get("body", b""))

        answered = self._portal.start_task_soon(app, scope, receive, send)
        yield
        answered.result(timeout=30)


@dataclass
class Site:
    """A running application.

    Attributes:
        api: a program's client: no cookies are kept.
        clock: the store's clock.
    """

    app: Any
    db: Database
    clock: SetClock
    api: httpx.Client
    transport: Transport

    @property
    def core(self) -> Core:
        core: Core = self.app.state.core
        return core

    def browser(self, **headers: str) -> httpx.Client:
        """Return a browser on one of our own pages: keeps cookies, says where its requests come from."""
        own = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"} | headers
        return httpx.Client(transport=self.transport, base_url=HOST, headers=own)

    def anonymous_key(self) -> str:
        key = mint(TokenKind.API_KEY)
        made = self.api.post("/api/v1/accounts/anonymous", json={"key_hash": sha(key)})
        assert made.status_code == 201, made.text
        return key

    def user(self, name: str) -> httpx.Client:
        """Return the browser of a user who has just signed up."""
        browser = self.browser()
        made = browser.post("/api/v1/session/sign-up", json={"username": name, "password": PASSWORD})
        assert made.status_code == 200, made.text
        return browser

    def user_key(self, browser: httpx.Client, **wanted: Any) -> str:
        made = browser.post("/api/v1/account/keys", json=wanted)
        assert made.status_code == 201, made.text
        key: str = made.json()["key"]
        return key

    def new_run(self) -> MadeRun:
        return MadeRun(str(new_run_id(self.clock.us // 1000, secrets.token_bytes(10))))

    def run(self, key: str | None = None, **request: Any) -> MadeRun:
        """Make a run with a key, or with that of a new anonymous account."""
        run = self.new_run()
        made = self.api.post("/api/v1/runs", json=run.request(**request), headers=bearer(key or self.anonymous_key()))
        assert made.status_code == 201, made.text
        return run

    def send(self, run: MadeRun, body: bytes, token: str | None = None) -> httpx.Response:
        answer: httpx.Response = self.api.post(f"{run.path}/segments", content=body, headers=bearer(token or run.write))
        return answer

    def get(self, run: MadeRun, what: str = "", token: str | None = None) -> httpx.Response:
        answer: httpx.Response = self.api.get(f"{run.path}{what}", headers=bearer(token or run.view))
        return answer

    def claim(self, run: MadeRun, browser: httpx.Client) -> httpx.Response:
        begun = browser.post("/api/v1/session/pending-claim", json={"token": run.claim})
        assert begun.status_code == 200, begun.text
        return browser.post("/api/v1/session/claim", json={})


def code(answer: httpx.Response) -> str | None:
    """Return the code of a refusal; None for what is none."""
    if answer.headers.get("content-type") != "application/problem+json":
        return None
    body: Mapping[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert {"type", "title", "detail"} <= body.keys()
    return str(body["code"])


@contextmanager
def _quick_passwords() -> Iterator[None]:
    """Hash passwords by argon2id at next to no cost: a person's tenth of a second is most of what a test would take."""
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher.from_parameters(CHEAPEST)
        patch.setattr(passwords, "_hasher", lambda: quick)
        yield


@contextmanager
def running_site(folder: Path, database: Place | None = None, **settings: Any) -> Iterator[Site]:
    """Start an application on a new database; one of SQLite in the folder where none is given."""
    clock = SetClock()
    # On a clock that stands, a second's deliveries would be all that there ever are.
    chosen = Settings(data_dir=folder, **({"flushes_per_second": 0} | settings))
    chosen.server_dir.mkdir(parents=True, exist_ok=True)
    db = Database.open(database.where if database else chosen.server_dir / "anonrun.db", clock=clock)
    app = create_app(chosen, db, vouch=VOUCH if chosen.embedded else None)
    try:
        with (
            _quick_passwords(),
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        ):
            transport = Transport(portal, app)
            with httpx.Client(transport=transport, base_url=HOST) as api:
                yield Site(app, db, clock, api, transport)
    finally:
        db.close()
