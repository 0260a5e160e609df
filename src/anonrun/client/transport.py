"""The seam to the network: one request, one answer.

Everything above this module can be tested with another `Transport`. A transport never follows a redirect, so
that a token goes nowhere but to the server that was named, and adds no credentials of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from anonrun._version import __version__
from anonrun.client.address import is_loopback
from anonrun.errors import ServerUnavailableError

if TYPE_CHECKING:
    import http.client

    import requests

__all__ = ["HttpTransport", "LoopbackTransport", "NoAnswerError", "Request", "Response", "Transport", "open_transport"]

_USER_AGENT = f"anonrun/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked.

    Attributes:
        path: path and query below the server's root, such as `/api/v1/server`.
        token: goes into `Authorization: Bearer`; None sends none.
        vouch: the embedded server's secret, which stands for the person whose machine it is; None sends none.
        timeout_s: for connecting, and for each wait for bytes.
        part: only the bytes from the first number up to the second, which is not included; None asks for all.
    """

    method: str
    path: str
    token: str | None = field(default=None, repr=False)
    vouch: str | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    timeout_s: float = 10.0
    part: tuple[int, int] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """All headers to send."""
        headers = {"Accept": "application/json, */*;q=0.5", "User-Agent": _USER_AGENT}
        if self.body is not None:
            headers["Content-Type"] = self.content_type
        if self.part is not None:
            headers["Range"] = f"bytes={self.part[0]}-{self.part[1] - 1}"
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.vouch is not None:
            headers |= {"X-Anonrun-Vouch": self.vouch, "Sec-Fetch-Site": "none"}
        return headers


@dataclass(frozen=True, slots=True)
class Response:
    """What was answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class NoAnswerError(ServerUnavailableError):
    """There was no answer from an address."""

    def __init__(self, url: str, exc: BaseException) -> None:
        super().__init__(f"No answer from {url}: {_reason(exc).rstrip('.')}.")


class Transport(Protocol):
    """Sends requests to one server; may be used by several threads."""

    def send(self, request: Request) -> Response:
        """Return the answer, whatever its status.

        Raises:
            ServerUnavailableError: there is none; whether the request has had an effect is not known.
        """

    def close(self) -> None:
        """Let go of connections."""


def open_transport(url: str) -> Transport:
    """Return the transport for a server's address."""
    if urlsplit(url).scheme == "http" and is_loopback(url):
        return LoopbackTransport(url)
    return HttpTransport(url)


class HttpTransport:
    """By `requests`: knows the machine's proxies and certificates, keeps connections open."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: requests.Session | None = None
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        import requests  # noqa: PLC0415  takes longer to import than anonrun itself; loopback never needs it

        with self._lock:
            if self._session is None:
                self._session = requests.Session()
            session = self._session
        try:
            answer = session.request(
                request.method,
                self._url + request.path,
                data=request.body,
                headers=request.headers,
                timeout=request.timeout_s,
                allow_redirects=False,
                auth=_leave_as_it_is,
            )
            return Response(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)
        except (requests.RequestException, ValueError) as exc:
            raise NoAnswerError(self._url, exc) from exc

    def close(self) -> None:
        """See `Transport.close`."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def __del__(self) -> None:
        if self._session is not None:  # an Api that was simply dropped leaves no open socket to warn about
            self._session.close()


def _leave_as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand in as authentication, so that `requests` does not put what ~/.netrc says in the token's place."""
    return request


class LoopbackTransport:
    """To a server on this machine, by the standard library: no proxy, no certificate, nothing slow to import."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = url
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._prefix = parts.path
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        import http.client  # noqa: PLC0415  a third of what `import anonrun` may take

        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._exchange(kept, request)
            except TimeoutError as exc:
                kept.close()
                raise NoAnswerError(self._url, exc) from exc
            except (OSError, http.client.HTTPException):
                kept.close()  # the server closed it while it lay idle, perhaps; a new one tells
        fresh = http.client.HTTPConnection(self._host, self._port, timeout=request.timeout_s)
        try:
            return self._exchange(fresh, request)
        except (OSError, http.client.HTTPException) as exc:
            fresh.close()
            raise NoAnswerError(self._url, exc) from exc

    def _exchange(self, connection: http.client.HTTPConnection, request: Request) -> Response:
        connection.timeout = request.timeout_s
        if connection.sock is not None:
            connection.sock.settimeout(request.timeout_s)
        connection.request(request.method, self._prefix + request.path, body=request.body, headers=request.headers)
        answer = connection.getresponse()
        body = answer.read()
        response = Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)
        if answer.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return response

    def close(self) -> None:
        """See `Transport.close`."""
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def __del__(self) -> None:
        for connection in self._idle:  # an Api that was simply dropped leaves no open socket to warn about
            connection.close()


def _reason(exc: BaseException) -> str:
    """Return the innermost reason, which is the one a person can act on."""
    while True:
        inner = exc.__cause__ or exc.__context__ or next((a for a in exc.args if isinstance(a, BaseException)), None)
        if inner is None:
            break
        exc = inner
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
