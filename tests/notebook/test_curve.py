from __future__ import annotations

import math
import random

import numpy as np

from anonrun.notebook.buffer import Series
from anonrun.notebook.curve import curve


def series(values: list[float]) -> Series:
    return Series(np.arange(len(values)), np.array(values, dtype=np.float64))


def test_a_clean_curve_is_drawn_as_it_is() -> None:
    drawn = curve(series([math.exp(-i / 50) for i in range(500)]), 250)
    assert drawn.smooth is None
    ((xs, _),) = drawn.stretches
    assert (xs[0], xs[-1]) == (0, 499)


def test_a_noisy_curve_gets_a_line_that_does_not_lag() -> None:
    rng = random.Random(3)
    true = [2 * math.exp(-i / 200) for i in range(1_000)]
    drawn = curve(series([value + rng.gauss(0, 0.1) for value in true]), 250)
    assert drawn.smooth is not None
    xs, ys = drawn.smooth
    errors = [y - true[int(x)] for x, y in zip(xs, ys, strict=True)]
    assert max(map(abs, errors)) < 0.12
    assert abs(sum(errors) / len(errors)) < 0.02  # a lagging line would be too high all along a falling curve


def test_few_points_are_never_smoothed() -> None:
    assert curve(series([1.0, 5.0] * 10), 250).smooth is None


def test_nan_and_infinity_break_the_line_and_are_told_apart() -> None:
    drawn = curve(series([1.0, 2.0, math.nan, 4.0, math.inf, 6.0]), 250)
    assert [xs.tolist() for xs, _ in drawn.stretches] == [[0, 1], [3], [5]]
    assert [x for x, _ in drawn.odd] == [2.0, 4.0]


def test_only_nan_draws_nothing_but_marks() -> None:
    drawn = curve(series([math.nan, math.nan]), 250)
    assert drawn.stretches == ()
    assert len(drawn.odd) == 2


def test_values_near_the_ends_of_a_float_do_not_overflow() -> None:
    values = [(-1) ** i * 1.7e308 * ((i % 7) / 7) for i in range(300)]
    drawn = curve(series(values), 250)
    assert drawn.smooth is None or np.isfinite(drawn.smooth[1]).all()
