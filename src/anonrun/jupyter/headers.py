"""What of a browser's request reaches the embedded server, and what the proxy adds.

Pure. Invariants: nothing that Jupyter itself uses to know its user goes on (cookies, tokens, in headers
or query); nobody outside can vouch for a user; a write from another site cannot look like one from ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from anonrun.core.tokens import TOKEN_PATTERN

__all__ = ["VOUCH", "forwarded_headers", "forwarded_query", "our_token"]

VOUCH = "X-Anonrun-Vouch"

_BEARER = "bearer "
_COOKIES = ("__Host-anonrun_", "anonrun_")
_KEPT = frozenset(
    {
        "accept", "accept-language", "cache-control", "content-type", "if-modified-since", "if-none-match",
        "last-event-id", "origin", "range", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "user-agent",
    }
)  # fmt: skip
"""Request headers that the embedded server has a use for; all others stay here."""


def our_token(authorization: str) -> str | None:
    """Return an `Authorization` header's value where it holds a token of ours, else None."""
    scheme, token = authorization[: len(_BEARER)], authorization[len(_BEARER) :].strip()
    return f"Bearer {token}" if scheme.lower() == _BEARER and TOKEN_PATTERN.fullmatch(token) else None


def _our_cookies(header: str) -> str:
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return ""
    return "; ".join(f"{name}={morsel.coded_value}" for name, morsel in cookies.items() if name.startswith(_COOKIES))


def forwarded_headers(
    incoming: Iterable[tuple[str, str]], *, authorization: str | None, host: str, upstream: str, vouch: str
) -> dict[str, str]:
    """Return the headers with which a request goes on.

    Args:
        incoming: the browser's headers.
        authorization: a token of ours, as `our_token` gives it; None where there is none.
        host: the `Host` at which the browser sees Jupyter.
        upstream: origin of the embedded server.
        vouch: the secret that says that Jupyter has signed its user in.
    """
    headers: dict[str, str] = {}
    for name, value in incoming:
        if name.lower() in _KEPT:
            headers[name] = value
        elif name.lower() == "cookie" and (cookies := _our_cookies(value)):
            headers["Cookie"] = cookies
    # The scheme is not compared: behind a proxy that ends TLS, Jupyter does not know it.
    if urlsplit(headers.get("Origin", "")).netloc.lower() == host.lower():
        headers["Origin"] = upstream  # to the embedded server, its own pages come from its own address
    if authorization is not None:
        headers["Authorization"] = authorization
    headers[VOUCH] = vouch
    return headers


def forwarded_query(query: str) -> str:
    """Return a query without Jupyter's own token."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if all(name != "token" for name, _ in pairs):
        return query
    return urlencode([(name, value) for name, value in pairs if name != "token"])
