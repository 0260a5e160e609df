from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.wire import Frame
from anonrun.notebook.buffer import RunBuffer, extremes, thinned

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def frame(values: list[float], *, start: int = 0, name: str = "loss") -> Frame:
    steps = range(start, start + len(values))
    return Frame.of([name], steps, [1_000_000 * step for step in steps], [values])


def test_extremes_of_buckets_hold_the_largest_and_the_smallest_value_and_both_ends() -> None:
    values = np.sin(np.arange(10_000) / 7.0)
    values[4_321], values[8_765] = 50.0, -50.0
    indices = extremes(values, 100)
    assert len(indices) <= 202
    assert {0, 4_321, 8_765, 9_999} <= set(indices.tolist())
    assert (np.diff(indices) > 0).all()


def test_a_short_run_is_held_whole_and_as_it_came() -> None:
    buffer = RunBuffer()
    rows = [Frame.of(["a", "b"], [step], [step], [[step / 2], [-step]]) for step in range(100)]
    buffer.add([*rows, frame([7.0], start=100, name="c")])
    assert buffer.complete
    whole, last = buffer.frames()
    assert whole.names == ("a", "b")
    assert whole.steps.tolist() == list(range(100))
    assert whole.columns[1].tolist() == [-float(step) for step in range(100)]
    assert last.names == ("c",)
    assert buffer.rows == 101


def test_samples_of_the_machine_are_no_steps_of_the_training() -> None:
    buffer = RunBuffer()
    buffer.add([frame([50.0], start=7, name="system/cpu")])
    assert (buffer.progress(100), buffer.last_step, buffer.seconds, buffer.rows) == (None, None, 0, 0)
    buffer.add([frame([1.0, 0.5, 0.2], start=1), frame([70.0], start=900, name="system/cpu")])
    progress = buffer.progress(100)
    assert progress is not None
    assert (progress.first_step, progress.last_step, buffer.last_step) == (1, 3, 3)
    assert (buffer.seconds, buffer.rows) == (2, 3)
    assert buffer.summary("system/cpu").n == 2


def test_frames_that_are_given_stay_as_they_were() -> None:
    buffer, mine = RunBuffer(), frame([1.0, 2.0])
    buffer.add([mine, frame([3.0], start=2)])
    assert mine.columns[0].tolist() == [1.0, 2.0]


def test_a_long_run_keeps_its_spikes_its_ends_and_its_exact_summary() -> None:
    buffer = RunBuffer()
    values = [math.sin(i / 50) for i in range(200_000)]
    values[123_456] = 1e6
    for start in range(0, len(values), 777):
        buffer.add([frame(values[start : start + 777], start=start)])
    series = buffer.series("loss")
    assert len(series.values) <= 2_048
    assert 1e6 in series.values
    assert (series.steps[0], series.steps[-1]) == (0, 199_999)
    summary = buffer.summary("loss")
    assert (summary.n, summary.last, summary.max) == (200_000, values[-1], 1e6)
    assert not buffer.complete


def test_all_parts_of_a_long_run_are_equally_dense() -> None:
    buffer = RunBuffer()
    for start in range(0, 300_000, 1_000):
        buffer.add([frame([math.sin(i * 0.7) for i in range(start, start + 1_000)], start=start)])
    steps = buffer.series("loss").steps
    quarters = np.histogram(steps, bins=4, range=(0, 300_000))[0]
    assert quarters.min() > 0.8 * quarters.max()


def test_memory_is_flat_over_a_long_run() -> None:
    buffer = RunBuffer()
    names = [f"m{i}" for i in range(20)]

    def log(start: int, rows: int) -> None:
        for at in range(start, start + rows, 500):
            steps = range(at, at + 500)
            buffer.add([Frame.of(names, steps, steps, [[float(s % 97) for s in steps]] * len(names))])

    log(0, 20_000)
    tracemalloc.start()
    log(20_000, 10_000)
    early = tracemalloc.get_traced_memory()[0]
    log(30_000, 60_000)
    late = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert late < early + 300_000
    assert len(buffer) <= 60_000


def test_a_thousand_metrics_share_the_room() -> None:
    buffer = RunBuffer()
    names = [f"m{i}" for i in range(1_000)]
    for start in range(0, 2_000, 100):
        steps = range(start, start + 100)
        buffer.add([Frame.of(names, steps, steps, [[float(s) for s in steps]] * len(names))])
    assert len(buffer) <= 1_000 * 128


def test_nan_and_infinity_are_kept_beside_the_extremes() -> None:
    buffer = RunBuffer()
    values = [float(i) for i in range(10_000)]
    values[5_000], values[7_000] = math.nan, math.inf
    buffer.add([frame(values)])
    kept = buffer.series("loss").values
    assert np.isnan(kept).sum() == 1
    assert np.isposinf(kept).sum() == 1


@given(st.lists(st.lists(FLOATS, min_size=1, max_size=400), min_size=1, max_size=12))
def test_whatever_is_logged_the_finite_extremes_stay(batches: list[list[float]]) -> None:
    buffer, start = RunBuffer(), 0
    for batch in batches * 4:
        buffer.add([frame(batch, start=start)])
        start += len(batch)
    everything = [value for batch in batches for value in batch]
    finite = [value for value in everything if math.isfinite(value)]
    kept = buffer.series("loss").values
    assert len(kept) <= 2_048
    if finite:
        assert min(finite) in kept
        assert max(finite) in kept
    assert any(map(math.isnan, kept)) == any(map(math.isnan, everything))


def test_steps_that_go_backwards_are_sorted_for_drawing() -> None:
    buffer = RunBuffer()
    buffer.add([Frame.of(["loss"], [5, 3, 4], [1, 2, 3], [[0.5, 0.3, 0.4]])])
    series = buffer.series("loss")
    assert series.steps.tolist() == [3, 4, 5]
    assert series.values.tolist() == [0.3, 0.4, 0.5]
    assert buffer.last_step == 5


def test_few_points_are_not_thinned_and_many_are_bounded() -> None:
    few = [frame([1.0] * 100)]
    assert thinned(few, 1_000) is None
    many = thinned([frame([float(i) for i in range(50_000)])], 1_000)
    assert many is not None
    assert sum(len(one.steps) for one in many) <= 1_000
    assert many[0].columns[0][0] == 0.0
    assert many[0].columns[0][-1] == 49_999.0


def test_an_unknown_metric_is_an_error() -> None:
    with pytest.raises(KeyError):
        RunBuffer().series("loss")
