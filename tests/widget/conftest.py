from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        viewport={"width": 1000, "height": 700}, timezone_id="Europe/Berlin", locale="en-US", accept_downloads=True
    )
    yield opened
    opened.close()
