"""A server in memory, and a network that loses things, behind the client's transport."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from anonrun.client.delivery import Connection
from anonrun.client.identity import Credential
from anonrun.client.remote import Remote
from anonrun.client.status import ServerRef
from anonrun.client.transport import Request, Response
from anonrun.core.media import MediaBatch, MediaItem, MediaReceipt, item_problem
from anonrun.core.messages import RunInfo, RunState, RunStatus, from_json, to_json
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.core.wire import decode_all
from anonrun.errors import ServerUnavailableError

URL = "http://server.test"


def answer(status: int, body: Any, **headers: str) -> Response:
    return Response(status, headers, json.dumps(to_json(body)).encode())


def problem(status: int, code: str, **more: Any) -> Response:
    headers = {"retry-after": str(more.pop("retry_after"))} if "retry_after" in more else {}
    return answer(
        status, {"status": status, "code": code, "title": code, "detail": f"Because {code}.", **more}, **headers
    )


@dataclass
class StoredRun:
    request: dict[str, Any]
    state: str = "running"
    writers: dict[int, list[tuple[int, dict[str, float]]]] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    media: dict[str, MediaItem] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[int, dict[str, float]]]:
        return [row for rows in self.writers.values() for row in rows]

    def values(self, metric: str) -> list[float]:
        return [row[metric] for _, row in self.rows if metric in row]


class MemoryServer:
    """Follows docs/protocol.md for what a writer asks; implements `Transport`."""

    def __init__(self, instance: str = "one") -> None:
        self.instance = instance
        self.keys: set[str] = set()
        self.runs: dict[str, StoredRun] = {}
        self.requests: list[str] = []
        self.refuse: Callable[[Request], Response | None] = lambda _request: None
        self.now = datetime.now(timezone.utc)

    def send(self, request: Request) -> Response:
        self.requests.append(f"{request.method} {request.path}")
        refusal = self.refuse(request)
        if refusal is not None:
            return refusal
        parts = request.path.removeprefix("/api/v1/").split("/")
        body = request.body or b""
        if parts == ["accounts", "anonymous"]:
            self.keys.add(json.loads(body)["key_hash"])
            return answer(201, {"name": "anon-1", "kind": "anonymous", "created_at": self.now})
        if parts == ["runs"]:
            return self._make_run(request, json.loads(body))
        run = self.runs.get(parts[1])
        if run is None or token_hash(request.token or "").hex() != run.request["tokens"]["write"]:
            return problem(401, "token_invalid")
        return self._of_run(run, request.method, parts[2:], body)

    def close(self) -> None:
        pass

    def _make_run(self, request: Request, body: dict[str, Any]) -> Response:
        if token_hash(request.token or "").hex() not in self.keys:
            return problem(401, "token_invalid")
        if body["run_id"] not in self.runs and any(r.request["id"] == body["id"] for r in self.runs.values()):
            return problem(409, "run_exists")
        self.runs.setdefault(body["run_id"], StoredRun(body))
        return answer(201, self._info(body["run_id"]))

    def _of_run(self, run: StoredRun, method: str, rest: list[str], body: bytes) -> Response:
        if method == "PATCH":
            fields = json.loads(body)
            run.changes.update(fields)
            run.state = fields.get("state", run.state)
            return answer(200, self._status(run))
        if rest == ["heartbeat"]:
            return answer(200, self._status(run))
        if rest == ["segments"]:
            return self._take(run, body)
        if rest == ["media"]:
            return self._take_media(run, body)
        if rest[0] == "writers":
            return answer(200, {"next": len(run.writers.get(int(rest[1]), [])), "status": self._status(run)})
        return problem(404, "not_found")

    def _take(self, run: StoredRun, body: bytes) -> Response:
        rows: list[tuple[int, dict[str, float]]] = []
        for segment in decode_all(body):
            rows = run.writers.setdefault(segment.header.writer, [])
            start, end = segment.header.seq, segment.header.seq + segment.header.rows
            if end <= len(rows):
                continue
            if start != len(rows):
                return problem(409, "segment_gap", next=len(rows))
            for frame in segment.frames:
                for at, step in enumerate(frame.steps):
                    rows.append((step, {n: c[at] for n, c in zip(frame.names, frame.columns, strict=True)}))
        return answer(200, {"next": len(rows), "status": self._status(run)})

    def _take_media(self, run: StoredRun, body: bytes) -> Response:
        items = from_json(MediaBatch, json.loads(body)).items
        for number, item in enumerate(items):
            if (wrong := item_problem(item)) is not None:
                return problem(422, "media_invalid", item=number, detail=wrong)
        before = len(run.media)
        run.media.update({item.media_id: item for item in items})
        return answer(200, MediaReceipt(stored=len(run.media) - before, position=len(run.media)))

    def _status(self, run: StoredRun) -> RunStatus:
        return RunStatus(
            state=RunState(run.state), anonymous=True, expires_at=self.now + timedelta(days=7), server_time=self.now,
            account="anon-1",
        )  # fmt: skip

    def _info(self, run_id: str) -> RunInfo:
        request = self.runs[run_id].request
        return RunInfo(
            run_id=run_id, account="anon-1", project=request["project"], id=request["id"], name=request["name"] or "x",
            state=RunState.RUNNING, anonymous=True, created_at=self.now, server_time=self.now, url_path=f"r/{run_id}",
            expires_at=self.now + timedelta(days=7),
        )  # fmt: skip


class FaultyNetwork:
    """Passes requests on, but loses some: each fault is taken by one request.

    Args:
        faults: `lost` (the request never arrives), `unheard` (it arrives, its answer does not), None (all is well).
    """

    def __init__(self, inner: MemoryServer, faults: Iterable[str | None]) -> None:
        self._inner = inner
        self._faults = iter(faults)

    def send(self, request: Request) -> Response:
        fault = next(self._faults, None)
        if fault == "lost":
            raise ServerUnavailableError("No answer from the test's network: lost")
        response = self._inner.send(request)
        if fault == "unheard":
            raise ServerUnavailableError("No answer from the test's network: unheard")
        return response

    def close(self) -> None:
        pass


class MemoryKeys:
    """An anonymous key that the server does not know yet."""

    def __init__(self) -> None:
        self.credential = Credential(mint(TokenKind.API_KEY), "anonymous", new=True)

    def current(self) -> Credential:
        return self.credential

    def instead_of(self, refused: Credential) -> Credential | None:  # noqa: ARG002  there is no other one
        return None


def connecting(server: MemoryServer, transport: Any = None) -> Callable[[], Connection]:
    return lambda: Connection(ServerRef(URL, server.instance, embedded=False), Remote(transport or server))
