"""The static picture of a run as shapes: rectangles, lines, dots and texts at positions in CSS pixels.

`svg` and `png` draw the same scene. Colours are names of a palette, so that one scene can be shown
light and dark. Pure: what the picture says is in its arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "BULLET", "DARK", "DASHED_KEY", "KEY", "LIGHT", "REFERENCE_COLOR", "RUN_COLORS", "SERIES_COLORS", "Dot", "Line",
    "Rect", "Run", "Scene", "Shape", "Text",
]  # fmt: skip

LIGHT = {
    "bg": "#ffffff", "fg": "#1b1f24", "dim": "#66707b", "line": "#e3e7eb", "card": "#ffffff",
    "amber": "#fff6e0", "amberline": "#f0d9a0", "good": "#0a7d4f", "bad": "#c2331f", "accent": "#0b63b0",
    "s1": "#0072b2", "s2": "#d55e00", "s3": "#009e73", "s4": "#cc79a7", "s5": "#e69f00", "s6": "#56b4e9",
    "ref": "#6f7782",
}  # fmt: skip
"""Okabe-Ito colours for series, which people with any colour vision can tell apart."""

DARK = {
    "bg": "#111418", "fg": "#e8ebee", "dim": "#949eaa", "line": "#2a3038", "card": "#161a1f",
    "amber": "#2b2413", "amberline": "#57471c", "good": "#4cc38a", "bad": "#f2765f", "accent": "#5aa9ef",
    "s1": "#56b4e9", "s2": "#f2893b", "s3": "#3cc79a", "s4": "#e29bc4", "s5": "#f0c04a", "s6": "#8fd0f5",
    "ref": "#a3acb7",
}  # fmt: skip

SERIES_COLORS = ("s1", "s2", "s3", "s4", "s5", "s6")
RUN_COLORS = ("s4", "s3", "s5", "s6")
"""Colours of other runs, first those that a chart of training and validation does not take."""

REFERENCE_COLOR = "ref"
"""A reference takes no part in the play of colours."""


KEY = "–"
"""A run of this text alone is a legend's short line."""

DASHED_KEY = "- -"
"""A run of this text alone is a legend's short line of dashes."""

BULLET = "●"
"""A run of this text alone is a dot before a state."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle; no `stroke` means no border."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str | None = None
    radius: float = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline; `dash` is how much of it is drawn and how much left out in turn, none for all of it."""

    points: tuple[tuple[float, float], ...]
    color: str
    width: float
    opacity: float = 1.0
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    color: str


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one colour and weight; `gap` pixels before it."""

    text: str
    color: str = "fg"
    bold: bool = False
    gap: float = 0


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text, its baseline at `y`; `anchor` says which of its points stands at `x`."""

    x: float
    y: float
    size: float
    runs: tuple[Run, ...]
    anchor: str = "start"


Shape = Rect | Line | Dot | Text


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes in the order in which they are drawn, on an opaque background."""

    width: float
    height: float
    shapes: tuple[Shape, ...] = field(repr=False)
