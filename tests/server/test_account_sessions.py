from __future__ import annotations

import httpx
import pytest

from anonrun.core.tokens import TokenKind, mint
from anonrun.server.services.agents import agent_of
from support.site import PASSWORD, Site, bearer, code, sha

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def signed_in(site: Site, name: str, **headers: str) -> httpx.Client:
    browser = site.browser(**headers)
    answer = browser.post("/api/v1/session/sign-in", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200
    return browser


def is_in(browser: httpx.Client) -> bool:
    return browser.get("/api/v1/session").json()["account"] is not None


def test_the_browsers_of_an_account_are_told_apart_and_no_secret_is_in_the_list(site: Site) -> None:
    here = site.user("ada")
    site.clock.forward(seconds=60)
    signed_in(site, "ada", **{"User-Agent": FIREFOX})
    site.user("eve")
    listed = here.get("/api/v1/account/sessions").json()
    assert [(entry["agent"], entry["current"]) for entry in listed] == [("Firefox on Linux", False), (None, True)]
    assert all(len(entry["session_id"]) == 16 for entry in listed)
    references = "".join(str(dict(here.cookies).values()))
    assert not any(entry["session_id"] in references for entry in listed)


def test_one_browser_is_signed_out_and_the_others_stay(site: Site) -> None:
    here, there, third = site.user("ada"), signed_in(site, "ada"), signed_in(site, "ada")
    ids = {entry["session_id"] for entry in third.get("/api/v1/account/sessions").json() if not entry["current"]}
    mine = {entry["session_id"] for entry in here.get("/api/v1/account/sessions").json() if entry["current"]}
    (of_there,) = ids - mine
    assert code(site.user("eve").delete(f"/api/v1/account/sessions/{of_there}")) == "not_found"
    assert here.delete(f"/api/v1/account/sessions/{of_there}").status_code == 204
    assert [is_in(browser) for browser in (here, there, third)] == [True, False, True]
    assert code(here.delete(f"/api/v1/account/sessions/{of_there}")) == "not_found"


def test_all_other_browsers_are_signed_out_at_once_with_every_way_in_that_is_open(site: Site) -> None:
    here = site.user("ada")
    there, key, link = signed_in(site, "ada"), site.user_key(here), mint(TokenKind.DEVICE)
    site.api.post("/api/v1/handovers", json={"token_hash": sha(link)}, headers=bearer(key))
    codes = site.api.post("/api/v1/device", json={"client": "x"}).json()
    here.post("/api/v1/device/check", json={"user_code": codes["user_code"]})
    here.post("/api/v1/device/decide", json={"user_code": codes["user_code"], "approve": True})
    assert here.delete("/api/v1/account/sessions").status_code == 204
    assert [is_in(here), is_in(there)] == [True, False]
    assert code(site.browser().post("/api/v1/session/exchange", json={"token": link})) == "token_invalid"
    late = site.api.post("/api/v1/device/token", json={"device_code": codes["device_code"]})
    assert code(late) == "expired_token"
    assert site.api.get("/api/v1/account", headers=bearer(key)).status_code == 200, "keys are revoked one by one"


def test_a_new_password_changes_this_browsers_reference_and_keeps_what_it_was_let_in_to(site: Site) -> None:
    here, run = site.user("ada"), site.run()
    here.post("/api/v1/session/exchange", json={"token": run.view})
    before = dict(here.cookies)
    body = {"current": PASSWORD, "new": "another passphrase"}
    assert here.post("/api/v1/account/password", json=body).status_code == 204
    assert set(before.values()).isdisjoint(dict(here.cookies).values())
    stale = site.browser()
    stale.cookies.update(before)
    assert [is_in(here), is_in(stale)] == [True, False]
    assert here.get(run.path).status_code == 200


def test_making_a_key_asks_for_a_password_that_was_given_lately(site: Site) -> None:
    browser = site.user("ada")
    site.clock.forward(seconds=599)
    assert browser.post("/api/v1/account/keys", json={}).status_code == 201
    site.clock.forward(seconds=1)
    assert code(browser.post("/api/v1/account/keys", json={})) == "confirm_needed"
    browser.post("/api/v1/session/confirm", json={"password": PASSWORD})
    assert browser.post("/api/v1/account/keys", json={}).status_code == 201


def test_a_browser_that_a_key_let_in_has_given_no_password(site: Site) -> None:
    key, link = site.user_key(site.user("ada")), mint(TokenKind.DEVICE)
    site.api.post("/api/v1/handovers", json={"token_hash": sha(link)}, headers=bearer(key))
    browser = site.browser()
    browser.post("/api/v1/session/exchange", json={"token": link})
    assert is_in(browser)
    assert code(browser.post("/api/v1/account/keys", json={})) == "confirm_needed"


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18.0 Safari/605.1", "Safari on macOS"),
        ("<script>alert(1)</script>", None),
        ("", None),
        (None, None),
    ],
)
def test_a_browser_is_named_in_words_of_ours(text: str | None, agent: str | None) -> None:
    assert agent_of(text) == agent
