"""Which answers pages of other sites may read: none; or, where the operator says so, what a view token reads (R29).

Never with credentials: a browser then hides every answer to a request that carried a cookie. What a page of another
site reads, it reads by a token that it has, or because the run is published.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CrossOriginReads"]

_VIEW = re.compile(r"/api/v1/runs/[^/]+(?:/(?:metrics|sampled|series|export|media(?:/[^/]+)?))?")
_AGE_S = "600"


class CrossOriginReads:
    """Middleware that opens the reading of single runs to pages of every site."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or not _VIEW.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and asked.get("access-control-request-method") == "GET":
            headers = {
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": "GET",
                "Access-Control-Allow-Headers": "Authorization",
                "Access-Control-Max-Age": _AGE_S,
            }
            await Response(status_code=204, headers=headers)(scope, receive, send)
            return

        async def open_up(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Access-Control-Expose-Headers"] = "Anonrun-Position"
            await send(message)

        # A cookie, or Jupyter's word, must never be what a page of another site reads by.
        alone = "cookie" not in asked and "x-anonrun-vouch" not in asked
        await self._app(scope, receive, open_up if scope["method"] == "GET" and alone else send)
