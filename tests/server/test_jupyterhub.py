"""Signing in by a JupyterHub, against a real one."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from anonrun.server.providers import providers_in
from support.hub import Hub, jupyterhub
from support.site import HOST, Site, code, running_site


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with jupyterhub(tmp_path_factory.mktemp("hub"), f"{HOST}/sign-in/hub/return") as running:
        yield running


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[Site]:
    known = providers_in(hub.settings(), where="the test")
    with running_site(tmp_path_factory.mktemp("site"), providers=known) as running:
        yield running


def visit(browser: httpx.Client, hub: Hub, user: str, **more: str) -> httpx.Response:
    begun = browser.post("/api/v1/session/provider", json={"provider": "hub"} | more)
    assert begun.status_code == 200, begun.text
    brought = {"provider": "hub"} | hub.answer(begun.json()["url"], user)
    return browser.post("/api/v1/session/provider/return", json=brought)


def test_a_user_of_the_hub_has_an_account_that_keeps_a_run_claimed_before(site: Site, hub: Hub) -> None:
    run, browser = site.run(), site.browser()
    assert browser.post("/api/v1/session/pending-claim", json={"token": run.claim}).status_code == 200
    ended = visit(browser, hub, "ada").json()
    assert ended["newcomer"] == {"provider": "hub", "label": "JupyterHub", "suggested_name": "ada", "next": "/"}
    assert browser.post("/api/v1/session/provider/sign-up", json={"username": "ada"}).status_code == 200
    assert browser.post("/api/v1/session/claim", json={}).status_code == 200
    (identity,) = browser.get("/api/v1/account/identities").json()["identities"]
    assert (identity["issuer"], identity["subject"]) == (hub.url, "ada")
    assert visit(site.browser(), hub, "ada").json()["account"]["name"] == "ada"
    assert visit(site.browser(), hub, "grace").json()["newcomer"]["suggested_name"] == "grace"


def test_a_code_of_the_hub_counts_once_and_for_who_asked_for_it(site: Site, hub: Hub) -> None:
    first, second = site.browser(), site.browser()
    urls = [b.post("/api/v1/session/provider", json={"provider": "hub"}).json()["url"] for b in (first, second)]
    ada, mallory = hub.answer(urls[0], "ada"), hub.answer(urls[1], "mallory")
    stolen = {"provider": "hub", "state": mallory["state"], "code": ada["code"]}
    assert code(second.post("/api/v1/session/provider/return", json=stolen)) == "provider_refused"
    mine = {"provider": "hub"} | ada
    assert first.post("/api/v1/session/provider/return", json=mine).json()["newcomer"]["suggested_name"] == "ada"
    assert code(first.post("/api/v1/session/provider/return", json=mine)) == "visit_over"
    again = hub.answer(first.post("/api/v1/session/provider", json={"provider": "hub"}).json()["url"], "ada")
    spent = {"provider": "hub", "state": again["state"], "code": ada["code"]}
    assert code(first.post("/api/v1/session/provider/return", json=spent)) == "provider_refused"
