"""Media: what is logged at a step and is no single number. Which kinds there are, what each holds, and the messages.

The content of an item is text: JSON for what has a shape of its own, plain text, or, of a picture, its bytes as base64.
What each kind's JSON holds is said by the dataclasses here, and checked on both sides by `content_problem`.

| kind | type | content |
|---|---|---|
| `histogram` | `application/json` | `Histogram` |
| `image` | `image/png`, `image/jpeg`, `image/webp` | the file's bytes, as base64 |
| `table` | `application/json` | `Table` |
| `text` | `text/plain` | the text |
| `confusion_matrix` | `application/json` | `Matrix` |
| `curves` | `application/json` | `Curves`: precision over recall, or true over false positives, by class |
| `figure` | `application/json` | a Plotly figure: an object with `data` and `layout` |
| `console` | `text/plain` | a piece of what the program printed; the pieces follow each other |
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from anonrun.core.metrics import name_problem

__all__ = [
    "CONSOLE_KEY",
    "MAX_BATCH_ITEMS",
    "MAX_BINS",
    "MAX_CAPTION_CHARS",
    "MAX_CLASSES",
    "MAX_CONTENT_BYTES",
    "MAX_CURVES",
    "MAX_CURVE_POINTS",
    "MAX_TABLE_CELLS",
    "MAX_TABLE_COLUMNS",
    "TYPES",
    "Curve",
    "Curves",
    "Histogram",
    "Matrix",
    "MediaBatch",
    "MediaInfo",
    "MediaItem",
    "MediaKind",
    "MediaPage",
    "MediaReceipt",
    "Table",
    "content_bytes",
    "content_problem",
    "item_problem",
]

MAX_CONTENT_BYTES = 1 << 20
"""Of one item, decoded: so that a request holds at least one."""
MAX_BATCH_ITEMS = 256
MAX_CAPTION_CHARS = 1_000
MAX_BINS = 512
MAX_CLASSES = 200
MAX_CURVES = 64
MAX_CURVE_POINTS = 2_000
MAX_TABLE_COLUMNS = 200
MAX_TABLE_CELLS = 100_000
CONSOLE_KEY = "console"

_INT64 = 1 << 63
_ID_DIGITS = 32
_HEX = frozenset("0123456789abcdef")


class MediaKind(str, enum.Enum):
    """What an item is."""

    HISTOGRAM = "histogram"
    IMAGE = "image"
    TABLE = "table"
    TEXT = "text"
    CONFUSION_MATRIX = "confusion_matrix"
    CURVES = "curves"
    FIGURE = "figure"
    CONSOLE = "console"


TYPES: Mapping[MediaKind, tuple[str, ...]] = {
    MediaKind.HISTOGRAM: ("application/json",),
    MediaKind.IMAGE: ("image/png", "image/jpeg", "image/webp"),
    MediaKind.TABLE: ("application/json",),
    MediaKind.TEXT: ("text/plain",),
    MediaKind.CONFUSION_MATRIX: ("application/json",),
    MediaKind.CURVES: ("application/json",),
    MediaKind.FIGURE: ("application/json",),
    MediaKind.CONSOLE: ("text/plain",),
}
"""The content types that an item of each kind may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaItem:
    """One item on its way to the server.

    Attributes:
        media_id: chosen by the client, 32 lower-case hexadecimal digits; the same item sent again is stored once.
        kind: what it is.
        key: what it was logged under; the rules are those of a metric's name.
        step: at which step.
        time: when it was logged.
        type: content type.
        content: text, or base64 of a picture's bytes.
        index: place among the items that one call logged under this key.
        caption: what its maker says of it; empty for nothing.
    """

    media_id: str
    kind: MediaKind
    key: str
    step: int
    time: datetime
    type: str
    content: str
    index: int = 0
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaBatch:
    """Items to be stored together, in order."""

    items: list[MediaItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaReceipt:
    """What became of a batch: all of it is in the store.

    Attributes:
        stored: items that were not there before.
        position: of the last item of the run.
    """

    stored: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """One item as it is read.

    Attributes:
        position: place among all items of the run, from 1 on, in order of arrival.
        media_id: as its client chose it.
        kind: what it is.
        key: what it was logged under.
        step: at which step.
        time: when it was logged.
        type: content type.
        size_bytes: of its content, decoded.
        index: place among the items that one call logged under this key.
        caption: what its maker says of it.
        content: text; None for a picture, whose bytes are read one by one.
    """

    position: int
    media_id: str
    kind: MediaKind
    key: str
    step: int
    time: datetime
    type: str
    size_bytes: int
    index: int = 0
    caption: str = ""
    content: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPage:
    """Items in order of arrival.

    Attributes:
        items: them.
        position: where to go on after.
        end: whether there was nothing more.
    """

    items: list[MediaInfo]
    position: int
    end: bool


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts in neighbouring bins: `counts[i]` values lie from `edges[i]` to `edges[i + 1]`."""

    edges: list[float]
    counts: list[float]

    def problem(self) -> str | None:
        """Return what is wrong with it, or None."""
        if not 1 <= len(self.counts) <= MAX_BINS:
            return f"a histogram has 1 … {MAX_BINS} bins"
        if len(self.edges) != len(self.counts) + 1:
            return "a histogram has one edge more than counts"
        if not _numbers(self.edges) or any(a > b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            return "a histogram's edges are numbers that rise"
        return None if _numbers(self.counts) and min(self.counts) >= 0 else "a histogram's counts are numbers from 0 on"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; a cell is text, a number, true, false or null, and text for NaN and ±Infinity."""

    columns: list[str]
    rows: list[list[Any]]

    def problem(self) -> str | None:
        """Return what is wrong with it, or None."""
        width = len(self.columns)
        if not 1 <= width <= MAX_TABLE_COLUMNS or not _texts(self.columns):
            return f"a table has 1 … {MAX_TABLE_COLUMNS} named columns"
        if not all(_has_length(row, width) for row in self.rows):
            return "each row of a table has as many cells as there are columns"
        if len(self.rows) * width > MAX_TABLE_CELLS:
            return f"a table has at most {MAX_TABLE_CELLS:,} cells"
        plain = all(cell is None or isinstance(cell, (str, int, float)) for row in self.rows for cell in row)
        return None if plain else "a table's cells are text, numbers, true, false or null"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who was taken for whom: `counts[i][j]` of class `labels[i]` were taken for `labels[j]`."""

    labels: list[str]
    counts: list[list[float]]

    def problem(self) -> str | None:
        """Return what is wrong with it, or None."""
        size = len(self.labels)
        if not 1 <= size <= MAX_CLASSES or not _texts(self.labels):
            return f"a confusion matrix has 1 … {MAX_CLASSES} classes, each with a name"
        square = len(self.counts) == size and all(_has_length(row, size) for row in self.counts)
        if not square or not all(_numbers(row) and min(row) >= 0 for row in self.counts):
            return "a confusion matrix is square and holds numbers from 0 on"
        return None


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: `y[i]` at `x[i]`, both from 0 to 1; `area` below it, None where that says nothing."""

    name: str
    x: list[float]
    y: list[float]
    area: float | None = None

    def problem(self) -> str | None:
        """Return what is wrong with it, or None."""
        if not _texts([self.name]) or not 1 <= len(self.x) <= MAX_CURVE_POINTS or len(self.x) != len(self.y):
            return f"a curve has a name, and as many x as y: 1 … {MAX_CURVE_POINTS}"
        good = _numbers(self.x) and _numbers(self.y) and (self.area is None or _numbers([self.area]))
        return None if good else "a curve's x, y and area are numbers"


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines over one pair of axes, such as precision over recall."""

    x_title: str
    y_title: str
    lines: list[Curve] = field(default_factory=list)

    def problem(self) -> str | None:
        """Return what is wrong with them, or None."""
        if not _texts([self.x_title, self.y_title]):
            return "the axes of curves have titles"
        if not 1 <= len(self.lines) <= MAX_CURVES:
            return f"there are 1 … {MAX_CURVES} curves"
        return next((problem for line in self.lines if (problem := line.problem()) is not None), None)


def _has_length(row: object, length: int) -> bool:
    return isinstance(row, list) and len(row) == length


def _texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _numbers(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and _finite(value) for value in values
    )


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


def _curves(said: dict[str, Any]) -> Curves:
    return Curves(said["x_title"], said["y_title"], [Curve(**line) for line in said["lines"]])


_SHAPES: Mapping[MediaKind, Callable[[dict[str, Any]], Histogram | Table | Matrix | Curves]] = {
    MediaKind.HISTOGRAM: lambda said: Histogram(**said),
    MediaKind.TABLE: lambda said: Table(**said),
    MediaKind.CONFUSION_MATRIX: lambda said: Matrix(**said),
    MediaKind.CURVES: _curves,
}


def _json_problem(kind: MediaKind, text: str) -> str | None:
    try:
        said = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return f"the content of a {kind.value} is JSON, without NaN and Infinity"
    if not isinstance(said, dict):
        return f"the content of a {kind.value} is a JSON object"
    if kind is MediaKind.FIGURE:
        good = isinstance(said.get("data"), list) and isinstance(said.get("layout", {}), dict)
        return None if good else "a figure has a list `data`, and an object `layout`"
    try:
        return _SHAPES[kind](said).problem()
    except (TypeError, KeyError, ValueError):
        return f"the content of a {kind.value} has other fields than it should"


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}


def content_bytes(kind: MediaKind, content: str) -> bytes:
    """Return the bytes of a content: a picture's, or a text's in UTF-8.

    Raises:
        ValueError: it is no base64, or no Unicode text.
    """
    if kind is MediaKind.IMAGE:
        try:
            return base64.b64decode(content, validate=True)
        except binascii.Error as exc:
            raise ValueError(str(exc)) from exc
    return content.encode("utf-8")


def content_problem(kind: MediaKind, content_type: str, content: str) -> str | None:
    """Return what is wrong with an item's content, or None where nothing is.

    Example:
        >>> content_problem(MediaKind.HISTOGRAM, "application/json", '{"edges": [0, 1], "counts": [3]}')
        >>> content_problem(MediaKind.HISTOGRAM, "application/json", '{"edges": [0, 1], "counts": []}')
        'a histogram has 1 … 512 bins'
    """
    if content_type not in TYPES[kind]:
        return f"the type of a {kind.value} is {' or '.join(TYPES[kind])}"
    try:
        data = content_bytes(kind, content)
    except ValueError:
        return "a picture's content is base64" if kind is MediaKind.IMAGE else "the content is Unicode text"
    if len(data) > MAX_CONTENT_BYTES:
        return f"an item holds at most {MAX_CONTENT_BYTES:,} bytes; this one has {len(data):,}"
    if kind is MediaKind.IMAGE:
        return None if data.startswith(_MAGIC[content_type]) else f"the content is no {content_type}"
    return _json_problem(kind, content) if content_type == "application/json" else None


def item_problem(item: MediaItem) -> str | None:
    """Return what is wrong with an item, or None where nothing is."""
    problem = name_problem(item.key)
    if problem is not None:
        return problem
    if len(item.media_id) != _ID_DIGITS or not _HEX.issuperset(item.media_id):
        return f"an item's id has {_ID_DIGITS} lower-case hexadecimal digits"
    if not -_INT64 <= item.step < _INT64:
        return "a step is an integer of 64 bits"
    if not 0 <= item.index < MAX_BATCH_ITEMS:
        return f"an index is from 0 to {MAX_BATCH_ITEMS - 1}"
    if len(item.caption) > MAX_CAPTION_CHARS:
        return f"a caption has at most {MAX_CAPTION_CHARS} characters"
    return content_problem(item.kind, item.type, item.content)
