from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from anonrun.server.services.invitations import invite
from support.databases import Place
from support.script import run_command
from support.site import PASSWORD, Site, code, running_site


@pytest.fixture
def closed(tmp_path: Path, database: Place) -> Iterator[Site]:
    """A server where an account needs an invitation."""
    with running_site(tmp_path, database, sign_up=False) as running:
        yield running


def sign_up(site: Site, name: str, invitation: str | None = None) -> httpx.Response:
    body = {"username": name, "password": PASSWORD} | ({"invitation": invitation} if invitation else {})
    return site.browser().post("/api/v1/session/sign-up", json=body)


def operator(site: Site) -> httpx.Client:
    """Return the browser of an operator, who came in by an invitation that was made at the server's machine."""
    invitation, _ = site.db.write_now(lambda tx: invite(tx, label=None, days=1, account_id=None))
    browser = site.browser()
    body = {"username": "olga", "password": PASSWORD, "invitation": invitation}
    assert browser.post("/api/v1/session/sign-up", json=body).json()["role"] == "operator"
    return browser


def invited(browser: httpx.Client, **wanted: object) -> dict[str, str]:
    made = browser.post("/api/v1/invitations", json=wanted)
    assert made.status_code == 201, made.text
    found: dict[str, str] = made.json()
    return found


def test_an_invitation_makes_one_account(closed: Site) -> None:
    assert code(sign_up(closed, "ada")) == "sign_up_closed"
    olga = operator(closed)
    made = invited(olga, label="ada")
    assert re.fullmatch(r"anr_i_\w{36}", made["invitation"])
    (listed,) = olga.get("/api/v1/invitations").json()
    assert (listed["label"], listed["made_by"]) == ("ada", "olga")
    assert "invitation" not in listed
    answer = sign_up(closed, "ada", made["invitation"])
    assert (answer.json()["name"], answer.json()["role"]) == ("ada", "member")
    assert code(sign_up(closed, "eve", made["invitation"])) == "invitation_invalid"
    assert olga.get("/api/v1/invitations").json() == []


def test_a_refused_sign_up_uses_no_invitation_up(closed: Site) -> None:
    invitation = invited(operator(closed))["invitation"]
    assert code(sign_up(closed, "OLGA", invitation)) == "username_taken"
    assert code(sign_up(closed, "a b", invitation)) == "username_invalid"
    assert sign_up(closed, "ada", invitation).status_code == 200


def test_of_several_who_use_one_invitation_at_once_one_gets_in(closed: Site) -> None:
    invitation = invited(operator(closed))["invitation"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda i: sign_up(closed, f"ada{i}", invitation), range(6)))
    assert sorted(code(answer) or "" for answer in answers) == ["", *["invitation_invalid"] * 5]


def test_an_invitation_ends_at_its_time_and_when_it_is_revoked(closed: Site) -> None:
    olga = operator(closed)
    short, revoked = invited(olga, expires_in_days=1), invited(olga)
    assert olga.delete(f"/api/v1/invitations/{revoked['invitation_id']}").status_code == 204
    assert code(olga.delete(f"/api/v1/invitations/{revoked['invitation_id']}")) == "not_found"
    closed.clock.forward(days=1)
    for made in (short, revoked):
        assert code(sign_up(closed, "ada", made["invitation"])) == "invitation_invalid"
    assert olga.get("/api/v1/invitations").json() == []


@pytest.mark.parametrize("text", ["anr_i_nonsense", "", "x" * 10_000])
def test_what_is_no_invitation_is_refused(closed: Site, text: str) -> None:
    body = {"username": "ada", "password": PASSWORD, "invitation": text}
    assert code(closed.browser().post("/api/v1/session/sign-up", json=body)) == "invitation_invalid"


def test_another_secret_is_no_invitation_and_an_invitation_no_other_secret(closed: Site) -> None:
    run, made = closed.run(), invited(operator(closed))["invitation"]
    for token in (run.view, run.claim, run.write):
        assert code(sign_up(closed, "ada", token)) == "invitation_invalid"
    assert code(closed.get(run, token=made)) == "token_invalid"
    assert code(closed.browser().post("/api/v1/session/exchange", json={"token": made})) == "token_invalid"


@pytest.mark.parametrize("days", [0, 91, -1])
def test_an_invitation_has_an_end_within_ninety_days(closed: Site, days: int) -> None:
    refused = operator(closed).post("/api/v1/invitations", json={"expires_in_days": days})
    assert code(refused) == "request_invalid"


def test_the_first_user_of_a_server_becomes_its_operator_and_no_other_does(site: Site) -> None:
    with ThreadPoolExecutor(4) as pool:
        roles = list(pool.map(lambda i: sign_up(site, f"ada{i}").json()["role"], range(4)))
    assert sorted(roles) == ["member", "member", "member", "operator"]


def test_when_the_first_user_leaves_the_next_is_no_operator(site: Site) -> None:
    ada = site.user("ada")
    assert ada.get("/api/v1/account").json()["role"] == "operator"
    ada.delete("/api/v1/account")
    assert sign_up(site, "eve").json()["role"] == "member"


def test_an_embedded_server_has_no_operator(tmp_path: Path) -> None:
    with running_site(tmp_path, embedded=True) as own:
        assert sign_up(own, "ada").json()["role"] == "member"


def test_who_is_no_operator_invites_nobody(site: Site) -> None:
    site.user("first")
    ada = site.user("ada")
    assert code(ada.get("/api/v1/invitations")) == "operator_required"
    assert code(ada.post("/api/v1/invitations", json={})) == "operator_required"
    assert code(ada.delete("/api/v1/invitations/x")) == "operator_required"


def test_operators_are_made_and_people_invited_at_the_servers_machine(tmp_path: Path) -> None:
    place = ("--data-dir", str(tmp_path), "--json")

    def add(*arguments: str, **more: str) -> str:
        command = ("admin", "user", *arguments, *place)
        return run_command(*command, data_dir=tmp_path, stdin=PASSWORD + "\n", **more).stdout

    assert '"role": "operator"' in add("add", "first")
    assert '"role": "member"' in add("add", "second")
    assert '"role": "operator"' in add("add", "third", "--operator")
    link = add("invite", "--label", "ada", ANONRUN_PUBLIC_URL="https://runs.example.org/")
    (invitation,) = re.findall(r"https://runs\.example\.org/sign-up#i=(anr_i_\w{36})", link)
    with running_site(tmp_path, sign_up=False) as site:
        assert sign_up(site, "ada", invitation).json()["role"] == "member"
