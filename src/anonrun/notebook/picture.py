"""Lays out the static picture of a run: a head line and a grid of cards, in the look of the live widget.

Pure: buffer and facts in, scene out. Positions are CSS pixels.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from anonrun.core.metrics import is_of_machine
from anonrun.core.words import counted
from anonrun.notebook.buffer import RunBuffer, Series
from anonrun.notebook.curve import Curve, curve
from anonrun.notebook.facts import Facts
from anonrun.notebook.group import Chart, group
from anonrun.notebook.numbers import duration_text, number_text, tick_texts, ticks, unit_of
from anonrun.notebook.others import Other, difference, reference_in, signed_text, stranger_note
from anonrun.notebook.scene import (
    BULLET,
    DASHED_KEY,
    KEY,
    REFERENCE_COLOR,
    RUN_COLORS,
    SERIES_COLORS,
    Dot,
    Line,
    Rect,
    Run,
    Scene,
    Shape,
    Text,
)

__all__ = ["MOST_CHARTS", "picture"]

MOST_CHARTS = 12

_WIDTH = 960.0
_MARGIN = 14.0
_GAP = 10.0
_HEAD = 40.0
_BANNER = 38.0
_FOOT = 26.0
_PLOT_HEIGHTS = {1: 200.0, 2: 150.0, 3: 112.0}
_CARD_TOP = 34.0
_CARD_BOTTOM = 24.0
_LABELS = 36.0
_TICK_SIZE = 10.0
_CHAR = 0.6  # of the font size: what one character takes on average, on the safe side
_MOST_MARKS = 12
_DIFFERENCES = 15.0
_RUNS = 22.0
_DASHES = ((4.5, 3.0), (1.5, 2.5))
_LARGEST_FLOAT = sys.float_info.max
_STATE_COLORS = MappingProxyType({"running": "good", "finished": "accent", "failed": "bad", "crashed": "bad"})
_BAR = 4.0


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a plot stands and what it shows."""

    x: float
    y: float
    width: float
    height: float
    low: float
    high: float
    first: float
    last: float

    def at(self, step: float, value: float) -> tuple[float, float]:
        across = (step - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        up = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halves, since a difference may overflow
        return self.x + across * self.width, self.y + (1 - up) * self.height

    def points(self, xs: Sequence[float], ys: Sequence[float]) -> tuple[tuple[float, float], ...]:
        return tuple(map(self.at, xs, ys))


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a card stands."""

    x: float
    y: float
    width: float
    plot_height: float
    more_top: float = 0.0

    @property
    def top(self) -> float:
        return _CARD_TOP + self.more_top

    @property
    def height(self) -> float:
        return self.top + self.plot_height + _CARD_BOTTOM


def _columns(charts: int) -> int:
    return {0: 1, 1: 1, 2: 2, 4: 2}.get(charts, 3)


def _extent(text: str, size: float) -> float:
    """Return about how wide a text is, rather too much than too little."""
    return len(text) * size * _CHAR


def _clip(text: str, room: float, size: float) -> str:
    """Return `text` so that it fits, its middle left out where need be."""
    most = max(6, int(room / (size * _CHAR)))
    if len(text) <= most:
        return text
    return f"{text[: (most - 1) * 2 // 3]}…{text[-((most - 1) // 3) :]}"


def _value_range(curves: Sequence[Curve]) -> tuple[float, float]:
    values = [ys for one in curves for _, ys in one.stretches]
    if not values:
        return 0.0, 1.0
    low, high = float(min(ys.min() for ys in values)), float(max(ys.max() for ys in values))
    pad = (high / 2 - low / 2) * 0.14 or abs(high) * 0.1 or 1.0
    return max(low - pad, -_LARGEST_FLOAT), min(high + pad, _LARGEST_FLOAT)


def _step_range(curves: Sequence[Curve]) -> tuple[float, float]:
    steps = [x for one in curves for xs, _ in one.stretches for x in (float(xs.min()), float(xs.max()))]
    steps += [x for one in curves for x, _ in one.odd]
    return min(steps), max(steps)


def _value_ticks(low: float, high: float, height: float) -> list[float]:
    about = max(3, int(height // 34))
    values = ticks(low, high, about)
    return values if len(values) > 1 else ticks(low, high, 2 * about)


def _axes(plot: _Plot) -> Iterator[Shape]:
    values = _value_ticks(plot.low, plot.high, plot.height)
    for value, label in zip(values, tick_texts(values), strict=True):
        _, y = plot.at(plot.first, value)
        yield Line(((plot.x, y), (plot.x + plot.width, y)), "line", 1)
        yield Text(plot.x - 6, y + 3.5, _TICK_SIZE, (Run(label, "dim"),), "end")
    steps = [step for step in ticks(plot.first, plot.last, max(2, int(plot.width // 60))) if step == int(step)]
    for step, label in zip(steps, tick_texts(steps), strict=True):
        x, _ = plot.at(step, plot.low)
        anchor = "end" if x > plot.x + plot.width - 8 else "middle"
        yield Text(x, plot.y + plot.height + 14, _TICK_SIZE, (Run(label, "dim"),), anchor)


def _marks(plot: _Plot, odd: Sequence[tuple[float, float]]) -> Iterator[Shape]:
    """Yield a small flag at the top for each NaN or ±Inf, the first with its name."""
    chosen = [odd[i] for i in np.unique(np.linspace(0, len(odd) - 1, min(len(odd), _MOST_MARKS)).astype(int))]
    for i, (step, value) in enumerate(chosen):
        x, _ = plot.at(step, plot.low)
        yield Line(((x - 2.5, plot.y - 3), (x + 2.5, plot.y - 3), (x, plot.y + 1), (x - 2.5, plot.y - 3)), "bad", 1.4)
        if i == 0:
            word = "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
            aside, anchor = (-6, "end") if x > plot.x + plot.width - 40 else (6, "start")
            yield Text(x + aside, plot.y + 2, _TICK_SIZE - 1, (Run(word, "bad"),), anchor)


def _points(plot: _Plot, one: Curve, color: str) -> Iterator[Shape]:
    strong = one.smooth is None
    for xs, ys in one.stretches:
        if len(xs) > 1:
            yield Line(plot.points(xs.tolist(), ys.tolist()), color, 1.6 if strong else 1, 1 if strong else 0.32)
        elif strong:
            yield Dot(*plot.at(float(xs[0]), float(ys[0])), 1.8, color)


def _trend(plot: _Plot, one: Curve, color: str) -> Iterator[Shape]:
    if one.smooth is not None:
        yield Line(plot.points(one.smooth[0].tolist(), one.smooth[1].tolist()), color, 1.7)
    end = one.smooth or (one.stretches[-1] if one.stretches else None)
    if end is not None:
        yield Dot(*plot.at(float(end[0][-1]), float(end[1][-1])), 2.8, color)


def _legend(chart: Chart, buffer: RunBuffer, room: float) -> list[Run]:
    """Return each series' key and label, with its last value where there is room for all of them."""
    shown = list(zip(chart.members, SERIES_COLORS, strict=False))
    labels = [_clip(member.label, 90, 12) for member, _ in shown]
    values = [number_text(buffer.summary(member.name).last) for member, _ in shown]
    keys = sum(24 + _extent(label, 12) for label in labels)
    if keys + sum(5 + _extent(value, 13) for value in values) > room:
        values = [""] * len(shown)
    runs: list[Run] = []
    for i, ((_, color), label, value) in enumerate(zip(shown, labels, values, strict=True)):
        room -= 24 + _extent(label, 12)
        if room < 0:
            return [*runs, Run(f"+{len(chart.members) - i}", "dim", gap=8)]
        runs += (Run(KEY, color, gap=9 if i else 0), Run(label, "dim", gap=4))
        if value:
            runs.append(Run(value, bold=True, gap=5))
    more = len(chart.members) - len(shown)
    return [*runs, Run(f"+{more}", "dim", gap=8)] if more else runs


def _card_head(chart: Chart, buffer: RunBuffer, slot: _Slot) -> Iterator[Shape]:
    """Yield the title, and at the right the last values."""
    room = slot.width - 30
    if len(chart.members) == 1:
        value, unit = number_text(buffer.summary(chart.members[0].name).last), unit_of(chart.title)
        runs = [Run(value, bold=True), *([Run(unit, "dim", gap=4)] if unit else [])]
        title = _clip(chart.title, room - _extent(value + unit, 13), 13)
    else:
        title = _clip(chart.title, room / 2, 13)
        runs = _legend(chart, buffer, room - _extent(title, 13))
    yield Text(slot.x + 10, slot.y + 21, 13, (Run(title, bold=True),))
    yield Text(slot.x + slot.width - 10, slot.y + 21, 12.5, tuple(runs), "end")


def _color_of(other: Other) -> str:
    return REFERENCE_COLOR if other.kind == "reference" else RUN_COLORS[other.slot % len(RUN_COLORS)]


def _behind(plot: _Plot, other: Other, curves: Sequence[Curve]) -> Iterator[Shape]:
    """Yield the lines of another run, faint, and told apart by dashes; those of a reference are never whole."""
    color = _color_of(other)
    for i, one in enumerate(curves):
        dashes = _DASHES if other.kind == "reference" else (None, *_DASHES)
        for xs, ys in (one.smooth,) if one.smooth is not None else one.stretches:
            points = plot.points(xs.tolist(), ys.tolist())
            if len(points) > 1:
                yield Line(points, color, 1.3, 0.9 if other.kind == "reference" else 0.55, dashes[i % len(dashes)])
            else:
                yield Dot(*points[0], 1.8, color)


def _differences(chart: Chart, buffer: RunBuffer, reference: Other, slot: _Slot) -> Iterator[Shape]:
    """Yield a line that says how far the run is from the reference at its last step."""
    found = [
        (member, one)
        for member in chart.members
        if (one := difference(buffer.series(member.name), reference.metrics.get(member.name))) is not None
    ]
    if not found:
        return
    runs: list[Run] = []
    rest = " to reference" if any(one.ended_at is None for _, one in found) else " to reference’s last"
    if len(chart.members) == 1:
        ended = found[0][1].ended_at
        rest += f" {number_text(found[0][1].reference)}{'' if ended is None else f', step {number_text(ended)}'}"
    room = slot.width - 24 - _extent(rest, 11)
    for member, one in found:
        label = "" if len(chart.members) == 1 else f"{_clip(member.label, 90, 11)} "
        signed = signed_text(one.by, member.name)
        room -= _extent(label + signed, 11) + 8
        if room < 0 and runs:
            runs.append(Run("…", "dim", gap=6))
            break
        runs += (Run(label, "dim", gap=8 if runs else 0), Run(signed, bold=True))
    yield Text(slot.x + 10, slot.y + 37, 11, tuple(run for run in (*runs, Run(rest, "dim")) if run.text))


def _outline_curves(chart: Chart, other: Other, columns: int) -> list[Curve]:
    found = [other.metrics.get(member.name) for member in chart.members[: len(SERIES_COLORS)]]
    empty = Curve((), None, ())
    return [
        empty if one is None else curve(Series(np.array(one.steps, np.int64), np.array(one.values)), columns)
        for one in found
    ]


def _card(chart: Chart, buffer: RunBuffer, others: Sequence[Other], slot: _Slot, detail: float) -> Iterator[Shape]:
    yield Rect(slot.x, slot.y, slot.width, slot.height, "card", "line", 6)
    yield from _card_head(chart, buffer, slot)
    members = chart.members[: len(SERIES_COLORS)]
    curves = [curve(buffer.series(member.name), int(slot.width * detail)) for member in members]
    behind = [(other, _outline_curves(chart, other, int(slot.width * detail))) for other in others]
    reference = reference_in(others)
    if reference is not None:
        yield from _differences(chart, buffer, reference, slot)
    every = [*curves, *(one for _, lines in behind for one in lines)]
    low, high = _value_range(every)
    labels = max(map(len, tick_texts(_value_ticks(low, high, slot.plot_height)))) * _TICK_SIZE * 0.66 + 12
    left = max(_LABELS, labels)
    place = (slot.x + left, slot.y + slot.top, slot.width - left - 14, slot.plot_height)
    plot = _Plot(*place, low, high, *_step_range(every))
    yield from _axes(plot)
    for other, lines in behind:
        yield from _behind(plot, other, lines)
    for draw in (_points, _trend):
        for one, color in zip(curves, SERIES_COLORS, strict=False):
            yield from draw(plot, one, color)
    odd = sorted(mark for one in curves for mark in one.odd)
    if odd:
        yield from _marks(plot, odd)


def _head(facts: Facts, buffer: RunBuffer, y: float) -> Iterator[Shape]:
    color = _STATE_COLORS[facts.state]
    name = _clip(facts.name, 420, 15)
    progress, said = buffer.progress(facts.total), []
    if progress is not None:
        metrics = sum(not is_of_machine(name) for name in buffer.names)
        said = [duration_text(buffer.seconds), progress.text, counted(metrics, "metric")]
    runs = (
        Run(name, bold=True),
        Run(BULLET, color, gap=13),
        Run(facts.state, color, bold=True, gap=5),
    )
    yield Text(_MARGIN, y + 25, 15, runs)
    yield Text(_WIDTH - _MARGIN, y + 25, 12.5, (Run(" · ".join(said), "dim"),), "end")
    share = None if progress is None else progress.share
    if share is not None:
        place = (_MARGIN, y + _HEAD - _BAR)
        yield Rect(*place, _WIDTH - 2 * _MARGIN, _BAR, "line", radius=_BAR / 2)
        yield Rect(*place, max(_BAR, share * (_WIDTH - 2 * _MARGIN)), _BAR, color, radius=_BAR / 2)


def _legend_of_runs(facts: Facts, others: Sequence[Other], y: float) -> Iterator[Shape]:
    runs = [Run(KEY, SERIES_COLORS[0]), Run(_clip(facts.name, 240, 12), gap=5)]
    for other in others:
        key = DASHED_KEY if other.kind == "reference" else KEY
        runs += (Run(key, _color_of(other), gap=16), Run(_clip(other.name, 300, 12), gap=5))
        if other.kind == "reference":
            runs.append(Run("reference", "dim", gap=5))
    yield Text(_MARGIN, y + 12, 12, tuple(runs))


def _banner(facts: Facts) -> Iterator[Shape]:
    yield Rect(0.5, 0.5, _WIDTH - 1, _BANNER - 1, "amber", "amberline", 8)
    strong, rest = facts.banner
    yield Text(_MARGIN, 24, 12.5, (Run(strong, bold=True), Run(rest, gap=5)))


def picture(
    facts: Facts, buffer: RunBuffer, others: Sequence[Other] = (), *, banner: bool, detail: float = 1.0
) -> Scene:
    """Return the picture of a run.

    Args:
        facts: what is said beside the curves.
        buffer: the points.
        others: runs that are drawn behind.
        banner: whether until when the run is kept stands in the picture, for viewers that show nothing else.
        detail: points drawn for each pixel across.
    """
    charts = [chart for chart in group(buffer.names) if chart.section == "charts"]
    shown, columns = charts[:MOST_CHARTS], _columns(len(charts[:MOST_CHARTS]))
    top = _BANNER + 6 if banner else 0.0
    width = (_WIDTH - 2 * _MARGIN - (columns - 1) * _GAP) / columns
    shapes = [*(_banner(facts) if banner else ()), *_head(facts, buffer, top)]
    bottom = top + _HEAD + (0 if facts.total is None or not charts else 8)
    if others:
        shapes += _legend_of_runs(facts, others, bottom)
        bottom += _RUNS
    more_top = 0.0 if reference_in(others) is None else _DIFFERENCES
    for row in range(0, len(shown), columns):
        for column, chart in enumerate(shown[row : row + columns]):
            slot = _Slot(_MARGIN + column * (width + _GAP), bottom, width, _PLOT_HEIGHTS[columns], more_top)
            shapes += _card(chart, buffer, others, slot, detail)
        bottom += slot.height + _GAP
    notes = []
    if not charts:
        notes.append("Nothing was logged yet." if facts.state == "running" else "Nothing was logged.")
    if len(charts) > len(shown):
        notes.append(f"{len(shown)} of {len(charts)} charts are in this picture; the run's page has all.")
    notes += [note for other in others if (note := stranger_note(other, buffer.names)) is not None]
    for note in notes:
        shapes.append(Text(_MARGIN, bottom + 14, 12, (Run(note, "dim"),)))
        bottom += _FOOT
    frame = Rect(0.5, 0.5, _WIDTH - 1, bottom + 3, "bg", "line", 8)
    return Scene(_WIDTH, bottom + 4, (frame, *shapes))
