"""`{base_url}anonrun/…`: the embedded server's pages and API, for whoever Jupyter has signed in.

Only Jupyter decides who comes in; who has come in is vouched for by a header whose secret stands in the
embedded server's state file. The server is looked up at each request, and started where it does not run.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import AddSlashHandler, ProxyHandler
from tornado.iostream import StreamClosedError

from anonrun.jupyter.headers import forwarded_headers, forwarded_query, our_token
from anonrun.jupyter.upstream import Unavailable, Upstream, unavailable_page, upstream

__all__ = ["EmbeddedServerHandler", "handlers"]

_HOST = "127.0.0.1"


class EmbeddedServerHandler(ProxyHandler):  # type: ignore[misc]  # jupyter-server-proxy has no types
    """Passes a request on to the embedded server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  tornado's signature
        # Pages that are open but unused must not keep a hub from ending an idle server.
        super().__init__(*args, update_last_activity=False, **kwargs)
        self.proxy_base = "anonrun"
        self._upstream: Upstream | None = None
        self._authorization: str | None = None

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
            self.set_status(503)
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
            self.set_header("Cache-Control", "no-store")
            await self.finish(unavailable_page(found))
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

    def get_client_uri(self, protocol: str, host: str, port: int, proxied_path: str) -> str:
        """Return the address asked of the embedded server, without Jupyter's token."""
        self.request.query = forwarded_query(self.request.query)
        uri: str = super().get_client_uri(protocol, host, port, proxied_path)
        return uri

    def _record_activity(self) -> None:
        """End a stream whose reader has gone, which the base class would go on with for hours."""
        if self.request.connection.stream.closed():
            raise StreamClosedError


def handlers(base_url: str) -> list[tuple[str, type[Any]]]:
    """Return the routes below Jupyter's base URL."""
    return [
        (url_path_join(base_url, r"anonrun"), AddSlashHandler),
        (url_path_join(base_url, r"anonrun/(.*)"), EmbeddedServerHandler),
    ]
