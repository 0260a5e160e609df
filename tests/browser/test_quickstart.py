"""The quickstart notebook in JupyterLab, and the pictures of it that the README shows."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from support.chromium import PATIENCE_MS
from support.jupyter import Jupyter, NotebookPage, jupyter_server

pytestmark = pytest.mark.browser
_QUICKSTART = Path(__file__).parent.parent.parent / "notebooks" / "quickstart.ipynb"


@pytest.fixture
def jupyter(tmp_path: Path) -> Iterator[Jupyter]:
    with jupyter_server(tmp_path) as running:
        shutil.copy(_QUICKSTART, running.root)
        yield running


@pytest.fixture(params=["light", "dark"])
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(
        viewport={"width": 1280, "height": 1100}, color_scheme=request.param, device_scale_factor=2
    ) as made:
        made.set_default_timeout(PATIENCE_MS)
        yield made


def test_the_quickstart_is_a_pleasure_to_watch(
    context: BrowserContext,
    jupyter: Jupyter,
    picture: Callable[[Page | Locator, str], None],
    request: pytest.FixtureRequest,
) -> None:
    theme = request.node.callspec.params["context"]
    notebook = NotebookPage(context.new_page(), jupyter, "quickstart.ipynb").open()
    if theme == "dark":
        notebook.page.evaluate(
            "() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
        )
        notebook.page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    notebook.run_all()
    widget = notebook.page.locator(".anr-widget")
    expect(widget.locator("canvas")).to_have_count(5)
    expect(widget.locator(".anr-head")).to_contain_text(re.compile(r"step [4-9]\d"))
    expect(widget.locator(".anr-banner")).to_contain_text("Kept until")
    picture(widget, f"widget-{theme}")

    with context.expect_page() as opened:
        widget.get_by_role("link", name=re.compile("Open in dashboard")).click()
    run_page = opened.value
    expect(run_page.locator("canvas")).to_have_count(5)
    expect(
        run_page.get_by_role("link", name=re.compile("Claim"))
        .or_(run_page.get_by_role("button", name=re.compile("Claim")))
        .first
    ).to_be_visible()
    notebook.wait_until_idle()
    expect(run_page.locator("body")).to_contain_text("finished")
    run_page.set_viewport_size({"width": 1280, "height": 620})
    picture(run_page, f"run-{theme}")
    assert "of the digits that it has never seen are read correctly" in notebook.page.content()
