"""A browser's tab on the dashboard, and what must hold of every page in it."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.chromium import PATIENCE_MS

_AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
_SECRET = re.compile(r"anr_[a-z]_[0-9A-Za-z]+")
_STATUS = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
_KEPT_BY_PAGE = "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, document.cookie])"

Look = Literal["light", "dark", "phone"]
LOOKS: tuple[Look, ...] = ("light", "dark", "phone")
PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def new_name() -> str:
    """Return a username that nobody has yet."""
    return f"ada{next(_numbers)}"


@dataclass(slots=True)
class Tab:
    """One tab: what its console said and what it asked for, from its first page on."""

    page: Page
    origin: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def watch(self) -> Tab:
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        return self

    def open(self, url: str) -> Tab:
        self.page.goto(url)
        return self

    def shows(self, text: str | re.Pattern[str]) -> None:
        """Wait until a text is seen."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def heads(self, text: str | re.Pattern[str]) -> None:
        """Wait until the page's heading says something."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)

    def button(self, name: str | re.Pattern[str]) -> Any:
        return self.page.get_by_role("button", name=name)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def statuses(self) -> set[int]:
        """Return the refusals that the console noted."""
        return {int(found[1]) for line in self.said if (found := _STATUS.search(line))}

    def is_quiet(self, *refusals: int) -> None:
        """Insist that the console has no error and no warning, except for answers that the page expects."""
        loud = [line for line in self.said if line.startswith(("error", "warning")) and not _STATUS.search(line)]
        assert loud == []
        assert self.statuses() <= set(refusals)

    def stays_home(self) -> None:
        """Insist that nothing was asked of anyone but the server."""
        foreign = [url for url in self.asked if urlsplit(url).netloc != self.origin and not url.startswith("data:")]
        assert foreign == []

    def holds_no_secret(self) -> None:
        """Insist that neither address, history, page, storage nor any request's address has a secret."""
        kept = self.page.evaluate(_KEPT_BY_PAGE)
        places = [self.page.url, self.page.content(), kept, *self.asked]
        assert [found[0] for place in places if (found := _SECRET.search(place))] == []

    def fits(self) -> None:
        """Insist that the page is no wider than the window."""
        assert self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    def is_accessible(self) -> None:
        """Insist that axe-core finds nothing (WCAG 2.2 AA and best practices)."""
        self.page.evaluate(_AXE.read_text(encoding="utf-8") + ";0")
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
        short = [{"rule": one["id"], "at": [node["html"][:160] for node in one["nodes"]]} for one in found]
        assert short == [], json.dumps(short, indent=1)


@contextlib.contextmanager
def visitor(browser: Browser, look: Look = "light", **more: Any) -> Iterator[BrowserContext]:
    """Someone with a browser of their own, in Berlin."""
    context = browser.new_context(
        color_scheme="dark" if look == "dark" else "light",
        viewport={"width": 390, "height": 780} if look == "phone" else {"width": 1200, "height": 800},
        timezone_id="Europe/Berlin",
        **more,
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context
    finally:
        context.close()


def new_tab(context: BrowserContext, url: str) -> Tab:
    """Open a tab on a page of the dashboard."""
    return Tab(context.new_page(), urlsplit(url).netloc).watch().open(url)


def sign_up(context: BrowserContext, url: str, username: str, password: str) -> None:
    """Give a visitor an account and its session, as the page's form would."""
    answer = context.request.post(
        f"{url}/api/v1/session/sign-up",
        data={"username": username, "password": password},
        headers={"Sec-Fetch-Site": "same-origin", "Origin": url},
    )
    assert answer.ok, answer.text()
