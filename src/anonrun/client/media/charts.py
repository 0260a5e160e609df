"""Charts of how well a classifier does: who was taken for whom, and curves over all thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from anonrun.client.media.arrays import plain_list
from anonrun.client.media.content import Content, Media, Unloggable, caption_of, json_content
from anonrun.client.media.scoring import (
    Thresholds,
    average_precision,
    pr_points,
    roc_area,
    roc_points,
    thinned,
    thresholds,
)
from anonrun.core.media import MAX_CLASSES, MAX_CURVE_POINTS, MAX_CURVES, Curve, Curves, Matrix, MediaKind
from anonrun.core.metrics import to_float
from anonrun.core.words import counted

__all__ = ["ConfusionMatrix", "CurveChart", "pr_of", "roc_of"]


class ConfusionMatrix(Media):
    """Who was taken for whom; made by `anonrun.plot.confusion_matrix`."""

    def __init__(self, y_true: object, preds: object, probs: object, class_names: object, title: object) -> None:
        self._caption = caption_of(title)
        self._matrix: Matrix | None = None
        self._problem = ""
        try:
            self._matrix = _matrix(y_true, preds, probs, class_names)
        except Unloggable as exc:
            self._problem = str(exc)

    def content(self) -> Content:
        """See `Media.content`."""
        if self._matrix is None:
            raise Unloggable(self._problem)
        return json_content(MediaKind.CONFUSION_MATRIX, self._matrix, caption=self._caption)

    def __repr__(self) -> str:
        if self._matrix is None:
            return f"<anonrun confusion matrix: {self._problem}>"
        return f"<anonrun confusion matrix of {len(self._matrix.labels):,} classes>"


class CurveChart(Media):
    """One curve a class; made by `anonrun.plot.pr_curve` and `roc_curve`."""

    def __init__(self, make: Callable[[], tuple[Curves, list[str]]], title: object) -> None:
        self._caption = caption_of(title)
        self._curves: Curves | None = None
        self._notes: list[str] = []
        self._problem = ""
        try:
            self._curves, self._notes = make()
        except Unloggable as exc:
            self._problem = str(exc)

    def content(self) -> Content:
        """See `Media.content`."""
        if self._curves is None:
            raise Unloggable(self._problem)
        return json_content(MediaKind.CURVES, self._curves, caption=self._caption, notes=tuple(self._notes))

    def __repr__(self) -> str:
        if self._curves is None:
            return f"<anonrun curves: {self._problem}>"
        lines = ", ".join(f"{line.name} {line.area:.3f}" for line in self._curves.lines if line.area is not None)
        return f"<anonrun curves of {self._curves.y_title.lower()} over {self._curves.x_title.lower()}: {lines}>"


def pr_of(y_true: object, y_probas: object, labels: object, classes_to_plot: object) -> tuple[Curves, list[str]]:
    """Return curves of precision over recall, and notes.

    Raises:
        Unloggable: what was given does not fit together.
    """

    def line(name: str, counts: Thresholds) -> Curve:
        x, y = pr_points(counts)
        return Curve(name, *thinned(x, y, MAX_CURVE_POINTS), area=average_precision(x, y))

    return _curves(y_true, y_probas, labels, classes_to_plot, axes=("Recall", "Precision"), line=line)


def roc_of(y_true: object, y_probas: object, labels: object, classes_to_plot: object) -> tuple[Curves, list[str]]:
    """Return curves of true over false positives, and notes.

    Raises:
        Unloggable: what was given does not fit together.
    """

    def line(name: str, counts: Thresholds) -> Curve:
        x, y = roc_points(counts)
        return Curve(name, *thinned(x, y, MAX_CURVE_POINTS), area=roc_area(x, y))

    axes = ("False positive rate", "True positive rate")
    return _curves(y_true, y_probas, labels, classes_to_plot, axes=axes, line=line, needs_negatives=True)


def _curves(
    y_true: object,
    y_probas: object,
    labels: object,
    classes_to_plot: object,
    *,
    axes: tuple[str, str],
    line: Callable[[str, Thresholds], Curve],
    needs_negatives: bool = False,
) -> tuple[Curves, list[str]]:
    truth = _classes(y_true, "y_true")
    rows = plain_list(y_probas, "y_probas")
    if not truth or len(rows) != len(truth):
        raise Unloggable(f"y_true has {len(truth):,} entries and y_probas {len(rows):,}; give as many of both.")
    columns = _columns(rows)
    classes, names = _classes_of_columns(truth, len(columns), labels)
    wanted = None if classes_to_plot is None else set(_classes(classes_to_plot, "classes_to_plot"))
    lines: list[Curve] = []
    left_out: list[str] = []
    for klass, name, scores in zip(classes, names, columns, strict=True):
        if wanted is not None and klass not in wanted:
            continue
        positive = [label == klass for label in truth]
        hits = sum(positive)
        if not hits or (needs_negatives and hits == len(positive)):
            left_out.append(name)
        else:
            lines.append(line(name, thresholds(scores, positive)))
    if not lines:
        raise Unloggable("There is no curve to draw: of no class there are both members and others in y_true.")
    notes = [f"Classes without a curve, since y_true lacks them: {', '.join(left_out)}."] if left_out else []
    if len(lines) > MAX_CURVES:
        notes.append(f"Of {len(lines)} curves the first {MAX_CURVES} are kept; choose by classes_to_plot=.")
    return Curves(*axes, lines=lines[:MAX_CURVES]), notes


def _columns(rows: list[Any]) -> list[list[float]]:
    """Return the scores of each class; of single scores, those of the one class that they are about."""
    if not any(isinstance(row, (list, tuple)) for row in rows):
        return [_scores(rows)]
    width = len(rows[0]) if isinstance(rows[0], (list, tuple)) else 0
    if not width or any(not isinstance(row, (list, tuple)) or len(row) != width for row in rows):
        raise Unloggable("The rows of y_probas differ in length; give one score a class in each.")
    if width == 1:
        return [_scores([row[0] for row in rows])]
    return [_scores([row[at] for row in rows]) for at in range(width)]


def _scores(values: Iterable[Any]) -> list[float]:
    numbers = [value if type(value) is float else to_float(value) for value in values]
    good = [number for number in numbers if number is not None and number == number]  # noqa: PLR0124  NaN is not
    if len(good) != len(numbers):
        raise Unloggable("Scores are numbers; some in y_probas are none, or NaN.")
    return good


def _classes_of_columns(truth: list[Any], width: int, labels: object) -> tuple[list[Any], list[str]]:
    """Return which class each column of scores is about, and its name."""
    names = None if labels is None else [str(name) for name in plain_list(labels, "labels")]
    present = sorted(set(truth), key=_order)
    if width == 1:
        klass: Any = present[-1] if len(present) == 1 else present[1]
        if len(present) > 2:  # noqa: PLR2004  a class and the rest
            raise Unloggable(f"y_true has {len(present)} classes and y_probas one score each; give one a class.")
        if present == [0]:
            klass = 1
        return [klass], [names[-1] if names else str(klass)]
    if all(type(label) is int and 0 <= label < width for label in present):
        classes: list[Any] = list(range(width))
    elif names is not None and len(names) == width and set(present) <= set(names):
        classes = list(names)
    elif len(present) == width:
        classes = present
    else:
        raise Unloggable(f"y_true has {len(present)} classes and y_probas {width} columns; give one column a class.")
    if names is not None and len(names) != width:
        raise Unloggable(f"There are {len(names)} labels and {width} classes; give one name a class.")
    return classes, names or [str(klass) for klass in classes]


def _matrix(y_true: object, preds: object, probs: object, class_names: object) -> Matrix:
    if y_true is None or (preds is None) == (probs is None):
        raise Unloggable("A confusion matrix is made of y_true and one of preds and probs.")
    truth = _classes(y_true, "y_true")
    taken = _classes(preds, "preds") if probs is None else _likeliest(plain_list(probs, "probs"))
    if not truth or len(taken) != len(truth):
        what = "preds" if probs is None else "probs"
        raise Unloggable(f"y_true has {len(truth):,} entries and {what} {len(taken):,}; give as many of both.")
    names = None if class_names is None else [str(name) for name in plain_list(class_names, "class_names")]
    classes = _all_classes([*truth, *taken], names)
    if len(classes) > MAX_CLASSES:
        raise Unloggable(f"A confusion matrix has at most {MAX_CLASSES} classes; these are {len(classes):,}.")
    place = {klass: at for at, klass in enumerate(classes)}
    counts = [[0] * len(classes) for _ in classes]
    for actual, said in zip(truth, taken, strict=True):
        counts[place[actual]][place[said]] += 1
    labels = names or [f"Class {klass}" if type(klass) is int else str(klass) for klass in classes]
    return Matrix(labels, [[float(count) for count in row] for row in counts])


def _all_classes(seen: list[Any], names: list[str] | None) -> list[Any]:
    present = sorted(set(seen), key=_order)
    if names is None:
        return list(range(present[-1] + 1)) if _are_numbers(present) and present[-1] < MAX_CLASSES else present
    if _are_numbers(present) and present[-1] < len(names):
        return list(range(len(names)))
    if set(present) <= set(names) and len(set(names)) == len(names):
        return list(names)
    if len(present) == len(names):
        return present
    raise Unloggable(f"There are {counted(len(names), 'class name')} and {len(present)} classes; give one for each.")


def _are_numbers(present: Sequence[Any]) -> bool:
    return all(type(klass) is int for klass in present) and present[0] >= 0


def _likeliest(rows: list[Any]) -> list[int]:
    if not all(isinstance(row, (list, tuple)) and row for row in rows):
        raise Unloggable("probs has one row for each entry of y_true, with one number a class.")
    return [max(range(len(row)), key=_scores(row).__getitem__) for row in rows]


def _classes(values: object, what: str) -> list[Any]:
    """Return labels as they compare: whole numbers as int, anything else that is no text by its `str`."""
    listed = plain_list(values, what)
    return [_class(value, what) for value in listed]


def _class(value: Any, what: str) -> Any:  # noqa: ANN401  a label of the user's
    if type(value) is int or isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and len(value) == 1:
        (value,) = value
    if isinstance(value, (list, tuple, dict)) or value is None:
        raise Unloggable(f"{what} holds a {type(value).__name__}; give one class for each entry.")
    number = to_float(value)
    return int(number) if number is not None and number == number and number.is_integer() else str(value)  # noqa: PLR0124


def _order(label: Any) -> tuple[int, Any]:  # noqa: ANN401  a label of the user's
    return (1, label) if isinstance(label, str) else (0, label)
