"""What a training logs: ten metrics as noisy as real ones, the same on every machine.

Standard library only, since the peers' environments hold nothing else of ours. Most frameworks hand out single
precision, so most columns are; a schedule, a fraction and a throughput are double, as Python computes them.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Iterator

__all__ = ["METRICS", "column", "rows", "times_us"]

_EPOCH_STEPS = 391
_DECAY_STEPS = 4_000
_HORIZON = 100_000
_START_US = 1_790_000_000_000_000
_STEP_US = 50_000

Draw = Callable[[random.Random, int], float]


def _loss(rng: random.Random, step: int) -> float:
    return 2.2 * math.exp(-step / _DECAY_STEPS) + 0.3 + rng.gauss(0, 0.06)


def _accuracy(rng: random.Random, step: int) -> float:
    return 0.93 - 0.8 * math.exp(-step / _DECAY_STEPS) + rng.gauss(0, 0.02)


def _learning_rate(_: random.Random, step: int) -> float:
    return 5e-4 * (1 + math.cos(math.pi * (step % _HORIZON) / _HORIZON))


_DRAWS: dict[str, tuple[Draw, bool]] = {
    "train/loss": (_loss, True),
    "train/accuracy": (_accuracy, True),
    "train/grad_norm": (lambda rng, _: rng.lognormvariate(0.2, 0.4), True),
    "train/perplexity": (lambda rng, step: math.exp(_loss(rng, step)), True),
    "val/loss": (lambda rng, step: _loss(rng, step) + 0.08, True),
    "val/accuracy": (lambda rng, step: round(_accuracy(rng, step) * 10_000) / 10_000, False),
    "lr": (_learning_rate, False),
    "epoch": (lambda _, step: step / _EPOCH_STEPS, False),
    "samples_per_s": (lambda rng, _: 128 / rng.gauss(0.061, 0.002), False),
    "gpu/util": (lambda rng, _: float(rng.randint(86, 100)), False),
}
METRICS = tuple(_DRAWS)


def column(metric: str, count: int, *, start: int = 0, seed: int = 0) -> array[float]:
    """Return `count` values of one of `METRICS`, from step `start` on."""
    draw, single = _DRAWS[metric]
    rng = random.Random(f"{metric} {start} {seed}")
    values = array("d", (draw(rng, step) for step in range(start, start + count)))
    return array("d", array("f", values)) if single else values


def times_us(count: int, *, start: int = 0, seed: int = 0) -> array[int]:
    """Return when rows were logged, microseconds since the Unix epoch: every 50 ms, and a jitter."""
    rng = random.Random(f"time {start} {seed}")
    return array("q", (_START_US + step * _STEP_US + rng.randrange(4_000) for step in range(start, start + count)))


def rows(count: int, *, seed: int = 0) -> Iterator[dict[str, float]]:
    """Yield `count` rows of all of `METRICS`."""
    columns = [column(metric, count, seed=seed) for metric in METRICS]
    for values in zip(*columns, strict=True):
        yield dict(zip(METRICS, values, strict=True))
