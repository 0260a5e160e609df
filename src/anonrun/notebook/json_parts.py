"""Where the parts of a JSON text stand, so that some can be cut out and all others stay as they are written.

Pure. The text is known to be JSON; the standard library's scanner says where each value ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Cut", "Part", "Parts", "without"]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")

Cut = tuple[int, int]
"""A stretch of text: its first character, and the one behind its last."""


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


@dataclass(frozen=True, slots=True)
class Part:
    """A member of an object, or an item of an array.

    Attributes:
        key: of a member; None for an item.
        start: where its text begins, with the key.
        at: where its value begins.
        end: behind its last character.
        value: what the value is.
    """

    key: str | None
    start: int
    at: int
    end: int
    value: Any


class Parts:
    """The parts of the object or array that begins at a place, in their order."""

    def __init__(self, text: str, at: int) -> None:
        self._opened = at + 1
        self._found: list[Part] = []
        named = text[at] == "{"
        at = _behind_space(text, self._opened)
        while text[at] not in "}]":
            start, key = at, None
            if named:
                key, at = _DECODER.raw_decode(text, at)
                at = _behind_space(text, _behind_space(text, at) + 1)  # over the colon
            value, end = _DECODER.raw_decode(text, at)
            self._found.append(Part(key, start, at, end, value))
            at = _behind_space(text, end)
            if text[at] == ",":
                at = _behind_space(text, at + 1)
        self._closed = at

    def __iter__(self) -> Iterator[Part]:
        return iter(self._found)

    def get(self, key: str) -> Part | None:
        """Return a member; the last one where there are several, as JSON's readers do."""
        return next((part for part in reversed(self._found) if part.key == key), None)

    def cuts(self, unwanted: Callable[[Part], bool]) -> list[Cut]:
        """Return what to cut so that the unwanted parts are gone, each with one of its commas."""
        cuts: list[Cut] = []
        kept = False
        for i, part in enumerate(self._found):
            if not unwanted(part):
                kept = True
            elif kept:
                cuts.append((self._found[i - 1].end, part.end))
            else:
                behind = self._found[i + 1].start if i + 1 < len(self._found) else part.end
                cuts.append((part.start, behind))
        return cuts if kept or not cuts else [(self._opened, self._closed)]


def without(text: str, cuts: Iterable[Cut]) -> str:
    """Return the text without some stretches, of which none reaches into another."""
    left, at = [], 0
    for start, end in sorted(cuts):
        left.append(text[at:start])
        at = end
    return "".join((*left, text[at:]))
