"""`{base_url}anonrun/…`: the embedded server's pages and API, for whoever Jupyter has signed in.

Only Jupyter decides who comes in; who has come in is vouched for by a header whose secret stands in the
embedded server's state file. The server is looked up at each request, and started where it does not run.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp  # comes with jupyter-server-proxy
from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import AddSlashHandler, ProxyHandler
from tornado import httputil
from tornado.iostream import StreamClosedError

from anonrun.jupyter.headers import forwarded_headers, forwarded_query, our_token
from anonrun.jupyter.upstream import Unavailable, Upstream, unavailable_page, upstream

__all__ = ["EmbeddedServerHandler", "handlers"]

_HOST = "127.0.0.1"
_CONNECT_S = 10.0
_SILENCE_S = 60.0  # the server says something every 15 s
_OF_THE_CONNECTION = frozenset({"connection", "content-length", "transfer-encoding"})


class EmbeddedServerHandler(ProxyHandler):  # type: ignore[misc]  # jupyter-server-proxy has no types
    """Passes a request on to the embedded server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  tornado's signature
        # Pages that are open but unused must not keep a hub from ending an idle server.
        super().__init__(*args, update_last_activity=False, **kwargs)
        self.proxy_base = "anonrun"
        self._upstream: Upstream | None = None
        self._authorization: str | None = None
        self._streaming: asyncio.Task[Any] | None = None

    async def prepare(self) -> None:
        """Let Jupyter decide who comes in; a token of ours is none of its business."""
        self._authorization = our_token(self.request.headers.get("Authorization", ""))
        if self._authorization is not None:
            del self.request.headers["Authorization"]
        await super().prepare()

    async def _pass_on(self, path: str) -> None:
        self.request.headers.pop("Upgrade", None)  # there is nothing to speak WebSocket with
        found = await asyncio.get_running_loop().run_in_executor(None, upstream, path)
        if isinstance(found, Unavailable):
            self.set_status(found.status)
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header(
                "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
            )
            self.set_header("Cache-Control", "no-store")
            self.finish(unavailable_page(found))
            return
        self._upstream = found
        await self.proxy(_HOST, found.port, path)

    async def http_get(self, path: str) -> None:
        """Read."""
        await self._pass_on(path)

    async def get(self, path: str = "") -> None:
        """Read; there is no WebSocket here."""
        await self._pass_on(path)

    head = post = put = patch = delete = options = get

    def proxy_request_headers(self) -> dict[str, str]:
        """Return the headers with which the request goes on."""
        assert self._upstream is not None, "set before the request goes on"
        return forwarded_headers(
            self.request.headers.get_all(),
            authorization=self._authorization,
            host=self.request.host,
            upstream=f"http://{_HOST}:{self._upstream.port}",
            vouch=self._upstream.vouch,
        )

    def proxy_request_options(self) -> dict[str, Any]:
        """Return tornado's options; a DELETE may have a body."""
        return {**super().proxy_request_options(), "allow_nonstandard_methods": True}

    def get_client_uri(self, protocol: str, host: str, port: int, proxied_path: str) -> str:
        """Return the address asked of the embedded server, without Jupyter's token."""
        self.request.query = forwarded_query(self.request.query)
        uri: str = super().get_client_uri(protocol, host, port, proxied_path)
        return uri

    async def _proxy_progressive(self, host: str, port: int, proxied_path: str, *_unused: object) -> None:
        """Pass a stream of events on, and end it at the source when its reader goes.

        The base class would go on reading for two hours, and log a traceback for each page that is closed.
        """
        url = self.get_client_uri("http", host, port, proxied_path)
        headers = {**self.proxy_request_headers(), "X-Forwarded-Context": self._get_context_path(host, port)}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
        self._streaming = asyncio.current_task()
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, StreamClosedError, asyncio.CancelledError):
            async with (
                aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
                session.request(self.request.method or "GET", url, headers=headers, allow_redirects=False) as answer,
            ):
                self.set_status(answer.status)
                self._headers = httputil.HTTPHeaders()
                for name, value in answer.headers.items():
                    if name.lower() not in _OF_THE_CONNECTION:
                        self.add_header(name, value)
                async for chunk in answer.content.iter_any():
                    self.write(chunk)
                    self.flush()
        self._streaming = None

    def on_connection_close(self) -> None:
        """The browser has gone; so does the stream that it read."""
        if self._streaming is not None:
            self._streaming.cancel()
        super().on_connection_close()


def handlers(base_url: str) -> list[tuple[str, type[Any]]]:
    """Return the routes below Jupyter's base URL."""
    return [
        (url_path_join(base_url, r"anonrun"), AddSlashHandler),
        (url_path_join(base_url, r"anonrun/(.*)"), EmbeddedServerHandler),
    ]
