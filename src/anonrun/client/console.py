"""What a program prints, kept on request, in pieces that follow each other.

`sys.stdout` and `sys.stderr` tell what is written to them, after they have written it, whatever happens here. Kept are
whole lines: of a progress bar, which rewrites its line, the last state. Secrets of ours are made unreadable, and the
home folder is `~`. What is printed by other processes, or past Python's streams, is not heard.
"""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from anonrun.client.home import without_home
from anonrun.core.tokens import redact
from anonrun.core.words import counted

__all__ = ["Console", "Printed"]

PIECE_BYTES = 256_000
"""Kept of what is printed between two pieces; the rest is left out, and a line says so."""
TOTAL_BYTES = 8_000_000
_FLUSH_S = 1.5
_LATE_S = 3.0  # nobody asked for a piece for so long: who prints makes it
_MOST_LINE = 16_000
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BREAK = re.compile(r"[^0-9A-Za-z_](?=[0-9A-Za-z_]*\Z)")


class Printed:
    """The lines of one stream. Not for several threads at once."""

    def __init__(self) -> None:
        self._line = ""
        self._returned = False  # what comes next overwrites the line, unless it is its end

    def feed(self, text: str) -> str:
        r"""Return the lines that `text` has completed, each with its end.

        Example:
            >>> printed = Printed()
            >>> printed.feed("a\n 10 %\r 50 %"), printed.feed("\r100 %"), printed.feed("\r\nb")
            ('a\n', '', '100 %\n')
        """
        done: list[str] = []
        *whole, rest = text.split("\n")
        for part in whole:
            self._overwrite(part)
            done.append(_plain(self._line))
            self._line, self._returned = "", False
        self._overwrite(rest)
        if len(self._line) > _MOST_LINE:
            done.append(_plain(self._cut()))
        return "".join(f"{line}\n" for line in done)

    def rest(self) -> str:
        """Return the line that has no end, and forget it."""
        line, self._line, self._returned = _plain(self._line), "", False
        return f"{line}\n" if line else ""

    def _overwrite(self, part: str) -> None:
        *_, last = states = part.split("\r")
        if len(states) == 1:
            self._line = part if self._returned and part else self._line + part
            self._returned = self._returned and not part
        elif last:
            self._line, self._returned = last, False
        else:  # rewritten, and to be rewritten: the newest state that says something
            self._line = next((state for state in reversed(states[:-1]) if state), self._line)
            self._returned = True

    def _cut(self) -> str:
        """Return the line's beginning, cut where no token can be torn apart, and keep its end."""
        found = _BREAK.search(self._line, len(self._line) - 100)
        at = len(self._line) if found is None else found.end()
        begin, self._line = self._line[:at], self._line[at:]
        return begin


def _plain(line: str) -> str:
    text = _CONTROLS.sub("", _ESCAPES.sub("", line)).encode("utf-8", "replace").decode("utf-8")
    return redact(text)


def _listen(stream: Any, heard: Callable[[str], object]) -> Callable[[], object] | None:  # noqa: ANN401  whatever stands there
    """Have `heard` told of all that is written to a stream; return what ends that, None where it cannot be.

    The stream stays the object that it is, since others, such as handlers of `logging`, hold it.
    """
    try:
        before, write = vars(stream).get("write"), stream.write

        def tee(text: str) -> Any:  # noqa: ANN401  what the stream answers
            answer = write(text)
            heard(text)
            return answer

        stream.write = tee
    except (AttributeError, TypeError):  # there is none, as under pythonw, or it is of a kind that cannot be changed
        return None

    def stop() -> None:
        if vars(stream).get("write") is not tee:  # somebody came after us: theirs goes on, and ours passes on
            return
        if before is None:
            del stream.write
        else:
            stream.write = before

    return stop


class Console:
    """Keeps what this process prints, from `begin` to `end`.

    Args:
        keep: takes each piece; called by whoever calls `flush`, or prints.
        clock: monotonic seconds; replaced only by tests.
    """

    def __init__(self, keep: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._lock = threading.RLock()  # a handler of signals may print, and a piece that cannot be kept warn
        self._stops: list[Callable[[], object]] = []
        self._printed: list[Printed] = []
        self._text: list[str] = []
        self._size = 0
        self._left_out = 0
        self._total = 0
        self._flushed_at = 0.0
        self._keeping = False
        self._on = False

    def begin(self) -> None:
        """Keep what is printed from now on."""
        self._flushed_at = self._clock()
        self._on = True
        for stream in (sys.stdout, sys.stderr):
            printed = Printed()
            stop = _listen(stream, partial(self._hear, printed))
            if stop is not None:
                self._printed.append(printed)
                self._stops.append(stop)

    def end(self) -> None:
        """Put the streams back, and keep what is left."""
        if not self._on:
            return
        self._restore()
        with self._lock:
            for printed in self._printed:
                self._add(printed.rest())
            self._on = False
        self._flush()

    def abandon(self) -> None:
        """Keep nothing in a forked process, whose parent may have been printing just then."""
        self._on = False
        self._lock = threading.RLock()
        self._text.clear()
        self._restore()

    def flush(self) -> None:
        """Keep what was printed since, if that is due."""
        if self._on and self._clock() - self._flushed_at >= _FLUSH_S:
            self._flush()

    def _restore(self) -> None:
        for stop in reversed(self._stops):  # both may be one stream
            stop()
        self._stops.clear()

    def _hear(self, printed: Printed, text: object) -> None:
        if not self._on or not isinstance(text, str):
            return
        with contextlib.suppress(Exception), self._lock:  # likewise
            self._add(printed.feed(text))
        if self._clock() - self._flushed_at >= _LATE_S:
            self._flush()

    def _add(self, lines: str) -> None:
        if not lines or self._total >= TOTAL_BYTES:
            return
        size = len(lines.encode("utf-8"))
        if self._left_out or self._size + size > PIECE_BYTES:
            self._left_out += lines.count("\n")
            return
        self._text.append(lines)
        self._size += size
        self._total += size
        if self._total >= TOTAL_BYTES:
            self._text.append(f"[anonrun: more than {TOTAL_BYTES:,} bytes were printed; the rest is left out]\n")

    def _flush(self) -> None:
        with self._lock:
            if self._keeping:
                return
            self._flushed_at = self._clock()
            if self._left_out:
                self._text.append(
                    f"[anonrun: {counted(self._left_out, 'line')} left out, printed faster than is kept]\n"
                )
                self._left_out = 0
            text = "".join(self._text)
            self._text.clear()
            self._size = 0
            if not text:
                return
            self._keeping = True
        with contextlib.suppress(Exception):  # whoever prints must never notice, nor a run's end
            self._keep(without_home(text))
        self._keeping = False
