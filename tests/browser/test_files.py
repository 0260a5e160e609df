"""The files of a run, in a real browser: who sees them, and how they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from anonrun.core.tokens import TokenKind, mint
from browser.seeding import Seeded, anonymous_account, ask, hash_of, seed_run
from browser.tab import LOOKS, PASSWORD, Look, new_name, new_tab, sign_up, visitor
from support.artifacts import logged, new_artifact_id
from support.server import Server, anonrun_server
from support.site import MadeRun

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("files")) as running:
        yield running


@pytest.fixture
def run(server: Server) -> Seeded:
    return seed_run(anonymous_account(server.url))


def logged_run(server: Server, person: BrowserContext) -> tuple[MadeRun, str]:
    """Return a run of a new account, with files, and the account's name; its person is signed in."""
    name = new_name()
    sign_up(person, server.url, name, PASSWORD)
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": server.url}
    made = person.request.post(f"{server.url}/api/v1/account/keys", data={}, headers=headers)
    key = str(made.json()["key"])
    run = MadeRun(new_artifact_id())
    ask("POST", f"{server.url}/api/v1/runs", key, json=run.request(name="digits-mlp"))
    with httpx.Client(base_url=server.url) as api:
        files = {"weights/model.pt": bytes(1_234_567), "<b>config</b> é.json": b"{}", "x" * 200: b"long name"}
        other = MadeRun(new_artifact_id())
        ask("POST", f"{server.url}/api/v1/runs", key, json=other.request(name="data"))
        data = logged(api, other, {"labels.csv": b"1,2"}, name="digits")
        logged(api, run, files, name="digits-model", aliases=["best"], description="After ten epochs.")
        used = {"artifact_id": data["artifact_id"]}
        ask("POST", f"{server.url}{run.path}/used-artifacts", run.write, json=used)
    return run, name


@pytest.mark.parametrize("look", LOOKS)
def test_the_files_of_a_run_are_listed_and_come_as_downloads(
    browser: Browser, server: Server, look: Look, picture: Callable[[Any, str], None]
) -> None:
    with visitor(browser, look) as person:
        run, _ = logged_run(server, person)
        tab = new_tab(person, f"{server.url}/r/{run.run_id}")
        tab.page.get_by_role("tab", name="Files").click()
        tab.shows("digits-model:v0")
        tab.shows(re.compile(r"model · latest · best · 3 files, 1\.2\sMB"))
        tab.shows("After ten epochs.")
        tab.shows("logged by another run")
        with tab.page.expect_download() as begun:
            tab.page.get_by_role("link", name="Download <b>config</b> é.json").click()
        assert begun.value.suggested_filename.endswith("é.json")
        assert Path(begun.value.path()).read_bytes() == b"{}"
        tab.heads("digits-mlp")
        picture(tab.page, f"files-{look}")
        tab.is_quiet()
        tab.stays_home()
        tab.holds_no_secret()
        tab.fits()
        tab.is_accessible()


def test_there_is_no_files_tab_without_files_nor_by_a_blind_link(browser: Browser, server: Server, run: Seeded) -> None:
    with visitor(browser) as person, visitor(browser) as reviewer, visitor(browser) as colleague:
        new_tab(person, run.private_link).shows("Anonymous run.")
        made, _ = logged_run(server, person)
        for reader, blind in ((reviewer, True), (colleague, False)):
            token = mint(TokenKind.SHARE)
            wanted = {"token_hash": hash_of(token), "blind": blind}
            ask("POST", f"{server.url}{made.path}/links", made.write, json=wanted)
            tab = new_tab(reader, f"{server.url}/r/{made.run_id}#s={token}")
            tab.page.get_by_role("tab", name="Config").wait_for()
            if blind:
                expect(tab.page.get_by_role("tab", name="Files")).to_have_count(0)
                tab.is_quiet(404)
            else:
                tab.page.get_by_role("tab", name="Files").click()
                tab.shows("weights/model.pt")
                expect(tab.page.get_by_text("logged by another run")).to_have_count(0)
        tab = new_tab(person, run.page)
        tab.page.get_by_role("tab", name="Config").wait_for()
        expect(tab.page.get_by_role("tab", name="Files")).to_have_count(0)
