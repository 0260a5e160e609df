"""How far delivery is while `finish` waits, each kind of reader in its own way.

A terminal gets one line that is rewritten in place and taken away at the end, a log file a line now and then, and a
notebook one output that is updated, so that the saved file holds one line and not all of them.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from anonrun.client.notices import Notices, in_notebook
from anonrun.core.words import counted

__all__ = ["Lines", "NotebookLine", "Progress", "TerminalLine", "progress", "sentence"]

_LINE_EVERY_S = 5.0
_REWRITE_EVERY_S = 0.2


class Progress(Protocol):
    """Shows sentences that replace each other."""

    def show(self, text: str) -> None:
        """Show `text` in the place of what was shown before; often called, and shown as often as is useful."""

    def close(self) -> None:
        """Show nothing more."""


def sentence(*, unsent: int, rows: int, waited_s: float, most_s: float) -> str:
    """Return how far delivery is, and how long it is waited for at most."""
    return f"sending: {unsent:,} of {counted(rows, 'row')} to go ({waited_s:.0f} of at most {most_s:.0f} s)"


class _Often:
    """Says whether it is time again."""

    def __init__(self, every_s: float, clock: Callable[[], float]) -> None:
        self._every_s = every_s
        self._clock = clock
        self._at = float("-inf")

    def due(self) -> bool:
        now = self._clock()
        if now - self._at < self._every_s:
            return False
        self._at = now
        return True


class TerminalLine:
    """One line of a terminal, rewritten in place.

    Args:
        stream: the terminal.
        clock: monotonic seconds; replaced only by tests.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._often = _Often(_REWRITE_EVERY_S, clock)
        self._shown = False

    def show(self, text: str) -> None:
        """See `Progress.show`."""
        if self._often.due():
            self._shown = True
            self._write(f"\r\x1b[2Kanonrun: {text}")

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone
            self._stream.write(text)
            self._stream.flush()


class Lines:
    """A few plain lines."""

    def __init__(self, notices: Notices, clock: Callable[[], float] = time.monotonic) -> None:
        self._notices = notices
        self._often = _Often(_LINE_EVERY_S, clock)

    def show(self, text: str) -> None:
        """See `Progress.show`."""
        if self._often.due():
            self._notices.say(text)

    def close(self) -> None:
        """Leave the lines where they are."""


class NotebookLine:
    """One output of a notebook's cell, updated by its display id."""

    def __init__(self, display: Callable[..., Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._display = display
        self._often = _Often(_REWRITE_EVERY_S, clock)
        self._handle: Any = None

    def show(self, text: str) -> None:
        """See `Progress.show`."""
        if self._often.due():
            self._put(f"anonrun: {text}")

    def close(self) -> None:
        """Empty the output."""
        if self._handle is not None:
            self._put("")

    def _put(self, text: str) -> None:
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = self._display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


def progress(notices: Notices) -> Progress:
    """Return the way that fits where this process writes."""
    if in_notebook():
        import IPython.display  # noqa: PLC0415  it is there, since this is its kernel

        return NotebookLine(IPython.display.display)
    stream = sys.stderr
    with contextlib.suppress(AttributeError, ValueError):  # standard error may be None or closed
        if stream.isatty() and not notices.silent:
            return TerminalLine(stream)
    return Lines(notices)
