from __future__ import annotations

import httpx
import pytest

from support.site import PASSWORD, Site, code

NEW = "another passphrase"


def codes_of(browser: httpx.Client) -> list[str]:
    made = browser.post("/api/v1/account/recovery-codes", json={})
    assert made.status_code == 201, made.text
    codes: list[str] = made.json()["codes"]
    return codes


def recover(site: Site, recovery_code: str, *, username: str = "ada", new: str = NEW) -> httpx.Response:
    body = {"username": username, "code": recovery_code, "new": new}
    return site.browser().post("/api/v1/session/recover", json=body)


def left(browser: httpx.Client) -> int:
    return int(browser.get("/api/v1/account/recovery-codes").json()["left"])


def test_a_code_sets_a_new_password_once_and_signs_everybody_else_out(site: Site) -> None:
    before = site.user("ada")
    codes = codes_of(before)
    assert (len(codes), len(set(codes)), left(before)) == (10, 10, 10)
    here = site.browser()
    answer = here.post("/api/v1/session/recover", json={"username": "ADA", "code": codes[3], "new": NEW})
    assert answer.json()["name"] == "ada"
    assert here.get("/api/v1/account").status_code == 200
    assert code(before.get("/api/v1/account")) == "sign_in_needed"
    assert code(recover(site, codes[3])) == "recovery_failed"
    assert left(here) == 9
    for password, verdict in ((PASSWORD, "sign_in_failed"), (NEW, None)):
        body = {"username": "ada", "password": password}
        assert code(site.browser().post("/api/v1/session/sign-in", json=body)) == verdict


@pytest.mark.parametrize("change", [str.lower, lambda c: c.replace("-", " "), lambda c: c.replace("0", "O")])
def test_a_code_counts_however_it_is_written(site: Site, change: object) -> None:
    codes = codes_of(site.user("ada"))
    assert recover(site, change(codes[0])).status_code == 200  # type: ignore[operator]  # a function of text


def test_a_wrong_code_a_foreign_one_and_an_unknown_name_look_alike(site: Site) -> None:
    (own, *_), (foreign, *_) = codes_of(site.user("ada")), codes_of(site.user("eve"))
    answers = [
        recover(site, "0" * 24),
        recover(site, foreign),
        recover(site, ""),
        recover(site, own, username="nobody"),
        recover(site, own, username="x" * 5_000),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}


def test_new_codes_take_the_place_of_those_before(site: Site) -> None:
    browser = site.user("ada")
    old, new = codes_of(browser), codes_of(browser)
    assert left(browser) == 10
    assert code(recover(site, old[0])) == "recovery_failed"
    assert recover(site, new[0]).status_code == 200


def test_a_weak_password_spends_no_code(site: Site) -> None:
    browser = site.user("ada")
    codes = codes_of(browser)
    assert code(recover(site, codes[0], new="password1")) == "password_weak"
    assert left(browser) == 10


def test_wrong_codes_slow_down_the_account_and_the_place(site: Site) -> None:
    codes = codes_of(site.user("ada"))
    for _ in range(5):
        recover(site, "wrong")
    answer = recover(site, codes[0])
    assert code(answer) == "too_many_requests"
    assert int(answer.headers["retry-after"]) >= 1


def test_codes_are_told_only_to_who_has_given_the_password_lately(site: Site) -> None:
    browser = site.user("ada")
    site.clock.forward(seconds=600)
    assert code(browser.post("/api/v1/account/recovery-codes", json={})) == "confirm_needed"
    assert browser.get("/api/v1/account/recovery-codes").json() == {"left": 0}


def test_codes_are_stored_as_hashes(site: Site) -> None:
    codes = codes_of(site.user("ada"))
    stored = b"".join(path.read_bytes() for path in site.core.settings.server_dir.glob("*"))
    assert not any(c.encode() in stored or c.replace("-", "").encode() in stored for c in codes)
