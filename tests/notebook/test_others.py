from __future__ import annotations

import json
import math
import random
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonrun.core.reference import Outline, Reference, write_reference
from anonrun.core.wire import Frame, decode_all
from anonrun.errors import UsageError
from anonrun.notebook.buffer import RunBuffer, Series
from anonrun.notebook.facts import Facts
from anonrun.notebook.others import (
    Memory,
    Other,
    difference,
    difference_text,
    of_buffer,
    read_reference_from,
    stranger_note,
)
from anonrun.notebook.picture import picture
from anonrun.notebook.png import to_png
from anonrun.notebook.scene import DASHED_KEY, RUN_COLORS, SERIES_COLORS, Line, Scene, Text
from anonrun.notebook.snapshot import MOST_BYTES, bundle
from anonrun.notebook.svg import to_svg
from anonrun.notebook.view import Others, RunView, Snapshot
from support.fake_run import START, FakeRun

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "differences.json").read_text())
FACTS = Facts(
    run_id="0192f7d0-0000-7000-8000-000000000001",
    name="mine",
    project="digits",
    state="running",
    anonymous=True,
    expires_at=datetime(2026, 11, 30, 22, 31, tzinfo=timezone.utc),
)


def _outline(steps: Sequence[int], values: Sequence[float]) -> Outline:
    return Outline(tuple(steps), tuple(map(float, steps)), tuple(map(float, values)))


def _reference(name: str = "the paper", **metrics: tuple[Sequence[int], Sequence[float]]) -> Other:
    return Other("reference", "reference", name, None, {n.replace("__", "/"): _outline(*p) for n, p in metrics.items()})


def _logged(rows: int, **metrics: Any) -> RunBuffer:
    buffer = RunBuffer()
    names = [name.replace("__", "/") for name in metrics]
    times = [int(START.timestamp() * 1e6) + 1_000_000 * i for i in range(rows)]
    buffer.add([Frame.of(names, range(rows), times, [[value(i) for i in range(rows)] for value in metrics.values()])])
    return buffer


# The difference


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["why"]) for vector in VECTORS])
def test_the_difference_is_that_of_the_page(vector: dict[str, Any]) -> None:
    order = np.argsort(np.array(vector["own"]["step"]), kind="stable")
    steps = np.array(vector["own"]["step"], np.int64)[order]
    own = Series(steps, np.array(vector["own"]["value"], np.float64)[order])
    found = difference(own, _outline(vector["reference"]["step"], vector["reference"]["value"]))
    expected = vector["found"]
    told = found and {"step": found.step, "own": found.own, "reference": found.reference, "ended_at": found.ended_at}
    assert told == expected
    assert (found and difference_text(found, vector["metric"])) == vector["text"]


# A run as an outline


def test_an_outline_keeps_the_extremes_and_the_ends_and_leaves_out_what_is_no_number() -> None:
    rng = random.Random(3)
    values = [rng.gauss(0, 1) for _ in range(30_000)]
    values[17_000], values[5_000], values[4] = 99.0, -99.0, math.nan
    run = FakeRun()
    one = of_buffer(run, _logged(30_000, loss=lambda i: values[i], system__cpu=lambda _: 1.0))
    loss = one.metrics["loss"]
    assert list(one.metrics) == ["loss"], "nothing of the machine"
    assert len(loss) <= 402
    assert (loss.values[0], loss.values[-1]) == (values[0], values[-1])
    assert {(5_000, -99.0), (17_000, 99.0)} <= set(zip(loss.steps, loss.values, strict=True))
    assert list(loss.steps) == sorted(loss.steps)
    assert loss.seconds[-1] == pytest.approx(29_999)


def test_the_page_is_sent_the_same_points() -> None:
    one = of_buffer(FakeRun(), _logged(5, loss=float))
    (segment,) = decode_all(one.segments())
    (frame,) = segment.frames
    assert (list(frame.names), list(frame.steps), list(frame.columns[0])) == (
        ["loss"],
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4],
    )
    assert frame.times_us[3] == int(START.timestamp() * 1e6) + 3_000_000
    (segment,) = decode_all(_reference(loss=([7], [1.5])).segments())
    assert list(segment.frames[0].times_us) == [7_000_000]


# What a kernel remembers


def _ended(memory: Memory, no: int, **changes: Any) -> FakeRun:
    run = FakeRun(name=f"run-{no}")
    run.run_id = f"0192f7d0-0000-7000-8000-{no:012}"
    run.known = replace(run.known, run_id=run.run_id, **changes)
    memory.keep(run, _logged(3, loss=float))
    return run


def _current() -> FakeRun:
    run = FakeRun(name="now")
    run.run_id = "0192f7d0-0000-7000-8000-999999999999"
    return run


def test_earlier_runs_of_the_same_project_stand_behind_the_next_one_and_are_not_in_its_picture() -> None:
    memory = Memory()
    _ended(memory, 1)
    _ended(memory, 2, project="other")
    (earlier,) = memory.behind(_current(), ())
    assert (earlier.name, earlier.kind, earlier.chosen) == ("run-1", "run", False)


def test_memory_is_flat_and_a_run_keeps_its_colour_whatever_comes_and_goes() -> None:
    memory = Memory()
    slots: dict[str, int] = {}
    for no in range(40):
        _ended(memory, no)
        now = {other.key: other.slot for other in memory.behind(_current(), ())}
        assert len(now) <= 4
        assert sorted(now.values()) == list(range(len(now))), "no two of one colour"
        assert all(slots.get(key, slot) == slot for key, slot in now.items())
        slots = now


def test_a_run_that_was_asked_for_stands_first_and_once() -> None:
    memory = Memory()
    _ended(memory, 1)
    asked = memory.read("run-1", None)
    assert asked.chosen
    behind = memory.behind(_current(), [asked, _reference(loss=([0], [1]))])
    assert [other.name for other in behind] == ["the paper", "run-1"]
    memory.forget(asked.key)
    assert memory.behind(_current(), ()) == ()


def test_runs_of_one_name_are_told_apart() -> None:
    memory = Memory()
    for no in (1, 2):
        _ended(memory, no, name="now")
    names = [other.name for other in memory.behind(_current(), [_reference("now", loss=([0], [1]))])]
    assert names == ["now (reference)", "now (0001)", "now (0002)"]


def test_a_run_without_points_leaves_nothing_behind() -> None:
    memory = Memory()
    memory.keep(_current(), RunBuffer())
    assert memory.behind(FakeRun(), ()) == ()


# Reading a reference


def test_a_reference_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "reference.json"
    file.write_bytes(write_reference(Reference("the paper", {"loss": _outline([0, 1], [2, 1])})))
    found = read_reference_from(str(file))
    assert (found.kind, found.name, found.start) == ("reference", "the paper", None)
    assert found.metrics["loss"].values == (2.0, 1.0)


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        pytest.param("missing.json", r"The reference 'missing.json' cannot be used: No such file", id="missing"),
        pytest.param(".", "Is a directory", id="folder"),
        pytest.param("a\0b", r"no name of a file", id="no name"),
        pytest.param("bad.json", "it is no JSON; make one with `anonrun export", id="no JSON"),
        pytest.param("http://127.0.0.1:1/r/x#s=anr_s_1", "it is no link to a run", id="no run"),
        pytest.param(f"https://a.b/r/{FACTS.run_id}#s=anr_s_{'x' * 36}", "not complete", id="token mistyped"),
        pytest.param(f"https://a.b/r/{FACTS.run_id}#v=anr_v_{'x' * 36}", "lets more be done", id="private link"),
        pytest.param(f"http://127.0.0.1:1/r/{FACTS.run_id}", "No answer from http://127.0.0.1:1", id="no server"),
    ],
)
def test_what_cannot_be_a_reference_is_said_in_one_line_without_the_link(
    place: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text("loss: 3")
    with pytest.raises(UsageError, match=re.escape(problem)) as refused:
        read_reference_from(place)
    assert "\n" not in str(refused.value)
    assert "anr_" not in str(refused.value)


# The static picture

REFERENCE = _reference(val__acc=([0, 50, 100], [0.1, 0.961, 0.97]), train__loss=([0, 100], [3, 1]))
OWN = {"val__acc": lambda i: 0.953 * i / 50, "train__loss": lambda i: 3 - i / 100, "lr": lambda _: 0.1}


def _texts(scene: Scene) -> list[str]:
    return ["".join(run.text for run in shape.runs) for shape in scene.shapes if isinstance(shape, Text)]


def test_the_static_forms_have_the_reference_its_name_and_the_difference() -> None:
    data = bundle(FACTS, _logged(51, **OWN), [REFERENCE])
    assert "val/acc     0.953  (min 0, max 0.953)  0.953, reference 0.961: −0.008" in data["text/plain"]
    html = data["text/html"]
    assert "<th" in html
    assert re.search(r"reference</th><th[^>]*>difference</th>", html)
    assert re.search(r"val/acc</td>.*?>0.961</td><td[^>]*>−0.008</td>", html)
    assert "with the paper behind it" in html
    svg = urllib.parse.unquote(html.partition("data:image/svg+xml,")[2].partition('"')[0])
    assert "the paper" in svg
    assert "stroke-dasharray" in svg
    assert "image/png" in data


def test_the_reference_is_drawn_before_the_run_dashed_and_in_no_colour_of_a_series() -> None:
    scene = picture(FACTS, _logged(51, **OWN), [REFERENCE], banner=False)
    curves = [shape for shape in scene.shapes if isinstance(shape, Line) and len(shape.points) > 2]
    grey = [line for line in curves if line.color == "ref"]
    assert grey
    assert all(line.dash for line in grey)
    own = [i for i, shape in enumerate(scene.shapes) if isinstance(shape, Line) and shape.color in SERIES_COLORS]
    first = next(i for i, shape in enumerate(scene.shapes) if isinstance(shape, Line) and shape.color == "ref")
    assert first < max(own)
    texts = _texts(scene)
    assert any(text.startswith("–mine") and f"{DASHED_KEY}the paperreference" in text for text in texts)
    assert "−0.008 to reference 0.961" in texts
    assert "+0.5 to reference 2" in texts
    assert to_png(scene).startswith(b"\x89PNG")
    assert "−0.008" in to_svg(scene)


def test_beyond_the_reference_s_end_its_last_value_is_said_with_its_step() -> None:
    scene = picture(FACTS, _logged(151, loss=lambda _: 2.0), [_reference(loss=([0, 100], [3, 1]))], banner=False)
    assert "+1 to reference’s last 1, step 100" in _texts(scene)


def test_a_chart_of_several_series_says_each_difference() -> None:
    own = _logged(3, train__loss=lambda _: 2.0, val__loss=lambda _: 3.0)
    behind = _reference(train__loss=([0, 9], [1, 1]), val__loss=([0, 9], [4, 4]))
    assert "train +1val −1 to reference" in _texts(picture(FACTS, own, [behind], banner=False))


def test_other_runs_have_their_colours_and_no_difference() -> None:
    other = Other("x", "run", "calm-otter", 0.0, {"loss": _outline([0, 1, 2], [3, 2, 1])}, slot=1)
    scene = picture(FACTS, _logged(3, loss=float), [other], banner=False)
    assert any(isinstance(shape, Line) and shape.color == RUN_COLORS[1] for shape in scene.shapes)
    assert not any("reference" in text for text in _texts(scene))


def test_a_reference_without_a_metric_in_common_is_said_and_harms_nothing() -> None:
    hostile = _reference("<script>alert(1)</script>", a=([0], [1]), b=([0], [1]), c=([0], [1]), d=([0], [1]))
    note = "<script>alert(1)</script> has no metric in common with this run; it has a, b, c and 1 more."
    assert stranger_note(hostile, ["loss"]) == note
    assert stranger_note(hostile, ["system/cpu"]) is None, "nothing was logged yet"
    data = bundle(FACTS, _logged(3, loss=float), [hostile])
    assert "<script" not in data["text/html"]
    assert note in _texts(picture(FACTS, _logged(3, loss=float), [hostile], banner=False))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1e308, -1e308], id="largest"),
        pytest.param([5e-324, 0.0], id="smallest"),
        pytest.param([1.0, 1.0], id="flat"),
    ],
)
def test_any_numbers_can_be_drawn(values: list[float]) -> None:
    other = _reference(loss=([0, 2**62], values))
    for own in (_logged(3, loss=lambda i: 1e308 * (-1) ** i), _logged(1, loss=lambda _: math.nan)):
        assert "image/png" in bundle(FACTS, own, [other])


def test_a_long_run_with_a_full_reference_stays_small() -> None:
    rng = random.Random(1)
    names = [f"m{i}" for i in range(12)]
    own = _logged(3_000, **{name: lambda _: rng.gauss(0, 1) for name in names})
    other = _reference(**{n: (range(0, 3_000, 6), [rng.gauss(0, 1) for _ in range(500)]) for n in names})
    assert sum(len(form.encode()) for form in bundle(FACTS, own, [other]).values()) < MOST_BYTES


# What is sent


def test_the_runs_behind_are_sent_again_and_at_the_end_and_only_where_there_are_some() -> None:
    run = FakeRun()
    run.log({"loss": 1.0})
    alone = RunView(run, 0.0, live=True)
    alone.read()
    assert not [one for one in alone.final() if isinstance(one, Others)]
    view = RunView(run, 0.0, live=True)
    view.set_others((REFERENCE, replace(REFERENCE, key="x", kind="run", chosen=False)))
    view.read()
    sent = [view.next(second / 10) for second in range(400)]
    told = [one for one in sent if isinstance(one, Others)]
    assert len(told) == 6, "at once, and after 1, 2, 4, 8 and 16 seconds"
    assert told[0].runs[0] == {"key": "reference", "kind": "reference", "name": "the paper", "slot": 0, "start": None}
    assert {one.version for one in told} == {1}
    view.hello()
    assert any(isinstance(view.next(40 + second / 10), Others) for second in range(10)), (
        "a page that asks is told at once"
    )
    view.set_others((REFERENCE, replace(REFERENCE, key="x", kind="run", chosen=False)))
    *_, last = view.final()
    (final,) = [one for one in view.final() if isinstance(one, Others)]
    assert final.version == 1, "nothing has changed"
    assert isinstance(last, Snapshot)
    assert "the paper" in last.data["text/html"]
    view.set_others(())
    (none,) = [one for one in view.final() if isinstance(one, Others)]
    assert (none.version, none.runs) == (2, [])
