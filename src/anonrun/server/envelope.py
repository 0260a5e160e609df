"""What surrounds every request: its prefix, its place in the log and the counts, the headers of its answer.

Pure ASGI, so that streams pass through unbuffered. Every HTML answer gets the headers of a page here, whatever
made it, and nothing that is answered may be kept by a cache unless its route says so.
"""

from __future__ import annotations

import logging
import time

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anonrun.server import logs, security
from anonrun.server.services.counters import Counters

__all__ = ["Activity", "Envelope"]

_log = logging.getLogger("anonrun.server.requests")

_OK = 200
_INGEST = "/segments"
_FREQUENT = (_INGEST, "/media", "/heartbeat")


class Activity:
    """Whether anybody needs the server: requests that are being answered, and when the last one ended."""

    def __init__(self) -> None:
        self._open = 0
        self._last_s = time.monotonic()

    def begin(self) -> None:
        """A request has come."""
        self._open += 1

    def end(self) -> None:
        """A request was answered."""
        self._open -= 1
        self._last_s = time.monotonic()

    def idle_s(self) -> float:
        """Return the seconds since the last request ended; 0 while there is one."""
        return 0.0 if self._open else time.monotonic() - self._last_s


class Envelope:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, activity: Activity, counters: Counters) -> None:
        self._app = app
        self._activity = activity
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        request_id = logs.begin_request(connection.headers.get("x-request-id"))
        scope.setdefault("state", {})["prefix"] = security.path_prefix(connection.headers)
        began = time.perf_counter()
        status = 0

        async def dress(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                _add_headers(connection, headers, scope["state"].get("framed_by", ""))
            await send(message)

        self._activity.begin()
        try:
            await self._app(scope, receive, dress)
        finally:
            self._activity.end()
            took_s = time.perf_counter() - began
            self._counters.answered(status or 500)
            if scope["path"].endswith(_INGEST):
                self._counters.ingest_s.observe(took_s)
            fields = {
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": round(took_s * 1e3, 1),
            }
            # A run that is followed delivers ten times a second; what goes well with that is no news.
            level = logging.DEBUG if status == _OK and scope["path"].endswith(_FREQUENT) else logging.INFO
            _log.log(level, "request", extra={"fields": fields})


def _add_headers(connection: HTTPConnection, headers: MutableHeaders, framed_by: str) -> None:
    headers.setdefault("X-Content-Type-Options", "nosniff")
    if headers.get("content-type", "").startswith("text/html"):
        for name, value in security.page_headers(https=security.is_https(connection), framed_by=framed_by).items():
            headers[name] = value
    else:
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Referrer-Policy", "no-referrer")
