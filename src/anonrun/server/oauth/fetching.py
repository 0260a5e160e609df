"""Requests to providers: bounded in time and bytes, encrypted, and never led elsewhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import httpx2 as httpx

from anonrun.server.providers import is_loopback

__all__ = ["MOST_BYTES", "WITHIN_S", "Bounded", "client_options", "fetch_json"]

WITHIN_S = 8.0
"""How long one answer may take, from the first byte that is sent to the last that is read."""
MOST_BYTES = 256 * 1024
"""How long one answer may be; a large provider's keys take 10 kB."""

for _name in ("authlib", "httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # what they say below it has codes and secrets in it


class Bounded(httpx.AsyncBaseTransport):
    """Carries requests over `inner`.

    Args:
        inner: what really sends them; None for the network.
        unencrypted: addresses' beginnings that may be asked without encryption, beside this machine's.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None, *, unencrypted: tuple[str, ...] = ()) -> None:
        self._inner = inner or httpx.AsyncHTTPTransport(retries=0)
        self._unencrypted = unencrypted

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the whole answer.

        Raises:
            httpx.TransportError: the address is not encrypted, or the answer is late, too long or packed.
        """
        address = str(request.url)
        if request.url.scheme != "https" and not is_loopback(address) and not address.startswith(self._unencrypted):
            raise httpx.UnsupportedProtocol("the address is not encrypted", request=request)
        request.headers["Accept-Encoding"] = "identity"  # so that no few bytes unpack to many
        try:
            return await asyncio.wait_for(self._whole(request), WITHIN_S)
        except asyncio.TimeoutError:
            raise httpx.ReadTimeout(f"no whole answer within {WITHIN_S:.0f} s", request=request) from None

    async def _whole(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        try:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise httpx.DecodingError("the answer is packed", request=request)
            body = bytearray()
            assert isinstance(answer.stream, httpx.AsyncByteStream), "an asynchronous transport gives no other"
            async for part in answer.stream:
                body += part
                if len(body) > MOST_BYTES:
                    raise httpx.ReadError(f"the answer has more than {MOST_BYTES} bytes", request=request)
        finally:
            await answer.aclose()
        return httpx.Response(answer.status_code, headers=answer.headers, content=bytes(body), request=request)

    async def aclose(self) -> None:
        """Close what was kept open."""
        await self._inner.aclose()


def client_options(*, unencrypted: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what every HTTP client for providers is made with; each needs its own."""
    return {
        "transport": Bounded(unencrypted=unencrypted),
        "timeout": WITHIN_S,
        "follow_redirects": False,
        "trust_env": False,  # no password from a .netrc
    }


async def fetch_json(address: str) -> Mapping[str, Any]:
    """Return the JSON object at an address.

    Raises:
        httpx.HTTPError: there is no answer, or none that says yes.
        ValueError: it is no JSON object.
    """
    async with httpx.AsyncClient(**client_options()) as client:
        answer = await client.get(address, headers={"Accept": "application/json"})
        answer.raise_for_status()
        found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004  what was sent is wrong, not who calls
    return found
