"""Finds the embedded server for the proxy, and starts it where it does not run.

Blocking: the proxy calls it in a thread. The vouching secret is given away only with a server that runs as
this user: an address alone could be somebody else's by now.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import psutil

from anonrun.client.embedded import ensure_running, find, read_state
from anonrun.client.paths import data_dir
from anonrun.errors import ServerUnavailableError

__all__ = ["Unavailable", "Upstream", "unavailable_page", "upstream"]

_PROBE = "healthz"
_starting = threading.Lock()


@dataclass(frozen=True, slots=True)
class Upstream:
    """A running embedded server; `vouch` is the secret that says that Jupyter has signed its user in."""

    port: int
    vouch: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """There is no embedded server to be had.

    Attributes:
        status: HTTP status to answer with.
        reason: a sentence for people.
    """

    status: int
    reason: str


def _is_ours(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return not hasattr(os, "getuid") or process.uids().real == os.getuid()
    except psutil.Error:
        return False


def _running(folder: Path) -> Upstream | None:
    state = read_state(folder)
    if state is None or not _is_ours(state.pid) or find(folder) is None:
        return None
    return Upstream(state.port, state.vouch)


def upstream(path: str) -> Upstream | Unavailable:
    """Return the embedded server of this user, started where it does not run.

    Args:
        path: what is asked of it. A page that only looks for a server starts none where none ever was.
    """
    where = data_dir(os.environ)
    found = _running(where.server)
    if found is not None:
        return found
    if path == _PROBE and not (where.server / "anonrun.db").exists():
        return Unavailable(
            404, "There is no anonrun server on this machine; the first run without one of its own starts it."
        )
    with _starting:  # a page asks for several things at once, and one start is enough
        try:
            ensure_running(where.server)
        except ServerUnavailableError as exc:
            return Unavailable(503, str(exc))
    found = _running(where.server)
    return found or Unavailable(503, f"The server of {where.server} runs as another user, so it is not spoken to.")


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>anonrun is not available</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem }}
code {{ font-size: 0.9em }}
</style></head><body>
<h1>anonrun’s server could not be reached</h1>
<p>{reason}</p>
<p>Nothing that was logged is lost: it waits on disk. Load this page again to try once more, or look with
<code>anonrun doctor</code> in a terminal.</p>
</body></html>
"""


def unavailable_page(unavailable: Unavailable) -> str:
    """Return the page that says why there is no server, and what to do."""
    return _PAGE.format(reason=escape(unavailable.reason))
