"""One run as it is shown: which message is due, in which order of urgency.

Pure but for reading its source: no thread, no display, no clock. `RunView.next` is asked about ten times
a second for what is to be sent, and gives at most one message; so a kernel sends at most ten a second,
which stays far from the limit above which Jupyter drops output.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anonrun.core.wire import Frame, encode_all
from anonrun.notebook.buffer import RunBuffer, thinned
from anonrun.notebook.facts import Facts
from anonrun.notebook.media import Media, MediaParcels, still_media
from anonrun.notebook.others import Other
from anonrun.notebook.snapshot import Bundle, bundle
from anonrun.notebook.source import Source, facts_of, run_trait, status_trait

__all__ = ["Message", "Others", "Points", "RunView", "SecretsMessage", "Snapshot", "Traits"]

_MOST_POINTS = 20_000
_FIRST_RESENDS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
_LAST_MEDIA_RESEND_S = 30.0
_MEDIA_EVERY_S = 0.5
_RESEND_EVERY_S = 30.0
_OTHERS_EVERY_S = 300.0
_FIRST_SNAPSHOTS_S = (2.0, 10.0)
_SNAPSHOT_EVERY_S = 30.0
_SECRETS_EVERY_S = 1.0
_TRAITS_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Points:
    """New points, or with `reset` everything so far; `segment` is what the page decodes: one, or several back to back.

    Not `complete` are points of which some were left out, since there were too many to draw.
    """

    no: int
    reset: bool
    complete: bool
    segment: bytes


@dataclass(frozen=True, slots=True, repr=False)
class SecretsMessage:
    """Tokens for the page's memory."""

    view: str | None
    claim: str | None


@dataclass(frozen=True, slots=True)
class Traits:
    """Traits that have changed, by name."""

    changed: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A new static form."""

    data: Bundle


@dataclass(frozen=True, slots=True)
class Others:
    """The runs behind this one: what is said of each, and its points as the page decodes them."""

    version: int
    runs: list[dict[str, Any]]
    segments: list[bytes]


Message = Points | SecretsMessage | Traits | Snapshot | Others | Media


class Schedule:
    """When something that repeats is due: at first often, then in a steady rhythm, counted from its start."""

    __slots__ = ("_every_s", "_first", "_next_at")

    def __init__(self, start: float, first_s: tuple[float, ...], every_s: float) -> None:
        self._first = [start + delay for delay in first_s]
        self._every_s = every_s
        self._next_at = self._first.pop(0) if self._first else start

    def hasten(self) -> None:
        """Make it due at once."""
        self._next_at = -math.inf

    def due(self, now: float) -> bool:
        """Return whether it is time; what was missed is not caught up on."""
        if now < self._next_at:
            return False
        while self._first and self._first[0] <= now:
            self._first.pop(0)
        self._next_at = self._first.pop(0) if self._first else now + self._every_s
        return True


class RunView:
    """What a run's outputs have been sent, and what they need next.

    Args:
        source: the run.
        now: seconds of a clock that never goes back; the same clock is meant in every call.
        live: whether there is a widget; without one only snapshots are due.
        snapshot_every_s: seconds between snapshots after the first.
        temporary: see `Facts`.
    """

    def __init__(
        self,
        source: Source,
        now: float,
        *,
        live: bool,
        snapshot_every_s: float = _SNAPSHOT_EVERY_S,
        temporary: str | None = None,
    ) -> None:
        self.source = source
        self.buffer = RunBuffer()
        self.live = live
        self._feed = source.feed()
        self._temporary = temporary
        self._was_anonymous = source.info().anonymous
        self._pending: list[Frame] = []
        self._pending_complete = True
        self._no = 0
        self._ask = False
        self._sent_traits: dict[str, str] = {}
        self._secrets = Schedule(now, (), _SECRETS_EVERY_S)
        self._traits = Schedule(now, (), _TRAITS_EVERY_S)
        self._resend = Schedule(now, _FIRST_RESENDS_S, _RESEND_EVERY_S)
        self._snapshot = Schedule(now, _FIRST_SNAPSHOTS_S if live else (min(2.0, snapshot_every_s),), snapshot_every_s)
        self._snapshot_of: tuple[Facts, int, int, int, bool] | None = None
        self._recent = source.recent_media()
        self._parcels = MediaParcels(self._recent)
        # A page is there within seconds; one that comes later asks.
        self._resend_media = Schedule(now, (*_FIRST_RESENDS_S, _LAST_MEDIA_RESEND_S), math.inf)
        self._media = Schedule(now, (), _MEDIA_EVERY_S)
        self.others: tuple[Other, ...] = ()
        self._others_version = 0
        self._others = Schedule(now, (0.0, *_FIRST_RESENDS_S), _OTHERS_EVERY_S)

    def hello(self) -> None:
        """A page asks for everything; it is due at once."""
        self._ask = True
        self._parcels.restart()
        self._secrets.hasten()
        self._others.hasten()

    def set_others(self, others: tuple[Other, ...]) -> None:
        """Draw these runs behind this one, and no others."""
        if others != self.others:
            self.others = others
            self._others_version += 1
            self._others.hasten()

    def read(self) -> None:
        """Take in what was logged since the last time."""
        frames = self._feed.read_new()
        self.buffer.add(frames)
        if self.live:
            self._pending += frames
            fewer = thinned(self._pending, _MOST_POINTS)
            if fewer is not None:
                self._pending, self._pending_complete = fewer, False

    @property
    def facts(self) -> Facts:
        """What a static view says of the run now."""
        return facts_of(self.source, was_anonymous=self._was_anonymous, temporary=self._temporary)

    def next(self, now: float) -> Message | None:
        """Return the most urgent message that is due, or None."""
        for candidate in self._candidates():
            message = candidate(now)
            if message is not None:
                return message
        return None

    def _candidates(self) -> tuple[Callable[[float], Message | None], ...]:
        if not self.live:
            return (self._next_snapshot,)
        # Points come last: of them there may always be more, of the others there is one now and then.
        return (
            self._next_secrets,
            self._next_traits,
            self._next_snapshot,
            self._next_others,
            self._next_media,
            self._next_points,
        )

    def final(self) -> list[Message]:
        """Return everything that a page needs to go on alone, and the last snapshot."""
        self.read()
        messages: list[Message] = [Snapshot(self._form(self.facts))]
        if self.live:
            traits = self._changed_traits()
            told = [self._others_message()] if self._others_version else []
            changed = [Traits(traits)] if traits else []
            messages = [self._secrets_message(), *told, self._everything(), *self._parcels.rest(), *changed, *messages]
        return messages

    def first_traits(self) -> dict[str, Any]:
        """Return the traits with which a widget is made."""
        return self._changed_traits()

    def snapshot(self) -> Bundle:
        """Return the static form of this instant."""
        self._snapshot_of = self._shown(image=True)
        return self._form(self.facts)

    def static_form(self, facts: Facts) -> Bundle:
        """Return the static form with other facts than those of now."""
        return self._form(facts)

    def _form(self, facts: Facts, *, image: bool = True) -> Bundle:
        return bundle(facts, self.buffer, self._chosen, media=still_media(self._recent), image=image)

    def _shown(self, *, image: bool) -> tuple[Facts, int, int, int, bool]:
        """What a static form of this instant would depend on."""
        return self.facts, self.buffer.rows, self._others_version, self._recent.position, image

    @property
    def _chosen(self) -> tuple[Other, ...]:
        """What the static form shows of the others: those that somebody asked for."""
        return tuple(other for other in self.others if other.chosen)

    def _next_others(self, now: float) -> Message | None:
        return self._others_message() if self._others_version and self._others.due(now) else None

    def _others_message(self) -> Others:
        return Others(
            self._others_version, [other.said() for other in self.others], [other.segments() for other in self.others]
        )

    def _next_secrets(self, now: float) -> Message | None:
        return self._secrets_message() if self._secrets.due(now) else None

    def _secrets_message(self) -> SecretsMessage:
        secrets = self.source.secrets()
        return SecretsMessage(secrets.view, secrets.claim)

    def _next_traits(self, now: float) -> Message | None:
        if not self._traits.due(now):
            return None
        changed = self._changed_traits()
        return Traits(changed) if changed else None

    def _changed_traits(self) -> dict[str, Any]:
        now = {"run": run_trait(self.source, temporary=self._temporary), "status": status_trait(self.source)}
        texts = {name: json.dumps(value, sort_keys=True) for name, value in now.items()}
        changed = {name: now[name] for name, text in texts.items() if self._sent_traits.get(name) != text}
        self._sent_traits = texts
        return changed

    def _next_media(self, now: float) -> Media | None:
        if self._resend_media.due(now):
            self._parcels.restart()
        return self._parcels.next() if self._media.due(now) else None

    def _next_points(self, now: float) -> Message | None:
        if self._ask or (self._resend.due(now) and self.buffer.names):
            self._ask = False
            return self._everything()
        if not self._pending:
            return None
        return self._points(self._pending, reset=False, complete=self._pending_complete)

    def _everything(self) -> Points:
        return self._points(self.buffer.frames(), reset=True, complete=self.buffer.complete)

    def _points(self, frames: list[Frame], *, reset: bool, complete: bool) -> Points:
        segments = encode_all(frames, writer=0, seq=0, compress=False)
        no, self._no = self._no, self._no + 1
        self._pending, self._pending_complete = [], True
        return Points(no, reset, complete, segments)

    def _next_snapshot(self, now: float) -> Message | None:
        return self.new_snapshot(image=self.live) if self._snapshot.due(now) else None

    def new_snapshot(self, *, image: bool = True) -> Snapshot | None:
        """Return the static form of this instant; None where it would say what the last one said."""
        shown = self._shown(image=image)
        if self._snapshot_of in (shown, self._shown(image=True)):
            return None
        self._snapshot_of = shown
        return Snapshot(self._form(self.facts, image=image))
