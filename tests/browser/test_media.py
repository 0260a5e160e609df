"""Media on a run's page, in a real browser, against a real server process."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from browser.seeding import Owner, Seeded, anonymous_account, ask, seed_run
from browser.tab import LOOKS, Look, Tab, new_tab, visitor
from support.server import Server, anonrun_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]

Picture = Callable[[Page | Locator, str], None]
_STEPS = range(0, 200, 10)
_CLASSES = ["airplane", "bird", "cat", "deer", "dog", "ship"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("media"), ANONRUN_RUNS_PER_HOUR="0") as running:
        yield running


@pytest.fixture(scope="module")
def owner(server: Server) -> Owner:
    return anonymous_account(server.url)


def _item(kind: str, key: str, step: int, content: object, type_: str = "application/json", **more: Any) -> Any:
    said = content if isinstance(content, str) else json.dumps(content)
    told = {"media_id": os.urandom(16).hex(), "kind": kind, "key": key, "step": step, "type": type_, "content": said}
    return {**told, "time": "2026-11-24T12:00:00Z", **more}


def _png(size: int, shade: Callable[[int, int], int]) -> str:
    """Return a grey picture as base64."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes(shade(x, y) for x in range(size)) for y in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(whole).decode()


def _histogram(step: int) -> dict[str, list[float]]:
    wide = 0.3 + step / 200
    edges = [-2 + 4 * i / 40 for i in range(41)]
    counts = [round(1000 * math.exp(-(((edges[i] - step / 400) / wide) ** 2))) for i in range(40)]
    return {"edges": edges, "counts": [float(count) for count in counts]}


def _matrix(size: int, labels: list[str]) -> dict[str, object]:
    counts = [[90 if i == j else (7 * i + 3 * j) % 11 for j in range(size)] for i in range(size)]
    return {"labels": labels, "counts": counts}


def _ring(step: int, no: int) -> str:
    return _png(28, lambda x, y: min(255, max(0, int(200 - 30 * abs(math.hypot(x - 14, y - 14) - 4 - no - step / 60)))))


def _curves() -> dict[str, object]:
    x = [i / 50 for i in range(51)]
    lines = [
        {"name": name, "x": x, "y": [v**p for v in x], "area": 1 / (1 + p)} for name, p in (("cat", 0.2), ("dog", 0.5))
    ]
    return {"x_title": "false positive rate", "y_title": "true positive rate", "lines": lines}


def _everything() -> list[Any]:
    """Return items of each kind, with names and texts that a page must not take for markup."""
    items = [_item("histogram", "weights/layer1", step, _histogram(step)) for step in _STEPS]
    items += [
        _item("image", "samples", step, _ring(step, no), "image/png", index=no, caption=f"ring {no} <i>at</i> {step}")
        for step in (0, 100, 190)
        for no in range(6)
    ]
    rows = [[f"img_{no:03}.png", _CLASSES[no % 6], round(0.99 - no / 90, 4), no % 4 == 0, None] for no in range(60)]
    items.append(
        _item("table", "predictions", 190, {"columns": ["file", "class", "score", "wrong", "note"], "rows": rows})
    )
    items += [
        _item(
            "text",
            "eval/generated <b>text</b>",
            step,
            f"step {step}: <script>alert(1)</script>\nÜber 漢字 🙂",
            "text/plain",
        )
        for step in (0, 190)
    ]
    items += [_item("confusion_matrix", "eval/confusion", step, _matrix(6, _CLASSES)) for step in (0, 190)]
    many = [f"class {no}" for no in range(60)]
    items.append(_item("confusion_matrix", "eval/confusion_large", 190, _matrix(60, many)))
    items.append(_item("curves", "eval/roc", 190, _curves()))
    bars = {"type": "bar", "name": "count", "x": _CLASSES, "y": [5, 3, 6, 2, 4, 7]}
    title = "Counts of <b>pets</b> <img src=x onerror=alert(1)>"
    figure = {"data": [bars], "layout": {"title": {"text": title}, "paper_bgcolor": "white"}}
    heat = {"data": [{"type": "heatmap", "z": [[1, 2], [3, 4]]}], "layout": {}}
    items.append(_item("figure", "eval/heat", 190, heat))
    items.append(_item("figure", "eval/figure", 190, figure))
    items.append(
        _item("figure", "eval/surface", 190, {"data": [{"type": "surface", "z": [[1, 2], [3, 4]]}], "layout": {}})
    )
    log = "".join(f"\x1b[32mepoch {no:3}\x1b[0m loss {1 / (no + 1):.4f}\n" for no in range(400))
    items.append(_item("console", "console", 0, log + "  0%|   |\r 50%|## |\r100%|####|\n", "text/plain"))
    return items


def _post(run: Seeded, items: list[Any]) -> None:
    ask("POST", f"{run.url}/api/v1/runs/{run.run_id}/media", run.write, json={"items": items})


@pytest.fixture(scope="module")
def run(owner: Owner) -> Seeded:
    made = seed_run(owner, state=None)
    _post(made, _everything())
    return made


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    with visitor(browser, accept_downloads=True) as context:
        yield context


def _opened(context: BrowserContext, run: Seeded) -> Tab:
    """Open the run's page and scroll to its sections of media, whose panels are made when a reader comes near."""
    tab = new_tab(context, run.private_link)
    for section in ("Media: Others", "Media: eval"):
        tab.page.get_by_role("group", name=section, exact=True).scroll_into_view_if_needed()
    return tab


def _panel(tab: Tab, name: str) -> Locator:
    panel: Locator = tab.page.get_by_role("group", name=name, exact=True)
    panel.scroll_into_view_if_needed()
    return panel


@pytest.mark.parametrize("look", LOOKS)
def test_each_kind_is_seen_and_everything_has_a_name(
    browser: Browser, run: Seeded, look: Look, picture: Picture
) -> None:
    with visitor(browser, look) as context:
        tab = _opened(context, run)
        expect(
            _panel(tab, "Histogram: weights/layer1").get_by_role("img", name="Histogram of weights/layer1 at")
        ).to_be_visible()
        expect(_panel(tab, "Images: samples").get_by_role("img")).to_have_count(6)
        expect(_panel(tab, "Table: predictions").get_by_role("row")).to_have_count(26)
        expect(_panel(tab, "Text: eval/generated <b>text</b>")).to_contain_text("<script>alert(1)</script>")
        expect(_panel(tab, "Confusion matrix: eval/confusion").get_by_role("cell", name="90").first).to_be_visible()
        expect(_panel(tab, "Confusion matrix: eval/confusion_large").get_by_role("img")).to_be_visible()
        expect(_panel(tab, "Curves: eval/roc").get_by_role("img", name="cat, area 0.833")).to_be_visible()
        expect(_panel(tab, "Figure: eval/figure").locator(".bars path")).to_have_count(6)
        expect(_panel(tab, "Figure: eval/figure").locator(".gtitle tspan")).to_have_css("font-weight", "700")
        heat = _panel(tab, "Figure: eval/heat").locator("image")
        expect(heat).to_have_css("image-rendering", "pixelated")
        expect(_panel(tab, "Figure: eval/surface")).to_contain_text("This page draws no surface.")
        picture(tab.page.locator("main"), f"media-{look}")
        tab.is_accessible()
        tab.fits()
        tab.page.get_by_role("tab", name="Log").click()
        expect(tab.page.get_by_text("100%|####|")).to_be_visible()
        picture(tab.page, f"media-log-{look}")
        tab.is_accessible()
        tab.fits()
        tab.is_quiet(404)


def test_keys_move_the_step_and_the_theme_follows_the_system(person: BrowserContext, run: Seeded) -> None:
    tab = _opened(person, run)
    panel = _panel(tab, "Histogram: weights/layer1")
    slider = panel.get_by_role("slider", name="Step of weights/layer1")
    expect(slider).to_have_attribute("aria-valuetext", "step 190, the newest")
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "step 170")
    expect(panel.get_by_role("img")).to_have_attribute("aria-label", re.compile("at step 170"))
    panel.get_by_role("button", name="Newest step of weights/layer1").click()
    expect(slider).to_have_attribute("aria-valuetext", "step 190, the newest")
    panel.get_by_role("button", name="More for weights/layer1").click()
    tab.page.get_by_role("menuitemcheckbox", name="Show as a table").click()
    expect(panel.get_by_role("row")).to_have_count(41)
    cell = _panel(tab, "Confusion matrix: eval/confusion").get_by_role("cell", name="90").first
    shown = "element => getComputedStyle(element).backgroundColor"
    light = cell.evaluate(shown)
    tab.page.emulate_media(color_scheme="dark")
    expect(cell).not_to_have_css("background-color", light)


def test_a_table_is_sorted_filtered_turned_and_saved(person: BrowserContext, run: Seeded) -> None:
    tab = _opened(person, run)
    panel = _panel(tab, "Table: predictions")
    first = panel.get_by_role("row").nth(1)
    header = panel.get_by_role("columnheader", name="score")
    header.get_by_role("button").press("Enter")
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(first).to_contain_text("img_059.png")
    header.get_by_role("button").press("Enter")
    expect(first).to_contain_text("img_000.png")
    panel.get_by_role("button", name="Next rows of predictions").click()
    expect(panel).to_contain_text("rows 26–50 of 60")
    panel.get_by_label("Filter rows of predictions").fill("cat")
    expect(panel).to_contain_text("found 1–10 of 10")
    with tab.page.expect_download() as coming:
        panel.get_by_role("button", name="Save predictions as CSV").click()
    lines = coming.value.path().read_text().splitlines()
    assert (lines[0], len(lines)) == ("file,class,score,wrong,note", 11)


def test_a_picture_is_enlarged_and_keys_lead_to_the_next(person: BrowserContext, run: Seeded, picture: Picture) -> None:
    tab = _opened(person, run)
    _panel(tab, "Images: samples").get_by_role("button", name="Enlarge ring 0 <i>at</i> 190").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name="ring 0")).to_have_css("image-rendering", "pixelated")
    dialog.press("ArrowRight")
    expect(dialog.get_by_role("img", name="ring 1 <i>at</i> 190")).to_be_visible()
    # Tiny pictures grow by whole numbers.
    expect(dialog.get_by_role("img")).to_have_css("width", re.compile(r"^(364|392|420|448|476|504|532|560)px$"))
    picture(tab.page, "media-enlarged")
    tab.is_accessible()
    dialog.press("Escape")
    expect(dialog).to_have_count(0)


def test_the_log_is_searched_and_follows_its_end(person: BrowserContext, owner: Owner) -> None:
    run = seed_run(owner, "printing", rows=0, state=None)
    _post(run, [_item("console", "console", 0, "".join(f"line {no}\n" for no in range(3_000)), "text/plain")])
    tab = new_tab(person, run.private_link)
    tab.page.get_by_role("tab", name="Log").click()
    lines = tab.page.get_by_role("region", name="Lines of the log")
    expect(lines.get_by_text("line 2999")).to_be_visible()
    _post(run, [_item("console", "console", 0, "and on\n", "text/plain")])
    expect(lines.get_by_text("and on")).to_be_visible()
    search = tab.page.get_by_label("Search the log")
    search.fill("line 15")
    expect(tab.page.get_by_label("Found lines")).to_have_text("1 of 111")
    expect(tab.page.get_by_role("checkbox", name="Follow the end")).not_to_be_checked()
    search.press("Enter")
    expect(lines.get_by_text("line 150", exact=True)).to_be_visible()
    assert lines.get_by_role("listitem").count() < 200


def test_what_is_logged_while_one_looks_arrives(person: BrowserContext, owner: Owner) -> None:
    run = seed_run(owner, "growing", state=None)
    tab = new_tab(person, run.private_link)
    expect(tab.page.get_by_role("group", name="loss", exact=True)).to_be_visible()
    expect(tab.page.get_by_role("region", name="Media")).to_have_count(0)
    _post(run, [_item("text", "note", 1, "the first", "text/plain")])
    panel = tab.page.get_by_role("group", name="Text: note", exact=True)
    expect(panel).to_contain_text("the first")
    _post(run, [_item("text", "note", 2, "the second", "text/plain")])
    expect(panel).to_contain_text("the second")
    panel.get_by_role("slider").press("ArrowLeft")
    expect(panel).to_contain_text("the first")
    _post(run, [_item("text", "note", 3, "the third", "text/plain")])
    expect(panel.get_by_role("slider")).to_have_attribute("max", "2")
    expect(panel).to_contain_text("the first")


def test_a_picture_that_does_not_come_says_so_and_comes_again(person: BrowserContext, owner: Owner) -> None:
    run = seed_run(owner, "pictured", rows=0)
    _post(run, [_item("image", "one", 0, _ring(0, 0), "image/png")])
    page = person.new_page()
    page.route(re.compile(r"/media/[0-9a-f]{32}"), lambda route: route.abort())
    page.goto(run.private_link)
    panel = page.get_by_role("group", name="Images: one", exact=True)
    expect(panel).to_contain_text("The server cannot be reached.")
    page.unroute_all()
    panel.get_by_role("button", name="Read picture 1 again").click()
    expect(panel.get_by_role("img", name="picture 1")).to_be_visible()
