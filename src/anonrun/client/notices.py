"""What anonrun says to the person at the keyboard, on standard error.

Nothing here ever raises or waits. In a notebook nothing is written from a background thread, since it
would land in whatever cell runs then, and nothing that holds a secret is written at all, since output
is saved. For the same reason the home folder, which tells its owner's name, is `~` in all that is written.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Mapping
from typing import Any

from anonrun.client.home import without_home
from anonrun.core.tokens import redact

__all__ = ["Notices", "in_marimo", "in_notebook"]


def in_notebook() -> bool:
    """Return whether this process runs the cells of a notebook (Jupyter's or marimo's), where output is saved."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None or in_marimo(sys.modules)


def in_marimo(modules: Mapping[str, Any]) -> bool:
    """Return whether marimo runs this code as a notebook's, and not as a script.

    Args:
        modules: what is imported.
    """
    running = getattr(modules.get("marimo"), "running_in_notebook", None)
    if running is None:
        return False
    # marimo knows it of the cells' own thread only; of another it is assumed, so that no secret reaches a saved output.
    return threading.current_thread() is not threading.main_thread() or bool(running())


class Notices:
    """Writes lines that begin with `anonrun:`.

    Args:
        silent: say nothing, as for a run that was switched off.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self._said: dict[str, object] = {}

    @property
    def silent(self) -> bool:
        """Whether nothing is said."""
        return self._silent

    def say(self, text: str) -> None:
        """Write `text`, with whatever looks like a token redacted."""
        self._write(redact(text))

    def warn_once(self, key: str, text: str) -> None:
        """Write `text` as a warning, the first time that `key` is given where something can be written."""
        mine = object()
        if (
            self._may_write() and self._said.setdefault(key, mine) is mine
        ):  # one step, since threads may be at it at once
            self._write(redact(f"warning: {text}"))

    def say_secret(self, text: str) -> None:
        """Write `text`, which holds a secret that its reader is meant to have; in a notebook write nothing."""
        if not in_notebook():
            self._write(text)

    def _may_write(self) -> bool:
        return not (self._silent or (in_notebook() and threading.current_thread() is not threading.main_thread()))

    def _write(self, text: str) -> None:
        if not self._may_write():
            return
        lines = "".join(f"anonrun: {line}\n" for line in without_home(text).splitlines())
        with contextlib.suppress(OSError, ValueError, AttributeError):  # standard error may be closed or None
            sys.stderr.write(lines)
            sys.stderr.flush()
