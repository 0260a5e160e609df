"""The pages, in a real browser, against a real server process."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, expect

from anonrun.core.tokens import TokenKind, mint
from browser.prefix_proxy import prefix_proxy
from browser.seeding import Owner, Seeded, anonymous_account, ask, hash_of, log_rows, seed_run
from browser.tab import LOOKS, PASSWORD, Look, Tab, new_name, new_tab, sign_up, visitor
from support.jupyter import free_port
from support.server import Server, anonrun_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("pages"), ANONRUN_RUNS_PER_HOUR="0") as running:
        yield running


@pytest.fixture
def owner(server: Server) -> Owner:
    return anonymous_account(server.url)


@pytest.fixture
def run(owner: Owner) -> Seeded:
    return seed_run(owner)


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    with visitor(browser) as context:
        yield context


def hand_over(owner: Owner) -> str:
    """Return the link that `anonrun ui` would open."""
    token = mint(TokenKind.DEVICE)
    ask("POST", f"{owner.url}/api/v1/handovers", owner.key, json={"token_hash": hash_of(token)})
    return f"{owner.url}/enter#d={token}"


def sign_up_in_page(tab: Tab, username: str, password: str = PASSWORD) -> None:
    tab.fill("Username", username)
    tab.fill("Password", password)
    tab.button("Create the account").click()


def _in_berlin(at: datetime) -> str:
    """Return an instant as pages show it to `visitor`."""
    there = at.astimezone(ZoneInfo("Europe/Berlin"))
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"


def info(run: Seeded, token: str) -> dict[str, object]:
    found: dict[str, object] = ask("GET", f"{run.url}/api/v1/runs/{run.run_id}", token).json()
    return found


# Every page, whatever it looks like


@pytest.mark.parametrize("look", LOOKS)
class TestEveryPage:
    def check(self, tab: Tab, *refusals: int) -> None:
        tab.is_quiet(*refusals)
        tab.stays_home()
        tab.holds_no_secret()
        tab.fits()
        tab.is_accessible()

    def test_runs(self, browser: Browser, owner: Owner, look: Look) -> None:
        seed_run(owner, "quiet-river", state="failed")
        seed_run(owner, "digits-mlp", state=None)
        with visitor(browser, look) as context:
            tab = new_tab(context, hand_over(owner))
            tab.heads("Runs")
            expect(tab.page.get_by_role("row")).to_have_count(3)
            expect(tab.page.get_by_role("img", name="train/loss over time")).to_have_count(2)
            tab.shows(re.compile("is the next to end: it is kept until .*, then deleted unless it is claimed"))
            self.check(tab)

    def test_run(self, browser: Browser, run: Seeded, look: Look) -> None:
        with visitor(browser, look) as context:
            tab = new_tab(context, run.private_link)
            tab.heads("digits-mlp")
            tab.shows("Anonymous run.")
            expect(tab.page.get_by_role("img", name=re.compile("Chart of loss"))).to_be_visible()
            # The first answer for the page itself cannot know of the fragment.
            self.check(tab, 404)
            for name in ("System", "Metrics", "Summary", "Config"):
                tab.page.get_by_role("tab", name=name).click()
                expect(tab.page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
                self.check(tab, 404)

    def test_claim(self, browser: Browser, run: Seeded, look: Look) -> None:
        with visitor(browser, look) as context:
            tab = new_tab(context, run.claim_link)
            tab.heads("Claim this run")
            self.check(tab)
            sign_up_in_page(tab, new_name())
            expect(tab.button(re.compile("Keep this run in"))).to_be_visible()
            self.check(tab)

    def test_sign_in_and_sign_up(self, browser: Browser, server: Server, look: Look) -> None:
        with visitor(browser, look) as context:
            for path, title in (("sign-in", "Sign in"), ("sign-up", "Sign up")):
                tab = new_tab(context, f"{server.url}/{path}")
                tab.heads(title)
                self.check(tab)

    def test_settings(self, browser: Browser, server: Server, look: Look) -> None:
        with visitor(browser, look) as context:
            name = new_name()
            sign_up(context, server.url, name, PASSWORD)
            tab = new_tab(context, f"{server.url}/settings")
            tab.heads("Settings")
            expect(tab.page.get_by_label("Profile")).to_contain_text(name)
            tab.shows("No keys yet.")
            self.check(tab)

    @pytest.mark.parametrize(
        ("path", "title", "refusal"),
        [
            pytest.param("settings", "Settings are for accounts", 403, id="forbidden"),
            pytest.param("r/01900000-0000-7000-8000-000000000000", "No run to show here", 404, id="unknown run"),
            pytest.param("r/nonsense", "No run to show here", 404, id="no run id"),
            pytest.param("no/such/page", "There is nothing here", 404, id="unknown page"),
            pytest.param("enter", "This way in is closed", 0, id="enter without a link"),
            pytest.param("claim", "There is nothing to claim here", 0, id="claim without a link"),
            pytest.param("", "Your runs are one step away", 0, id="nobody's runs"),
        ],
    )
    def test_refusals(
        self, browser: Browser, server: Server, look: Look, *, path: str, title: str, refusal: int
    ) -> None:
        with visitor(browser, look) as context:
            tab = new_tab(context, f"{server.url}/{path}")
            tab.heads(title)
            self.check(tab, refusal)


# The claim


def test_claim_by_signing_up_keeps_the_run_and_takes_the_banner_away(person: BrowserContext, run: Seeded) -> None:
    name = new_name()
    tab = new_tab(person, run.claim_link)
    tab.shows("digits-mlp")
    tab.shows("train/loss")
    assert tab.page.url == f"{run.url}/claim"
    sign_up_in_page(tab, name)
    tab.button(f"Keep this run in {name}").click()
    tab.shows(f"Kept in {name}")
    assert tab.page.url == run.page
    expect(tab.page.get_by_label("Anonymous run")).to_have_count(0)
    tab.page.reload()
    tab.heads("digits-mlp")
    expect(tab.page.get_by_text("Kept in")).to_have_count(0)
    expect(tab.page.get_by_label("Anonymous run")).to_have_count(0)
    tab.is_quiet()
    tab.holds_no_secret()


def test_claim_by_signing_in_after_a_wrong_password(browser: Browser, run: Seeded) -> None:
    name = new_name()
    with visitor(browser) as before:
        sign_up(before, run.url, name, PASSWORD)
    with visitor(browser) as context:
        tab = new_tab(context, run.claim_link)
        tab.page.get_by_role("tab", name="I have an account").click()
        tab.fill("Username", name)
        tab.fill("Password", "not the password")
        tab.button("Sign in").click()
        expect(tab.page.get_by_role("alert")).to_contain_text("wrong")
        expect(tab.page.get_by_label("Password", exact=True)).to_be_focused()
        tab.fill("Password", PASSWORD)
        tab.button("Sign in").click()
        tab.button(f"Keep this run in {name}").click()
        tab.shows(f"Kept in {name}")
        tab.is_quiet(401)


def test_someone_who_is_signed_in_only_has_to_confirm(person: BrowserContext, run: Seeded) -> None:
    name = new_name()
    sign_up(person, run.url, name, PASSWORD)
    tab = new_tab(person, run.claim_link)
    expect(tab.page.get_by_label("Password")).to_have_count(0)
    tab.button(f"Keep this run in {name}").click()
    tab.shows(f"Kept in {name}")


def test_nothing_is_claimed_before_the_explicit_yes(person: BrowserContext, run: Seeded) -> None:
    """R10: the page names the run, its first metrics, when it was made, when it ends, and who is to have it."""
    tab, name = new_tab(person, run.claim_link), new_name()
    sign_up_in_page(tab, name)
    expect(tab.button(f"Keep this run in {name}")).to_be_visible()
    known = info(run, run.view)
    made, end = (datetime.fromisoformat(str(known[at]).replace("Z", "+00:00")) for at in ("created_at", "expires_at"))
    facts = tab.page.locator(".claim-runs")
    for fact in ("digits-mlp", "train/loss", f"Made{_in_berlin(made)}", f"kept until {_in_berlin(end)}, then deleted"):
        expect(facts).to_contain_text(fact)
    assert info(run, run.view)["anonymous"] is True


def test_a_reload_does_not_lose_the_claim(person: BrowserContext, run: Seeded) -> None:
    tab = new_tab(person, run.claim_link)
    tab.heads("Claim this run")
    tab.page.reload()
    tab.shows("digits-mlp")
    sign_up_in_page(tab, new_name())
    expect(tab.button(re.compile("Keep this run"))).to_be_visible()
    tab.page.reload()
    tab.button(re.compile("Keep this run")).click()
    tab.shows(re.compile("Kept in"))


def test_a_second_claim_of_the_same_run_is_told_so(browser: Browser, run: Seeded) -> None:
    with visitor(browser) as first, visitor(browser) as second:
        names = [new_name(), new_name()]
        tabs = [new_tab(context, run.claim_link) for context in (first, second)]
        for tab, name in zip(tabs, names, strict=True):
            sign_up_in_page(tab, name)
        tabs[0].button(re.compile("Keep this run")).click()
        tabs[0].shows(f"Kept in {names[0]}")
        tabs[1].button(re.compile("Keep this run")).click()
        tabs[1].heads("This run has been claimed")
        with visitor(browser) as third:
            late = new_tab(third, run.claim_link)
            late.heads("This run has been claimed")
            late = new_tab(third, run.private_link)
            late.heads("This run has been claimed")


def test_a_claim_can_be_thought_better_of(person: BrowserContext, run: Seeded) -> None:
    sign_up(person, run.url, new_name(), PASSWORD)
    tab = new_tab(person, run.claim_link)
    tab.button("Don't claim").click()
    tab.heads("Nothing was claimed")
    tab.open(f"{run.url}/claim")
    tab.heads("There is nothing to claim here")
    assert info(run, run.view)["anonymous"] is True


def test_a_claim_that_was_ended_elsewhere_is_opened_again_by_the_page_that_has_its_link(
    person: BrowserContext, run: Seeded
) -> None:
    sign_up(person, run.url, new_name(), PASSWORD)
    tab = new_tab(person, run.claim_link)
    expect(tab.button(re.compile("Keep this run"))).to_be_visible()
    other = new_tab(person, f"{run.url}/claim")
    other.button("Don't claim").click()
    other.heads("Nothing was claimed")
    tab.button(re.compile("Keep this run")).click()
    tab.shows(re.compile("Please confirm once more"))
    tab.button(re.compile("Keep this run")).click()
    tab.shows(re.compile("Kept in"))


def test_an_unknown_or_damaged_claim_link_says_what_to_do(person: BrowserContext, server: Server) -> None:
    for token in (mint(TokenKind.CLAIM), "anr_c_half"):
        tab = new_tab(person, f"{server.url}/claim#c={token}")
        tab.heads("There is nothing to claim here")
        assert tab.page.url == f"{server.url}/claim"


def test_a_taken_name_and_a_short_password_are_told_at_their_fields(person: BrowserContext, run: Seeded) -> None:
    name = new_name()
    sign_up(person, run.url, name, PASSWORD)
    person.clear_cookies()
    tab = new_tab(person, run.claim_link)
    sign_up_in_page(tab, name)
    expect(tab.page.get_by_label("Username")).to_be_focused()
    expect(tab.page.get_by_role("alert")).to_contain_text("has this name")
    sign_up_in_page(tab, new_name(), "short")
    expect(tab.page.get_by_label("Password", exact=True)).to_be_focused()
    expect(tab.page.get_by_role("alert")).to_contain_text("8 characters")
    tab.fill("Username", "")
    tab.button("Create the account").click()
    expect(tab.page.get_by_role("alert")).to_have_text("Enter the username.")


def test_the_claim_button_of_a_run_that_was_opened_by_its_private_link(person: BrowserContext, run: Seeded) -> None:
    name = new_name()
    tab = new_tab(person, run.private_link)
    tab.button("Claim this run").click()
    tab.heads("Claim this run")
    sign_up_in_page(tab, name)
    tab.button(f"Keep this run in {name}").click()
    tab.shows(f"Kept in {name}")


def test_another_page_of_the_same_browser_learns_of_the_claim(person: BrowserContext, run: Seeded) -> None:
    watching = new_tab(person, run.private_link)
    watching.shows("Anonymous run.")
    heard = watching.page.evaluate_handle(
        "new Promise((resolve) => { new BroadcastChannel('anonrun').onmessage = (event) => resolve(event.data); })"
        ".then((data) => { window.heard = data; }), window"
    )
    sign_up(person, run.url, new_name(), PASSWORD)
    tab = new_tab(person, run.claim_link)
    tab.button(re.compile("Keep this run")).click()
    tab.shows(re.compile("Kept in"))
    watching.page.wait_for_function("window.heard !== undefined")
    assert heard.evaluate("(w) => w.heard") == {"run_id": run.run_id, "claimed": True}
    expect(watching.page.get_by_label("Anonymous run")).to_have_count(0)


# The end of a run


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A run whose whole life was two seconds."""
    folder = tmp_path_factory.mktemp("expired")
    with anonrun_server(folder, ANONRUN_RETENTION_DAYS=str(2 / 86_400)) as running:
        run = seed_run(anonymous_account(running.url), rows=5)
        address = f"{running.url}/api/v1/runs/{run.run_id}"
        deadline = time.monotonic() + 10
        while requests.get(address, headers={"Authorization": f"Bearer {run.view}"}, timeout=5).ok:
            assert time.monotonic() < deadline
        yield run


def test_whoever_has_the_runs_own_link_is_told_when_it_expired(person: BrowserContext, expired: Seeded) -> None:
    for link in (expired.private_link, expired.claim_link):
        tab = new_tab(person, link)
        tab.heads("This run has expired")
        tab.shows(re.compile(r"\w{3} \d+ \w{3} \d{4}, \d\d:\d\d, Europe/Berlin"))
        tab.holds_no_secret()


def test_nobody_else_learns_that_there_was_a_run(person: BrowserContext, expired: Seeded, server: Server) -> None:
    def body(url: str) -> tuple[int, str]:
        answer = requests.get(url, timeout=5)
        return answer.status_code, re.sub(r"[0-9a-f-]{36}", "ID", answer.text)

    unknown = f"{expired.url}/r/01900000-0000-7000-8000-000000000000"
    assert body(expired.page) == body(unknown)
    assert body(expired.page)[0] == 404
    tab = new_tab(person, expired.page)
    tab.heads("No run to show here")
    tab.shows("anonrun ui")


# One run


def test_a_view_link_shows_and_may_do_nothing_else(person: BrowserContext, run: Seeded) -> None:
    tab = new_tab(person, f"{run.page}#v={run.view}")
    tab.shows("then deleted unless its maker claims it.")
    for name in ("Claim this run", "Delete now", "Share"):
        expect(tab.button(name)).to_have_count(0)
    expect(tab.page.get_by_role("tab", name="Share")).to_have_count(0)


def test_a_browser_that_was_let_in_needs_no_secret_any_more(person: BrowserContext, run: Seeded) -> None:
    new_tab(person, f"{run.page}#v={run.view}").heads("digits-mlp")
    tab = new_tab(person, run.page)
    tab.heads("digits-mlp")
    tab.is_quiet()


def test_a_running_run_grows_on_the_page_and_is_seen_to_end(person: BrowserContext, owner: Owner) -> None:
    run = seed_run(owner, rows=10, state=None)
    tab = new_tab(person, f"{run.page}#v={run.view}")
    tab.shows(re.compile("step 9 · .*60 points"))
    log_rows(run, range(10, 40))
    tab.shows(re.compile("step 39 · .*240 points"))
    ask("PATCH", f"{run.url}/api/v1/runs/{run.run_id}", run.write, json={"state": "failed", "exit_code": 1})
    expect(tab.page.locator("h1 + .state")).to_have_text("failed")
    tab.is_quiet(404)


def test_a_run_without_points_says_that_it_waits(person: BrowserContext, owner: Owner) -> None:
    waiting = seed_run(owner, rows=0, state=None)
    new_tab(person, f"{waiting.page}#v={waiting.view}").shows("Waiting for the first point…")
    over = seed_run(owner, rows=0)
    new_tab(person, f"{over.page}#v={over.view}").shows("This run logged nothing.")


def test_the_page_outlives_a_server_that_goes_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with visitor(browser) as context:
        with anonrun_server(tmp_path, port=port) as running:
            run = seed_run(anonymous_account(running.url), rows=10, state=None)
            tab = new_tab(context, f"{run.page}#v={run.view}")
            tab.shows(re.compile("60 points"))
        tab.shows(re.compile("Connection lost, trying again"))
        with anonrun_server(tmp_path, port=port):
            log_rows(run, range(10, 20))
            tab.shows(re.compile("step 19 · .*120 points"))
            expect(tab.page.get_by_text("Connection lost")).to_have_count(0)


def test_figures_config_and_summary_are_told(person: BrowserContext, run: Seeded) -> None:
    tab = new_tab(person, f"{run.page}#v={run.view}")
    tab.page.get_by_role("tab", name="Metrics").click()
    row = tab.page.get_by_role("row", name=re.compile("^learning_rate"))
    expect(row).to_contain_text("119")
    tab.page.get_by_role("tab", name="Config").click()
    expect(tab.page.get_by_role("row", name="optimizer.name adam")).to_be_visible()
    tab.page.get_by_role("tab", name="Summary").click()
    expect(tab.page.get_by_role("row", name="val/loss")).to_be_visible()


def test_tabs_are_moved_through_by_keyboard(person: BrowserContext, run: Seeded) -> None:
    tab = new_tab(person, f"{run.page}#v={run.view}")
    tab.page.get_by_role("tab", name="Charts").focus()
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.page.get_by_role("tab", name="Config")).to_be_focused()
    expect(tab.page.get_by_role("row", name=re.compile("^lr"))).to_be_visible()
    tab.page.keyboard.press("Home")
    expect(tab.page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")


def test_a_chart_is_enlarged_by_plotly_under_the_strict_policy(person: BrowserContext, run: Seeded) -> None:
    tab = new_tab(person, f"{run.page}#v={run.view}")
    tab.button("Enlarge loss").click()
    expect(tab.page.locator("dialog .js-plotly-plot .main-svg").first).to_be_visible()
    expect(tab.page.locator("[data-title*='Share chart']")).to_have_count(0)
    with tab.page.expect_download() as download:
        tab.page.locator("[data-title^='Download plot']").click()
    assert download.value.suggested_filename.endswith(".svg")
    tab.is_quiet(404)


@pytest.mark.parametrize(("link", "beginning"), [("CSV", "step,"), ("JSON", "{")])
def test_a_run_is_downloaded_without_an_account(
    person: BrowserContext, run: Seeded, tmp_path: Path, link: str, beginning: str
) -> None:
    tab = new_tab(person, f"{run.page}#v={run.view}")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name=link).click()
    download.value.save_as(tmp_path / "run")
    text = (tmp_path / "run").read_text(encoding="utf-8")
    assert "train/loss" in text
    assert beginning in text


def test_a_run_is_saved_as_one_file_that_opens_without_the_server(
    browser: Browser, person: BrowserContext, run: Seeded, tmp_path: Path
) -> None:
    tab = new_tab(person, f"{run.page}#v={run.view}")
    with tab.page.expect_download() as download:
        tab.button("HTML").click()
    download.value.save_as(tmp_path / "run.html")
    with browser.new_context(offline=True) as other:
        page = other.new_page()
        page.goto((tmp_path / "run.html").as_uri())
        expect(page.locator(".anr-card").first).to_be_visible()
        expect(page.locator(".anr-file > header")).to_contain_text("points, every one")
        page.get_by_role("tab", name="Summary").click()
        expect(page.get_by_role("tabpanel")).to_contain_text("train/loss")
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert run.view not in text
    assert urlsplit(run.page).netloc not in text
    tab.is_quiet(404)


def test_a_share_link_opens_the_run_until_it_is_revoked(browser: Browser, owner: Owner) -> None:
    run = seed_run(owner)
    with visitor(browser) as mine, visitor(browser) as theirs:
        tab = new_tab(mine, hand_over(owner))
        tab.page.get_by_role("table").get_by_role("link", name="digits-mlp").click()
        tab.button("Share").click()
        tab.fill("For whom (optional)", "reviewers")
        tab.button("Make a share link").click()
        link = tab.page.get_by_label("Link “reviewers”, shown this once").input_value()
        assert link.startswith(f"{run.page}#s=anr_s_")
        reader = new_tab(theirs, link)
        reader.heads("digits-mlp")
        expect(reader.button("Claim this run")).to_have_count(0)
        tab.is_accessible()
        tab.button("Revoke the link reviewers").click()
        tab.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        tab.shows("Nobody has a link yet.")
        reader.page.reload()
        reader.heads("No run to show here")


def test_a_blind_link_hides_who_made_the_run(browser: Browser, owner: Owner) -> None:
    run = seed_run(owner)
    with visitor(browser) as mine, visitor(browser) as theirs:
        new_tab(mine, hand_over(owner)).heads("Runs")
        tab = new_tab(mine, run.page)
        tab.page.get_by_role("tab", name="Share").click()
        tab.page.get_by_label(re.compile("^Blind")).check()
        tab.button("Make a share link").click()
        link = tab.page.get_by_label("The link, shown this once").input_value()
        reader = new_tab(theirs, link)
        reader.shows(re.compile("720 points"))
        content = reader.page.content() + reader.page.title()
        for hidden in ("digits", "baseline", str(info(run, run.view)["account"])):
            assert hidden not in content


def test_deleting_asks_first_and_is_done_at_once(person: BrowserContext, run: Seeded) -> None:
    tab = new_tab(person, run.private_link)
    tab.button("Delete now").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert info(run, run.view)["name"] == "digits-mlp"
    tab.button("Delete now").click()
    dialog.get_by_role("button", name="Delete").click()
    tab.heads("digits-mlp is deleted")
    tab.open(run.page)
    tab.heads(re.compile("No run to show here|This run was deleted"))


# Runs


def test_the_table_sorts_filters_and_stays_fresh(person: BrowserContext, owner: Owner) -> None:
    for name, rows in (("amber-falcon", 10), ("bold-otter", 30), ("calm-lark", 20)):
        seed_run(owner, name, rows=rows)
    tab = new_tab(person, hand_over(owner))
    names = tab.page.locator("tbody th")
    expect(names).to_have_text(["calm-lark", "bold-otter", "amber-falcon"])
    tab.button("points").click()
    expect(names).to_have_text(["bold-otter", "calm-lark", "amber-falcon"])
    expect(tab.page.get_by_role("columnheader", name="points")).to_have_attribute("aria-sort", "descending")
    tab.page.get_by_role("button", name="run", exact=True).click()
    expect(names).to_have_text(["amber-falcon", "bold-otter", "calm-lark"])
    tab.page.get_by_role("searchbox").fill("lark digits")
    expect(names).to_have_text(["calm-lark"])
    tab.page.get_by_role("searchbox").fill("nothing-like-it")
    tab.shows("No run matches")
    tab.page.get_by_role("searchbox").fill("")
    seed_run(owner, "dapper-dune", rows=5)
    expect(names).to_have_count(4)
    tab.is_quiet()


_RIGHT_EDGES = """(cells) => cells.map((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell.querySelector('button') ?? cell);
  return Math.round(range.getBoundingClientRect().right);
})"""


def test_the_name_of_a_column_of_numbers_ends_where_its_numbers_end(person: BrowserContext, owner: Owner) -> None:
    seed_run(owner)
    tab = new_tab(person, hand_over(owner))
    expect(tab.page.locator("tbody tr")).to_have_count(1)
    heads = tab.page.locator("thead .number")
    for _ in range(2):
        numbers = tab.page.locator("tbody .number").evaluate_all(_RIGHT_EDGES)
        assert len(numbers) > 2
        assert heads.evaluate_all(_RIGHT_EDGES) == numbers
        heads.last.get_by_role("button").click()  # with an arrow too


def test_a_hand_over_works_once(browser: Browser, owner: Owner) -> None:
    link = hand_over(owner)
    with visitor(browser) as mine, visitor(browser) as theirs:
        new_tab(mine, link).heads(re.compile("Runs|No runs yet"))
        new_tab(theirs, link).heads("This way in is closed")


# Accounts


def test_an_anonymous_account_has_no_settings_and_no_link_to_them(person: BrowserContext, owner: Owner) -> None:
    tab = new_tab(person, hand_over(owner))
    tab.heads("No runs yet")
    assert "/settings" not in tab.page.content()
    answer = tab.page.goto(f"{owner.url}/settings")
    assert answer is not None
    assert answer.status == 403
    tab.heads("Settings are for accounts")
    assert "/settings" not in tab.page.locator("body").inner_html()


def test_keys_are_made_shown_once_and_revoked(person: BrowserContext, server: Server) -> None:
    sign_up(person, server.url, new_name(), PASSWORD)
    tab = new_tab(person, f"{server.url}/settings")
    tab.fill("Label", "laptop")
    tab.button("Make a key").click()
    key = tab.page.get_by_label("New key “laptop”, shown this once").input_value()
    assert ask("GET", f"{server.url}/api/v1/account", key).json()["kind"] == "user"
    tab.page.reload()
    expect(tab.page.get_by_role("row", name=re.compile("^laptop"))).to_be_visible()
    assert key not in tab.page.content()
    tab.is_accessible()
    tab.button("Revoke laptop").click()
    tab.is_accessible()
    tab.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    tab.shows("No keys yet.")
    refused = requests.get(f"{server.url}/api/v1/account", headers={"Authorization": f"Bearer {key}"}, timeout=5)
    assert refused.status_code == 401


def test_the_password_is_changed_only_by_whoever_knows_it(browser: Browser, server: Server) -> None:
    name = new_name()
    with visitor(browser) as context, visitor(browser) as elsewhere:
        sign_up(context, server.url, name, PASSWORD)
        other = new_tab(elsewhere, f"{server.url}/sign-in")
        other.fill("Username", name)
        other.fill("Password", PASSWORD)
        other.button("Sign in").click()
        other.heads("No runs yet")
        tab = new_tab(context, f"{server.url}/settings")
        tab.fill("Current password", "not the password")
        tab.fill("New password", "a new long password")
        tab.button("Change the password").click()
        expect(tab.page.get_by_label("Current password")).to_be_focused()
        tab.fill("Current password", PASSWORD)
        tab.button("Change the password").click()
        tab.shows("The password is changed.")
        other.page.reload()
        other.heads("Your runs are one step away")


def test_signing_in_leads_where_one_was_going_and_never_elsewhere(browser: Browser, run: Seeded) -> None:
    name = new_name()
    with visitor(browser) as context:
        sign_up(context, run.url, name, PASSWORD)
        tab = new_tab(context, run.claim_link)
        tab.button(re.compile("Keep this run")).click()
        tab.shows(re.compile("Kept in"))
        tab.button("Sign out").click()
        tab.heads("Your runs are one step away")
        tab.open(run.page)
        tab.page.get_by_role("main").get_by_role("link", name="Sign in").click()
        tab.fill("Username", name)
        tab.fill("Password", PASSWORD)
        tab.button("Sign in").click()
        tab.heads("digits-mlp")
        tab.button("Sign out").click()
        tab.heads("Your runs are one step away")
        tab.open(f"{run.url}/sign-in?next=https://evil.example/")
        tab.fill("Username", name)
        tab.fill("Password", PASSWORD)
        tab.button("Sign in").click()
        tab.heads("Runs")
        assert tab.page.url == f"{run.url}/"


# Behind a proxy


def test_every_page_works_below_a_prefix(browser: Browser, server: Server, owner: Owner) -> None:
    seeded = seed_run(owner, rows=20, state=None)
    prefix = "/user/ada@example.org/anonrun"
    with prefix_proxy(server.url, prefix) as url, visitor(browser) as context:
        run = Seeded(url, *[getattr(seeded, name) for name in ("run_id", "name", "key", "write", "view", "claim")])
        tab = new_tab(context, run.private_link)
        tab.shows(re.compile("120 points"))
        log_rows(seeded, range(20, 30))
        tab.shows(re.compile("180 points"))
        tab.button("Claim this run").click()
        tab.heads("Claim this run")
        name = new_name()
        sign_up_in_page(tab, name)
        tab.button(f"Keep this run in {name}").click()
        tab.shows(f"Kept in {name}")
        assert tab.page.url == run.page
        tab.page.get_by_role("link", name=name).click()
        tab.heads("Settings")
        tab.page.get_by_role("link", name="Runs").click()
        tab.page.get_by_role("link", name="digits-mlp").click()
        tab.heads("digits-mlp")
        tab.button("Sign out").click()
        tab.heads("Your runs are one step away")
        assert [asked for asked in tab.asked if not asked.startswith(f"{url}/") and not asked.startswith("data:")] == []
        tab.is_quiet(404)


# What the server sends


@pytest.mark.parametrize(
    "path", ["", "compare", "p/a/b", "claim", "enter", "sign-in", "sign-up", "settings", "r/unknown", "no/such/page"]
)
def test_a_page_is_guarded_sets_no_cookie_and_has_nothing_inline(server: Server, path: str) -> None:
    answer = requests.get(f"{server.url}/{path}", headers={"Accept": "text/html"}, timeout=5)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", answer.text) == []
    assert requests.head(answer.url, timeout=5).status_code in {answer.status_code, 404}


def test_whatever_stands_in_an_address_or_a_prefix_is_never_written_into_a_page_as_markup(server: Server) -> None:
    nasty = '"><script>alert(1)</script>'
    for path in (f"r/{nasty}", nasty, f"sign-in?next={nasty}"):
        answer = requests.get(f"{server.url}/{path}", headers={"Accept": "text/html"}, timeout=5)
        assert "<script>alert" not in answer.text
    for prefix in (nasty, "//evil.example", "/a/../b", "javascript:alert(1)"):
        answer = requests.get(server.url, headers={"X-ProxyContextPath": prefix}, timeout=5)
        assert 'data-prefix=""' in answer.text


def test_a_program_that_asks_for_no_page_gets_a_problem(server: Server) -> None:
    answer = requests.get(f"{server.url}/no/such/page", headers={"Accept": "application/json"}, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (
        requests.get(f"{server.url}/api/v1/nothing", headers={"Accept": "text/html"}, timeout=5).json()["status"] == 404
    )
    assert requests.get(f"{server.url}/static/nothing.js", timeout=5).status_code == 404


def test_a_script_that_was_built_again_has_another_address(server: Server) -> None:
    page = requests.get(server.url, timeout=5).text
    script = re.search(r'src="(/static/dashboard\.js\?v=[0-9a-f]{10})"', page)
    assert script is not None
    assert requests.get(server.url + script[1], timeout=5).headers["Content-Type"].startswith("text/javascript")
