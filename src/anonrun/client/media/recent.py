"""What a process remembers of the media that it logged: the newest in memory, and of each key how many there were.

A notebook shows from it, whether a server answers or not. What the program printed is no part of it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from anonrun.core.media import MediaItem, MediaKind

__all__ = ["Kept", "Recent", "Tally"]

MOST_CHARS = 16 << 20
_MOST_ITEMS = 4_096


@dataclass(frozen=True, slots=True)
class Kept:
    """An item that is held, and its number among all that came, from 1 on."""

    position: int
    item: MediaItem


@dataclass(frozen=True, slots=True)
class Tally:
    """How many items of one kind were logged under a key, and the largest of their steps."""

    kind: MediaKind
    key: str
    count: int
    last_step: int


class _Group:
    """The items of one kind and key: those that are held, and the tally of all."""

    __slots__ = ("chars", "held", "tally")

    def __init__(self, kind: MediaKind, key: str) -> None:
        self.held: deque[Kept] = deque()
        self.chars = 0
        self.tally = Tally(kind, key, 0, 0)

    def add(self, kept: Kept) -> None:
        item, told = kept.item, self.tally
        self.held.append(kept)
        self.chars += len(item.content)
        last = max(told.last_step, item.step) if told.count else item.step
        self.tally = Tally(told.kind, told.key, told.count + 1, last)

    def drop_oldest(self) -> int:
        chars = len(self.held.popleft().item.content)
        self.chars -= chars
        return chars


class Recent:
    """The newest media of a run; where room is short, the oldest of the key that takes the most go.

    Args:
        most_chars: of all contents together; the newest item is held however large.
        most_items: held at once.
    """

    def __init__(self, most_chars: int = MOST_CHARS, most_items: int = _MOST_ITEMS) -> None:
        self._most_chars = most_chars
        self._most_items = most_items
        self._groups: dict[tuple[MediaKind, str], _Group] = {}
        self._lock = threading.Lock()
        self._chars = 0
        self._items = 0
        self._position = 0

    @property
    def position(self) -> int:
        """How many items came."""
        return self._position

    def add(self, item: MediaItem) -> None:
        """Take in an item that was logged."""
        if item.kind is MediaKind.CONSOLE:  # before the lock: a handler of signals may print
            return
        with self._lock:
            self._position += 1
            group = self._groups.setdefault((item.kind, item.key), _Group(item.kind, item.key))
            group.add(Kept(self._position, item))
            self._chars += len(item.content)
            self._items += 1
            while self._items > 1 and (self._chars > self._most_chars or self._items > self._most_items):
                self._drop_one()

    def after(self, position: int) -> list[Kept]:
        """Return what is held of the items behind a position, in order of arrival."""
        if position >= self._position:
            return []
        with self._lock:
            held = [kept for group in self._groups.values() for kept in group.held if kept.position > position]
        return sorted(held, key=lambda kept: kept.position)

    def tallies(self) -> list[Tally]:
        """Return how many of what came, keys in order of first appearance."""
        with self._lock:
            return [group.tally for group in self._groups.values()]

    def newest_picture(self, most_chars: int) -> MediaItem | None:
        """Return the newest picture that is held and takes at most so much; None where there is none."""
        for kept in reversed(self.after(0)):
            if kept.item.kind is MediaKind.IMAGE and len(kept.item.content) <= most_chars:
                return kept.item
        return None

    def after_fork_in_child(self) -> None:
        """Go on in a forked process, whose parent may have been adding just then."""
        self._lock = threading.Lock()

    def _drop_one(self) -> None:
        crowded = self._chars > self._most_chars
        others = [group for group in self._groups.values() if group.held and group.held[0].position < self._position]
        widest = max(others, key=lambda group: group.chars if crowded else len(group.held))
        self._chars -= widest.drop_oldest()
        self._items -= 1
