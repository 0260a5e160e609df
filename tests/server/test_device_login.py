from __future__ import annotations

from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import select

from anonrun.server.services.devices import EXPIRES_S
from anonrun.server.services.retention import sweep
from anonrun.store.schema import ATTEMPT, DEVICE_LOGIN
from support.site import PASSWORD, Site, bearer, code


def begin(site: Site, **asks: str) -> dict[str, Any]:
    answer = site.api.post("/api/v1/device", json={"client": "anonrun 1.0", "host": "laptop"} | asks)
    assert answer.status_code == 200, answer.text
    codes: dict[str, Any] = answer.json()
    return codes


def poll(site: Site, codes: dict[str, Any], *, after_s: float = 5) -> httpx.Response:
    site.clock.forward(seconds=after_s)
    answer: httpx.Response = site.api.post("/api/v1/device/token", json={"device_code": codes["device_code"]})
    return answer


def check(browser: httpx.Client, user_code: str) -> httpx.Response:
    return browser.post("/api/v1/device/check", json={"user_code": user_code})


def decide(browser: httpx.Client, user_code: str, *, approve: bool = True) -> httpx.Response:
    return browser.post("/api/v1/device/decide", json={"user_code": user_code, "approve": approve})


def another(user_code: str) -> str:
    """Return a code that differs in its last letter."""
    return user_code[:-1] + ("B" if user_code[-1] != "B" else "C")


def test_a_program_is_let_in_by_the_account_that_approves_its_code(site: Site) -> None:
    codes, ada = begin(site), site.user("ada")
    assert codes["user_code"][4] == "-"
    assert set(codes["user_code"].replace("-", "")) <= set("BCDFGHJKLMNPQRSTVWXZ")
    assert (codes["interval"], codes["expires_in"], len(codes["user_code"])) == (5, 600, 9)
    assert codes["verification_uri"] == "http://127.0.0.1/device"
    assert len(codes["device_code"]) >= 43, "256 bits"
    assert code(poll(site, codes, after_s=0)) == "authorization_pending"
    asks = check(ada, codes["user_code"].lower().replace("-", " ")).json()
    assert (asks["client"], asks["host"], asks["address"]) == ("anonrun 1.0", "laptop", "203.0.113.7")
    assert asks["user_code"] == codes["user_code"]
    assert decide(ada, codes["user_code"]).status_code == 204
    granted = poll(site, codes).json()
    assert (granted["account"], granted["token_type"]) == ("ada", "Bearer")
    assert site.api.get("/api/v1/account", headers=bearer(granted["access_token"])).json()["name"] == "ada"
    (listed,) = ada.get("/api/v1/account/keys").json()
    assert listed["label"] == "anonrun login on laptop"
    assert code(poll(site, codes)) == "expired_token", "a code counts once"


def test_nothing_is_approved_by_a_browser_that_was_not_shown_who_asks(site: Site) -> None:
    codes, ada, eve = begin(site), site.user("ada"), site.user("eve")
    assert code(decide(ada, codes["user_code"])) == "user_code_unknown"
    check(ada, codes["user_code"])
    assert code(decide(eve, codes["user_code"])) == "user_code_unknown"
    assert code(decide(ada, another(codes["user_code"]))) == "user_code_unknown"
    assert code(poll(site, codes)) == "authorization_pending"


def test_a_login_that_is_turned_away_is_over(site: Site) -> None:
    codes, ada = begin(site), site.user("ada")
    check(ada, codes["user_code"])
    assert decide(ada, codes["user_code"], approve=False).status_code == 204
    assert code(check(ada, codes["user_code"])) == "user_code_unknown"
    assert code(poll(site, codes)) == "access_denied"
    assert code(poll(site, codes)) == "expired_token"
    assert ada.get("/api/v1/account/keys").json() == []


def test_an_approval_asks_for_a_password_that_was_given_lately(site: Site) -> None:
    ada = site.user("ada")
    site.clock.forward(seconds=601)
    codes = begin(site)
    check(ada, codes["user_code"])
    assert code(decide(ada, codes["user_code"])) == "confirm_needed"
    assert code(ada.post("/api/v1/session/confirm", json={"password": "wrong password"})) == "sign_in_failed"
    assert code(decide(ada, codes["user_code"])) == "confirm_needed"
    assert ada.post("/api/v1/session/confirm", json={"password": PASSWORD}).status_code == 204
    assert decide(ada, codes["user_code"]).status_code == 204


@pytest.mark.parametrize(("after_s", "over"), [(EXPIRES_S - 1, False), (EXPIRES_S, True)])
def test_a_code_counts_for_ten_minutes(site: Site, after_s: int, *, over: bool) -> None:
    codes = begin(site)
    site.clock.forward(seconds=after_s)
    assert code(check(site.user("ada"), codes["user_code"])) == ("user_code_unknown" if over else None)
    assert code(poll(site, codes, after_s=0)) == ("expired_token" if over else "authorization_pending")


def test_who_asks_too_soon_is_told_to_be_slower_and_has_to_be(site: Site) -> None:
    codes = begin(site)
    assert code(poll(site, codes, after_s=0)) == "authorization_pending"
    assert poll(site, codes, after_s=4.9).json()["code"] == "slow_down"
    assert poll(site, codes, after_s=9.9).json()["interval"] == 15
    assert code(poll(site, codes, after_s=15)) == "authorization_pending"


@pytest.mark.parametrize(("wrong", "dies"), [(4, False), (5, True)])
def test_a_code_dies_of_its_fifth_wrong_try(site: Site, wrong: int, *, dies: bool) -> None:
    codes, ada = begin(site), site.user("ada")
    for _ in range(wrong):
        assert code(check(ada, another(codes["user_code"]))) == "user_code_unknown"
    assert code(check(ada, codes["user_code"])) == ("user_code_unknown" if dies else None)
    assert code(poll(site, codes)) == ("expired_token" if dies else "authorization_pending")


def test_an_address_tries_twenty_codes_an_hour(site: Site) -> None:
    codes, ada, eve = begin(site), site.user("ada"), site.user("eve")
    for i in range(20):
        assert code(check((ada, eve)[i % 2], "BBBB-BBBB")) == "user_code_unknown"
    refused = check(ada, codes["user_code"])
    assert code(refused) == "too_many_requests"
    assert refused.headers["retry-after"] == "3600"
    site.clock.forward(seconds=3599)
    assert code(check(ada, "BBBB-BBBB")) == "too_many_requests"
    site.clock.forward(seconds=1)
    assert code(check(ada, "BBBB-BBBB")) == "user_code_unknown"


def test_an_address_begins_twenty_logins_an_hour(site: Site) -> None:
    for _ in range(20):
        begin(site)
    refused = site.api.post("/api/v1/device", json={"client": "x"})
    assert (code(refused), refused.headers["retry-after"]) == ("too_many_requests", "3600")


@pytest.mark.parametrize("typed", ["", "BCDF", "BCDF-GHJK-LMNP", "aeiou", "х" * 8, "B" * 10_000, "\u202e"])
def test_what_cannot_be_a_code_is_unknown(site: Site, typed: str) -> None:
    assert code(check(site.user("ada"), typed)) == "user_code_unknown"


def test_what_a_program_says_of_itself_cannot_mislead(site: Site) -> None:
    codes = begin(site, client="<b>x</b>\u202etxt.exe\n" + "y" * 10_000, host="\u200f  ")
    asks = check(site.user("ada"), codes["user_code"]).json()
    assert asks["client"].startswith("<b>x</b>txt.exeyyy")
    assert len(asks["client"]) == 80
    assert asks["host"] == ""


def test_the_address_to_open_is_the_one_that_browsers_know(site: Site) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Context": "/user/ada/anonrun/"}
    answer = site.api.post("/api/v1/device", json={"client": "x"}, headers=headers).json()
    assert answer["verification_uri"] == "https://127.0.0.1/user/ada/anonrun/device"


def test_logins_that_are_over_are_forgotten(site: Site) -> None:
    def left() -> list[int]:
        return [
            len(site.db.read_now(lambda tx, t=table: tx.conn.execute(select(t)).all()))
            for table in (DEVICE_LOGIN, ATTEMPT)
        ]

    begin(site)
    assert left() == [1, 1]
    site.clock.forward(seconds=3600)
    with start_blocking_portal() as portal:
        portal.call(sweep, site.db)
    assert left() == [0, 0]
