"""Runs that are drawn behind another: a reference, runs to compare with, and earlier runs of this notebook.

`Memory` is what a kernel knows of them: it keeps a few earlier runs, and which colour each has. Memory is flat, since
of each run a few thousand points are kept, and of few runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

import numpy as np

from anonrun.client.api import Api, ApiRun
from anonrun.client.outlines import charted, follow_link
from anonrun.core.reference import Outline, read_reference, shown_name
from anonrun.core.wire import Frame, encode_all
from anonrun.errors import UsageError
from anonrun.notebook.buffer import RunBuffer, Series, extremes
from anonrun.notebook.numbers import number_text, unit_of
from anonrun.notebook.source import Source

__all__ = [
    "MOST_EARLIER", "Difference", "Memory", "Other", "difference", "difference_text", "of_buffer", "of_server",
    "read_reference_from", "reference_in", "signed_text", "stranger_note",
]  # fmt: skip

MOST_EARLIER = 4
"""Earlier runs of a notebook that are drawn behind one."""

_MOST_POINTS = 4_000
_MOST_PER_METRIC = 400
_MOST_METRICS = 100
_MOST_REFERENCE_BYTES = 2_000_000
_SAME = 1e-6  # values in a file have seven digits
_MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Other:
    """One run behind another, as it was when it was read.

    Attributes:
        key: the same each time that it is shown.
        slot: its place in the play of colours.
        start: where its relative time begins, seconds since the epoch; None where it has no dates.
        metrics: outlines by name; seconds since `start`.
        chosen: whether somebody asked for it, so that the static picture has it too.
    """

    key: str
    kind: Literal["reference", "run"]
    name: str
    start: float | None
    metrics: Mapping[str, Outline]
    slot: int = 0
    chosen: bool = True

    def said(self) -> dict[str, Any]:
        """Return what the page is told beside the points."""
        return {"key": self.key, "kind": self.kind, "name": self.name, "slot": self.slot, "start": self.start}

    def segments(self) -> bytes:
        """Return the points as the page decodes them."""
        start = self.start or 0.0
        frames = [
            Frame.of([name], one.steps, [round((start + s) * 1e6) for s in one.seconds], [one.values])
            for name, one in self.metrics.items()
        ]
        return encode_all(frames, writer=0, seq=0, compress=False)


def of_buffer(source: Source, buffer: RunBuffer) -> Other:
    """Return a run of this process as it is now."""
    info = source.info()
    start = info.created_at.timestamp()
    names = charted(buffer.names)[:_MOST_METRICS]
    most = min(_MOST_PER_METRIC, _MOST_POINTS // max(1, len(names)))
    metrics = {}
    for name in names:
        steps, times, values = buffer.points(name)
        finite = np.flatnonzero(np.isfinite(values))
        keep = finite[extremes(values[finite], most // 2)] if len(finite) else finite
        seconds = (times[keep] / 1e6 - start).tolist()
        metrics[name] = Outline(tuple(steps[keep].tolist()), tuple(seconds), tuple(values[keep].tolist()))
    return Other(source.run_id, "run", shown_name(info.name), start, metrics)


def read_reference_from(place: str) -> Other:
    """Return the reference that stands in a file, or that a view link leads to.

    Raises:
        UsageError: there is none; the message is one line, without the link.
    """
    is_link = place.lower().startswith(("http://", "https://"))
    what = "The reference link" if is_link else f"The reference {shown_name(place)!r}"
    try:
        found = follow_link(place) if is_link else read_reference(_bytes(place))
    except UsageError as exc:
        raise UsageError(f"{what} cannot be used: {exc}.") from None
    return Other("reference", "reference", found.name, None, found.metrics)


def _bytes(place: str) -> bytes:
    try:
        with Path(place).expanduser().open("rb") as file:
            return file.read(_MOST_REFERENCE_BYTES)
    except OSError as exc:
        raise UsageError(f"{exc.strerror or 'it cannot be read'}, where this notebook runs") from None
    except ValueError:
        raise UsageError("that is no name of a file") from None


def of_server(run: ApiRun) -> Other:
    """Return a run as its server has it now.

    Raises:
        AnonrunError: the server does not tell.
    """
    asked = run.outlines()
    return Other(run.run_id, "run", shown_name(run.name), asked.start_s, asked.metrics)


def reference_in(others: Iterable[Other]) -> Other | None:
    """Return the reference among runs."""
    return next((other for other in others if other.kind == "reference"), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a run is from a reference where its line ends.

    Attributes:
        step: the run's last step with a finite value.
        ended_at: where the reference ended before, its last value counting then; None where it goes on.
    """

    step: int
    own: float
    reference: float
    ended_at: int | None

    @property
    def by(self) -> float:
        """How much more the run has; nothing where that is less than what a reference file tells."""
        by = self.own - self.reference
        return 0.0 if abs(by) <= _SAME * max(abs(self.own), abs(self.reference)) else by


def difference(own: Series, reference: Outline | None) -> Difference | None:
    """Return how far a run is from a reference at its last step; None where they have nothing to compare.

    The rule is that of `js/charts/runs.ts`, and both are held to `tests/vectors/differences.json`.
    """
    finite = np.flatnonzero(np.isfinite(own.values))
    if not len(finite) or reference is None or not len(reference):
        return None
    step, value = int(own.steps[finite[-1]]), float(own.values[finite[-1]])
    last = reference.steps[-1]
    if step >= last:
        return Difference(step, value, reference.values[-1], last if step > last else None)
    at = int(np.searchsorted(np.array(reference.steps), step, side="right")) - 1
    if at < 0:
        return None
    share = (step - reference.steps[at]) / (reference.steps[at + 1] - reference.steps[at])
    between = reference.values[at] * (1 - share) + reference.values[at + 1] * share
    return Difference(step, value, between, None)


def signed_text(by: float, metric: str) -> str:
    """Return a difference in the unit that a metric's name has; per cent differ by points, and no unit is guessed.

    Example:
        >>> signed_text(-0.8, "acc_percent"), signed_text(0.25, "loss"), signed_text(0.0, "loss")
        ('−0.8 %-points', '+0.25', '±0')
    """
    unit = unit_of(metric).replace("%", "%-points")
    sign = "±" if by == 0 else _MINUS if by < 0 else "+"
    return f"{sign}{number_text(abs(by))}{f' {unit}' if unit else ''}"


def difference_text(found: Difference, metric: str) -> str:
    """Return a difference in words, such as `0.953, reference 0.961: −0.008`."""
    ended = "" if found.ended_at is None else f" (its last, at step {found.ended_at})"
    reference = f"reference {number_text(found.reference)}{ended}"
    return f"{number_text(found.own)}, {reference}: {signed_text(found.by, metric)}"


class Memory:
    """The other runs that a kernel knows of; may be used by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._earlier: dict[str, tuple[str, Other]] = {}
        self._slots: dict[str, int] = {}

    def keep(self, source: Source, buffer: RunBuffer) -> None:
        """Keep a run that has ended, to be drawn behind later ones of its project; of many, the last ones."""
        if not charted(buffer.names):
            return
        kept = replace(of_buffer(source, buffer), chosen=False)
        with self._lock:
            self._earlier.pop(source.run_id, None)
            self._earlier[source.run_id] = (source.info().project, kept)
            self._trim()

    def recall(self, project: str, runs: Iterable[Other]) -> None:
        """Keep runs of a kernel before this one, the oldest first; those of this one stand after them."""
        with self._lock:
            before = {one.key: (project, replace(one, chosen=False)) for one in runs if one.key not in self._earlier}
            self._earlier = before | self._earlier
            self._trim()

    def forget(self, run_id: str) -> None:
        """Draw a run behind no other any more."""
        with self._lock:
            self._earlier.pop(run_id, None)

    @property
    def known(self) -> set[str]:
        """The ids of the runs that are kept."""
        with self._lock:
            return set(self._earlier)

    def _trim(self) -> None:
        for run_id in list(self._earlier)[:-MOST_EARLIER]:
            del self._earlier[run_id]

    def read(self, run: Source | ApiRun | str, server: str | None) -> Other:
        """Return a run to compare with: one of this process, one of a server, or the id or name of either.

        Raises:
            AnonrunError: there is none.
        """
        if isinstance(run, ApiRun):
            return of_server(run)
        if isinstance(run, str):
            with self._lock:
                found = [one for key, (_, one) in self._earlier.items() if run in (key, one.name)]
            return replace(found[-1], chosen=True) if found else of_server(Api(server).run(run))
        buffer = RunBuffer()
        buffer.add(run.feed().read_new())
        return of_buffer(run, buffer)

    def behind(self, run: Source, chosen: Sequence[Other]) -> tuple[Other, ...]:
        """Return what stands behind a run: those that are asked for, and earlier ones of its project."""
        info = run.info()
        asked = {other.key: other for other in chosen if other.key != run.run_id}
        with self._lock:
            earlier = [one for project, one in self._earlier.values() if project == info.project]
            earlier = [one for one in earlier if one.key not in asked and one.key != run.run_id]
            ordered = sorted(asked.values(), key=lambda other: other.kind != "reference") + earlier
            self._assign(ordered)
            return tuple(self._told_apart(info.name, ordered))

    def _assign(self, others: Sequence[Other]) -> None:
        """Give each run a colour; those that were shown before keep theirs."""
        known = {other.key for other in others} | set(self._earlier)
        self._slots = {key: slot for key, slot in self._slots.items() if key in known}
        for other in others:
            if other.kind == "run" and other.key not in self._slots:
                used = set(self._slots.values())
                self._slots[other.key] = next(slot for slot in count() if slot not in used)

    def _told_apart(self, own: str, others: Sequence[Other]) -> Iterable[Other]:
        taken = {own}
        for other in others:
            name = other.name if other.name not in taken else f"{other.name} ({_short(other)})"
            name = next(one for one in chain([name], (f"{name} {i}" for i in count(2))) if one not in taken)
            taken.add(name)
            yield replace(other, name=name, slot=self._slots.get(other.key, 0))


def _short(other: Other) -> str:
    return "reference" if other.kind == "reference" else other.key[-4:]


def stranger_note(other: Other, names: Sequence[str]) -> str | None:
    """Return what is to be said where a run has none of the metrics that are charted; None where it has some."""
    own = charted(names)
    if not own or any(name in other.metrics for name in own):
        return None
    has = ", ".join(shown_name(name)[:40] for name in list(other.metrics)[:3])
    more = len(other.metrics) - 3
    return f"{other.name} has no metric in common with this run; it has {has}{f' and {more} more' if more > 0 else ''}."
