"""Signing in by a provider, against a real one: what is believed, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anonrun.server.providers import Provider as Setting
from anonrun.server.providers import providers_in
from support.databases import Place
from support.provider import Provider, provider
from support.site import HOST, PASSWORD, Site, code, running_site


@pytest.fixture(scope="module")
def started() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def lab(started: Provider) -> Provider:
    """A provider that behaves."""
    started.behave()
    return started


def setting(lab: Provider, **more: Any) -> tuple[Setting, ...]:
    return providers_in(lab.settings(**more)["ANONRUN_PROVIDERS"], where="the test")


@pytest.fixture
def site(tmp_path: Path, database: Place, lab: Provider) -> Iterator[Site]:
    with running_site(tmp_path, database, providers=setting(lab)) as running:
        yield running


def set_out(browser: httpx.Client, **more: Any) -> httpx.Response:
    return browser.post("/api/v1/session/provider", json={"provider": "lab"} | more)


def bring(browser: httpx.Client, brought: dict[str, str], **more: Any) -> httpx.Response:
    return browser.post("/api/v1/session/provider/return", json={"provider": "lab"} | brought | more)


def visit(browser: httpx.Client, lab: Provider, user: str = "ada", **more: Any) -> httpx.Response:
    begun = set_out(browser, **more)
    assert begun.status_code == 200, begun.text
    return bring(browser, lab.answer(begun.json()["url"], user))


def join(browser: httpx.Client, lab: Provider, user: str = "ada", name: str | None = None) -> httpx.Response:
    """Have somebody come for the first time."""
    ended = visit(browser, lab, user)
    assert ended.json()["newcomer"], ended.text
    made = browser.post("/api/v1/session/provider/sign-up", json={"username": name or user})
    assert made.status_code == 200, made.text
    return made


def who(browser: httpx.Client) -> str | None:
    account = browser.get("/api/v1/session").json()["account"]
    return account and account["name"]


def test_who_comes_for_the_first_time_chooses_a_name_and_is_known_from_then_on(site: Site, lab: Provider) -> None:
    browser = site.browser()
    ended = visit(browser, lab, next="/claim").json()
    assert (ended["account"], ended["next"]) == (None, "/claim")
    assert ended["newcomer"] == {"provider": "lab", "label": "the lab", "suggested_name": "ada", "next": "/claim"}
    assert browser.get("/api/v1/session/provider").json() == ended["newcomer"]
    assert who(browser) is None
    made = browser.post("/api/v1/session/provider/sign-up", json={"username": "lovelace"})
    assert (made.json()["name"], made.json()["role"], who(browser)) == ("lovelace", "operator", "lovelace")
    elsewhere = site.browser()
    again = visit(elsewhere, lab).json()
    assert (again["account"]["name"], again["newcomer"], who(elsewhere)) == ("lovelace", None, "lovelace")
    assert code(elsewhere.get("/api/v1/session/provider")) == "visit_over"


def test_a_name_that_is_taken_or_cannot_be_used_is_not_suggested_and_another_can_be_chosen(
    site: Site, lab: Provider
) -> None:
    site.user("Ada")
    browser = site.browser()
    assert visit(browser, lab).json()["newcomer"]["suggested_name"] is None
    for name, refused in (("ADA", "username_taken"), ("root", "username_invalid"), ("a b", "username_invalid")):
        assert code(browser.post("/api/v1/session/provider/sign-up", json={"username": name})) == refused
    assert browser.post("/api/v1/session/provider/sign-up", json={"username": "ada2"}).status_code == 200
    lab.behave(claims={"preferred_username": "ada@lab.example"})
    assert visit(site.browser(), lab, "eve").json()["newcomer"]["suggested_name"] is None
    lab.behave(drop=["preferred_username"])
    assert visit(site.browser(), lab, "eve").json()["newcomer"]["suggested_name"] is None
    lab.behave(claims={"preferred_username": 7})
    assert visit(site.browser(), lab, "eve").json()["newcomer"]["suggested_name"] is None


def test_nobody_gets_in_to_an_account_by_its_name_or_an_address_of_e_mail(site: Site, lab: Provider) -> None:
    site.user("ada")
    browser = site.browser()
    assert visit(browser, lab, "ada").json()["newcomer"] is not None
    assert who(browser) is None
    rows = site.db.read_now(lambda tx: tx.conn.exec_driver_sql("SELECT * FROM newcomer").mappings().all())
    assert not any("lab.example" in str(value) for row in rows for value in row.values())


def test_the_reference_of_a_browser_changes_when_it_is_signed_in(site: Site, lab: Provider) -> None:
    first, browser = site.browser(), site.browser()
    join(first, lab)
    url = set_out(browser).json()["url"]
    fixed = dict(browser.cookies)
    thief = site.browser()
    for name, value in fixed.items():
        thief.cookies.set(name, value, domain="127.0.0.1")
    assert bring(browser, lab.answer(url)).status_code == 200
    assert who(browser) == "ada"
    assert dict(browser.cookies) != fixed
    assert who(thief) is None


def test_what_one_browser_was_sent_for_no_other_can_bring(site: Site, lab: Provider) -> None:
    mallory, victim = site.browser(), site.browser()
    brought = lab.answer(set_out(mallory).json()["url"], "mallory")
    set_out(victim)
    assert code(bring(victim, brought)) == "visit_over"
    assert code(bring(site.browser(), brought)) == "visit_over"
    assert code(bring(mallory, brought | {"state": brought["state"][:-1]})) == "visit_over"
    assert bring(mallory, brought).status_code == 200


def test_what_was_brought_once_is_worth_nothing_the_second_time(site: Site, lab: Provider) -> None:
    browser = site.browser()
    brought = lab.answer(set_out(browser).json()["url"])
    assert bring(browser, brought).status_code == 200
    assert code(bring(browser, brought)) == "visit_over"
    other = lab.answer(set_out(browser).json()["url"])
    assert code(bring(browser, brought | {"state": other["state"]})) == "provider_refused"


def test_a_code_is_worth_nothing_without_the_verifier_of_the_browser_that_asked(site: Site, lab: Provider) -> None:
    mallory, victim = site.browser(), site.browser()
    stolen = lab.answer(set_out(victim).json()["url"], "ada")["code"]
    mine = lab.answer(set_out(mallory).json()["url"], "mallory")
    assert code(bring(mallory, mine | {"code": stolen})) == "provider_refused"


def test_a_visit_is_over_after_ten_minutes(site: Site, lab: Provider) -> None:
    browser = site.browser()
    brought = lab.answer(set_out(browser).json()["url"])
    site.clock.forward(seconds=600)
    assert code(bring(browser, brought)) == "visit_over"
    visit(browser, lab)
    site.clock.forward(seconds=600)
    assert code(browser.post("/api/v1/session/provider/sign-up", json={"username": "ada"})) == "visit_over"


def test_two_tabs_of_a_browser_come_back_in_any_order(site: Site, lab: Provider) -> None:
    join(site.browser(), lab)
    browser = site.browser()
    urls = [set_out(browser, next=f"/r/{n}").json()["url"] for n in (1, 2)]
    for url, next_path in zip(reversed(urls), ("/r/2", "/r/1"), strict=True):
        assert bring(browser, lab.answer(url)).json()["next"] == next_path
    assert who(browser) == "ada"


def test_who_is_turned_away_or_thinks_better_of_it_is_told_so(site: Site, lab: Provider) -> None:
    browser = site.browser()
    brought = lab.answer(set_out(browser).json()["url"], allow=False)
    assert brought["error"] == "access_denied"
    assert code(bring(browser, brought)) == "sign_in_denied"
    assert code(bring(browser, brought)) == "visit_over"
    state = lab.answer(set_out(browser).json()["url"])["state"]
    assert code(bring(browser, {"state": state, "error": "server_error"})) == "provider_refused"


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"claims": {"nonce": "another"}}, id="another nonce"),
        pytest.param({"drop": ["nonce"]}, id="no nonce"),
        pytest.param({"drop": ["nonce"], "claims": {"nonce_supported": False}}, id="a nonce that does not count"),
        pytest.param({"claims": {"iss": "https://evil.example"}}, id="another issuer"),
        pytest.param({"drop": ["iss"]}, id="no issuer"),
        pytest.param({"claims": {"aud": ["somebody-else"]}}, id="another audience"),
        pytest.param({"claims": {"aud": ["anonrun-test", "somebody-else"]}}, id="two audiences"),
        pytest.param({"claims": {"azp": "somebody-else"}}, id="made for another"),
        pytest.param({"drop": ["aud"]}, id="no audience"),
        pytest.param({"claims": {"exp": 1_700_000_000}}, id="expired"),
        pytest.param({"drop": ["exp"]}, id="without an end"),
        pytest.param({"claims": {"iat": 4_000_000_000}}, id="from the future"),
        pytest.param({"claims": {"at_hash": "AAAA"}}, id="of another access token"),
        pytest.param({"drop": ["sub"]}, id="nobody"),
        pytest.param({"claims": {"sub": ""}}, id="an empty name"),
        pytest.param({"claims": {"sub": "x" * 256}}, id="a name too long"),
        pytest.param({"claims": {"sub": "a\u0000b"}}, id="NUL in the name"),
        pytest.param({"claims": {"sub": "ädä"}}, id="a name beyond ASCII"),
        pytest.param({"claims": {"sub": ["ada"]}}, id="a list of names"),
        pytest.param({"alg": "none"}, id="unsigned"),
        pytest.param({"alg": "HS256", "sign_with": "secret"}, id="signed by the secret that we have too"),
        pytest.param({"sign_with": "other"}, id="signed by another key of the same name"),
    ],
)
@pytest.mark.databases("sqlite")
def test_an_id_token_that_is_not_as_it_must_be_lets_nobody_in(site: Site, lab: Provider, how: dict[str, Any]) -> None:
    browser = site.browser()
    url = set_out(browser).json()["url"]
    lab.behave(**how)
    assert code(bring(browser, lab.answer(url))) == "provider_refused"
    assert who(browser) is None
    assert code(browser.get("/api/v1/session/provider")) == "visit_over"


@pytest.mark.parametrize("kid", ["next", "first", None], ids=["of another name", "of the same name", "without a name"])
@pytest.mark.databases("sqlite")
def test_a_provider_may_change_its_key_at_any_time(site: Site, lab: Provider, kid: str | None) -> None:
    browser = site.browser()
    join(browser, lab)
    lab.rotate(kid=kid)
    assert visit(browser, lab).json()["account"]["name"] == "ada"
    asked = len(lab.asked())
    assert visit(browser, lab).json()["account"]["name"] == "ada"
    assert "/keys" not in lab.asked()[asked:]


@pytest.mark.parametrize(
    ("how", "refused"),
    [
        pytest.param({"status": 500}, "provider_unavailable", id="failing"),
        pytest.param({"status": 404}, "provider_refused", id="without it"),
        pytest.param({"drip": True}, "provider_unavailable", id="that never ends"),
        pytest.param({"bytes": 300 * 1024}, "provider_unavailable", id="huge"),
        pytest.param({"packed": True}, "provider_unavailable", id="packed"),
        pytest.param({"body": "<html>"}, "provider_refused", id="no JSON"),
        pytest.param({"body": "[]"}, "provider_refused", id="a list"),
        pytest.param({"body": "null"}, "provider_refused", id="null"),
        pytest.param({"body": "[" * 100_000}, "provider_refused", id="nested"),
        pytest.param({"body": '{"keys": 7, "id_token": 7, "access_token": 7}'}, "provider_refused", id="numbers"),
        pytest.param({"body": '{"keys": [{"kty": "RSA"}], "id_token": "a.b.c"}'}, "provider_refused", id="nonsense"),
        pytest.param({"status": 302, "location": "/keys"}, "provider_refused", id="elsewhere"),
    ],
)
@pytest.mark.parametrize("at", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.databases("sqlite")
def test_an_answer_of_no_use_is_a_decided_refusal(
    site: Site, lab: Provider, at: str, how: dict[str, Any], refused: str
) -> None:
    browser = site.browser()
    if "openid" in at:
        lab.behave(at=at, **how)
        answer = set_out(browser)
    else:
        url = set_out(browser).json()["url"]
        lab.behave(at=at, **how)
        answer = bring(browser, lab.answer(url))
    assert (code(answer), answer.status_code < 500) == (refused, True)
    assert "the lab" in answer.json()["detail"]
    if "location" in how:
        assert lab.asked()[-1] != "/keys"
    lab.behave()
    assert visit(browser, lab).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
    ],
)
@pytest.mark.databases("sqlite")
def test_what_a_provider_says_of_itself_is_used_only_where_it_can_be(site: Site, lab: Provider, said: object) -> None:
    lab.behave(discovery=said)
    assert code(set_out(site.browser())) == "provider_refused"


@pytest.mark.databases("sqlite")
def test_an_answer_that_says_that_it_is_somebody_elses_is_refused(site: Site, lab: Provider) -> None:
    browser = site.browser()
    brought = lab.answer(set_out(browser).json()["url"])
    assert code(bring(browser, brought, iss="https://evil.example")) == "provider_refused"
    brought = lab.answer(set_out(browser).json()["url"])
    assert bring(browser, brought, iss=lab.url).status_code == 200


@pytest.mark.databases("sqlite")
def test_a_provider_that_always_says_who_it_is_must_say_so(tmp_path: Path, lab: Provider) -> None:
    lab.behave(discovery={"authorization_response_iss_parameter_supported": True})
    with running_site(tmp_path, providers=setting(lab)) as site:
        browser = site.browser()
        assert code(visit(browser, lab)) == "provider_refused"
        brought = lab.answer(set_out(browser).json()["url"])
        assert bring(browser, brought, iss=lab.url).status_code == 200


@pytest.mark.databases("sqlite")
def test_a_provider_that_is_not_there_is_a_calm_refusal(tmp_path: Path) -> None:
    gone = providers_in('[lab]\nissuer = "http://127.0.0.1:9"\nclient_id = "x"\nlabel = "the lab"', where="the test")
    with running_site(tmp_path, providers=gone) as site:
        answer = set_out(site.browser())
        assert (code(answer), answer.status_code) == ("provider_unavailable", 424)
        assert site.browser().get("/sign-in", headers={"Accept": "text/html"}).status_code == 200


def test_where_sign_up_is_closed_it_takes_an_invitation_which_goes_along(
    tmp_path: Path, database: Place, lab: Provider
) -> None:
    with running_site(tmp_path, database, providers=setting(lab)) as opened:
        olga = opened.user("olga")
        invitation = olga.post("/api/v1/invitations", json={}).json()["invitation"]
        object.__setattr__(opened.core.settings, "sign_up", False)
        browser = opened.browser()
        assert code(visit(browser, lab)) == "sign_up_closed"
        assert code(set_out(browser, invitation="anr_i_nonsense")) == "invitation_invalid"
        assert visit(browser, lab, invitation=invitation).json()["newcomer"] is not None
        taken = browser.post("/api/v1/session/provider/sign-up", json={"username": "olga"})
        assert code(taken) == "username_taken"
        assert browser.post("/api/v1/session/provider/sign-up", json={"username": "ada"}).status_code == 200
        assert code(set_out(opened.browser(), invitation=invitation)) == "invitation_invalid"
        assert visit(opened.browser(), lab).json()["account"]["name"] == "ada"


@pytest.mark.databases("sqlite")
def test_a_provider_may_be_let_in_whom_it_knows_where_sign_up_is_closed(tmp_path: Path, lab: Provider) -> None:
    (one,) = setting(lab)
    object.__setattr__(one, "sign_up", True)
    with running_site(tmp_path, providers=(one,), sign_up=False) as site:
        join(site.browser(), lab)
        credentials = {"username": "eve", "password": PASSWORD}
        assert code(site.browser().post("/api/v1/session/sign-up", json=credentials)) == "sign_up_closed"


def test_an_identity_is_added_in_the_settings_by_who_is_signed_in_and_was_asked_lately(
    site: Site, lab: Provider
) -> None:
    browser = site.user("ada")
    assert browser.get("/api/v1/account/identities").json() == {"password": True, "identities": []}
    ended = visit(browser, lab, "lovelace", purpose="link", next="/settings").json()
    assert (ended["purpose"], ended["next"], ended["account"]["name"]) == ("link", "/settings", "ada")
    (identity,) = browser.get("/api/v1/account/identities").json()["identities"]
    assert (identity["provider"], identity["label"], identity["subject"]) == ("lab", "the lab", "subject-lovelace")
    assert visit(site.browser(), lab, "lovelace").json()["account"]["name"] == "ada"
    site.clock.forward(seconds=600)
    assert code(set_out(browser, purpose="link")) == "confirm_needed"
    assert code(browser.delete(f"/api/v1/account/identities/{identity['identity_id']}")) == "confirm_needed"
    for nobody in (site.browser(),):
        assert code(set_out(nobody, purpose="link")) == "sign_in_needed"


def test_an_identity_of_another_account_is_not_taken_over(site: Site, lab: Provider) -> None:
    join(site.browser(), lab, "ada")
    eve = site.user("eve")
    assert code(visit(eve, lab, "ada", purpose="link")) == "identity_taken"
    assert eve.get("/api/v1/account/identities").json()["identities"] == []
    assert visit(site.browser(), lab, "ada").json()["account"]["name"] == "ada"


def test_what_was_begun_for_one_account_does_not_end_in_another(site: Site, lab: Provider) -> None:
    browser = site.user("ada")
    brought = lab.answer(set_out(browser, purpose="link").json()["url"], "lovelace")
    eve = {"username": "eve", "password": PASSWORD}
    assert browser.post("/api/v1/session/sign-up", json=eve).status_code == 200
    assert code(bring(browser, brought)) == "visit_over"
    assert browser.get("/api/v1/account/identities").json()["identities"] == []


def test_the_last_way_in_is_not_taken_away(site: Site, lab: Provider) -> None:
    browser = site.browser()
    join(browser, lab)
    (identity,) = browser.get("/api/v1/account/identities").json()["identities"]
    path = f"/api/v1/account/identities/{identity['identity_id']}"
    assert code(browser.delete(path)) == "last_way_in"
    assert code(browser.delete("/api/v1/account/identities/0000")) == "not_found"
    set_password = browser.post("/api/v1/account/password", json={"new": PASSWORD})
    assert set_password.status_code == 204, set_password.text
    assert browser.delete(path).status_code == 204
    assert browser.get("/api/v1/account/identities").json() == {"password": True, "identities": []}
    assert visit(site.browser(), lab).json()["newcomer"] is not None


def test_a_first_password_is_set_by_who_was_asked_lately_and_another_one_by_who_knows_it(
    site: Site, lab: Provider
) -> None:
    browser = site.browser()
    join(browser, lab)
    site.clock.forward(seconds=600)
    assert code(browser.post("/api/v1/account/password", json={"new": PASSWORD})) == "confirm_needed"
    site.clock.forward(seconds=-600)
    assert browser.post("/api/v1/account/password", json={"new": PASSWORD}).status_code == 204
    assert code(browser.post("/api/v1/account/password", json={"new": "another passphrase"})) == "sign_in_failed"
    assert site.browser().post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD}).is_success


def test_who_has_no_password_shows_anew_who_they_are_at_the_provider(site: Site, lab: Provider) -> None:
    browser = site.browser()
    join(browser, lab)
    site.clock.forward(seconds=600)
    lab.behave(drop=["auth_time"])
    visit(browser, lab)
    assert code(browser.post("/api/v1/account/keys", json={})) == "confirm_needed"
    assert code(visit(browser, lab, purpose="confirm")) == "provider_refused"
    lab.behave(claims={"auth_time": 1_700_000_000})
    assert code(visit(browser, lab, purpose="confirm")) == "provider_refused"
    lab.behave(claims={"auth_time": site.clock.us // 1_000_000})
    url = set_out(browser, purpose="confirm").json()["url"]
    assert "prompt=login" in url
    assert "max_age=0" in url
    assert code(bring(browser, lab.answer(url, "eve"))) == "provider_refused"
    assert code(browser.post("/api/v1/account/keys", json={})) == "confirm_needed"
    assert visit(browser, lab, purpose="confirm").json()["purpose"] == "confirm"
    assert browser.post("/api/v1/account/keys", json={}).status_code == 201


@pytest.mark.databases("sqlite")
def test_a_provider_that_cannot_ask_anew_is_believed_where_the_operator_says_so(tmp_path: Path, lab: Provider) -> None:
    with running_site(tmp_path, providers=setting(lab, prompt="select_account")) as site:
        browser = site.browser()
        lab.behave(drop=["auth_time"])
        join(browser, lab)
        assert code(browser.post("/api/v1/account/keys", json={})) == "confirm_needed"
        assert "prompt=select_account" in set_out(browser, purpose="confirm").json()["url"]
        assert visit(browser, lab, purpose="confirm").status_code == 200
        assert browser.post("/api/v1/account/keys", json={}).status_code == 201


def test_a_claim_that_was_begun_before_is_still_there_after_the_provider(site: Site, lab: Provider) -> None:
    run, browser = site.run(), site.browser()
    assert browser.post("/api/v1/session/pending-claim", json={"token": run.claim}).status_code == 200
    join(browser, lab)
    assert browser.get("/api/v1/session").json()["pending_claim"]["runs"][0]["run_id"] == run.run_id
    assert browser.post("/api/v1/session/claim", json={}).status_code == 200
    other, elsewhere = site.run(), site.browser()
    elsewhere.post("/api/v1/session/pending-claim", json={"token": other.claim})
    assert visit(elsewhere, lab).json()["account"]["name"] == "ada"
    assert elsewhere.post("/api/v1/session/claim", json={}).status_code == 200


@pytest.mark.parametrize(
    "next_path",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/r\\evil", "r/1", "", "/a\nb", "/" + "x" * 1024],
)
@pytest.mark.databases("sqlite")
def test_the_way_on_leads_to_this_server_only(site: Site, lab: Provider, next_path: str) -> None:
    assert visit(site.browser(), lab, next=next_path).json()["next"] == "/"


def test_identities_are_in_the_download_and_go_with_the_account(site: Site, lab: Provider) -> None:
    browser = site.browser()
    join(browser, lab)
    waiting = lab.answer(set_out(browser, purpose="link").json()["url"], "other")
    import io
    import json
    import zipfile

    archive = zipfile.ZipFile(io.BytesIO(browser.get("/api/v1/account/export").content))
    (identity,) = json.loads(archive.read("account.json"))["identities"]
    assert (identity["issuer"], identity["subject"]) == (lab.url, "subject-ada")
    assert browser.delete("/api/v1/account").status_code == 204
    assert code(bring(browser, waiting)) == "visit_over"
    count = site.db.read_now(
        lambda tx: [tx.conn.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar() for t in ("identity", "visit")]
    )
    assert count == [0, 0]
    assert visit(site.browser(), lab).json()["newcomer"] is not None


@pytest.mark.databases("sqlite")
def test_where_there_are_no_passwords_nothing_is_done_by_one(tmp_path: Path, lab: Provider) -> None:
    with running_site(tmp_path, providers=setting(lab), passwords=False) as site:
        browser = site.browser()
        join(browser, lab)
        ada = {"username": "ada", "password": PASSWORD}
        asked = {
            "session/sign-up": ada,
            "session/sign-in": ada,
            "session/confirm": {"password": PASSWORD},
            "session/recover": {"username": "ada", "code": "x", "new": PASSWORD},
            "account/password": {"new": PASSWORD},
        }
        for path, body in asked.items():
            assert code(browser.post(f"/api/v1/{path}", json=body)) == "passwords_off", path
        assert browser.get("/api/v1/account/identities").json()["password"] is False


@pytest.mark.databases("sqlite")
def test_an_address_sets_out_so_often_in_an_hour_and_no_more(site: Site, lab: Provider) -> None:
    from anonrun.server.services.identities import VISITS_PER_HOUR

    browser = site.browser()
    answers = [set_out(browser) for _ in range(VISITS_PER_HOUR + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert (code(answers[-1]), answers[-1].headers["retry-after"].isdecimal()) == ("too_many_requests", True)


def test_visits_that_nobody_came_back_from_leave_nothing_behind(site: Site, lab: Provider) -> None:
    import asyncio

    from anonrun.server.services.retention import sweep

    browser, stranger = site.browser(), site.browser()
    set_out(browser)
    visit(stranger, lab)
    site.clock.forward(days=1, seconds=1)
    asyncio.run(sweep(site.db))
    for table in ("visit", "newcomer", "session"):
        assert (
            site.db.read_now(lambda tx, t=table: tx.conn.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar()) == 0  # type: ignore[misc]  # the default binds the loop's value
        )


@pytest.mark.databases("sqlite")
def test_what_comes_from_another_site_or_for_an_unknown_provider_is_refused(site: Site) -> None:
    body = {"provider": "lab"}
    other = site.browser(**{"Sec-Fetch-Site": "cross-site"})
    for path in ("provider", "provider/return", "provider/sign-up"):
        assert code(other.post(f"/api/v1/session/{path}", json=body | {"state": "x", "username": "x"})) == "cross_site"
    for name in ("", "LAB", "../lab", "x" * 10_000, "lab\u0000"):
        answer = site.browser().post("/api/v1/session/provider", json={"provider": name})
        assert answer.status_code in {404, 422}
    html = {"Accept": "text/html"}
    assert site.browser().get("/sign-in/unknown/return", headers=html).status_code == 404
    page = site.browser().get("/sign-in/lab/return?code=x&state=y", headers=html)
    assert (page.status_code, "Set-Cookie" in page.headers, page.headers["Referrer-Policy"]) == (
        200,
        False,
        "no-referrer",
    )


@pytest.mark.databases("sqlite")
def test_github_says_who_somebody_is_by_its_own_api(tmp_path: Path, lab: Provider) -> None:
    from support.provider import CLIENT_ID, CLIENT_SECRET

    toml = f'[hub]\nkind = "github"\nissuer = "{lab.url}"\nclient_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"'
    with running_site(tmp_path, providers=providers_in(toml, where="the test")) as site:
        browser = site.browser()
        url = set_out(browser, provider="hub").json()["url"]
        assert url.startswith(f"{lab.url}/login/oauth/authorize?")
        ended = bring(browser, lab.answer(url), provider="hub")
        assert ended.json()["newcomer"] == {
            "provider": "hub", "label": "GitHub", "suggested_name": "ada", "next": "/"
        }  # fmt: skip
        assert browser.post("/api/v1/session/provider/sign-up", json={"username": "ada"}).status_code == 200
        (identity,) = browser.get("/api/v1/account/identities").json()["identities"]
        assert identity["subject"] == str(sum(b"ada"))
        for how in ({"body": '{"login": "ada"}'}, {"body": '{"id": true}'}, {"body": "[]"}):
            lab.behave(at="/api/v3/user", **how)
            url = set_out(browser, provider="hub").json()["url"]
            assert code(bring(browser, lab.answer(url), provider="hub")) == "provider_refused"
        lab.behave(at="/login/oauth/access_token", body='{"error": "bad_verification_code"}')
        url = set_out(browser, provider="hub").json()["url"]
        assert code(bring(browser, lab.answer(url), provider="hub")) == "provider_refused"


@pytest.mark.databases("sqlite")
def test_the_secret_and_the_codes_are_in_no_log(site: Site, lab: Provider, caplog: pytest.LogCaptureFixture) -> None:
    from support.provider import CLIENT_SECRET

    caplog.set_level("DEBUG")
    browser = site.browser()
    brought = lab.answer(set_out(browser).json()["url"])
    lab.behave(at="/token", status=400, body='{"error": "invalid_grant"}')
    assert code(bring(browser, brought)) == "provider_refused"
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "provider lab" in text
    assert not [secret for secret in (CLIENT_SECRET, brought["code"], brought["state"]) if secret in text]
    assert CLIENT_SECRET not in repr(site.core.settings)
    assert HOST.startswith("http")
