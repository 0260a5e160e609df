"""Signing in by a provider, in a real browser: first time, claim, link, confirm, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from browser.seeding import anonymous_account, seed_run
from browser.tab import LOOKS, PASSWORD, Look, Tab, new_name, new_tab, sign_up, visitor
from browser.test_account_pages import forget_password_given
from support.provider import Provider, provider
from support.server import Server, anonrun_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("providers")]

Picture = Callable[[Page | Locator, str], None]


@pytest.fixture(scope="module")
def lab() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, lab: Provider) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("providers")
    with anonrun_server(folder, ANONRUN_SIGN_UPS_PER_HOUR="0", **lab.settings()) as running:
        yield running


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    with visitor(browser) as context:
        yield context


def is_good(tab: Tab, *refusals: int) -> None:
    tab.is_quiet(*refusals)
    tab.fits()
    tab.is_accessible()


def at_provider(tab: Tab, user: str, *, allow: bool = True) -> None:
    """Answer the provider's own page."""
    expect(tab.page.get_by_role("heading", name="Who are you?")).to_be_visible()
    tab.page.get_by_label("Name").fill(user)
    tab.button("Allow" if allow else "Deny").click()


def choose(tab: Tab, name: str) -> None:
    tab.heads("Choose a username")
    tab.fill("Username", name)
    tab.button("Create the account").click()


def signed_in(tab: Tab, name: str) -> None:
    expect(tab.page.get_by_role("navigation", name="Account").get_by_role("link", name=name)).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_a_run_is_claimed_by_who_signs_in_by_a_provider_for_the_first_time(
    browser: Browser, server: Server, picture: Picture, look: Look
) -> None:
    run, name = seed_run(anonymous_account(server.url)), new_name()
    with visitor(browser, look) as context:
        tab = new_tab(context, run.claim_link)
        tab.heads("Claim this run")
        tab.button("Continue with the lab").focus()
        picture(tab.page, f"claim-provider-{look}")
        is_good(tab)
        tab.page.keyboard.press("Enter")
        at_provider(tab, name)
        tab.heads("Choose a username")
        expect(tab.page.get_by_label("Username", exact=True)).to_have_value(name)
        assert urlsplit(tab.page.url).query == ""
        picture(tab.page, f"choose-username-{look}")
        is_good(tab)
        tab.page.reload()
        expect(tab.page.get_by_label("Username", exact=True)).to_have_value(name)
        tab.button("Create the account").click()
        tab.heads("Claim this run")
        tab.button(re.compile("Keep this run in")).click()
        tab.page.wait_for_url(re.compile(f"/r/{run.run_id}"))
        signed_in(tab, name)
        tab.holds_no_secret()


@pytest.mark.parametrize("look", LOOKS)
def test_the_sign_in_page_offers_the_provider_and_knows_its_people_again(
    browser: Browser, server: Server, picture: Picture, look: Look
) -> None:
    name = new_name()
    with visitor(browser, look) as first:
        tab = new_tab(first, f"{server.url}/sign-up")
        tab.button("Continue with the lab").click()
        at_provider(tab, name)
        choose(tab, name)
        signed_in(tab, name)
    with visitor(browser, look) as again:
        tab = new_tab(again, f"{server.url}/sign-in?next=%2Fdevice")
        expect(tab.button("Continue with the lab")).to_be_visible()
        picture(tab.page, f"sign-in-provider-{look}")
        is_good(tab)
        tab.button("Continue with the lab").click()
        at_provider(tab, name)
        tab.page.wait_for_url(f"{server.url}/device")
        signed_in(tab, name)
        tab.open(f"{server.url}/sign-in/lab/return?code=x&state=y")
        tab.heads("This sign-in is over")
        assert urlsplit(tab.page.url).query == ""
        picture(tab.page, f"visit-over-{look}")
        is_good(tab, 403)


def test_who_thinks_better_of_it_is_told_so_and_can_try_again(
    person: BrowserContext, server: Server, picture: Picture
) -> None:
    tab = new_tab(person, f"{server.url}/sign-in")
    tab.button("Continue with the lab").click()
    at_provider(tab, "ada", allow=False)
    tab.heads("the lab did not let you through")
    picture(tab.page, "sign-in-denied")
    is_good(tab, 403)
    tab.page.get_by_role("main").get_by_role("link", name="Sign in").click()
    expect(tab.button("Continue with the lab")).to_be_visible()


def test_a_provider_that_is_down_is_said_calmly_where_the_button_is(
    person: BrowserContext, tmp_path: Path, picture: Picture
) -> None:
    toml = '[lab]\nlabel = "the lab"\nissuer = "http://127.0.0.1:9"\nclient_id = "x"'
    with anonrun_server(tmp_path, ANONRUN_PROVIDERS=toml) as alone:
        tab = new_tab(person, f"{alone.url}/sign-in")
        tab.button("Continue with the lab").click()
        expect(tab.page.get_by_role("alert")).to_contain_text("the lab does not answer now")
        expect(tab.button("Continue with the lab")).to_be_enabled()
        picture(tab.page, "provider-down")
        is_good(tab, 424)


@pytest.mark.parametrize("look", LOOKS)
def test_a_way_to_sign_in_is_added_and_taken_away_in_the_settings(
    browser: Browser, server: Server, picture: Picture, look: Look
) -> None:
    name = new_name()
    with visitor(browser, look) as context:
        sign_up(context, server.url, name, PASSWORD)
        tab = new_tab(context, f"{server.url}/settings")
        section = tab.page.get_by_role("region", name="Ways to sign in")
        expect(section).to_contain_text("You get in by your password only.")
        section.get_by_role("button", name="Add the lab").click()
        at_provider(tab, f"{name}-there")
        tab.page.wait_for_url(f"{server.url}/settings")
        expect(section).to_contain_text(f"subject-{name}-there")
        expect(tab.page.locator("#said")).to_contain_text("the lab signs in to this account")
        picture(section, f"ways-to-sign-in-{look}")
        is_good(tab)
        section.get_by_role("button", name="Take away the lab").click()
        tab.page.get_by_role("dialog").get_by_role("button", name="Take it away").click()
        expect(section).to_contain_text("You get in by your password only.")
        is_good(tab)


def test_without_a_password_the_provider_is_asked_once_more(
    person: BrowserContext, server: Server, picture: Picture
) -> None:
    name = new_name()
    tab = new_tab(person, f"{server.url}/sign-in")
    tab.button("Continue with the lab").click()
    at_provider(tab, name)
    choose(tab, name)
    signed_in(tab, name)
    tab.open(f"{server.url}/settings")
    section = tab.page.get_by_role("region", name="Ways to sign in")
    expect(section).to_contain_text("It is the only way in")
    forget_password_given(server)
    tab.fill("Label", "laptop")
    tab.button("Make a key").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Who you are, once more")
    expect(dialog.get_by_label("Password", exact=True)).to_have_count(0)
    picture(tab.page, "confirm-provider")
    is_good(tab, 403)
    dialog.get_by_role("button", name="Confirm with the lab").click()
    expect(tab.page.locator("#asked")).to_contain_text('"prompt": "login", "max_age": "0"')
    at_provider(tab, name)
    tab.page.wait_for_url(f"{server.url}/settings")
    expect(tab.page.locator("#said")).to_contain_text("Confirmed")
    tab.fill("Label", "laptop")
    tab.button("Make a key").click()
    tab.shows("New key “laptop”, shown this once")
    tab.fill("New password", PASSWORD)
    tab.button("Set a password").click()
    expect(section).to_contain_text("You get in by your password, or as who stands here.")
    expect(section.get_by_role("button", name="Take away the lab")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_where_there_are_no_passwords_only_the_provider_is_offered(
    browser: Browser, tmp_path: Path, lab: Provider, picture: Picture, look: Look
) -> None:
    with (
        anonrun_server(tmp_path, ANONRUN_PASSWORDS="false", **lab.settings()) as only,
        visitor(browser, look) as context,
    ):
        tab = new_tab(context, f"{only.url}/sign-in")
        expect(tab.page.get_by_label("Password")).to_have_count(0)
        picture(tab.page, f"sign-in-only-provider-{look}")
        is_good(tab)
        tab.button("Continue with the lab").click()
        at_provider(tab, "ada")
        choose(tab, "ada")
        signed_in(tab, "ada")
        tab.open(f"{only.url}/settings")
        expect(tab.page.get_by_role("region", name="Ways to sign in")).to_contain_text("You get in as who stands here.")
        expect(tab.page.get_by_role("heading", name="Password")).to_have_count(0)
        expect(tab.page.get_by_role("heading", name="Recovery codes")).to_have_count(0)
        is_good(tab)


def test_the_way_to_the_provider_names_nothing_but_what_it_must(person: BrowserContext, server: Server) -> None:
    tab = new_tab(person, f"{server.url}/sign-in")
    with tab.page.expect_request(re.compile("/authorize")) as sent:
        tab.button("Continue with the lab").click()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.value.url).query).items()}
    assert asked.keys() == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method",
    }  # fmt: skip
    assert (asked["scope"], asked["code_challenge_method"]) == ("openid profile", "S256")
    assert asked["redirect_uri"] == f"{server.url}/sign-in/lab/return"
    assert "referer" not in sent.value.headers
