"""From points to what is drawn of them: segments between gaps, and a smoothed line where that helps.

Pure. The smoothing looks both ways, so that it never lags behind the points, and is left out where the
points are clean or few: a line that differs from clean points would mislead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonrun.notebook.buffer import Series, extremes

__all__ = ["Curve", "curve"]

_FEWEST_TO_SMOOTH = 30
_TURNS = 0.2  # unrelated values turn at 2 points in 3, a curve that bends once at none
_NOISE = 0.005
_SMOOTH_SHARE = 0.02
_SMOOTH_POINTS = 120

Floats = npt.NDArray[np.float64]
Stretch = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn of one metric, in units of the data.

    Attributes:
        stretches: x and y of each unbroken stretch; NaN and ±Inf break a line.
        smooth: x and y of the smoothed line; None where the stretches say it better.
        odd: where NaN or ±Inf stand, as (x, value).
    """

    stretches: tuple[Stretch, ...]
    smooth: Stretch | None
    odd: tuple[tuple[float, float], ...]


def _smoothed(values: Floats, at: npt.NDArray[np.intp]) -> Floats:
    """Return, for the points at these indices, a line fitted to the neighbours, the near ones weighing more.

    Local linear regression (Cleveland 1979) with a Gaussian weight: unlike a mean it is not drawn aside
    at the ends of a steep curve.
    """
    width = max(1.5, _SMOOTH_SHARE * len(values))
    distance = np.arange(len(values))[None, :] - at[:, None]
    weight = np.exp(-0.5 * (distance / width) ** 2)
    first, second = (weight * distance).sum(axis=1), (weight * distance**2).sum(axis=1)
    total = weight.sum(axis=1)
    level, slope = weight @ values, (weight * distance) @ values
    fitted: Floats = (second * level - first * slope) / (total * second - first**2)
    return np.clip(fitted, values.min(), values.max())


def curve(series: Series, columns: int) -> Curve:
    """Return what to draw of a series on about `columns` pixels, extremes included."""
    finite = np.isfinite(series.values)
    steps: Floats = series.steps.astype(np.float64)
    odd = tuple(zip(steps[~finite].tolist(), series.values[~finite].tolist(), strict=True))
    stretches = []
    for part in np.split(np.arange(len(finite)), np.flatnonzero(np.diff(finite.astype(np.int8))) + 1):
        if len(part) and finite[part[0]]:
            keep = part[extremes(series.values[part], max(2, columns * len(part) // (2 * len(finite))))]
            stretches.append((steps[keep], series.values[keep]))
    return Curve(tuple(stretches), _smooth_line(steps[finite], series.values[finite]), odd)


def _smooth_line(steps: Floats, values: Floats) -> Stretch | None:
    if len(values) < _FEWEST_TO_SMOOTH:
        return None
    scale = float(np.abs(values).max()) or 1.0  # sums of the largest floats would overflow
    scaled = values / scale
    jumps = np.diff(scaled)
    turns = float(np.mean(np.diff(np.sign(jumps)) != 0))
    if turns < _TURNS or float(np.mean(np.abs(np.diff(jumps)))) < 2 * _NOISE * float(np.ptp(scaled)):
        return None
    at = np.unique(np.linspace(0, len(values) - 1, _SMOOTH_POINTS).astype(np.intp))
    return steps[at], scale * _smoothed(scaled, at)
