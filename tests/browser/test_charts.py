"""The charts of a run's page, in a real browser, against a real server process."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Route, expect

from browser.seeding import Owner, Seeded, anonymous_account, log_rows, seed_run
from browser.tab import Look, Tab, new_tab, visitor
from support.server import Server, anonrun_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]

ROWS = 6_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("charts"), ANONRUN_RUNS_PER_HOUR="0") as running:
        yield running


@pytest.fixture(scope="module")
def owner(server: Server) -> Owner:
    return anonymous_account(server.url)


@pytest.fixture(scope="module")
def long_run(owner: Owner) -> Seeded:
    """A run with more points than the page is given at first."""
    return seed_run(owner, "long", rows=ROWS)


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    with visitor(browser, accept_downloads=True) as context:
        yield context


def _card(tab: Tab, title: str) -> Locator:
    return tab.page.get_by_role("group", name=title, exact=True)


def _drag(tab: Tab, title: str, begin: float, end: float) -> None:
    box = _card(tab, title).locator(".anr-over").bounding_box()
    assert box is not None
    tab.page.mouse.move(box["x"] + begin * box["width"], box["y"] + 30)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + end * box["width"], box["y"] + 40, steps=4)
    tab.page.mouse.up()


def _menu(tab: Tab, title: str, item: str) -> None:
    _card(tab, title).get_by_role("button", name=f"More for {title}").click()
    tab.page.get_by_role("menuitem", name=item).or_(tab.page.get_by_role("menuitemcheckbox", name=item)).click()


def _saved(tab: Tab, title: str, item: str) -> bytes:
    with tab.page.expect_download() as coming:
        _menu(tab, title, item)
    path: Path = coming.value.path()
    return path.read_bytes()


def _press_until(tab: Tab, card: Locator, key: str, said: re.Pattern[str]) -> None:
    """Press a key in a chart until a screen reader is told something."""
    deadline = time.monotonic() + 15
    while not said.search(heard := tab.page.locator(".anr-said").inner_text()):
        assert time.monotonic() < deadline, heard
        card.locator(".anr-plot").press(key)


def _asked(tab: Tab) -> list[dict[str, list[str]]]:
    """Return the questions for finer points: those that name metrics."""
    queries = [parse_qs(urlsplit(url).query) for url in tab.asked if "/sampled?" in url]
    return [query for query in queries if "metric" in query]


def test_a_closer_look_brings_finer_points_while_the_old_curve_stays(person: BrowserContext, long_run: Seeded) -> None:
    tab = new_tab(person, long_run.private_link)
    card, tip = _card(tab, "loss"), _card(tab, "loss").locator(".anr-tip")
    expect(card.locator("canvas")).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.page.route("**/sampled?*metric=*", hold)
    with tab.page.expect_request(re.compile("metric=")):
        _drag(tab, "loss", 0.5, 0.53)
    expect(tip).to_contain_text("…")
    # The first question is under way when the reader moves on.
    plot = card.locator(".anr-plot")
    with tab.page.expect_event("requestfailed", lambda request: "metric=" in request.url):
        for _ in range(3):
            plot.press("Shift+ArrowRight")
    plot.press("ArrowLeft")
    expect(tip).to_contain_text("…")
    tab.page.unroute("**/sampled?*metric=*")
    for route in held[1:]:
        # Those that were called off meanwhile cannot go on.
        with contextlib.suppress(Error):
            route.continue_()
    expect(tip).not_to_contain_text("…")
    asked = _asked(tab)[-1]
    assert {"train/loss", "val/loss"} <= set(asked["metric"])
    assert 0 < float(asked["end"][0]) - float(asked["start"][0]) < ROWS / 10
    rows = list(csv.reader(io.StringIO(_saved(tab, "loss", "CSV of what is shown").decode())))
    steps = [int(row[0]) for row in rows[1:]]
    assert steps == list(range(steps[0], steps[0] + len(steps))), "every step of the stretch"
    tab.is_quiet(404)


def test_small_movements_ask_nothing_of_the_server(person: BrowserContext, long_run: Seeded) -> None:
    tab = new_tab(person, long_run.private_link)
    expect(_card(tab, "loss").locator("canvas")).to_be_visible()
    with tab.page.expect_response(re.compile("metric=")):
        _drag(tab, "loss", 0.4, 0.6)
    tip = _card(tab, "loss").locator(".anr-tip")
    tab.page.mouse.move(5, 5)
    before = len(_asked(tab))
    plot = _card(tab, "loss").locator(".anr-plot")
    plot.press("Shift+ArrowRight")
    plot.press("ArrowLeft")
    expect(tip).to_be_visible()
    assert len(_asked(tab)) == before


def test_the_newest_stretch_goes_on_growing_while_it_is_looked_at_closely(person: BrowserContext, owner: Owner) -> None:
    run = seed_run(owner, "growing", rows=3_000, state=None)
    tab = new_tab(person, run.private_link)
    card = _card(tab, "loss")
    expect(card.locator("canvas")).to_be_visible()
    _drag(tab, "loss", 0.9, 1.0)
    log_rows(run, range(3_000, 3_100))
    _press_until(tab, card, "End", re.compile("^train, step 3\u202f099: [^f]*$"))


def test_another_metric_as_x_is_read_from_the_server(person: BrowserContext, owner: Owner) -> None:
    # More rows than the page is given at first, and fewer than it is given when it asks.
    tab = new_tab(person, seed_run(owner, "medium", rows=1_500).private_link)
    expect(_card(tab, "loss").locator("canvas")).to_be_visible()
    with tab.page.expect_response(re.compile("x=metric")) as answer:
        tab.page.get_by_label("x axis").select_option("metric:learning_rate")
    assert answer.value.ok
    _press_until(tab, _card(tab, "loss"), "End", re.compile("^train, learning_rate 0.001: [^f]*$"))
    tab.is_quiet(404)


def test_choices_are_kept_for_the_next_run_and_the_next_visit(person: BrowserContext, owner: Owner) -> None:
    first, second = seed_run(owner, "first"), seed_run(owner, "second")
    tab = new_tab(person, first.private_link)
    _menu(tab, "learning_rate", "Pin to the top")
    _menu(tab, "accuracy", "Hide")
    tab.page.get_by_label("y axis").select_option("log")
    tab = new_tab(person, second.private_link)
    expect(tab.page.get_by_label("y axis")).to_have_value("log")
    expect(tab.page.locator(".anr-title")).to_have_text(["learning_rate", "loss"])
    tab.holds_no_secret()


def test_every_file_is_saved_under_the_strict_policy(person: BrowserContext, long_run: Seeded) -> None:
    tab = new_tab(person, long_run.private_link)
    assert _saved(tab, "loss", "PNG picture").startswith(b"\x89PNG")
    assert _saved(tab, "loss", "SVG picture").startswith(b"<svg")
    every = list(csv.reader(io.StringIO(_saved(tab, "loss", "CSV of all points").decode())))
    assert every[0] == ["step", "time", "train/loss", "val/loss"]
    assert [int(row[0]) for row in every[1:]] == list(range(ROWS))
    tab.is_quiet(404)
    tab.stays_home()


def test_a_closer_look_in_the_large_chart_is_finer_too(person: BrowserContext, long_run: Seeded) -> None:
    tab = new_tab(person, long_run.private_link)
    _card(tab, "loss").get_by_role("button", name="Enlarge loss").click()
    plot = tab.page.locator(".anr-dialog .nsewdrag").first
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    with tab.page.expect_response(re.compile("metric=")):
        tab.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 100)
        tab.page.mouse.down()
        tab.page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 102, steps=5)
        tab.page.mouse.up()
    tab.is_quiet(404)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_charts_are_accessible_and_fit_whatever_is_open(browser: Browser, long_run: Seeded, look: Look) -> None:
    with visitor(browser, look) as context:
        tab = new_tab(context, long_run.private_link)
        expect(_card(tab, "loss").locator("canvas")).to_be_visible()
        _drag(tab, "loss", 0.2, 0.8)
        tab.is_accessible()
        _menu(tab, "accuracy", "Show as a table")
        _menu(tab, "loss", "Pin to the top")
        tab.is_accessible()
        tab.page.get_by_role("button", name="View options").click()
        tab.is_accessible()
        tab.page.get_by_role("menuitem", name="Keys and gestures").click()
        tab.is_accessible()
        tab.page.keyboard.press("Escape")
        tab.fits()
