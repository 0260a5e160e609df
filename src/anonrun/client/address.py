"""Addresses of servers. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from anonrun.errors import UsageError

__all__ = ["checked_url", "is_loopback"]

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def checked_url(text: str) -> str:
    """Return a server's address without trailing slash.

    Raises:
        UsageError: it is no http or https address, or has a user, query or fragment.
    """
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise UsageError(f"Server {text!r} is no address; use one such as https://runs.example.org.")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def is_loopback(url: str) -> bool:
    """Return whether an address leads to this machine, whoever opens it.

    Example:
        >>> is_loopback("http://127.0.0.1:45321/r/1"), is_loopback("https://runs.example.org")
        (True, False)
    """
    return urlsplit(url).hostname in _LOOPBACK
