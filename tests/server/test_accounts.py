from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from argon2 import extract_parameters

from anonrun.server.services.backoff import Backoff
from anonrun.server.services.passwords import Passwords, password_problem
from support.script import run_command
from support.site import PASSWORD, Site, bearer, code, running_site


def sign_in(site: Site, name: str, password: str) -> str | None:
    return code(site.browser().post("/api/v1/session/sign-in", json={"username": name, "password": password}))


def test_an_unknown_name_and_a_wrong_password_look_alike(site: Site) -> None:
    site.user("ada")
    answers = [
        site.browser().post("/api/v1/session/sign-in", json={"username": name, "password": "wrong password"})
        for name in ("ada", "nobody", "anon-x", "x" * 5_000)
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}


def test_a_name_is_one_name_however_it_is_written(site: Site) -> None:
    site.user("Ada")
    assert sign_in(site, "aDA", PASSWORD) is None
    body = {"username": "ADA", "password": PASSWORD}
    assert code(site.browser().post("/api/v1/session/sign-up", json=body)) == "username_taken"


@pytest.mark.parametrize("name", ["", "a", "anon-x", "Admin", "a b", "-a", "a" * 40, "ä", "a/b", "<b>", "a\n"])
def test_a_name_that_cannot_be_used_is_refused(site: Site, name: str) -> None:
    body = {"username": name, "password": PASSWORD}
    assert code(site.browser().post("/api/v1/session/sign-up", json=body)) == "username_invalid"


@pytest.mark.parametrize(
    "password", ["", "short", "password1", "PASSWORD123", "aaaaaaaaaaaa", "ababababab", "ada.lovelace"]
)
def test_a_weak_password_is_refused(password: str) -> None:
    assert password_problem(password, username="Ada.Lovelace")


@pytest.mark.parametrize("password", ["8 chars!", "correct horse battery staple", "ü" * 7 + "xyz", "x1" * 500 + "yz"])
def test_no_other_rule_is_made(password: str) -> None:
    assert password_problem(password, username="ada") is None


def test_passwords_are_stored_as_argon2id_and_checked() -> None:
    async def story() -> None:
        passwords = Passwords()
        hashed = await passwords.hash(PASSWORD)
        assert hashed.startswith("$argon2id$")
        costs = extract_parameters(hashed)
        assert (costs.memory_cost >= 19 * 1024, costs.time_cost >= 2) == (True, True), "what OWASP asks for"
        assert await passwords.verify(hashed, PASSWORD)
        assert not await passwords.verify(hashed, PASSWORD + "x")
        assert not await passwords.verify(None, "no account has this password")
        assert not await passwords.verify("not a hash", PASSWORD)
        assert not await passwords.outdated(hashed)
        passwords.close()

    asyncio.run(story())


def test_a_new_password_ends_the_other_sessions(site: Site) -> None:
    here, there = site.user("ada"), site.browser()
    there.post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD})
    wrong = {"current": "wrong password", "new": "another passphrase"}
    assert code(here.post("/api/v1/account/password", json=wrong)) == "sign_in_failed"
    weak = {"current": PASSWORD, "new": "password1"}
    assert code(here.post("/api/v1/account/password", json=weak)) == "password_weak"
    good = {"current": PASSWORD, "new": "another passphrase"}
    assert here.post("/api/v1/account/password", json=good).status_code == 204
    assert here.get("/api/v1/account").status_code == 200
    assert code(there.get("/api/v1/account")) == "sign_in_needed"
    assert (sign_in(site, "ada", PASSWORD), sign_in(site, "ada", "another passphrase")) == ("sign_in_failed", None)


def test_a_key_is_told_once_and_counts_until_it_is_revoked(site: Site) -> None:
    browser = site.user("ada")
    made = browser.post("/api/v1/account/keys", json={"label": "laptop"}).json()
    (listed,) = browser.get("/api/v1/account/keys").json()
    assert "key" not in listed
    assert listed["label"] == "laptop"
    assert site.api.get("/api/v1/account", headers=bearer(made["key"])).json()["name"] == "ada"
    stranger = site.user("eve")
    assert code(stranger.delete(f"/api/v1/account/keys/{made['key_id']}")) == "not_found"
    assert browser.delete(f"/api/v1/account/keys/{made['key_id']}").status_code == 204
    assert code(site.api.get("/api/v1/account", headers=bearer(made["key"]))) == "token_invalid"


def test_signing_out_forgets_everything_in_this_browser(site: Site) -> None:
    run, browser = site.run(), site.user("ada")
    browser.post("/api/v1/session/exchange", json={"token": run.view})
    before = dict(browser.cookies)
    assert browser.delete("/api/v1/session").status_code == 204
    stale = site.browser()
    stale.cookies.update(before)
    session = stale.get("/api/v1/session").json()
    assert (session["account"], session["grants"]) == (None, [])


@pytest.mark.parametrize(("idle", "steps", "alive"), [(13, 2, True), (14, 1, False), (10, 3, False)])
def test_a_session_ends_when_idle_and_when_old(site: Site, idle: int, steps: int, *, alive: bool) -> None:
    browser = site.user("ada")
    for _ in range(steps):
        site.clock.forward(days=idle)
        last = browser.get("/api/v1/session").json()["account"]
    assert (last is not None) == alive


def test_sign_up_may_be_closed(tmp_path: Path) -> None:
    with running_site(tmp_path, sign_up=False) as site:
        body = {"username": "ada", "password": PASSWORD}
        assert code(site.browser().post("/api/v1/session/sign-up", json=body)) == "sign_up_closed"


def test_failures_slow_down_one_account_and_never_lock_it() -> None:
    now = [0.0]
    backoff = Backoff(lambda: now[0])
    for _ in range(4):
        backoff.failed("user:ada")
    assert backoff.wait_s("user:ada") == 0
    waits = []
    for _ in range(12):
        backoff.failed("user:ada")
        waits.append(backoff.wait_s("user:ada"))
        now[0] += waits[-1]
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == 300
    assert backoff.wait_s("user:ada") == 0, "the delay ends by itself"
    assert backoff.wait_s("user:eve") == 0
    backoff.succeeded("user:ada")
    backoff.failed("user:ada")
    assert backoff.wait_s("user:ada") == 0


def test_a_sign_in_after_many_failures_is_told_to_wait(site: Site) -> None:
    site.user("ada")
    site.core.backoff.failed(*["user:ada"] * 8)
    answer = site.browser().post("/api/v1/session/sign-in", json={"username": "ADA", "password": PASSWORD})
    assert code(answer) == "too_many_requests"
    assert int(answer.headers["retry-after"]) >= 1


def test_the_operator_makes_an_account_from_the_command_line(tmp_path: Path) -> None:
    flags = ("admin", "user", "add", "grace", "--data-dir", str(tmp_path))
    made = run_command(*flags, data_dir=tmp_path, stdin=PASSWORD + "\n")
    (key,) = re.findall(r"anr_u_\w{36}", made.stdout)
    with running_site(tmp_path) as site:
        assert site.api.get("/api/v1/account", headers=bearer(key)).json()["name"] == "grace"
        assert sign_in(site, "grace", PASSWORD) is None
    again = run_command(*flags, data_dir=tmp_path, stdin=PASSWORD + "\n", check=False)
    assert again.returncode != 0
    assert "Another account has this name" in again.stderr
    weak = run_command(*flags[:3], "other", *flags[4:], data_dir=tmp_path, stdin="12345678\n", check=False)
    assert "tried first" in weak.stderr
    assert "Traceback" not in again.stderr + weak.stderr
