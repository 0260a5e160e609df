"""Who asks, where trusted proxies stand between: what they say takes their place before anything else looks."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from anonrun.server.networks import Networks, client_address, is_in

__all__ = ["Forwarded"]


class Forwarded:
    """Middleware that puts who really asks, and by which scheme, in the place of a trusted proxy."""

    def __init__(self, app: ASGIApp, *, trusted: Networks) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        peer = scope.get("client")
        if scope["type"] == "http" and peer and is_in(peer[0], self._trusted):
            named: dict[bytes, list[str]] = {b"x-forwarded-for": [], b"x-forwarded-proto": []}
            for key, value in scope["headers"]:
                if key in named:
                    named[key].append(value.decode("latin-1"))
            address = client_address(peer[0], named[b"x-forwarded-for"], self._trusted)
            schemes = [scheme.strip().lower() for value in named[b"x-forwarded-proto"] for scheme in value.split(",")]
            scheme = schemes[-1] if schemes and schemes[-1] in {"http", "https"} else scope["scheme"]
            port = peer[1] if address == peer[0] else 0
            scope = {**scope, "client": (address, port), "scheme": scheme}
        await self._app(scope, receive, send)
