"""Opens a page in the user's browser, where there is one that the user can see.

A link that holds a secret is handed over in a file that only the user can read: the arguments of a process can be
read by everyone on the machine.
"""

from __future__ import annotations

import contextlib
import html
import os
import sys
from pathlib import Path

from anonrun.client.spool.folder import write_private

__all__ = ["has_browser", "open_privately"]

_FILE = "open-in-browser.html"


def has_browser() -> bool:
    """Return whether a browser that is opened here would be seen by the user."""
    if os.environ.get("SSH_CONNECTION") or os.environ.get("ANONRUN_NO_BROWSER"):
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER"))


def open_privately(link: str, folder: Path) -> bool:
    """Open `link` by way of a file in `folder`; return whether a browser took it."""
    if not has_browser():
        return False
    import webbrowser  # noqa: PLC0415  only for this

    page = folder / _FILE
    target = html.escape(link, quote=True)
    with contextlib.suppress(OSError, webbrowser.Error):
        write_private(
            page,
            f'<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>anonrun</title>'
            f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">Go on to anonrun</a>\n',
        )
        return webbrowser.open(page.as_uri())
    return False
