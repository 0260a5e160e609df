"""A run as the notebook sees it, without client and server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from anonrun.client.media.recent import Recent
from anonrun.core.messages import RunInfo, RunState
from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import Frame

START = datetime(2026, 11, 23, 22, 31, tzinfo=timezone.utc)
START_US = int(START.timestamp()) * 1_000_000


@dataclass(frozen=True, slots=True)
class FakeServer:
    url: str = "http://127.0.0.1:45321/"
    instance: str = "0192f7d0-instance"
    embedded: bool = True


@dataclass(frozen=True, slots=True)
class FakeSecrets:
    view: str | None
    claim: str | None


@dataclass(frozen=True, slots=True)
class FakeStatus:
    state: RunState = RunState.RUNNING
    rows: int = 0
    unsent_rows: int = 0
    trouble: str | None = None
    server: FakeServer | None = FakeServer()
    server_time_offset_s: float | None = 0.25
    failure: str | None = None


class FakeFeed:
    def __init__(self, rows: list[Frame]) -> None:
        self._rows = rows
        self._at = 0

    def read_new(self) -> list[Frame]:
        new, self._at = self._rows[self._at :], len(self._rows)
        return new


class FakeRun:
    def __init__(self, *, anonymous: bool = True, name: str = "quiet-river") -> None:
        self.run_id = "0192f7d0-0000-7000-8000-000000000001"
        self._rows: list[Frame] = []
        self.media = Recent()
        self._callbacks: list[Callable[[], object]] = []
        self.current = FakeStatus()
        self.named_server: str | None = None
        self.tokens = FakeSecrets(mint(TokenKind.VIEW), mint(TokenKind.CLAIM))
        self.after_refresh: RunInfo | None = None
        self.refreshes = 0
        self.known = RunInfo(
            run_id=self.run_id,
            account="anon-3f9",
            project="digits",
            id="k3x9p0wz",
            name=name,
            state=RunState.RUNNING,
            anonymous=anonymous,
            created_at=START,
            server_time=START,
            url_path=f"r/{self.run_id}",
            expires_at=START + timedelta(days=7) if anonymous else None,
        )

    @property
    def url(self) -> str | None:
        server = self.current.server
        base = self.named_server if server is None else server.url
        return None if base is None else f"{base}{self.known.url_path}"

    def log(self, row: Mapping[str, float], step: int | None = None) -> None:
        at = self.current.rows if step is None else step
        time_us = START_US + 100_000 * self.current.rows
        self._rows.append(Frame.of(list(row), [at], [time_us], [[value] for value in row.values()]))
        self.current = replace(self.current, rows=self.current.rows + 1)

    @property
    def disabled(self) -> bool:
        return False

    def feed(self) -> FakeFeed:
        return FakeFeed(self._rows)

    def recent_media(self) -> Recent:
        return self.media

    def info(self) -> RunInfo:
        return self.known

    def status(self) -> FakeStatus:
        return self.current

    def secrets(self) -> FakeSecrets:
        return self.tokens

    def on_finish(self, callback: Callable[[], object]) -> None:
        self._callbacks.append(callback)

    def refresh(self) -> None:
        self.refreshes += 1
        if self.after_refresh is not None:
            self.known = self.after_refresh

    def note_failure(self, exc: BaseException) -> None:
        self.current = replace(self.current, failure=f"{type(exc).__name__}: {exc}")

    def finish(self, state: RunState = RunState.FINISHED) -> None:
        self.current = replace(self.current, state=state)
        for callback in self._callbacks:
            callback()

    def claimed(self) -> RunInfo:
        return replace(self.known, anonymous=False, expires_at=None, account="ada")
