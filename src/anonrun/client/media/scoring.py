"""How well scores tell one class from the rest: precision and recall, true and false positives, at every threshold.

Pure, on plain lists. The curves are exact (nothing is interpolated), and areas are taken before anything is thinned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Thresholds", "average_precision", "pr_points", "roc_area", "roc_points", "thinned", "thresholds"]

_FINEST = 1 / 4096


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Counts at each threshold, the highest first: `true[i]` and `false[i]` positives are at or above the `i`th."""

    true: list[int]
    false: list[int]


def thresholds(scores: Sequence[float], positive: Sequence[bool]) -> Thresholds:
    """Return the counts of true and false positives at each score that occurs.

    Example:
        >>> thresholds([0.9, 0.4, 0.4, 0.1], [True, True, False, False])
        Thresholds(true=[1, 2, 2], false=[0, 1, 2])
    """
    true: list[int] = []
    false: list[int] = []
    last, hits, seen = math.nan, 0, 0
    for score, is_positive in sorted(zip(scores, positive, strict=True), key=lambda pair: -pair[0]):
        if seen and score != last:
            true.append(hits)
            false.append(seen - hits)
        hits += is_positive
        seen += 1
        last = score
    if seen:
        true.append(hits)
        false.append(seen - hits)
    return Thresholds(true, false)


def pr_points(counts: Thresholds) -> tuple[list[float], list[float]]:
    """Return recall and precision, from the highest threshold on; there is at least one positive."""
    total = counts.true[-1]
    recall = [hits / total for hits in counts.true]
    precision = [hits / (hits + wrong) for hits, wrong in zip(counts.true, counts.false, strict=True)]
    return [0.0, *recall], [precision[0] if counts.true[0] else 1.0, *precision]


def average_precision(recall: Sequence[float], precision: Sequence[float]) -> float:
    """Return the area below precision over recall, as steps: the mean precision, weighted by what recall gains."""
    return sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)))


def roc_points(counts: Thresholds) -> tuple[list[float], list[float]]:
    """Return the rates of false and of true positives; there is at least one of each."""
    return (
        [0.0, *(wrong / counts.false[-1] for wrong in counts.false)],
        [0.0, *(hits / counts.true[-1] for hits in counts.true)],
    )


def roc_area(false: Sequence[float], true: Sequence[float]) -> float:
    """Return the area below the curve, by trapezoids."""
    return sum((false[i] - false[i - 1]) * (true[i] + true[i - 1]) / 2 for i in range(1, len(false)))


def thinned(x: Sequence[float], y: Sequence[float], most: int) -> tuple[list[float], list[float]]:
    """Return at most `most` points of a curve that lies within a unit square, first and last among them.

    What is left out is nearer than a small distance, along either axis, to a point that is kept; the distance is the
    smallest power of two that leaves few enough points. A place where the curve turns round is kept with it.

    Example:
        >>> thinned([0, 0.25, 0.5, 0.75, 1], [0, 0, 0, 1, 1], 4)
        ([0, 0.5, 0.75, 1], [0, 0, 1, 1])
    """
    places = _without_straight(x, y) if len(x) > most else list(range(len(x)))
    apart = _FINEST
    while len(places) > most:
        kept = [places[0]]
        for before, at in pairwise(places):
            last = kept[-1]
            if abs(x[at] - x[last]) >= apart or abs(y[at] - y[last]) >= apart:
                # The end of a cluster that was left out: without it a steep step would begin too early.
                if before != last and len(kept) > 1 and abs(y[at] - y[before]) >= apart:
                    kept.append(before)
                kept.append(at)
        if kept[-1] != places[-1]:
            kept.append(places[-1])
        places, apart = kept, apart * 2
    return [x[at] for at in places], [y[at] for at in places]


def _without_straight(x: Sequence[float], y: Sequence[float]) -> list[int]:
    """Return the places of a curve but those within a horizontal or vertical stretch."""
    inner = (
        at for at in range(1, len(x) - 1) if not (x[at - 1] == x[at] == x[at + 1] or y[at - 1] == y[at] == y[at + 1])
    )
    return [0, *inner, len(x) - 1]
