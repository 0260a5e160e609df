"""Sharing, in a real browser: links with an end, un-blinding, publication, a chart and a badge on another site."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from anonrun.core.tokens import TokenKind, mint
from browser.seeding import Owner, Seeded, anonymous_account, ask, hash_of, seed_run
from browser.tab import LOOKS, PASSWORD, Look, Tab, new_tab, sign_up, visitor
from support.server import Server, anonrun_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]


Picture = Callable[[Page | Locator, str], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("sharing"), ANONRUN_RUNS_PER_HOUR="0") as running:
        yield running


class Paper:
    """Another site by its name; it is on this machine, since browsers let no other one lead to the server here."""

    def __init__(self, port: int) -> None:
        self.origin = f"localhost:{port}"
        self.body = ""

    def show(self, page: Page, body: str) -> None:
        """Have a tab show a page of this site with a body."""
        self.body = body
        page.goto(f"http://{self.origin}/")

    def tab(self, context: BrowserContext, body: str) -> Tab:
        """Show a page of this site in a new tab."""
        tab = Tab(context.new_page(), self.origin).watch()
        self.show(tab.page, body)
        return tab


@pytest.fixture
def paper() -> Iterator[Paper]:
    class Give(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = f"<!doctype html><title>Paper</title><link rel=icon href=data:,>{paper.body}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Give) as site:
        paper = Paper(site.server_port)
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield paper
        site.shutdown()
        thread.join()


@pytest.fixture
def owner(server: Server) -> Owner:
    return anonymous_account(server.url)


def claimed_run(context: BrowserContext, owner: Owner, name: str) -> Seeded:
    """Return a run that this visitor, who signs up for it, has claimed."""
    run = seed_run(owner)
    sign_up(context, owner.url, name, PASSWORD)
    own = {"Sec-Fetch-Site": "same-origin", "Origin": owner.url}
    for path, body in (("session/pending-claim", {"token": run.claim}), ("session/claim", {})):
        answer = context.request.post(f"{owner.url}/api/v1/{path}", data=body, headers=own)
        assert answer.ok, answer.text()
    return run


def share_tab(context: BrowserContext, address: str) -> Tab:
    tab = new_tab(context, address)
    tab.page.get_by_role("tab", name="Share").click()
    expect(tab.page.get_by_role("heading", name="By a link")).to_be_visible()
    return tab


def confirm(tab: Tab, name: str) -> None:
    tab.page.get_by_role("dialog").get_by_role("button", name=name).click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)


def test_the_page_of_a_private_link_says_that_it_is_sensitive(browser: Browser, owner: Owner, picture: Picture) -> None:
    run = seed_run(owner)
    with visitor(browser) as context:
        tab = new_tab(context, run.private_link)
        tab.shows(re.compile("Its private link is sensitive: whoever has it can view and claim this run"))
        tab.is_accessible()
        picture(tab.page, "private_link")
    with visitor(browser) as context:
        tab = new_tab(context, f"{run.page}#v={run.view}")
        tab.shows("Anonymous run.")
        expect(tab.page.get_by_text("sensitive")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_a_blind_link_for_a_week_shows_everything_after_the_review(
    browser: Browser, owner: Owner, picture: Picture, look: Look
) -> None:
    name = f"grace-{look}"
    with visitor(browser, look) as mine, visitor(browser) as theirs:
        run = claimed_run(mine, owner, name)
        tab = share_tab(mine, run.page)
        tab.fill("For whom (optional)", "reviewers")
        tab.page.get_by_label("Works for").select_option("a week")
        tab.page.get_by_label(re.compile("^Blind")).check()
        tab.button("Make a share link").click()
        link = tab.page.get_by_label("Link “reviewers”, shown this once").input_value()
        row = tab.page.get_by_role("row", name=re.compile("^reviewers"))
        expect(row).to_contain_text("blind")
        expect(row).to_contain_text("never")
        expect(row.locator("time")).to_have_count(2)
        tab.is_accessible()
        tab.fits()
        picture(tab.page, f"links_{look}")
        reader = new_tab(theirs, link)
        reader.heads(f"run-{run.run_id[-8:]}")
        reader.page.get_by_role("tab", name="Config").click()
        picture(reader.page, f"blind_{look}")
        assert name not in reader.page.content()
        tab.button("Publish this run").click()
        tab.page.get_by_role("dialog").get_by_role("button", name="Publish").click()
        expect(tab.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("1 blind link leads to this run")
        tab.button("Cancel").click()
        tab.button("Show everything by the link reviewers").click()
        confirm(tab, "Show everything")
        expect(row).to_contain_text("everything")
        reader.page.reload()
        reader.heads("digits-mlp")
        reader.shows(re.compile(name))


def test_a_link_that_has_ended_says_when(browser: Browser, owner: Owner) -> None:
    run, secret = seed_run(owner), mint(TokenKind.SHARE)
    ask(
        "POST",
        f"{run.url}/api/v1/runs/{run.run_id}/links",
        run.write,
        json={"token_hash": hash_of(secret), "expires_in_s": 0.001},
    )
    with visitor(browser) as context:
        tab = new_tab(context, f"{run.page}#s={secret}")
        tab.heads("This link has ended")
        tab.shows(re.compile(r"It worked until \w{3} \d+ \w{3} \d{4}, \d\d:\d\d, Europe/Berlin"))


@pytest.mark.parametrize("look", LOOKS)
def test_a_run_is_published_shown_on_another_site_and_taken_back(
    browser: Browser, owner: Owner, paper: Paper, picture: Picture, look: Look
) -> None:
    with visitor(browser, look) as mine, visitor(browser, look) as theirs:
        run = claimed_run(mine, owner, f"ada-{look}")
        nobody = new_tab(theirs, run.page)
        nobody.heads("No run to show here")
        tab = share_tab(mine, run.page)
        tab.button("Publish this run").click()
        confirm(tab, "Publish")
        tab.shows("Published since")
        expect(tab.page.get_by_label("Chart, for a web page")).to_have_count(0)
        embed = tab.page.get_by_label("Let other sites show one of its charts")
        embed.click()
        expect(embed).to_be_checked()  # once the server has said so
        chart = tab.page.get_by_label("Chart, for a web page")
        tab.page.get_by_label("Metric", exact=True).select_option("val/loss")
        expect(chart).to_have_value(re.compile("metric=val%2Floss"))
        badge = tab.page.get_by_label("Badge, for a README").input_value()
        tab.is_accessible()
        tab.fits()
        picture(tab.page, f"published_{look}")
        nobody.page.reload()
        nobody.heads("digits-mlp")
        nobody.is_quiet(404)
        nobody.is_accessible()
        frame, image = chart.input_value(), re.findall(r"!\[[^]]*\]\(([^)]+)\)", badge)[0]
        there = paper.tab(theirs, f'<h1>A paper</h1>{frame}<p><img alt="badge" src="{image}"></p>')
        framed = there.page.frame_locator("iframe")
        expect(framed.get_by_role("img", name=re.compile("Chart of loss"))).to_be_visible()
        expect(framed.get_by_role("link", name="digits-mlp")).to_have_attribute("target", "_blank")
        assert there.page.locator("img").evaluate("(one) => one.complete && one.naturalWidth > 60")
        there.is_quiet()
        picture(there.page, f"elsewhere_{look}")
        alone = new_tab(theirs, re.findall(r'src="([^"]+)"', frame)[0])
        alone.heads("digits-mlp: loss")
        alone.is_accessible()
        alone.fits()
        alone.stays_home()
        alone.open(f"{alone.page.url.partition('?')[0]}?metric=nothing")
        alone.shows("There is no metric nothing.")
        tab.button("Take it back").click()
        confirm(tab, "Take it back")
        tab.shows("Publish this run")
        nobody.page.reload()
        nobody.heads("No run to show here")
        refused = paper.tab(theirs, frame)
        expect(refused.page.frame_locator("iframe").get_by_role("img", name=re.compile("Chart"))).to_have_count(0)


def test_no_page_but_the_chart_is_shown_on_another_site(browser: Browser, owner: Owner, paper: Paper) -> None:
    with visitor(browser) as mine:
        run = claimed_run(mine, owner, "framed")
        own = {"Sec-Fetch-Site": "same-origin", "Origin": owner.url}
        done = mine.request.put(f"{owner.url}/api/v1/runs/{run.run_id}/publication", data={"embed": False}, headers=own)
        assert done.ok
        for path in (f"r/{run.run_id}", f"embed/{run.run_id}", "", "settings"):
            page = mine.new_page()
            with page.expect_console_message(lambda said: "frame-ancestors 'none'" in said.text):
                paper.show(page, f'<iframe src="{owner.url}/{path}"></iframe>')
