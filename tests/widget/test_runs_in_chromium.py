"""Several runs in one widget, in Chromium: a reference and runs to compare with, behind the run that is shown."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from support.process import until
from widget.stage import AXE, Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("widget")]

REFERENCE: dict[str, Any] = {
    "key": "reference",
    "kind": "reference",
    "name": "the paper",
    "series": {"val/acc": ([0, 10, 20], [0.2, 0.961, 0.97]), "loss": ([0, 10, 20], [4.0, 2.0, 1.0])},
}
EARLIER: dict[str, Any] = {
    "key": "0190-earlier",
    "name": "calm-otter",
    "start": 1_794_000_000.0,
    "series": {"loss": ([0, 10, 20], [9.0, 8.0, 7.0])},
}
OWN = {"val/acc": [0.2 + i * 0.0753 for i in range(11)], "loss": [5.0 - i / 10 for i in range(11)]}

_AXE = "async () => (await axe.run('.anr-widget')).violations.map((v) => [v.id, v.nodes.map((n) => n.html)])"


def _stage(context: BrowserContext, *others: dict[str, Any]) -> Stage:
    stage = Stage(context).open().points(OWN).others(*others)
    expect(_run(stage, "digits-mlp")).to_be_visible()
    return stage


def _run(stage: Stage, name: str) -> Locator:
    runs = stage.page.get_by_role("group", name="Runs in these charts")
    return runs.get_by_role("button", name=re.compile(rf"^{re.escape(name)}( |$)"))


def _drawn_anew(stage: Stage, title: str, before: str) -> str:
    until(lambda: stage.pixels(title) != before)
    return stage.pixels(title)


def _saved(stage: Stage, title: str, item: str) -> bytes:
    stage.card(title).get_by_label(f"More for {title}", exact=True).click()
    with stage.page.expect_download() as coming:
        stage.page.get_by_role("menuitem", name=item).click()
    expect(stage.page.get_by_role("menu")).to_have_count(0)  # one that is still there is named as its button is
    path: Path = coming.value.path()
    return path.read_bytes()


def test_a_reference_is_drawn_behind_and_the_difference_at_the_last_step_is_said(context: BrowserContext) -> None:
    stage = Stage(context).open().points(OWN)
    expect(stage.card("val/acc").locator("canvas")).to_be_visible()
    alone = stage.pixels("val/acc")
    stage.others(REFERENCE)
    _drawn_anew(stage, "val/acc", alone)
    expect(stage.card("val/acc").locator(".anr-differences")).to_have_text("−0.008 to reference 0.961")
    expect(stage.card("loss").locator(".anr-differences")).to_have_text("+2 to reference 2")
    stage.points({"loss": [1.5]}, first=30, reset=False)
    expect(stage.card("loss").locator(".anr-differences")).to_have_text("+0.5 to reference’s last, 1 at step 20")
    said = re.compile(re.escape("loss 1.5, reference 1 (its last, at step 20): +0.5."))
    expect(stage.card("loss").locator("canvas")).to_have_attribute("aria-label", said)
    assert stage.errors == []


def test_a_run_is_taken_away_and_brought_back_by_keyboard_and_stays_as_it_was_left(context: BrowserContext) -> None:
    stage = _stage(context, REFERENCE, EARLIER)
    all_of_them = stage.pixels("loss")
    button = _run(stage, "calm-otter")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.focus()
    stage.page.keyboard.press("Space")
    expect(button).to_have_attribute("aria-pressed", "false")
    without = _drawn_anew(stage, "loss", all_of_them)
    # The same run comes again with the next message, and with the next run of the cell.
    stage.others(REFERENCE, EARLIER, version=2)
    expect(_run(stage, "calm-otter")).to_have_attribute("aria-pressed", "false")
    _run(stage, "digits-mlp").press("Enter")
    _drawn_anew(stage, "loss", without)
    expect(_run(stage, "digits-mlp")).to_have_attribute("aria-pressed", "false")
    expect(stage.card("loss").locator("header b").last).to_have_text("4"), "its value is still said"
    _run(stage, "digits-mlp").click()
    _run(stage, "calm-otter").click()
    until(lambda: stage.pixels("loss") == all_of_them)
    _run(stage, "the paper").click()
    expect(stage.page.locator(".anr-differences")).to_have_count(0)
    assert stage.errors == []


def test_under_the_pointer_and_in_the_table_each_run_has_its_value(context: BrowserContext) -> None:
    stage = _stage(context, REFERENCE, EARLIER)
    box = stage.card("loss").locator(".anr-over").bounding_box()
    assert box is not None
    stage.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    tip = stage.card("loss").locator(".anr-tip span")
    expect(tip).to_have_text(["digits-mlp", "4", "the paper", "2", "calm-otter", "8"])
    stage.page.mouse.move(5, 690)
    stage.card("loss").get_by_label("More for loss", exact=True).click()
    stage.page.get_by_role("menuitemcheckbox", name="Show as a table").click()
    table = stage.card("loss").locator("table")
    expect(table.locator("thead th")).to_have_text(["step", "loss", "loss · the paper", "loss · calm-otter"])
    expect(table.get_by_role("row", name=re.compile("^10 ")).locator("td")).to_have_text(["4", "2", "8"])


def test_keys_lead_to_the_lines_of_other_runs_and_a_screen_reader_is_told_whose_they_are(
    context: BrowserContext,
) -> None:
    stage = _stage(context, REFERENCE)
    plot = stage.card("loss").locator(".anr-plot")
    plot.press("End")
    expect(stage.page.locator(".anr-said")).to_have_text("digits-mlp, step 10: 4")
    plot.press("ArrowDown")
    expect(stage.page.locator(".anr-said")).to_have_text("the paper, step 10: 2")


def test_files_have_every_run_that_is_shown_and_no_other(context: BrowserContext) -> None:
    stage = _stage(context, REFERENCE, EARLIER)
    rows = list(csv.reader(io.StringIO(_saved(stage, "loss", "CSV of what is shown").decode())))
    assert rows[0] == ["step", "loss", "loss · the paper", "loss · calm-otter"]
    assert rows[1] == ["0", "5", "4", "9"]
    assert rows[-1] == ["20", "", "1", "7"]
    svg = ET.fromstring(_saved(stage, "loss", "SVG picture"))
    assert {"digits-mlp", "the paper", "calm-otter"} <= set(svg.itertext())
    assert _saved(stage, "loss", "PNG picture").startswith(b"\x89PNG")
    _run(stage, "calm-otter").click()
    expect(_run(stage, "calm-otter")).to_have_attribute("aria-pressed", "false")
    svg = ET.fromstring(_saved(stage, "loss", "SVG picture"))
    assert "calm-otter" not in set(svg.itertext())


def test_relative_time_counts_from_each_run_s_own_start_and_a_reference_has_no_dates(context: BrowserContext) -> None:
    stage = Stage(context).open(created_at="2026-11-18T09:06:40Z").points(OWN).others(REFERENCE, EARLIER)
    stage.page.get_by_label("x axis").select_option("relative")
    rows = list(csv.reader(io.StringIO(_saved(stage, "loss", "CSV of what is shown").decode())))
    assert [row for row in rows if row[2]][-1] == ["4", "", "1", "7"]
    stage.page.get_by_label("x axis").select_option("wall")
    expect(_run(stage, "the paper")).to_contain_text("has no dates")
    rows = list(csv.reader(io.StringIO(_saved(stage, "loss", "CSV of what is shown").decode())))
    assert rows[0] == ["time", "loss", "loss · calm-otter"]


def test_runs_are_taken_in_once_whatever_is_sent_again_and_damage_leaves_what_was_there(
    context: BrowserContext,
) -> None:
    stage = _stage(context, REFERENCE)
    before = stage.pixels("loss")
    stage.others(EARLIER, version=1)
    stage.points(OWN)
    expect(_run(stage, "the paper")).to_be_visible()
    assert stage.pixels("loss") == before
    stage.page.evaluate(
        """kernel.send({type: 'runs', version: 2, runs: [{key: 'a', kind: 'run', name: 'a', slot: 0, start: 0}]},
        [new DataView(new ArrayBuffer(9))])"""
    )
    expect(_run(stage, "the paper")).to_be_visible()
    assert [text for text in stage.errors if "other runs" not in text] == []
    stage.others(version=3)
    expect(stage.page.get_by_role("group", name="Runs in these charts")).to_have_count(0)


def test_names_that_are_hostile_or_long_or_strangers_are_text(context: BrowserContext) -> None:
    hostile = {**REFERENCE, "name": "<img src=x onerror=alert(1)>" + "x" * 4_000, "series": {"other": ([1], [1.0])}}
    stage = _stage(context, hostile)
    button = stage.page.get_by_role("group", name="Runs in these charts").get_by_role("button").nth(1)
    expect(button).to_contain_text("no metric in common")
    assert stage.page.locator("img").count() == 0
    wide: int = stage.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    assert stage.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_several_runs_are_accessible(context: BrowserContext, theme: str) -> None:
    stage = _stage(context, REFERENCE, EARLIER)
    stage.page.evaluate("(theme) => document.body.setAttribute('data-jp-theme-light', theme === 'light')", theme)
    expect(stage.page.locator(".anr-widget")).to_have_attribute("data-theme", theme)
    stage.page.add_script_tag(content=AXE.read_text())
    assert stage.page.evaluate(_AXE) == []
