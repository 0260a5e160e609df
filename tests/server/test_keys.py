from __future__ import annotations

from typing import Any

import pytest

from support.site import Site, bearer, code, segment


def make(site: Site, key: str, **request: Any) -> Any:
    run = site.new_run()
    return run, site.api.post("/api/v1/runs", json=run.request(**request), headers=bearer(key))


def test_a_key_for_logging_makes_runs_and_adds_to_them_but_goes_on_with_none_that_others_made(site: Site) -> None:
    browser = site.user("ada")
    full, ingest = site.user_key(browser), site.user_key(browser, scope="ingest")
    run, made = make(site, ingest, id="nightly")
    assert made.status_code == 201
    assert site.send(run, segment([1.0]), token=ingest).status_code == 200
    again = site.api.post("/api/v1/runs", json=run.request(id="nightly"), headers=bearer(ingest))
    assert again.status_code == 200, "a repeated request finds the run that it made"
    assert code(site.get(run, token=ingest)) == "key_scope"
    for resume in ("allow", "must"):
        other, refused = make(site, ingest, id="nightly", resume=resume)
        assert code(refused) == "key_scope"
        assert site.get(other, token=other.view).status_code == 401, "no view token was left behind"
    assert make(site, full, id="nightly", resume="must")[1].status_code == 200
    renamed = site.api.patch(run.path, json={"name": "mine"}, headers=bearer(ingest))
    assert code(renamed) == "key_scope"


def test_a_key_for_reading_reads_and_nothing_else(site: Site) -> None:
    browser = site.user("ada")
    run, _ = make(site, site.user_key(browser))
    read = site.user_key(browser, scope="read")
    assert site.get(run, token=read).status_code == 200
    assert len(site.api.get("/api/v1/runs", headers=bearer(read)).json()["runs"]) == 1
    assert code(make(site, read)[1]) == "key_scope"
    assert code(site.send(run, segment([1.0]), token=read)) == "key_scope"
    assert code(site.api.delete(run.path, headers=bearer(read))) == "key_scope"
    assert code(site.api.post("/api/v1/claims", json={"token": run.claim}, headers=bearer(read))) == "key_scope"


def test_a_key_that_was_made_for_less_looks_like_any_other_to_a_foreign_run(site: Site) -> None:
    foreign = site.run()
    for scope in ("ingest", "read"):
        key = site.user_key(site.user(f"ada-{scope}"), scope=scope)
        assert code(site.get(foreign, token=key)) == "run_not_found"


def test_a_key_counts_until_its_end(site: Site) -> None:
    browser = site.user("ada")
    key = site.user_key(browser, expires_in_days=7)
    (listed,) = browser.get("/api/v1/account/keys").json()
    assert listed["expires_at"] > listed["created_at"]
    site.clock.forward(days=7, us=-1)
    assert site.api.get("/api/v1/account", headers=bearer(key)).status_code == 200
    site.clock.forward(us=1)
    assert code(site.api.get("/api/v1/account", headers=bearer(key))) == "token_invalid"
    assert browser.get("/api/v1/account/keys").json() == []


def test_when_a_key_was_used_is_listed(site: Site) -> None:
    browser = site.user("ada")
    key = site.user_key(browser, scope="read", label="laptop")
    (before,) = browser.get("/api/v1/account/keys").json()
    assert (before["scope"], before["label"], before["last_used_at"]) == ("read", "laptop", None)
    site.clock.forward(seconds=60)
    site.api.get("/api/v1/runs", headers=bearer(key))
    (after,) = browser.get("/api/v1/account/keys").json()
    assert after["last_used_at"] > before["created_at"]


@pytest.mark.parametrize(
    "wanted",
    [{"scope": "all"}, {"scope": None}, {"expires_in_days": 0}, {"expires_in_days": 3651}, {"label": "x" * 5_000}],
)
def test_a_key_that_cannot_be_made_is_refused(site: Site, wanted: dict[str, Any]) -> None:
    assert code(site.user("ada").post("/api/v1/account/keys", json=wanted)) == "request_invalid"


def test_an_account_has_a_hundred_keys_at_most(site: Site) -> None:
    browser = site.user("ada")
    for _ in range(100):
        site.user_key(browser)
    assert code(browser.post("/api/v1/account/keys", json={})) == "quota_exceeded"
