"""The pages about an account, in a real browser: letting a program in, settings, invitations, ways back in."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from browser.seeding import ask
from browser.tab import LOOKS, PASSWORD, Look, Tab, new_name, new_tab, sign_up, visitor
from support.script import run_command
from support.server import Server, anonrun_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("account_pages")]

Picture = Callable[[Page | Locator, str], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("accounts"), ANONRUN_SIGN_UPS_PER_HOUR="0") as running:
        yield running


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    with visitor(browser) as context:
        yield context


def is_good(tab: Tab, *refusals: int) -> None:
    tab.is_quiet(*refusals)
    tab.stays_home()
    tab.fits()
    tab.is_accessible()


def forget_password_given(server: Server) -> None:
    """Have it be long ago that anybody gave a password, as far as the server knows."""
    with contextlib.closing(sqlite3.connect(server.data_dir / "server" / "anonrun.db")) as db, db:
        db.execute("UPDATE session SET confirmed_at = NULL")


def begin_login(server: Server) -> str:
    """Return the code that a program shows."""
    asks = {"client": "anonrun 1.0", "host": "gpu-7.cluster.example"}
    code: str = ask("POST", f"{server.url}/api/v1/device", json=asks).json()["user_code"]
    return code


@pytest.mark.parametrize("look", LOOKS)
def test_a_login_is_approved_after_its_code_was_compared(
    browser: Browser, server: Server, picture: Picture, look: Look
) -> None:
    with visitor(browser, look) as context:
        code = begin_login(server)
        tab = new_tab(context, f"{server.url}/device")
        tab.heads("Approve a login")
        is_good(tab)
        sign_up(context, server.url, new_name(), PASSWORD)
        tab.page.reload()
        tab.fill("Code", "BBBB BBBB")
        tab.button("Go on").click()
        expect(tab.page.get_by_role("alert")).to_contain_text("No program waits with this code")
        picture(tab.page, f"device-typing-{look}")
        is_good(tab, 404)
        tab.fill("Code", code.lower())
        tab.button("Go on").click()
        tab.heads("Does your program show this code?")
        for fact in (code, "anonrun 1.0", "gpu-7.cluster.example", "127.0.0.1"):
            tab.shows(fact)
        picture(tab.page, f"device-asked-{look}")
        is_good(tab, 404)
        tab.button("The codes match, let it in").click()
        tab.heads("The login is approved")
        is_good(tab, 404)


def test_a_login_can_be_turned_away(person: BrowserContext, server: Server) -> None:
    sign_up(person, server.url, new_name(), PASSWORD)
    tab = new_tab(person, f"{server.url}/device")
    tab.fill("Code", begin_login(server))
    tab.button("Go on").click()
    tab.button("Turn it away").click()
    tab.heads("The login was turned away")
    is_good(tab)


def test_another_browser_is_signed_out_from_the_settings(browser: Browser, server: Server) -> None:
    name = new_name()
    with visitor(browser) as here, visitor(browser) as there:
        sign_up(here, server.url, name, PASSWORD)
        tab = new_tab(there, f"{server.url}/sign-in")
        tab.fill("Username", name)
        tab.fill("Password", PASSWORD)
        tab.button("Sign in").click()
        expect(tab.page.get_by_role("link", name=name)).to_be_visible()
        settings = new_tab(here, f"{server.url}/settings")
        rows = settings.page.get_by_label("Browsers that are signed in").get_by_role("row")
        expect(rows).to_have_count(3)
        settings.button("Sign out everywhere else").click()
        expect(rows).to_have_count(2)
        tab.page.reload()
        expect(tab.page.get_by_role("link", name="Sign in", exact=True).first).to_be_visible()
        is_good(settings)


def test_a_password_that_was_given_long_ago_is_asked_for_again(person: BrowserContext, server: Server) -> None:
    name = new_name()
    sign_up(person, server.url, name, PASSWORD)
    tab = new_tab(person, f"{server.url}/settings")
    tab.shows("No keys yet.")
    forget_password_given(server)
    tab.fill("Label", "laptop")
    tab.button("Make a key").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Your password, once more")
    dialog.get_by_label("Password", exact=True).fill("not the password")
    tab.button("Go on").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("wrong")
    dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    is_good(tab, 401, 403)
    tab.button("Go on").click()
    tab.shows("New key “laptop”, shown this once")
    tab.is_quiet(401, 403)


@pytest.mark.parametrize("look", LOOKS)
def test_a_key_is_made_with_a_scope_and_an_end_and_revoked(
    browser: Browser, server: Server, picture: Picture, look: Look
) -> None:
    with visitor(browser, look) as context:
        sign_up(context, server.url, new_name(), PASSWORD)
        tab = new_tab(context, f"{server.url}/settings")
        tab.fill("Label", "cluster")
        tab.page.get_by_label("It may", exact=True).select_option("ingest")
        tab.page.get_by_label("It counts", exact=True).select_option("30")
        tab.button("Make a key").click()
        tab.shows("New key “cluster”, shown this once")
        row = tab.page.get_by_label("Keys of this account").get_by_role("row").nth(1)
        expect(row).to_contain_text("log")
        expect(row).to_contain_text("never")
        tab.page.set_viewport_size({"width": 390 if look == "phone" else 1200, "height": 1500})
        picture(tab.page, f"settings-{look}")
        is_good(tab)
        tab.button("Revoke cluster").click()
        tab.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        tab.shows("No keys yet.")
        is_good(tab)


@pytest.mark.parametrize("look", LOOKS)
def test_a_lost_password_is_replaced_by_a_recovery_code(
    browser: Browser, server: Server, picture: Picture, look: Look
) -> None:
    name = new_name()
    with visitor(browser, look) as before:
        sign_up(before, server.url, name, PASSWORD)
        settings = new_tab(before, f"{server.url}/settings")
        settings.shows("You have none. If you forget your password, nobody can let you in.")
        settings.button("Make recovery codes").click()
        codes = settings.page.locator(".codes li")
        expect(codes).to_have_count(10)
        code = codes.nth(4).inner_text()
        picture(settings.page.locator("section", has=codes), f"recovery-codes-{look}")
        is_good(settings)
    with visitor(browser, look) as context:
        tab = new_tab(context, f"{server.url}/sign-in")
        tab.page.get_by_role("link", name="recovery code").click()
        tab.heads("Recover an account")
        tab.fill("Username", name)
        tab.fill("Recovery code", "wrong")
        tab.fill("New password", "another passphrase")
        tab.button("Set the new password").click()
        expect(tab.page.get_by_role("alert")).to_contain_text("recovery code is wrong")
        picture(tab.page, f"recover-{look}")
        is_good(tab, 401)
        tab.fill("Recovery code", code.lower())
        tab.button("Set the new password").click()
        tab.heads("Settings")
        tab.shows("9 codes are left.")
        is_good(tab, 401)


def test_an_account_is_taken_along_and_deleted(person: BrowserContext, server: Server, picture: Picture) -> None:
    name = new_name()
    sign_up(person, server.url, name, PASSWORD)
    tab = new_tab(person, f"{server.url}/settings")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="Download all my data").click()
    assert download.value.suggested_filename == f"anonrun-{name}.zip"
    assert zipfile.ZipFile(download.value.path()).namelist() == ["account.json"]
    delete = tab.button("Delete the account and all its runs")
    tab.fill(f"Type {name} to go on", "someone else")
    delete.click()
    expect(tab.page.get_by_role("alert")).to_contain_text(f"Type {name}")
    picture(tab.page.get_by_role("region", name="Delete this account"), "delete-account")
    is_good(tab)
    tab.fill(f"Type {name} to go on", name)
    delete.click()
    tab.heads("Your runs are one step away")
    tab.open(f"{server.url}/settings")
    tab.heads("Settings are for accounts")


@pytest.mark.parametrize("look", LOOKS)
def test_somebody_is_invited_by_a_link_and_signs_up(
    browser: Browser, tmp_path: Path, picture: Picture, look: Look
) -> None:
    place = ("--data-dir", str(tmp_path))
    run_command("admin", "user", "add", "olga", *place, data_dir=tmp_path, stdin=PASSWORD + "\n")
    with anonrun_server(tmp_path, ANONRUN_SIGN_UP="false") as closed, visitor(browser, look) as context:
        tab = new_tab(context, f"{closed.url}/sign-in")
        tab.fill("Username", "olga")
        tab.fill("Password", PASSWORD)
        tab.button("Sign in").click()
        expect(tab.page.get_by_role("link", name="olga")).to_be_visible()
        tab.open(f"{closed.url}/settings")
        tab.fill("For whom", "a new student")
        tab.button("Make an invitation").click()
        link = tab.page.get_by_label("Link to send, shown this once").input_value()
        tab.shows("a new student")
        picture(tab.page.get_by_role("region", name="Invitations", exact=True), f"invitations-{look}")
        is_good(tab)
        with visitor(browser, look) as other:
            student = new_tab(other, f"{closed.url}/sign-up")
            student.shows(re.compile("New accounts here need an invitation"))
            picture(student.page, f"sign-up-closed-{look}")
            is_good(student)
            student.open(link)
            student.shows(re.compile("You were invited"))
            student.holds_no_secret()
            student.fill("Username", "student")
            student.fill("Password", PASSWORD)
            student.button("Create the account").click()
            expect(student.page.get_by_role("link", name="student")).to_be_visible()
            student.is_quiet()
        tab.page.reload()
        expect(tab.page.get_by_label("Invitations that nobody has used")).to_have_count(0)
