"""Jupyter servers on demand, pictures where they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from support.chromium import PATIENCE_MS
from support.jupyter import App, Jupyter, jupyter_server

_PICTURES = os.environ.get("ANONRUN_PICTURES")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's browser: in New York, so that no date on a page is right by accident."""
    with browser.new_context(
        viewport={"width": 1280, "height": 1100}, timezone_id="America/New_York", locale="en-GB", device_scale_factor=2
    ) as made:
        made.set_default_timeout(PATIENCE_MS)
        yield made


@pytest.fixture(params=["lab", "notebook"])
def jupyter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Jupyter]:
    app: App = request.param
    with jupyter_server(tmp_path, app) as running:
        yield running


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[Page | Locator, str], None]:
    """Take a screenshot: into the folder that ANONRUN_PICTURES names, else into the test's own."""

    def take(what: Page | Locator, name: str) -> None:
        folder = Path(_PICTURES) if _PICTURES else tmp_path
        what.screenshot(path=folder / f"{name}.png")

    return take
