from __future__ import annotations

import json

import httpx
import pytest

from anonrun.core.tokens import TokenKind, mint
from support.site import HOST, PASSWORD, VOUCH, Site, bearer, code, segment, sha


def test_a_claim_is_begun_signed_up_for_and_confirmed(site: Site) -> None:
    run = site.run(name="mine")
    site.send(run, segment([1.0]))
    browser = site.browser()
    begun = browser.post("/api/v1/session/pending-claim", json={"token": run.claim}).json()
    assert [(shown["name"], shown["metrics"]) for shown in begun["runs"]] == [("mine", ["loss"])]
    assert code(browser.post("/api/v1/session/claim", json={})) == "sign_in_needed"
    browser.post("/api/v1/session/sign-up", json={"username": "ada", "password": PASSWORD})
    session = browser.get("/api/v1/session").json()
    assert session["pending_claim"]["runs"][0]["run_id"] == run.run_id
    (claimed,) = browser.post("/api/v1/session/claim", json={}).json()["runs"]
    assert (claimed["account"], claimed["anonymous"], claimed["expires_at"]) == ("ada", False, None)
    may = {"write": True, "delete": True, "share": True, "publish": True, "files": True}
    assert claimed["permissions"] == may | {"claim": False}
    assert browser.get("/api/v1/session").json()["pending_claim"] is None
    site.clock.forward(days=29)  # two weeks idle would end the session; the run is kept
    browser.post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD})
    assert browser.get(run.path).status_code == 200


def test_the_second_to_claim_is_told_so_whatever_way_they_come(site: Site) -> None:
    run, late = site.run(), site.user("late")
    late.post("/api/v1/session/exchange", json={"token": run.view})
    late.post("/api/v1/session/pending-claim", json={"token": run.claim})
    assert site.claim(run, site.user("first")).status_code == 200
    assert code(late.post("/api/v1/session/pending-claim", json={"token": run.claim})) == "already_claimed"
    assert code(late.post("/api/v1/session/exchange", json={"token": run.claim})) == "run_claimed"
    assert code(late.get(run.path)) == "run_claimed"
    key = site.user_key(late)
    assert code(site.api.post("/api/v1/claims", json={"token": run.claim}, headers=bearer(key))) == "already_claimed"


def test_two_who_have_both_begun_get_one_run_between_them(site: Site) -> None:
    run, browsers = site.run(), [site.user("first"), site.user("second")]
    for browser in browsers:
        browser.post("/api/v1/session/pending-claim", json={"token": run.claim})
    answers = [browser.post("/api/v1/session/claim", json={}) for browser in browsers]
    assert [answer.status_code for answer in answers] == [200, 404]
    assert code(answers[1]) == "claim_not_found"


@pytest.mark.parametrize("kind", ["view", "write"])
def test_no_other_secret_begins_a_claim(site: Site, kind: str) -> None:
    run, browser = site.run(), site.user("ada")
    answer = browser.post("/api/v1/session/pending-claim", json={"token": getattr(run, kind)})
    assert code(answer) == "token_invalid"


def test_who_may_only_read_cannot_begin_a_claim(site: Site) -> None:
    run, browser = site.run(), site.user("ada")
    browser.post("/api/v1/session/exchange", json={"token": run.view})
    assert code(browser.post("/api/v1/session/pending-claim", json={"run_id": run.run_id})) == "forbidden"
    browser.post("/api/v1/session/exchange", json={"token": run.claim})
    assert browser.post("/api/v1/session/pending-claim", json={"run_id": run.run_id}).status_code == 200


def test_a_claim_begun_in_time_gets_ten_minutes_more(site: Site) -> None:
    run, browser = site.run(), site.user("ada")
    site.clock.forward(days=7, seconds=-1)
    browser.post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD})
    browser.post("/api/v1/session/pending-claim", json={"token": run.claim})
    site.clock.forward(seconds=500)
    assert browser.post("/api/v1/session/claim", json={}).status_code == 200


def test_a_claim_that_comes_too_late_is_told_when_the_run_expired(site: Site) -> None:
    run, browser = site.run(), site.user("ada")
    due = site.get(run).json()["expires_at"]
    site.clock.forward(days=7)
    browser.post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD})
    answer = browser.post("/api/v1/session/pending-claim", json={"token": run.claim})
    assert (code(answer), answer.json()["expired_at"]) == ("run_expired", due)


def test_a_run_deleted_between_is_told_so(site: Site) -> None:
    run, browser = site.run(), site.user("ada")
    browser.post("/api/v1/session/pending-claim", json={"token": run.claim})
    site.api.delete(run.path, headers=bearer(run.write))
    assert code(browser.post("/api/v1/session/claim", json={})) == "run_deleted"


def test_one_may_think_better_of_it(site: Site) -> None:
    run, browser = site.run(), site.user("ada")
    browser.post("/api/v1/session/pending-claim", json={"token": run.claim})
    assert browser.delete("/api/v1/session/pending-claim").status_code == 204
    assert code(browser.post("/api/v1/session/claim", json={})) == "claim_not_found"
    assert site.get(run).json()["anonymous"] is True


def test_a_key_claims_without_a_browser(site: Site) -> None:
    run, key = site.run(), site.user_key(site.user("ada"))
    (claimed,) = site.api.post("/api/v1/claims", json={"token": run.claim}, headers=bearer(key)).json()["runs"]
    assert claimed["account"] == "ada"
    refused = site.api.post("/api/v1/claims", json={"token": run.claim}, headers=bearer(site.anonymous_key()))
    assert code(refused) == "account_required"


def test_the_running_cell_goes_on_after_a_claim_and_its_last_word_may_be_repeated(site: Site) -> None:
    run = site.run()
    site.claim(run, site.user("ada"))
    write = bearer(run.write)
    assert site.send(run, segment([1.0])).json()["status"]["anonymous"] is False
    assert site.api.post(f"{run.path}/heartbeat", headers=write).status_code == 200
    for _ in range(2):
        last = site.api.patch(run.path, json={"state": "finished", "summary": {"x": 1}}, headers=write)
        assert last.status_code == 200
    site.clock.forward(seconds=300)
    assert code(site.send(run, segment([2.0], seq=1))) == "run_claimed"


@pytest.mark.parametrize(("path", "wanted"), [("", {"name": "mine"}), ("/links", {"token_hash": "0" * 64})])
def test_a_write_token_that_a_claim_cut_short_in_mid_request_does_no_more_than_after_it(
    site: Site, path: str, wanted: dict[str, str]
) -> None:
    run, ada = site.run(name="before"), site.user("ada")
    headers = bearer(run.write) | {"Content-Type": "application/json"}
    request = httpx.Request("POST" if path else "PATCH", f"{HOST}{run.path}{path}", headers=headers)
    late = site.transport.with_late_body(request, json.dumps(wanted).encode(), lambda: site.claim(run, ada))
    assert (late.status_code, code(late)) == (403, "forbidden")
    assert ada.get(run.path).json()["name"] == "before"
    assert ada.get(f"{run.path}/links").json() == []


def test_a_notebook_behind_jupyter_is_claimed_by_who_sits_there(own_site: Site) -> None:
    run = own_site.run()
    browser = own_site.browser(**{"X-Anonrun-Vouch": VOUCH})
    assert browser.get(run.path).json()["permissions"]["claim"] is True
    assert browser.post("/api/v1/session/pending-claim", json={"run_id": run.run_id}).status_code == 200
    browser.post("/api/v1/session/sign-up", json={"username": "ada", "password": PASSWORD})
    assert browser.post("/api/v1/session/claim", json={}).status_code == 200
    session = browser.get("/api/v1/session").json()
    assert (session["account"]["name"], session["local"]) == ("ada", True)


def test_the_owner_of_the_key_claims_from_the_list(site: Site) -> None:
    key = site.anonymous_key()
    run, token, browser = site.run(key), mint(TokenKind.DEVICE), site.browser()
    site.api.post("/api/v1/handovers", json={"token_hash": sha(token)}, headers=bearer(key))
    assert browser.post("/api/v1/session/exchange", json={"token": token}).json() == {"run_id": None}
    assert [shown["run_id"] for shown in browser.get("/api/v1/runs").json()["runs"]] == [run.run_id]
    assert browser.post("/api/v1/session/pending-claim", json={"run_id": run.run_id}).status_code == 200
    browser.post("/api/v1/session/sign-up", json={"username": "ada", "password": PASSWORD})
    assert browser.post("/api/v1/session/claim", json={}).status_code == 200
