"""What guards browsers: headers of pages, requests from other sites, the session's cookie, the path prefix.

Pure functions over headers; the rules are R13 to R16. A page loads nothing from elsewhere, runs no inline
script, cannot be framed, and tells nobody where it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

__all__ = [
    "clear_cookies",
    "cookie_names",
    "is_https",
    "is_same_site",
    "own_url",
    "page_headers",
    "path_prefix",
    "session_reference",
    "set_cookies",
    "settle_cookies",
]

_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; style-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors "
)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_.~@%+=:,-]+){0,16}")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_COOKIE_AGE_S = 30 * 86_400
_LONGEST_PREFIX = 512


def page_headers(*, https: bool, framed_by: str = "") -> dict[str, str]:
    """Return the headers that every HTML answer carries.

    Args:
        https: whether the browser speaks it.
        framed_by: sites, as a content policy names them, that may show this one page in a frame; none if empty.
    """
    headers = {
        "Content-Security-Policy": _POLICY + (framed_by or "'none'"),
        **(
            {} if framed_by else {"X-Frame-Options": "DENY"}
        ),  # it cannot name sites, and is not needed beside the policy
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Robots-Tag": "noindex, nofollow",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def path_prefix(headers: Mapping[str, str]) -> str:
    """Return the path below which a proxy shows this server, without a slash at the end; empty for none.

    Anything that is not plainly a path is ignored: the prefix is written into pages and cookies' redirects.
    """
    raw = headers.get("x-forwarded-context") or headers.get("x-proxycontextpath") or ""
    prefix = raw.rstrip("/")
    if len(prefix) > _LONGEST_PREFIX or not _PREFIX.fullmatch(prefix):
        return ""
    return "" if any(part in {".", ".."} for part in prefix.split("/")) else prefix


def is_same_site(request: HTTPConnection, *, public_url: str) -> bool | None:
    """Whether a browser sent this from one of our own pages; None where nothing says that it was a browser."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None:
        return None
    ours = {urlsplit(public_url).netloc} if public_url else {request.headers.get("host", "")}
    return urlsplit(origin).netloc in ours - {""}


def is_https(request: HTTPConnection) -> bool:
    """Whether the browser speaks https, as far as is known; believing a proxy here only makes us stricter."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto", "").startswith("https")


def own_url(request: HTTPConnection, *, public_url: str) -> str:
    """Return the address under which who asks knows this server, without a slash at the end."""
    if public_url:
        return public_url.rstrip("/")
    scheme = "https" if is_https(request) else "http"
    return f"{scheme}://{request.url.netloc}{path_prefix(request.headers)}"


def cookie_names(instance: str) -> tuple[str, str]:
    """Return the names of the session's cookie: the one that browsers guard, and the one for plain loopback."""
    return f"__Host-anonrun_{instance}", f"anonrun_{instance}"


def session_reference(request: HTTPConnection, instance: str) -> str | None:
    """Return the session reference that the browser sent, the guarded cookie first."""
    guarded, plain = cookie_names(instance)
    return request.cookies.get(guarded) or request.cookies.get(plain)


def _plain_is_allowed(request: HTTPConnection, *, embedded: bool) -> bool:
    """Whether a cookie without `Secure` may be set: some browsers refuse the guarded one on plain loopback."""
    return not is_https(request) and (embedded or (request.url.hostname or "") in _LOOPBACK)


def set_cookies(request: HTTPConnection, response: Response, *, instance: str, reference: str, embedded: bool) -> None:
    """Give the browser its session.

    On plain loopback both cookies are set, since some browsers drop the guarded one there; once it has come
    back, the plain one is no longer used.
    """
    guarded, plain = cookie_names(instance)
    response.set_cookie(guarded, reference, max_age=_COOKIE_AGE_S, path="/", secure=True, httponly=True, samesite="lax")
    if guarded not in request.cookies and _plain_is_allowed(request, embedded=embedded):
        response.set_cookie(plain, reference, max_age=_COOKIE_AGE_S, path="/", httponly=True, samesite="lax")
    elif plain in request.cookies:
        response.delete_cookie(plain, path="/", httponly=True, samesite="lax")


def settle_cookies(request: HTTPConnection, response: Response, *, instance: str) -> None:
    """Drop the plain cookie once the browser has shown that it returns the guarded one."""
    guarded, plain = cookie_names(instance)
    if guarded in request.cookies and plain in request.cookies:
        response.delete_cookie(plain, path="/", httponly=True, samesite="lax")


def clear_cookies(request: HTTPConnection, response: Response, *, instance: str) -> None:
    """Take the session from the browser."""
    guarded, plain = cookie_names(instance)
    response.delete_cookie(guarded, path="/", secure=True, httponly=True, samesite="lax")
    if plain in request.cookies:
        response.delete_cookie(plain, path="/", httponly=True, samesite="lax")
