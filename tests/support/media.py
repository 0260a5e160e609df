"""Items of media as a client sends them."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import httpx

from support.site import MadeRun, Site, bearer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def media_item(key: str = "sample", content: str = "text", *, kind: str = "text", **more: Any) -> dict[str, Any]:
    """Return an item in JSON; a plain text where nothing else is said."""
    item = {"media_id": secrets.token_hex(16), "kind": kind, "key": key, "step": 0, "time": "2026-12-01T12:00:00Z"}
    return item | {"type": "text/plain", "content": content} | more


def picture(key: str = "picture", content: bytes = PNG, **more: Any) -> dict[str, Any]:
    """Return a picture in JSON."""
    text = base64.b64encode(content).decode("ascii")
    return media_item(key, text, kind="image", type="image/png", **more)


def send_media(site: Site, run: MadeRun, *items: dict[str, Any], token: str | None = None) -> httpx.Response:
    """Send items in one batch, by the run's write token or another."""
    return site.api.post(f"{run.path}/media", json={"items": list(items)}, headers=bearer(token or run.write))
