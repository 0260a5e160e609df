"""Pages about several runs, in a real browser: the table and what is done to chosen runs, a project, a comparison."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from anonrun.core.tokens import TokenKind, mint
from browser.prefix_proxy import prefix_proxy
from browser.seeding import Owner, Seeded, anonymous_account, ask, hash_of, log_rows, seed_run
from browser.tab import LOOKS, Look, Tab, new_tab, visitor
from support.server import Server, anonrun_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("several_runs")]

Picture = Callable[[Page | Locator, str], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("several"), ANONRUN_RUNS_PER_HOUR="0") as running:
        yield running


@pytest.fixture
def owner(server: Server) -> Owner:
    return anonymous_account(server.url)


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    with visitor(browser) as context:
        yield context


def hand_over(owner: Owner, url: str | None = None) -> str:
    token = mint(TokenKind.DEVICE)
    ask("POST", f"{owner.url}/api/v1/handovers", owner.key, json={"token_hash": hash_of(token)})
    return f"{url or owner.url}/enter#d={token}"


def at_home(context: BrowserContext, owner: Owner) -> Tab:
    tab = new_tab(context, hand_over(owner))
    tab.heads("Runs")
    return tab


def change(run: Seeded, **what: object) -> None:
    ask("PATCH", f"{run.url}/api/v1/runs/{run.run_id}", run.write, json=what)


def known(run: Seeded) -> dict[str, object]:
    found: dict[str, object] = ask("GET", f"{run.url}/api/v1/runs/{run.run_id}", run.view).json()
    return found


def compare_address(*runs: Seeded) -> str:
    return f"{runs[0].url}/compare?" + "&".join(f"run={run.run_id}" for run in runs)


def choose(tab: Tab, name: str) -> None:
    tab.page.get_by_label(f"Choose {name}", exact=True).check()


def is_good(tab: Tab, *refusals: int) -> None:
    tab.is_quiet(*refusals)
    tab.stays_home()
    tab.holds_no_secret()
    tab.fits()
    tab.is_accessible()


def rows(tab: Tab) -> Locator:
    return tab.page.locator(".runs-table tbody tr")


# Each page, whatever it looks like


@pytest.mark.parametrize("look", LOOKS)
def test_the_table_with_chosen_runs_and_columns(browser: Browser, owner: Owner, picture: Picture, look: Look) -> None:
    for no, name in enumerate(("quiet-river", "digits-mlp", "bold-ember")):
        change(seed_run(owner, name, state="finished" if no else "failed"), config={"lr": 10.0**-no})
    with visitor(browser, look) as context:
        tab = at_home(context, owner)
        expect(tab.page.get_by_role("region", name="Projects")).to_contain_text("digits")
        expect(rows(tab)).to_have_count(3)
        is_good(tab)
        tab.button("Columns").click()
        tab.page.get_by_label("lr", exact=True).check()
        choose(tab, "quiet-river")
        choose(tab, "bold-ember")
        tab.shows("2 runs chosen")
        expect(tab.page.get_by_role("columnheader", name="lr")).to_have_count(1)
        picture(tab.page, f"runs-chosen-{look}")
        is_good(tab)
        tab.button("Delete").click()
        expect(tab.page.get_by_role("dialog")).to_contain_text("quiet-river")
        is_good(tab)
        picture(tab.page, f"runs-delete-{look}")


@pytest.mark.parametrize("look", LOOKS)
def test_a_project(browser: Browser, owner: Owner, picture: Picture, look: Look) -> None:
    for name in ("quiet-river", "digits-mlp", "bold-ember"):
        seed_run(owner, name)
    with visitor(browser, look) as context:
        tab = at_home(context, owner)
        tab.page.get_by_role("region", name="Projects").get_by_role("link", name="digits").click()
        tab.heads("digits")
        expect(tab.page.get_by_role("img", name=re.compile("Chart of loss"))).to_be_visible()
        expect(tab.page.get_by_role("group", name="Runs in these charts").get_by_role("button")).to_have_count(3)
        picture(tab.page, f"project-{look}")
        is_good(tab)
        tab.page.get_by_role("tab", name="Runs").click()
        expect(rows(tab)).to_have_count(3)
        is_good(tab)


@pytest.mark.parametrize("look", LOOKS)
def test_a_comparison(browser: Browser, owner: Owner, picture: Picture, look: Look) -> None:
    runs = [seed_run(owner, name) for name in ("quiet-river", "digits-mlp", "bold-ember")]
    for no, run in enumerate(runs):
        change(run, config={"lr": 10.0**-no}, summary={"best": 0.9 + no / 100})
    with visitor(browser, look) as context:
        at_home(context, owner)
        tab = new_tab(context, compare_address(*runs))
        tab.heads("Compare")
        tab.page.get_by_role("group", name="loss", exact=True).scroll_into_view_if_needed()
        expect(tab.page.get_by_role("img", name=re.compile("Chart of loss"))).to_be_visible()
        config = tab.page.get_by_role("region", name="Config").first
        expect(config.get_by_role("row")).to_have_count(2)
        tab.button("Best of best: not said").click()
        tab.button("Best of best: the smallest is best").click()
        expect(tab.page.locator("[data-best]")).to_have_text(re.compile(r"0\.92"))
        tab.page.evaluate("scrollTo(0, 0)")
        picture(tab.page, f"compare-{look}")
        is_good(tab)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("path", "title", "refusal"),
    [
        pytest.param("p/nobody/nothing", "No project to show here", 404, id="unknown project"),
        pytest.param("compare", "Nothing to compare yet", 0, id="compare nothing"),
    ],
)
def test_refusals(browser: Browser, server: Server, look: Look, path: str, title: str, refusal: int) -> None:
    with visitor(browser, look) as context:
        tab = new_tab(context, f"{server.url}/{path}")
        tab.heads(title)
        is_good(tab, refusal)


# The table


def test_several_runs_are_deleted_after_a_yes_that_names_them(person: BrowserContext, owner: Owner) -> None:
    for name in ("one", "two", "three"):
        seed_run(owner, name, rows=2)
    tab = at_home(person, owner)
    choose(tab, "one")
    choose(tab, "three")
    tab.button("Delete").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_text(["three", "one"])
    dialog.get_by_role("button", name="Cancel").click()
    expect(rows(tab)).to_have_count(3)
    tab.button("Delete").click()
    dialog.get_by_role("button", name="Delete 2 runs").click()
    expect(rows(tab)).to_have_count(1)
    listed = ask("GET", f"{owner.url}/api/v1/runs", owner.key).json()["runs"]
    assert [run["name"] for run in listed] == ["two"]
    tab.is_quiet()


def test_a_range_is_chosen_by_keyboard_and_all_by_one_box(person: BrowserContext, owner: Owner) -> None:
    for no in range(5):
        seed_run(owner, f"run-{no}", rows=1)
    tab = at_home(person, owner)
    tab.page.get_by_label("Choose run-4", exact=True).focus()
    tab.page.keyboard.press("Space")
    for _ in range(2):
        tab.page.keyboard.press("Shift+ArrowDown")
    tab.shows("3 runs chosen")
    expect(tab.page.get_by_label("Choose run-2", exact=True)).to_be_focused()
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Shift+Space")
    tab.shows("5 runs chosen")
    tab.button("Choose none").click()
    tab.page.get_by_label("Choose all runs that are shown").check()
    tab.shows("5 runs chosen")


def test_tags_are_added_and_taken_away_and_runs_moved(person: BrowserContext, owner: Owner) -> None:
    runs = [seed_run(owner, name, rows=1) for name in ("one", "two")]
    tab = at_home(person, owner)
    tab.page.get_by_label("Choose all runs that are shown").check()
    tab.button("Tags").click()
    tab.button("Change the tags").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("Enter a tag to add")
    tab.fill("Add", "seed, final")
    tab.fill("Take away", "baseline")
    tab.button("Change the tags").click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    assert [known(run)["tags"] for run in runs] == [["seed", "final"]] * 2
    tab.button("Move").click()
    tab.fill("To project", "../up")
    tab.button("Move").last.click()
    expect(tab.page.get_by_role("alert")).to_contain_text("Start with a letter or digit")
    tab.fill("To project", "paper")
    tab.button("Move").last.click()
    expect(rows(tab).get_by_role("link", name="paper")).to_have_count(2)
    assert [known(run)["project"] for run in runs] == ["paper"] * 2
    tab.is_quiet()


def test_columns_stay_as_they_were_chosen_and_order_the_runs(person: BrowserContext, owner: Owner) -> None:
    for no, lr in enumerate((0.01, 0.5, 0.1)):
        change(seed_run(owner, f"run-{no}", rows=1), config={"lr": lr})
    tab = at_home(person, owner)
    tab.button("Columns").click()
    tab.page.get_by_label("lr", exact=True).check()
    tab.page.get_by_label("points", exact=True).uncheck()
    tab.page.reload()
    expect(tab.page.get_by_role("columnheader", name="points")).to_have_count(0)
    tab.page.get_by_role("columnheader", name="lr").get_by_role("button").click()
    expect(rows(tab).get_by_role("rowheader")).to_have_text(["run-0", "run-2", "run-1"])


# A project


def test_a_project_is_for_who_may_see_one_of_its_runs(browser: Browser, owner: Owner) -> None:
    run = seed_run(owner, rows=2)
    account = str(known(run)["account"])
    blind, seeing = mint(TokenKind.SHARE), mint(TokenKind.SHARE)
    for token, is_blind in ((blind, True), (seeing, False)):
        body = {"token_hash": hash_of(token), "blind": is_blind}
        ask("POST", f"{run.url}/api/v1/runs/{run.run_id}/links", run.write, json=body)
    address = f"{run.url}/p/{account}/digits"

    def seen_by(*links: str) -> int:
        with visitor(browser) as context:
            for link in links:
                new_tab(context, link).heads(re.compile("digits-mlp|run-"))
            answer = context.request.get(address)
            if not answer.ok:
                unknown = context.request.get(f"{run.url}/p/{account}/unknown")
                assert answer.text() == unknown.text().replace("unknown", "digits")
            return answer.status

    assert seen_by() == seen_by(f"{run.page}#s={blind}") == 404
    assert seen_by(f"{run.page}#s={seeing}") == 200
    assert requests.get(f"{run.url}/p/%00/%ff", timeout=5).status_code == 404


def test_a_project_whose_last_run_goes_says_so(person: BrowserContext, owner: Owner) -> None:
    run = seed_run(owner, rows=2)
    at_home(person, owner)
    tab = new_tab(person, f"{owner.url}/p/{known(run)['account']}/digits")
    tab.heads("digits")
    ask("DELETE", f"{owner.url}/api/v1/runs/{run.run_id}", owner.key)
    tab.heads("digits has no runs any more")


# The comparison


def test_the_comparison_of_chosen_runs_grows_and_keeps_its_address(person: BrowserContext, owner: Owner) -> None:
    one, two = (seed_run(owner, name, rows=5, state=None) for name in ("one", "two"))
    tab = at_home(person, owner)
    choose(tab, "one")
    expect(tab.page.get_by_role("link", name="Compare")).to_have_count(0)
    choose(tab, "two")
    tab.page.get_by_role("link", name="Compare").click()
    tab.heads("Compare")
    tab.button("Put first: one").click()
    expect(tab.page).to_have_url(compare_address(one, two))
    log_rows(one, range(5, 9))
    expect(tab.page.get_by_role("img", name=re.compile("Chart of loss.*at step 8"))).to_be_visible()
    tab.button("Remove two").click()
    expect(tab.page).to_have_url(compare_address(one))
    tab.page.reload()
    expect(tab.page.get_by_label("Runs that are compared").get_by_role("listitem")).to_have_count(1)
    tab.is_quiet()


def test_a_run_that_is_seen_blind_stays_so_beside_others(person: BrowserContext, owner: Owner) -> None:
    hidden = seed_run(owner, "ada-lovelace", rows=3)
    account = str(known(hidden)["account"])
    other = seed_run(anonymous_account(owner.url), "open", rows=3)
    share = mint(TokenKind.SHARE)
    body = {"token_hash": hash_of(share), "blind": True}
    ask("POST", f"{owner.url}/api/v1/runs/{hidden.run_id}/links", hidden.write, json=body)
    new_tab(person, f"{hidden.page}#s={share}").heads(re.compile("run-"))
    new_tab(person, other.private_link).heads("open")
    tab = new_tab(person, compare_address(other, hidden))
    expect(tab.page.get_by_label("Runs that are compared").get_by_role("listitem")).to_have_count(2)
    expect(tab.page.get_by_role("img", name=re.compile("Chart of loss"))).to_be_visible()
    shown = tab.page.content()
    for secret in ("ada-lovelace", account, "baseline"):
        assert secret not in shown
    tab.holds_no_secret()


def test_runs_that_may_not_be_seen_are_left_out_and_said(person: BrowserContext, owner: Owner) -> None:
    mine, foreign = seed_run(owner, "mine", rows=2), seed_run(anonymous_account(owner.url), "foreign", rows=2)
    at_home(person, owner)
    tab = new_tab(person, compare_address(mine, foreign))
    tab.shows(re.compile("1 run is not shown: there is no such run"))
    expect(tab.page.get_by_text("foreign")).to_have_count(0)
    tab.button("Take out of the comparison").click()
    expect(tab.page).to_have_url(compare_address(mine))
    tab.is_quiet(404)


def test_they_work_below_a_prefix(browser: Browser, server: Server, owner: Owner) -> None:
    for name in ("one", "two"):
        seed_run(owner, name, rows=3)
    with prefix_proxy(server.url, "/user/ada@example.org/anonrun") as url, visitor(browser) as context:
        tab = new_tab(context, hand_over(owner, url))
        tab.heads("Runs")
        tab.page.get_by_label("Choose all runs that are shown").check()
        tab.page.get_by_role("link", name="Compare").click()
        tab.heads("Compare")
        tab.page.get_by_role("link", name="Runs").click()
        tab.page.get_by_role("region", name="Projects").get_by_role("link", name="digits").click()
        tab.heads("digits")
        expect(tab.page.get_by_role("img", name=re.compile("Chart of loss"))).to_be_visible()
        assert [one for one in tab.asked if not one.startswith(f"{url}/") and not one.startswith("data:")] == []
