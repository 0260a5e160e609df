"""Addresses of servers. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from anonrun.errors import UsageError

__all__ = ["checked_url"]


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
