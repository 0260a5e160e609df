"""The server's HTTP interface as calls with values.

One method a route of docs/protocol.md. An answer that is no success raises `Refusal`, no answer raises
`ServerUnavailableError`; nothing is retried here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from anonrun.client.transport import Request, Response, Transport
from anonrun.core.artifacts import (
    ArtifactInfo,
    ArtifactList,
    ArtifactRequest,
    ArtifactUse,
    RunArtifacts,
    UploadState,
)
from anonrun.core.media import MediaBatch, MediaPage, MediaReceipt
from anonrun.core.messages import (
    AccountInfo,
    AnonymousAccountRequest,
    Cursor,
    Departure,
    DeviceCode,
    DeviceCodes,
    DeviceGrant,
    DeviceRequest,
    LinkInfo,
    LinkRequest,
    MetricInfo,
    PublicationRequest,
    RunInfo,
    RunList,
    RunRequest,
    RunStatus,
    SampledSeries,
    ServerInfo,
    from_json,
    to_json,
)
from anonrun.core.tokens import redact
from anonrun.core.wire import CONTENT_TYPE
from anonrun.errors import AnonrunError, AuthenticationError, NotFoundError, ServerError

__all__ = ["Refusal", "Remote", "as_public_error", "retry_after_s"]

T = TypeVar("T")

_OK = range(200, 300)


class Refusal(ServerError):  # noqa: N818  an answer of the server's, which is often expected
    """An answer that is no success.

    Attributes:
        detail: what the server says about it.
        problem: all of its answer.
        retry_after_s: how long it asks to wait; None where it does not say.
    """

    def __init__(
        self, *, status: int, code: str, detail: str, problem: Mapping[str, Any], retry_after_s: float | None
    ) -> None:
        super().__init__(detail, status=status, code=code)
        self.detail = detail
        self.problem = problem
        self.retry_after_s = retry_after_s


def as_public_error(refusal: Refusal, what: str) -> AnonrunError:
    """Return the documented exception for a refusal; `what` names what was asked for."""
    if refusal.status == 401:  # noqa: PLR2004  HTTP's own numbers say it best
        return AuthenticationError(
            f"The server refused the API key: {refusal.detail} Give another one, or run `anonrun login`."
        )
    if refusal.status in (404, 410):
        return NotFoundError(f"{what}: {refusal.detail}")
    return ServerError(f"{what}: {refusal.detail}", status=refusal.status, code=refusal.code)


def retry_after_s(text: str, now: datetime) -> float | None:
    """Return how long a `Retry-After` asks to wait: seconds or an HTTP date (RFC 9110 §10.2.3); None for anything else.

    Example:
        >>> retry_after_s("Fri, 31 Dec 1999 23:59:59 GMT", datetime(1999, 12, 31, 23, 59, 29, tzinfo=timezone.utc))
        30.0
    """
    try:
        wait = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime  # noqa: PLC0415  rare, and not cheap to import

        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = max(0.0, (at.replace(tzinfo=at.tzinfo or timezone.utc) - now).total_seconds())
    return wait if 0 <= wait < float("inf") else None


def _refusal(response: Response) -> Refusal:
    try:
        problem = json.loads(response.body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    if response.status in range(300, 400):
        to = redact(response.headers.get("location", "another address"))
        detail = f"It redirects to {to}, which is not followed; name that address as the server if you trust it."
        problem = {"code": "redirected", "detail": detail}
    detail = problem.get("detail") or problem.get("title") or f"It answered with HTTP status {response.status}."
    return Refusal(
        status=response.status,
        code=str(problem.get("code") or f"http_{response.status}"),
        detail=redact(str(detail)),
        problem=problem,
        retry_after_s=retry_after_s(response.headers.get("retry-after", ""), datetime.now(timezone.utc)),
    )


class Remote:
    """Calls to one server by way of `transport`."""

    def __init__(self, transport: Transport, *, timeout_s: float = 10.0) -> None:
        self._transport = transport
        self._timeout_s = timeout_s

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        vouch: str | None = None,
        body: object = None,
        raw: bytes | None = None,
        content_type: str = CONTENT_TYPE,
        part: tuple[int, int] | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """Send one request and return its success.

        Raises:
            Refusal: the answer is no success.
            ServerUnavailableError: there is no answer.
        """
        data = raw if raw is not None or body is None else json.dumps(to_json(body), allow_nan=False).encode()
        response = self._transport.send(
            Request(
                method=method,
                path=path,
                token=token,
                vouch=vouch,
                body=data,
                content_type="application/json" if raw is None else content_type,
                part=part,
                timeout_s=timeout_s or self._timeout_s,
            )
        )
        if response.status not in _OK:
            raise _refusal(response)
        return response

    def _message(self, cls: type[T], response: Response) -> T:
        try:
            return from_json(cls, json.loads(response.body))
        except ValueError as exc:
            text = "Its answer cannot be read: is this an anonrun server, of a version like this one?"
            raise Refusal(status=502, code="answer_unreadable", detail=text, problem={}, retry_after_s=None) from exc

    def server(self, *, timeout_s: float | None = None) -> ServerInfo:
        """Return what anyone may know of the server."""
        return self._message(ServerInfo, self.call("GET", "/api/v1/server", timeout_s=timeout_s))

    def make_anonymous_account(self, key_hash: str) -> AccountInfo:
        """Make an anonymous account, or find the one of this hash."""
        body = AnonymousAccountRequest(key_hash=key_hash)
        return self._message(AccountInfo, self.call("POST", "/api/v1/accounts/anonymous", body=body))

    def account(self, key: str) -> AccountInfo:
        """Return whose key this is."""
        return self._message(AccountInfo, self.call("GET", "/api/v1/account", token=key))

    def begin_device_login(self, request: DeviceRequest) -> DeviceCodes:
        """Begin a login that is approved in a browser."""
        return self._message(DeviceCodes, self.call("POST", "/api/v1/device", body=request))

    def finish_device_login(self, device_code: str) -> DeviceGrant:
        """Return what was granted; while nobody has decided, this is refused."""
        body = DeviceCode(device_code=device_code)
        return self._message(DeviceGrant, self.call("POST", "/api/v1/device/token", body=body))

    def make_run(self, key: str, request: RunRequest | dict[str, Any]) -> RunInfo:
        """Make a run, or find it again."""
        return self._message(RunInfo, self.call("POST", "/api/v1/runs", token=key, body=request))

    def runs(self, key: str, *, project: str | None = None, limit: int = 100, after: str | None = None) -> RunList:
        """Return a page of the account's runs, newest first."""
        query = {"project": project, "limit": limit, "after": after}
        given = urlencode({k: v for k, v in query.items() if v is not None})
        return self._message(RunList, self.call("GET", f"/api/v1/runs?{given}", token=key))

    def run(self, token: str | None, run_id: str) -> RunInfo:
        """Return one run."""
        return self._message(RunInfo, self.call("GET", _run(run_id), token=token))

    def update(self, token: str, run_id: str, fields: dict[str, Any]) -> RunStatus:
        """Change fields of a run."""
        return self._message(RunStatus, self.call("PATCH", _run(run_id), token=token, body=fields))

    def delete(self, token: str, run_id: str) -> None:
        """Delete a run at once."""
        self.call("DELETE", _run(run_id), token=token)

    def send_segments(self, token: str, run_id: str, segments: bytes) -> Cursor:
        """Deliver segments of one writer."""
        return self._message(
            Cursor, self.call("POST", f"{_run(run_id)}/segments", token=token, raw=segments, timeout_s=30)
        )

    def cursor(self, token: str, run_id: str, writer: int) -> Cursor:
        """Return how far a writer's stream has arrived."""
        return self._message(Cursor, self.call("GET", f"{_run(run_id)}/writers/{writer}", token=token))

    def send_media(self, token: str, run_id: str, batch: MediaBatch) -> MediaReceipt:
        """Deliver items of media; those that are there already are ignored."""
        data = json.dumps(to_json(batch), ensure_ascii=False, allow_nan=False).encode()  # texts take up to half as much
        path, kind = f"{_run(run_id)}/media", "application/json"
        return self._message(
            MediaReceipt, self.call("POST", path, token=token, raw=data, content_type=kind, timeout_s=30)
        )

    def media(
        self,
        token: str | None,
        run_id: str,
        *,
        after: int = 0,
        most: int | None = None,
        kinds: Iterable[str] = (),
        keys: Iterable[str] = (),
    ) -> MediaPage:
        """Return items of media that arrived after a position, about `most` bytes; pictures without their contents."""
        query: list[tuple[str, object]] = [("after", after), *(() if most is None else [("most", most)])]
        query += [("kind", kind) for kind in kinds]
        query += [("key", key) for key in keys]
        path = f"{_run(run_id)}/media?{urlencode(query)}"
        return self._message(MediaPage, self.call("GET", path, token=token, timeout_s=60))

    def media_content(self, token: str | None, run_id: str, media_id: str) -> bytes:
        """Return the bytes of one item."""
        path = f"{_run(run_id)}/media/{quote(media_id, safe='')}"
        return self.call("GET", path, token=token, timeout_s=60).body

    def run_artifacts(self, token: str, run_id: str) -> RunArtifacts:
        """Return what a run has to do with artifacts."""
        return self._message(RunArtifacts, self.call("GET", f"{_run(run_id)}/artifacts", token=token))

    def depart(self, key: str, run_id: str, departure: Departure) -> None:
        """Have a run go that is whole on another server."""
        self.call("POST", f"{_run(run_id)}/departure", token=key, body=departure)

    def heartbeat(self, token: str, run_id: str) -> RunStatus:
        """Say that the run is alive."""
        return self._message(RunStatus, self.call("POST", f"{_run(run_id)}/heartbeat", token=token))

    def metrics(self, token: str | None, run_id: str) -> list[MetricInfo]:
        """Return the run's metrics."""
        response = self.call("GET", f"{_run(run_id)}/metrics", token=token)
        return [from_json(MetricInfo, entry) for entry in json.loads(response.body)]

    def series(self, token: str, run_id: str, metrics: Iterable[str] = ()) -> bytes:
        """Return segments with every point of these metrics, or of all."""
        query = urlencode([("metric", name) for name in metrics])
        path = f"{_run(run_id)}/series" + (f"?{query}" if query else "")
        return self.call("GET", path, token=token, timeout_s=60).body

    def series_page(self, token: str, run_id: str, *, after: int, most: int) -> tuple[bytes, int]:
        """Return segments with what arrived after a position, about `most` bytes, and the position up to which they go.

        That position is `after` where there is no more.
        """
        path = f"{_run(run_id)}/series?{urlencode({'after': after, 'most': most})}"
        response = self.call("GET", path, token=token, timeout_s=60)
        position = response.headers.get("anonrun-position", "")
        if not position.isdecimal():
            text = "Its answer has no position: is this an anonrun server, of a version like this one?"
            raise Refusal(status=502, code="answer_unreadable", detail=text, problem={}, retry_after_s=None)
        return response.body, int(position)

    def sampled(
        self,
        token: str | None,
        run_id: str,
        metrics: Iterable[str],
        *,
        points: int,
        start: float | None,
        end: float | None,
        x: str = "step",
    ) -> SampledSeries:
        """Return metrics reduced to buckets along x."""
        query: list[tuple[str, object]] = [("metric", name) for name in metrics]
        query += [(k, v) for k, v in (("points", points), ("start", start), ("end", end), ("x", x)) if v is not None]
        path = f"{_run(run_id)}/sampled?{urlencode(query)}"
        return self._message(SampledSeries, self.call("GET", path, token=token, timeout_s=60))

    def export(self, token: str, run_id: str, form: str) -> bytes:
        """Return the whole run as `csv` or `json`."""
        return self.call("GET", f"{_run(run_id)}/export?{urlencode({'format': form})}", token=token, timeout_s=120).body

    def make_link(self, token: str, run_id: str, request: LinkRequest) -> LinkInfo:
        """Make a view link."""
        return self._message(LinkInfo, self.call("POST", f"{_run(run_id)}/links", token=token, body=request))

    def publish(self, key: str, run_id: str, request: PublicationRequest) -> RunInfo:
        """Let anybody read a run."""
        return self._message(RunInfo, self.call("PUT", f"{_run(run_id)}/publication", token=key, body=request))

    def unpublish(self, key: str, run_id: str) -> None:
        """Let nobody read a run who was not let in."""
        self.call("DELETE", f"{_run(run_id)}/publication", token=key)

    def begin_artifact(self, token: str, run_id: str, request: ArtifactRequest) -> ArtifactInfo:
        """Begin a version of an artifact, or find it again; of an anonymous run this is refused."""
        path = f"{_run(run_id)}/artifacts"
        return self._message(ArtifactInfo, self.call("POST", path, token=token, body=request, timeout_s=60))

    def upload(self, token: str, run_id: str, artifact_id: str, digest: str) -> UploadState:
        """Return how far a file has arrived."""
        path = f"{_run(run_id)}/artifacts/{artifact_id}/uploads/{digest}"
        return self._message(UploadState, self.call("GET", path, token=token))

    def send_file(
        self, token: str, run_id: str, artifact_id: str, digest: str, data: bytes, *, offset: int
    ) -> UploadState:
        """Send a part of a file. The last one is answered when all of the file was verified, which may take long."""
        path = f"{_run(run_id)}/artifacts/{artifact_id}/uploads/{digest}?offset={offset}"
        kind = "application/octet-stream"
        return self._message(
            UploadState, self.call("PUT", path, token=token, raw=data, content_type=kind, timeout_s=600)
        )

    def commit_artifact(self, token: str, run_id: str, artifact_id: str) -> ArtifactInfo:
        """Have a version be there for its readers."""
        path = f"{_run(run_id)}/artifacts/{artifact_id}/commit"
        return self._message(ArtifactInfo, self.call("POST", path, token=token, timeout_s=60))

    def use_artifact(self, token: str, run_id: str, artifact_id: str) -> None:
        """Note that a run takes a version."""
        body = ArtifactUse(artifact_id=artifact_id)
        self.call("POST", f"{_run(run_id)}/used-artifacts", token=token, body=body)

    def artifacts(
        self,
        key: str,
        *,
        project: str | None = None,
        name: str | None = None,
        version: str | None = None,
        after: str | None = None,
    ) -> ArtifactList:
        """Return a page of the account's artifacts, newest first, or the one that a version names."""
        query = {"project": project, "name": name, "version": version, "after": after}
        given = urlencode({k: v for k, v in query.items() if v is not None})
        return self._message(ArtifactList, self.call("GET", f"/api/v1/artifacts?{given}", token=key))

    def artifact(self, key: str, artifact_id: str) -> ArtifactInfo:
        """Return a version with its files."""
        return self._message(ArtifactInfo, self.call("GET", _artifact(artifact_id), token=key, timeout_s=60))

    def file_part(self, key: str, artifact_id: str, number: int, start: int, end: int) -> bytes:
        """Return bytes of a file of a version."""
        path = f"{_artifact(artifact_id)}/files/{number}"
        return self.call("GET", path, token=key, part=(start, end), timeout_s=60).body

    def delete_artifact(self, key: str, artifact_id: str) -> None:
        """Delete a version at once."""
        self.call("DELETE", _artifact(artifact_id), token=key)

    def claim(self, key: str, claim_token: str) -> RunList:
        """Move the run, or runs, of a claim token to the account of `key`."""
        return self._message(RunList, self.call("POST", "/api/v1/claims", token=key, body={"token": claim_token}))

    def hand_over(self, token_hash: str, *, key: str | None = None, vouch: str | None = None) -> None:
        """Have the server let in one browser: as the account of `key`, or as the person of this machine by `vouch`."""
        self.call("POST", "/api/v1/handovers", token=key, vouch=vouch, body={"token_hash": token_hash})


def _artifact(artifact_id: str) -> str:
    return f"/api/v1/artifacts/{quote(artifact_id, safe='')}"


def _run(run_id: str) -> str:
    return f"/api/v1/runs/{quote(run_id, safe='')}"
