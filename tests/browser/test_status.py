"""How far a run is and how it ended: in JupyterLab and Notebook 7, in the saved file, and on the run's page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from anonrun.core.times import format_time
from browser.seeding import Owner, anonymous_account, ask, log_rows, seed_run
from browser.tab import new_tab, visitor
from support.jupyter import Jupyter, NotebookPage, write_notebook
from support.server import Server, anonrun_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]

_TRAINING = """
import time
import anonrun
for step in range(100):
    anonrun.log({"loss": 1 / (step + 1)})
    time.sleep(0.1)
anonrun.finish()
"""
_FAILING = """%%anonrun --name fails --total 1e3
import anonrun
for step in range(250):
    anonrun.log({"loss": 1 / (step + 1)})
open("/srv/of/ada/digits.csv")
"""
_INTERRUPTED = """%anonrun --name stops
anonrun.log({"loss": 1.0})
raise KeyboardInterrupt
"""


def test_a_notebook_shows_how_far_its_run_is_and_how_it_ended(
    context: BrowserContext, jupyter: Jupyter, picture: Callable[[Page | Locator, str], None]
) -> None:
    cells = ["%load_ext anonrun\n%anonrun --name digits --total 100", _TRAINING]
    write_notebook(jupyter.root / "paper.ipynb", cells)
    notebook = NotebookPage(context.new_page(), jupyter, "paper.ipynb").open()
    notebook.run_all()
    widget = notebook.page.locator(".anr-widget", has_text="digits")
    bar = widget.get_by_role("progressbar", name="Steps")
    expect(widget.locator(".anr-head")).to_contain_text("left")
    assert notebook.busy
    going = int(bar.get_attribute("aria-valuenow") or 0)
    assert 0 < going < 100
    expect(widget.locator(".anr-state")).to_have_text("finished")
    expect(bar).to_have_attribute("aria-valuenow", "100")
    expect(widget.locator(".anr-head")).not_to_contain_text("left")

    notebook.run_new_cell(_FAILING)
    failed = notebook.page.locator(".anr-widget", has_text="fails")
    expect(failed.locator(".anr-state")).to_have_text("failed")
    expect(failed.locator(".anr-reason")).to_contain_text("FileNotFoundError: [Errno 2] No such file or directory")
    expect(failed.locator(".anr-head")).to_contain_text("step 249 of 1\u202f000 (25\u202f%)")
    picture(failed, f"status-failed-{jupyter.root.parent.name}")

    notebook.run_new_cell(_INTERRUPTED)
    stopped = notebook.page.locator(".anr-widget", has_text="stops")
    expect(stopped.locator(".anr-state")).to_have_text("running")
    expect(stopped.locator(".anr-reason")).to_have_text("Last error: KeyboardInterrupt")
    notebook.run_new_cell('anonrun.log({"loss": 0.5})')
    expect(stopped.locator(".anr-reason")).to_have_count(0)
    notebook.run_new_cell("anonrun.finish()")
    expect(stopped.locator(".anr-state")).to_have_text("finished")

    outputs = json.dumps([cell.get("outputs") for cell in notebook.save()["cells"]])
    assert "digits, finished, step 99 of 100 (100\\u202f%)" in outputs
    assert "Failed: FileNotFoundError: [Errno 2] No such file or directory: &#x27;\\u2026/digits.csv&#x27;" in outputs


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("status"), ANONRUN_RUNS_PER_HOUR="0") as running:
        yield running


@pytest.fixture
def owner(server: Server) -> Owner:
    return anonymous_account(server.url)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_a_runs_page_shows_how_far_it_is_and_how_it_ended(
    browser: Browser, owner: Owner, look: str, picture: Callable[[Page | Locator, str], None]
) -> None:
    run = seed_run(owner, rows=40, state=None)
    address = f"{run.url}/api/v1/runs/{run.run_id}"
    ask("PATCH", address, run.write, json={"total": 100})
    with visitor(browser, look) as person:  # type: ignore[arg-type]  # one of the looks
        tab = new_tab(person, f"{run.page}#v={run.view}")
        bar = tab.page.get_by_role("progressbar", name="Steps")
        expect(bar).to_have_attribute("aria-valuenow", "40")
        log_rows(run, range(40, 60))
        expect(bar).to_have_attribute("aria-valuenow", "60")
        tab.shows(re.compile("step 59 of 100"))
        end = {"state": "failed", "exit_code": 1, "error": "ValueError"}
        ask("PATCH", address, run.write, json=end)
        expect(tab.page.locator("h1 + .state")).to_have_text("failed")
        expect(tab.page.locator(".run-head .reason")).to_have_text("ValueError")
        tab.is_accessible()
        tab.fits()
        picture(tab.page, f"status-page-{look}")


@pytest.mark.parametrize(
    ("left", "tone"),
    [
        (timedelta(days=6), "calm"),
        (timedelta(hours=23), "day"),
        (timedelta(minutes=50), "hour"),
        (-timedelta(1), "expired"),
    ],
)
def test_the_banner_of_a_runs_page_grows_urgent(browser: Browser, owner: Owner, left: timedelta, tone: str) -> None:
    run = seed_run(owner)
    with visitor(browser) as person:
        tab = new_tab(person, f"{run.page}#v={run.view}")
        banner = tab.page.locator(".anr-banner")
        expect(banner).to_have_attribute("data-tone", "calm")
        until = format_time(datetime.now(timezone.utc) + left)

        def answer(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, json=response.json() | {"expires_at": until})

        tab.page.route(f"**/api/v1/runs/{run.run_id}", answer)
        tab.page.reload()
        expect(banner).to_have_attribute("data-tone", tone)
