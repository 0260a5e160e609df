from __future__ import annotations

import base64
import io
import math
import random
import re
import urllib.parse
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import datetime, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anonrun.core.wire import Frame
from anonrun.notebook.buffer import RunBuffer
from anonrun.notebook.facts import Facts
from anonrun.notebook.picture import MOST_CHARTS, picture
from anonrun.notebook.png import to_png
from anonrun.notebook.scene import DARK, LIGHT, Line, Rect, Text
from anonrun.notebook.snapshot import MOST_BYTES, bundle, html_text, plain_text
from anonrun.notebook.svg import to_svg

FACTS = Facts(
    run_id="0192f7d0-0000-7000-8000-000000000001",
    name="digits-mlp",
    project="digits",
    state="finished",
    anonymous=True,
    expires_at=datetime(2026, 11, 30, 22, 31, tzinfo=timezone.utc),
    url="http://127.0.0.1:45321/r/0192f7d0-0000-7000-8000-000000000001",
)


def logged(names: list[str], rows: int, value: float | None = None) -> RunBuffer:
    rng, buffer = random.Random(1), RunBuffer()
    columns = [[rng.gauss(0, 1) if value is None else value for _ in range(rows)] for _ in names]
    buffer.add([Frame.of(names, range(rows), [100_000 * i for i in range(rows)], columns)] if rows else [])
    return buffer


class Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def image_of(html: str) -> str:
    (image,) = [attrs for tag, attrs in Tags(html).tags if tag == "img"]
    head, _, data = (image["src"] or "").partition(",")
    assert head == "data:image/svg+xml"
    return urllib.parse.unquote(data)


def test_the_html_uses_only_what_a_sanitiser_lets_through() -> None:
    tags = Tags(html_text(FACTS, logged(["train/loss", "val/loss"], 50))).tags
    allowed = {
        "div",
        "strong",
        "img",
        "details",
        "summary",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
        "a",
        "code",
    }
    assert {tag for tag, _ in tags} <= allowed
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]


def test_the_banner_says_until_when_in_a_form_that_stays_true() -> None:
    html = html_text(FACTS, logged(["loss"], 3))
    assert "Kept until Mon 30 Nov 2026, 22:31 UTC unless claimed, then deleted." in Tags(html).text
    assert 'data-expires-at="2026-11-30T22:31:00.000000Z"' in html
    assert f'class="anonrun-snapshot" data-run-id="{FACTS.run_id}"' in html


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"claimed": True, "anonymous": False}, "Claimed. This run is kept.", id="claimed"),
        pytest.param({"anonymous": False}, "Kept. This run belongs to an account.", id="account"),
        pytest.param({"temporary": "Colab"}, "Its server is on this Colab machine and ends with it", id="colab"),
        pytest.param({"temporary": "Colab", "embedded": False}, "Kept until Mon 30 Nov 2026", id="colab, other server"),
        pytest.param({"expires_at": None}, "the server has not said until when", id="no date yet"),
    ],
)
def test_the_banner_says_what_is_so(change: dict[str, object], words: str) -> None:
    facts = replace(FACTS, **change)  # type: ignore[arg-type]  # each is a field of Facts
    assert words in Tags(html_text(facts, logged(["loss"], 3))).text
    assert words in plain_text(facts, logged(["loss"], 3))


def test_the_table_has_every_metric_with_its_last_least_and_largest_value() -> None:
    buffer = RunBuffer()
    buffer.add([Frame.of(["loss"], [0, 1, 2], [1, 2, 3], [[0.5, math.nan, 0.25]])])
    text = Tags(html_text(FACTS, buffer)).text
    assert re.search(r"loss0\.250\.250\.53", text)


def test_the_picture_is_a_complete_svg_that_knows_light_and_dark() -> None:
    svg = image_of(html_text(FACTS, logged(["train/loss", "val/loss", "lr"], 300)))
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme:dark" in svg
    assert LIGHT["card"] in svg
    assert DARK["card"] in svg
    assert "script" not in svg
    words = {text.strip() for text in root.itertext()}
    assert {"loss", "train", "val", "lr"} <= words


def test_metrics_of_one_name_share_a_card() -> None:
    titles = [
        shape.runs[0].text
        for shape in picture(FACTS, logged(["train/loss", "val/loss", "lr"], 9), banner=False).shapes
        if isinstance(shape, Text) and shape.size == 13
    ]
    assert titles == ["loss", "lr"]


def test_system_metrics_are_in_the_table_and_not_in_the_picture() -> None:
    buffer = logged(["loss", "system/cpu"], 9)
    html = html_text(FACTS, buffer)
    assert "system/cpu" in html.partition("<summary>1 system metric</summary>")[2]
    assert "<summary>1 metric</summary>" in html
    assert "open" not in [name for tag, attrs in Tags(html).tags if tag == "details" for name, _ in attrs]
    assert "system/cpu" not in image_of(html)
    assert "system/cpu" not in plain_text(FACTS, buffer)


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b", "损失 λ", "x" * 256]
)
def test_a_metric_of_any_name_is_text_and_nothing_else(name: str) -> None:
    html = html_text(replace(FACTS, name=name, trouble=name), logged([name, f"val/{name[:200]}"], 5))
    tags = Tags(html)
    assert name in tags.text
    assert {tag for tag, _ in tags.tags}.isdisjoint({"script", "svg", "style"})
    assert len([tag for tag, _ in tags.tags if tag == "img"]) == 1
    ET.fromstring(image_of(html))
    assert bundle(replace(FACTS, name=name), logged([name], 5))["image/png"]


def test_twelve_charts_of_three_series_stay_below_the_limit() -> None:
    names = [f"{split}/metric_{i}" for i in range(12) for split in ("train", "val", "test")]
    data = bundle(FACTS, logged(names, 5_000))
    assert sum(len(form) for form in data.values()) <= MOST_BYTES
    assert set(data) == {"text/html", "text/plain", "image/png"}


def test_a_run_with_very_many_metrics_stays_below_the_limit_and_says_what_is_missing() -> None:
    names = [f"{'layer/' * 20}{i}" for i in range(700)]
    data = bundle(FACTS, logged(names, 40))
    assert sum(len(form.encode()) for form in data.values()) <= MOST_BYTES
    assert f"{MOST_CHARTS} of 700 charts are in this picture" in image_of(data["text/html"])
    assert "640 more metrics" in data["text/html"]


def test_the_png_is_a_small_picture_of_the_scene_with_the_banner() -> None:
    data = bundle(FACTS, logged(["train/loss", "val/loss"], 300))
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert image.format == "PNG"
    assert image.width == 1_440
    colors = {color for _, color in image.convert("RGB").getcolors(maxcolors=256) or []}
    assert any(r > 240 and g > 230 and 200 < b < 240 for r, g, b in colors), "the banner's amber"


def test_while_a_run_lasts_the_png_can_be_left_out() -> None:
    assert "image/png" not in bundle(FACTS, logged(["loss"], 9), image=False)


def test_a_run_without_points_says_so() -> None:
    assert "Nothing was logged." in image_of(html_text(FACTS, RunBuffer()))
    assert "Nothing was logged yet." in image_of(html_text(replace(FACTS, state="running"), RunBuffer()))
    assert to_png(picture(FACTS, RunBuffer(), banner=True))


def test_rows_that_were_not_delivered_are_told_of_with_the_way_on() -> None:
    text = Tags(html_text(replace(FACTS, unsent_rows=12), logged(["loss"], 12))).text
    assert "12 rows not yet delivered: anonrun sync" in text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=60),
    st.lists(st.integers(-(2**62), 2**62), min_size=60, max_size=60),
)
def test_any_numbers_at_any_steps_make_a_picture_inside_its_frame(values: list[float], steps: list[int]) -> None:
    buffer = RunBuffer()
    buffer.add([Frame.of(["loss"], steps[: len(values)], range(len(values)), [values])])
    scene = picture(FACTS, buffer, banner=True)
    for shape in scene.shapes:
        if isinstance(shape, Line):
            for x, y in shape.points:
                assert -1 <= x <= scene.width + 1
                assert -1 <= y <= scene.height + 1
    ET.fromstring(to_svg(scene))
    assert to_png(scene, 1.0)


def test_a_total_stands_in_picture_and_text_with_how_far_the_run_is() -> None:
    facts, buffer = replace(FACTS, total=400), logged(["loss"], 100)
    assert "finished, step 99 of 400 (25\u202f%)" in html_text(facts, buffer)
    assert "step 99 of 400 (25\u202f%)" in plain_text(facts, buffer)
    bars = [
        shape for shape in picture(facts, buffer, banner=False).shapes if isinstance(shape, Rect) and shape.height == 4
    ]
    assert bars[1].width == pytest.approx(bars[0].width / 4)
    without = picture(FACTS, buffer, banner=False).shapes
    assert not [shape for shape in without if isinstance(shape, Rect) and shape.height == 4]


def test_what_stopped_a_run_is_told_as_text_and_nothing_else() -> None:
    facts = replace(FACTS, state="failed", failure="ValueError: <b>&lr</b>")
    tags = Tags(html_text(facts, logged(["loss"], 3)))
    assert "Failed: ValueError: <b>&lr</b>" in tags.text
    assert "b" not in [name for name, _ in tags.tags]
    assert "Last error: E" in plain_text(replace(FACTS, state="running", failure="E"), logged(["loss"], 3))


def test_the_text_form_is_for_terminals() -> None:
    buffer = RunBuffer()
    buffer.add([Frame.of(["loss"], [0, 1], [1, 2], [[0.5, 0.25]])])
    assert plain_text(FACTS, buffer).splitlines() == [
        "anonrun: digits-mlp · finished · step 1",
        "  loss  0.25  (min 0.25, max 0.5)",
        "Anonymous run. Kept until Mon 30 Nov 2026, 22:31 UTC unless claimed, then deleted.",
        FACTS.url,
    ]
