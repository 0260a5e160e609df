"""The charts of the widget in Chromium: read by pointer and by keys, arranged, saved, and fed what is odd."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from support.process import until
from widget.stage import AXE, Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("widget")]

NOISY = [math.exp(-i / 40) + 0.1 * math.sin(12.9898 * i) for i in range(200)]
RAMP = [float(i) for i in range(101)]
# More than a series keeps for drawing, so that the page shows them merged.
MANY = [math.sin(i / 500) + 0.3 * math.sin(12.9898 * i) for i in range(20_000)]

_AXE = (
    "async () => (await axe.run('.anr-widget')).violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 200))])"
)


def _over(stage: Stage, title: str) -> dict[str, float]:
    box: dict[str, float] | None = stage.card(title).locator(".anr-over").bounding_box()
    assert box is not None
    return box


def _drag(stage: Stage, title: str, begin: float, end: float) -> None:
    """Draw over a chart from one share of its width to another, and let the pointer leave it."""
    box = _over(stage, title)
    stage.page.mouse.move(box["x"] + begin * box["width"], box["y"] + 30)
    stage.page.mouse.down()
    stage.page.mouse.move(box["x"] + end * box["width"], box["y"] + 40, steps=4)
    stage.page.mouse.up()
    stage.page.mouse.move(5, 690)


def _choose(stage: Stage, item: str) -> None:
    stage.page.get_by_role("menuitem", name=item).or_(stage.page.get_by_role("menuitemcheckbox", name=item)).click()
    expect(stage.page.get_by_role("menu")).to_have_count(0)  # one that is still there is named as its button is


def _menu(stage: Stage, title: str, item: str) -> None:
    stage.card(title).get_by_label(f"More for {title}", exact=True).click()
    _choose(stage, item)


def _view(stage: Stage, item: str) -> None:
    stage.page.get_by_role("button", name="View options").click()
    _choose(stage, item)


def _saved(stage: Stage, title: str, item: str) -> tuple[str, bytes]:
    with stage.page.expect_download() as coming:
        _menu(stage, title, item)
    path: Path = coming.value.path()
    return coming.value.suggested_filename, path.read_bytes()


def _titles(stage: Stage) -> list[str]:
    found: list[str] = stage.page.locator(".anr-title").all_inner_texts()
    return found


def _focused_chart(page: Page) -> str:
    name: str = page.evaluate("document.activeElement.dataset.chart ?? ''")
    return name


# Reading


def test_another_metric_can_be_x(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"loss": [3.0, 2.0, 1.0], "tokens": [1000.0, 3000.0, 2000.0]})
    stage.page.get_by_label("x axis").select_option("metric:tokens")
    plot = stage.card("loss").locator(".anr-plot")
    expect(plot.locator("canvas")).to_be_visible()
    plot.focus()
    plot.press("Home")
    expect(stage.card("loss").locator(".anr-at")).to_have_text("tokens 1\u202f000")
    plot.press("ArrowRight")
    expect(stage.card("loss").locator(".anr-at")).to_have_text("tokens 2\u202f000")
    expect(stage.card("loss").locator(".anr-values")).to_have_text("1")
    assert stage.errors == []


def test_a_metric_that_shares_no_step_is_told_so(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"loss": [3.0, 2.0]})
    stage.points({"late": [1.0]}, first=9, reset=False)
    stage.page.get_by_label("x axis").select_option("metric:late")
    expect(stage.card("loss")).to_contain_text("no point has a step at which late has a value")


def test_x_can_be_logarithmic_except_for_dates(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"loss": RAMP})
    expect(stage.card("loss").locator("canvas")).to_be_visible()
    linear = stage.pixels("loss")
    _view(stage, "Logarithmic x")
    stage.page.wait_for_function("(was) => document.querySelector('.anr-card canvas').toDataURL() !== was", arg=linear)
    box = _over(stage, "loss")
    stage.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    # Halfway between 1 and 100.
    expect(stage.card("loss").locator(".anr-at")).to_have_text(re.compile(r"step (9|10|11)$"))
    stage.page.get_by_label("x axis").select_option("wall")
    stage.page.get_by_role("button", name="View options").click()
    expect(stage.page.get_by_role("menuitemcheckbox", name="Logarithmic x")).to_have_attribute("aria-disabled", "true")
    assert stage.errors == []


def test_the_wheel_zooms_with_control_moves_with_shift_and_scrolls_the_page_alone(context: BrowserContext) -> None:
    stage = Stage(context).open().points({f"m{i}": RAMP for i in range(30)})
    page, at = stage.page, stage.card("m0").locator(".anr-at")
    box = _over(stage, "m0")
    middle = (box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.move(*middle)
    expect(at).to_have_text("step 50")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -500)
    page.keyboard.up("Control")
    expect(page.get_by_role("button", name="Reset zoom")).to_be_visible()
    page.mouse.move(middle[0] + 1, middle[1])
    expect(at).to_have_text("step 50")
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 60)
    page.keyboard.up("Shift")
    page.mouse.move(*middle)
    expect(at).to_have_text(re.compile(r"step (5[2-9]|6\d)$"))
    assert page.evaluate("scrollY") == 0
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")


def test_a_drag_with_shift_moves_what_is_shown(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": RAMP, "b": RAMP})
    _drag(stage, "a", 0.4, 0.6)
    stage.page.keyboard.down("Shift")
    _drag(stage, "b", 0.8, 0.2)
    stage.page.keyboard.up("Shift")
    box = _over(stage, "a")
    stage.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    expect(stage.card("a").locator(".anr-at")).to_have_text(re.compile(r"step 6[1-3]$"))


def test_a_table_under_the_pointer_has_every_line_raw_and_smoothed(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"train/loss": [(-1.0) ** i for i in range(200)], "val/loss": RAMP})
    box = _over(stage, "loss")
    stage.page.mouse.move(box["x"] + 60, box["y"] + 40)
    tip = stage.card("loss").locator(".anr-tip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text(re.compile(r"train−?1~ −?[\d.e-]+val"))
    inside = tip.bounding_box()
    assert inside["x"] + inside["width"] <= box["x"] + box["width"] + 1


def test_outliers_are_left_out_on_request(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"x": [1e6 if i == 50 else math.sin(i) for i in range(200)]})
    expect(stage.card("x").locator("canvas")).to_be_visible()
    whole = stage.pixels("x")
    _view(stage, "Ignore outliers")
    stage.page.wait_for_function("(was) => document.querySelector('.anr-card canvas').toDataURL() !== was", arg=whole)
    assert stage.errors == []


@pytest.mark.parametrize("x", ["step", "relative", "wall", "metric:also"])
def test_merged_points_become_single_ones_where_the_reader_looks_closely(context: BrowserContext, x: str) -> None:
    stage = Stage(context).open().points({"x": MANY, "also": [float(i) for i in range(len(MANY))]})
    stage.page.get_by_label("x axis").select_option(x)
    box = _over(stage, "x")
    tip = stage.card("x").locator(".anr-tip")
    stage.page.mouse.move(box["x"] + 90, box["y"] + 40)
    expect(tip).to_contain_text("…")
    _drag(stage, "x", 0.5, 0.52)
    stage.page.mouse.move(box["x"] + 90, box["y"] + 40)
    # Of single points there is no smallest and no largest.
    expect(tip).not_to_contain_text("…")
    _, text = _saved(stage, "x", "CSV of what is shown")
    rows = list(csv.reader(io.StringIO(text.decode())))
    assert "x min" not in rows[0]
    values = {float(row[1]) for row in rows[1:] if row[1]}
    assert 300 < len(values) < 500
    assert values <= set(MANY), "every value is one that was logged"


# Keys, and what is said


def test_one_tab_stop_leads_to_the_charts_and_arrows_lead_over_them(context: BrowserContext) -> None:
    stage = Stage(context).open().points({f"m{i}": RAMP for i in range(7)})
    page = stage.page
    expect(stage.card("m6").locator("canvas")).to_be_visible()
    page.get_by_role("button", name="View options").focus()
    page.keyboard.press("Tab")
    assert _focused_chart(page) == "m0"
    for key, chart in [("ArrowRight", "m1"), ("ArrowDown", "m4"), ("ArrowUp", "m1"), ("End", "m6"), ("Home", "m0")]:
        page.keyboard.press(key)
        assert _focused_chart(page) == chart, key
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    said = page.locator(".anr-said")
    expect(said).to_have_text("m1, step 100: 100")
    page.keyboard.press("ArrowLeft")
    expect(said).to_have_text("m1, step 99: 99")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert _focused_chart(page) == "m1"
    # Into the chart, to its two buttons, and out: not through six charts more.
    names = []
    for _ in range(4):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
        )
    assert names[:2] == ["Enlarge m1", "More for m1"]
    assert names[3] == "Open in dashboard ↗" or "m2" not in str(names[3])


def test_keys_change_the_line_zoom_move_and_reset(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"train/loss": RAMP, "val/loss": [2 * i for i in RAMP]})
    page, said = stage.page, stage.page.locator(".anr-said")
    plot = stage.card("loss").locator(".anr-plot")
    expect(plot.locator("canvas")).to_be_visible()
    plot.focus()
    plot.press("Home")
    expect(said).to_have_text("train, step 0: 0")
    plot.press("PageDown")
    expect(said).to_have_text("train, step 10: 10")
    plot.press("ArrowDown")
    expect(said).to_have_text("val, step 10: 20")
    reset = page.get_by_role("button", name="Reset zoom")
    plot.press("+")
    plot.press("+")
    expect(reset).to_be_visible()
    # What the keys lead to is brought into view.
    plot.press("End")
    expect(said).to_have_text("val, step 100: 200")
    expect(stage.card("loss").locator(".anr-cursor")).to_be_visible()
    plot.press("Shift+ArrowLeft")
    expect(stage.card("loss").locator(".anr-cursor")).to_be_hidden()
    plot.press("0")
    expect(reset).to_have_count(0)
    plot.press("Enter")
    expect(page.get_by_role("dialog", name="Chart of loss")).to_be_visible()


def test_a_menu_is_worked_by_keys_and_gives_the_focus_back(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": RAMP, "b": RAMP})
    page = stage.page
    button = stage.card("a").get_by_role("button", name="More for a")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    expect(page.get_by_role("menuitemcheckbox", name="Show as a table")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="CSV of all points")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitemcheckbox", name="Show as a table")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(button).to_be_focused()
    button.click()
    expect(page.get_by_role("menu")).to_be_visible()
    button.click()
    expect(page.get_by_role("menu")).to_have_count(0)


def test_every_chart_can_be_read_as_a_table(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"train/loss": [5.0, math.nan, 7.0], "val/loss": [1.0, 2.0]})
    _menu(stage, "loss", "Show as a table")
    table = stage.card("loss").get_by_role("table")
    expect(table.get_by_role("row")).to_have_text(["steptrain/lossval/loss", "27", "1NaN2", "051"])
    expect(stage.card("loss").get_by_role("region", name="Values of loss")).to_be_visible()


# Arrangement, and what is kept of it


def test_charts_that_begin_alike_stand_in_sections_that_close(context: BrowserContext) -> None:
    stage = Stage(context).open().points(dict.fromkeys(("loss", "grad/norm", "lr", "grad/max"), RAMP))
    section = stage.page.get_by_role("group", name="Charts: grad")
    expect(section.locator(".anr-title")).to_have_text(["grad/norm", "grad/max"])
    section.get_by_role("button", name="grad 2").click()
    expect(section.locator(".anr-card")).to_have_count(0)
    section.get_by_role("button", name="grad 2").click()
    _view(stage, "Group by prefix")
    expect(stage.page.locator(".anr-title")).to_have_text(["loss", "grad/norm", "lr", "grad/max"])


def test_charts_are_pinned_moved_hidden_and_brought_back(context: BrowserContext) -> None:
    stage = Stage(context).open().points(dict.fromkeys("abcd", RAMP))
    expect(stage.page.locator(".anr-title")).to_have_text(["a", "b", "c", "d"])
    _menu(stage, "d", "Move before")
    expect(stage.page.locator(".anr-title")).to_have_text(["a", "b", "d", "c"])
    _menu(stage, "c", "Pin to the top")
    expect(stage.page.get_by_role("group", name="Charts: Pinned").locator(".anr-title")).to_have_text(["c"])
    _menu(stage, "a", "Hide")
    expect(stage.page.locator(".anr-title")).to_have_text(["c", "b", "d"])
    _view(stage, "Show a")
    expect(stage.page.locator(".anr-title")).to_have_text(["c", "a", "b", "d"])
    _view(stage, "As at first")
    expect(stage.page.locator(".anr-title")).to_have_text(["a", "b", "c", "d"])


def test_a_chart_is_dragged_by_its_title_to_another_place(context: BrowserContext) -> None:
    stage = Stage(context).open().points(dict.fromkeys("abc", RAMP))
    stage.card("c").locator(".anr-title").drag_to(stage.card("a").locator(".anr-title"))
    expect(stage.page.locator(".anr-title")).to_have_text(["c", "a", "b"])


def test_a_line_is_switched_off_and_the_others_keep_their_colours(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"train/loss": RAMP, "val/loss": [2 * i for i in RAMP]})
    keys = stage.card("loss").locator(".anr-key")
    colour = "(key) => getComputedStyle(key.querySelector('i')).backgroundColor"
    before = keys.nth(1).evaluate(colour)
    keys.nth(0).click()
    expect(keys.nth(0)).to_have_attribute("aria-pressed", "false")
    assert keys.nth(1).evaluate(colour) == before
    _, text = _saved(stage, "loss", "CSV of what is shown")
    assert text.decode().splitlines()[0] == "step,val/loss"
    keys.nth(1).click()
    expect(stage.card("loss")).to_contain_text("every line is switched off")


def test_choices_outlive_a_reload_and_the_next_run_of_the_cell_and_never_reach_the_notebook(
    context: BrowserContext,
) -> None:
    stage = Stage(context).open().points(dict.fromkeys("abc", RAMP))
    _menu(stage, "b", "Hide")
    stage.page.get_by_label("y axis").select_option("log")
    traits = stage.page.evaluate("JSON.stringify([kernel.traits, said])")
    assert "hidden" not in traits
    assert "log" not in traits
    stage.open().points(dict.fromkeys("abc", RAMP))
    expect(stage.page.locator(".anr-title")).to_have_text(["a", "c"])
    expect(stage.page.get_by_label("y axis")).to_have_value("log")


# Files


def test_a_picture_is_saved_as_png(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"train/loss": NOISY, "val/loss": NOISY})
    name, data = _saved(stage, "loss", "PNG picture")
    assert name == "digits-mlp-loss.png"
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    assert (width, height) == (1440, 864)


def test_a_picture_is_saved_as_svg_with_the_lines_that_are_shown(context: BrowserContext) -> None:
    evil = "<script>alert(1)</script>"
    stage = Stage(context).open().points({f"train/{evil}": NOISY, f"val/{evil}": RAMP})
    _, data = _saved(stage, evil, "SVG picture")
    root = ET.fromstring(data)
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}title") == f"Chart of {evil}"
    texts = [text.text for text in root.iter(f"{space}text")]
    assert {evil, "train", "val", "step"} <= set(texts)
    assert root.find(f".//{space}script") is None
    colours = {path.get("stroke") for path in root.iter(f"{space}path")}
    assert {"#0072B2", "#D55E00"} <= colours


def test_csv_has_what_is_shown_or_every_point(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": RAMP, "b": [2.0]})
    _drag(stage, "a", 0.5, 0.75)
    name, shown = _saved(stage, "a", "CSV of what is shown")
    assert name == "digits-mlp-a-shown.csv"
    rows = list(csv.reader(io.StringIO(shown.decode())))
    assert rows[0] == ["step", "a"]
    assert 20 <= len(rows) - 1 <= 30
    assert all(row[0] == row[1] for row in rows[1:])
    name, every = _saved(stage, "a", "CSV of all points")
    assert name == "digits-mlp-a.csv"
    rows = list(csv.reader(io.StringIO(every.decode())))
    assert rows[0] == ["step", "time", "a"]
    assert [float(row[2]) for row in rows[1:]] == RAMP


def test_every_point_of_a_page_that_has_not_all_is_the_servers_or_said_to_be_missing(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": RAMP}, complete=False)
    _menu(stage, "a", "CSV of all points")
    trouble = stage.page.get_by_role("alert")
    expect(trouble).to_contain_text("the server that has them does not answer")
    trouble.get_by_role("button", name="Close").click()
    expect(trouble).to_have_count(0)


# What is odd


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("x" * 256, id="as long as names may be"),
        pytest.param("Genauigkeit (%) 精度 🎯 דיוק", id="other scripts"),
        pytest.param("a\u0301" * 120, id="combining marks"),
        pytest.param("../../etc/passwd", id="a path"),
        pytest.param("<img src=x onerror=window.hacked=1>", id="markup"),
    ],
)
def test_no_name_breaks_the_layout(context: BrowserContext, name: str) -> None:
    stage = Stage(context)
    stage.page.set_viewport_size({"width": 390, "height": 800})
    stage.open().points({f"train/{name}"[:256]: NOISY, f"val/{name}"[:256]: RAMP, name[:250]: RAMP})
    expect(stage.page.locator(".anr-card canvas").first).to_be_visible()
    for x in ("step", f"metric:{name[:250]}"):
        stage.page.get_by_label("x axis").select_option(x)
        assert stage.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for title in stage.page.locator(".anr-card").all():
        box = title.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    assert stage.page.evaluate("window.hacked") is None
    assert stage.errors == []


def test_ten_thousand_metrics_are_shown_a_portion_at_a_time(context: BrowserContext) -> None:
    stage = Stage(context).open().points({f"layer{i % 50}/metric{i}": [1.0, 2.0] for i in range(9_990)})
    stage.points({f"m{i}": [2.0, 1.0] for i in range(10)}, reset=False)
    cards = stage.page.locator(".anr-card")
    expect(stage.card("m0").locator("canvas")).to_be_visible()
    assert cards.count() < 500, "sections far below are not made yet"
    assert stage.page.locator(".anr-card canvas").count() < 30
    stage.page.get_by_role("group", name="Charts: layer49").scroll_into_view_if_needed()
    stage.card("layer49/metric49").scroll_into_view_if_needed()
    expect(stage.card("layer49/metric49").locator("canvas")).to_be_visible()
    stage.page.get_by_label("Filter metrics").fill("metric9989")
    expect(cards).to_have_count(1)
    expect(stage.card("layer39/metric9989").locator("canvas")).to_be_visible()
    assert stage.errors == []


def _cursor_at_home(plot: Locator, cursor: Locator) -> None:
    """Press until it helps: the points may be drawn anew just now."""

    def pressed() -> bool:
        plot.press("Home")
        return cursor.is_visible()

    until(pressed)


def test_steps_out_of_order_and_clocks_that_jump_are_drawn_by_every_x(context: BrowserContext) -> None:
    stage = Stage(context).open()
    stage.rows("x", steps=[5, 1, 9, 9, 2], times_s=[100.0, 90.0, 1e9, -1e6, 95.0], values=[1.0, 2.0, 3.0, 4.0, 5.0])
    for x in ("step", "relative", "wall", "metric:x"):
        stage.page.get_by_label("x axis").select_option(x)
        plot = stage.card("x").locator(".anr-plot")
        expect(plot.locator("canvas")).to_be_visible()
        plot.focus()
        _cursor_at_home(plot, stage.card("x").locator(".anr-cursor"))
        expect(stage.page.locator(".anr-said")).to_contain_text("x, ")
        plot.press("Escape")
    assert stage.errors == []


# Looks


@pytest.mark.parametrize("theme", ["true", "false"], ids=["light", "dark"])
def test_no_accessibility_rule_is_broken_whatever_is_open(context: BrowserContext, theme: str) -> None:
    stage = Stage(context).open().secrets()
    stage.points({"train/loss": NOISY, "val/loss": NOISY, "grad/a": [1.0], "grad/b": [math.nan], "lr": RAMP})
    page = stage.page
    page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", theme)
    page.add_script_tag(path=str(AXE))
    expect(stage.card("loss").locator("canvas")).to_be_visible()
    _drag(stage, "loss", 0.2, 0.8)
    assert page.evaluate(_AXE) == []
    _menu(stage, "lr", "Show as a table")
    _menu(stage, "loss", "Pin to the top")
    stage.card("loss").locator(".anr-key").first.click()
    assert page.evaluate(_AXE) == []
    opened: list[Callable[[], Any]] = [
        lambda: stage.card("lr").get_by_role("button", name="More for lr").click(),
        lambda: page.get_by_role("button", name="View options").click(),
        lambda: _view(stage, "Keys and gestures"),
        lambda: stage.card("loss").get_by_label("Enlarge loss").click(),
    ]
    for open_it in opened:
        open_it()
        assert page.evaluate(_AXE) == []
        page.keyboard.press("Escape")


def test_the_systems_theme_is_followed_where_the_page_names_none(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": NOISY})
    stage.page.evaluate("delete document.body.dataset.jpThemeLight")
    root = stage.page.locator(".anr-widget")
    expect(root).to_have_attribute("data-theme", "light")
    stage.page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-theme", "dark")


def test_nothing_moves_by_itself_for_those_who_asked_for_that(context: BrowserContext) -> None:
    stage = Stage(context)
    stage.page.emulate_media(reduced_motion="reduce")
    stage.open().points({"a": NOISY})
    stage.card("a").get_by_label("Enlarge a").click()
    expect(stage.page.get_by_role("dialog")).to_be_visible()
    moving = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert stage.page.evaluate(moving) == 0
