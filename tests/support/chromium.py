"""Debian's Chromium, as a person would use it: pop-ups are blocked where a browser blocks them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, expect, sync_playwright

PATIENCE_MS = 60_000
"""How long a page may take for what it must do: long, since the machine may be busy; only a failure waits for it."""

# For all tests of a process: it is Playwright's one setting, and whoever set it last would set it for the others.
expect.set_options(timeout=PATIENCE_MS)

_ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        raise RuntimeError("The browser tests need Chromium as `chromium` on the PATH: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=_ARGUMENTS, ignore_default_args=["--disable-popup-blocking"]
        )
        try:
            yield browser
        finally:
            browser.close()
