"""Runs and projects that are found without their ids, and what a blind link must not tell by them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from anonrun.core.tokens import TokenKind, mint
from support.site import MadeRun, Site, bearer, code, segment, sha


def names(answer: httpx.Response) -> list[str]:
    assert answer.is_success, answer.text
    return [run["name"] for run in answer.json()["runs"]]


def listed(site: Site, key: str, **query: str) -> list[str]:
    return names(site.api.get("/api/v1/runs", params=query, headers=bearer(key)))


def shared(site: Site, run: MadeRun, *, blind: bool) -> httpx.Client:
    """Return a browser that was let in to a run by a link."""
    token = mint(TokenKind.SHARE)
    made = site.api.post(
        f"{run.path}/links", json={"token_hash": sha(token), "blind": blind}, headers=bearer(run.write)
    )
    assert made.status_code == 201, made.text
    browser = site.browser()
    assert browser.post("/api/v1/session/exchange", json={"token": token}).status_code == 200
    return browser


def test_pages_of_own_and_granted_runs_are_one_list_without_gaps_and_repeats(site: Site) -> None:
    foreign, run = site.run(name="granted"), None
    user = site.user("ada")
    key = site.user_key(user)
    for no in range(5):
        site.clock.forward(seconds=1)
        run = site.run(key, name=f"own-{no}")
        if no == 2:
            foreign = site.run(name="granted")
    token = mint(TokenKind.SHARE)
    site.api.post(f"{foreign.path}/links", json={"token_hash": sha(token)}, headers=bearer(foreign.write))
    assert user.post("/api/v1/session/exchange", json={"token": token}).status_code == 200
    assert run is not None
    found: list[str] = []
    after: dict[str, str] = {}
    for _ in range(7):
        page = user.get("/api/v1/runs", params={"limit": "1", **after})
        found += names(page)
        if page.json()["next"] is None:
            break
        after = {"after": page.json()["next"]}
    assert sorted(found) == sorted([*(f"own-{no}" for no in range(5)), "granted"])
    assert [name for name in found if name != "granted"] == [f"own-{no}" for no in reversed(range(5))]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("river", ["quiet-river"], id="name"),
        pytest.param("RIVER quiet", ["quiet-river"], id="every word, whatever the case"),
        pytest.param("river loud", [], id="one word that is not there"),
        pytest.param("baseline", ["quiet-river"], id="tag"),
        pytest.param("Müll", ["sea"], id="tag beyond ASCII"),
        pytest.param("seven", ["sea"], id="group"),
        pytest.param("100%", ["sea"], id="percent is a letter"),
        pytest.param("_", [], id="so is the underscore"),
        pytest.param("running", ["sea", "quiet-river"], id="state"),
        pytest.param("", ["sea", "quiet-river"], id="nothing"),
    ],
)
def test_a_search_looks_at_names_tags_notes_and_states(site: Site, words: str, expected: list[str]) -> None:
    key = site.anonymous_key()
    site.run(key, name="quiet-river", tags=["baseline"])
    site.clock.forward(seconds=1)
    site.run(key, name="sea", tags=["Müll"], group="seven", notes="100% sure")
    assert listed(site, key, words=words) == expected


@pytest.mark.parametrize("words", ["x" * 201, "a b c d e f g h i", "\0"])
def test_a_search_that_is_too_long_is_refused(site: Site, words: str) -> None:
    answer = site.api.get("/api/v1/runs", params={"words": words}, headers=bearer(site.anonymous_key()))
    assert code(answer) == "request_invalid"


def test_runs_are_narrowed_by_account_and_project(site: Site) -> None:
    key = site.user_key(site.user("ada"))
    for project, name in (("vision", "first"), ("speech", "second"), ("vision", "third")):
        site.clock.forward(seconds=1)
        site.run(key, project=project, name=name)
    assert listed(site, key, project="vision") == ["third", "first"]
    assert listed(site, key, account="ada", project="vision") == ["third", "first"]
    assert listed(site, key, account="ADA") == listed(site, key, account="grace") == []
    assert listed(site, key, account="ada", project="vision", words="first") == ["first"]


def test_projects_say_how_many_runs_they_have_and_when_one_was_heard(site: Site) -> None:
    key = site.user_key(site.user("ada"))
    old = site.run(key, project="vision")
    for project in ("speech", "vision", "speech"):
        site.clock.forward(seconds=10)
        site.run(key, project=project)
    site.clock.forward(seconds=10)
    site.send(old, segment([1.0]))

    def projects(**query: str) -> Any:
        return site.api.get("/api/v1/projects", params=query, headers=bearer(key)).json()

    found = projects()
    assert [(one["account"], one["name"], one["runs"]) for one in found["projects"]] == [
        ("ada", "speech", 2), ("ada", "vision", 2),
    ]  # fmt: skip
    assert [one["url_path"] for one in found["projects"]] == ["p/ada/speech", "p/ada/vision"]
    assert found["projects"][1]["active_at"] == site.get(old, token=key).json()["heartbeat_at"]
    first = projects(limit="1")
    assert ([one["name"] for one in first["projects"]], first["total"]) == (["speech"], 2)


def test_a_project_ends_with_its_last_run(site: Site) -> None:
    key = site.anonymous_key()
    run = site.run(key, project="short")
    assert site.api.get("/api/v1/projects", headers=bearer(key)).json()["total"] == 1
    site.api.delete(run.path, headers=bearer(key))
    assert site.api.get("/api/v1/projects", headers=bearer(key)).json() == {"projects": [], "total": 0}


def test_who_reads_blind_learns_project_account_and_words_by_no_list(site: Site) -> None:
    key = site.anonymous_key()
    run = site.run(key, project="secret-lab", name="ada-lovelace", tags=["ours"])
    account = site.get(run, token=key).json()["account"]
    blind, seeing = shared(site, run, blind=True), shared(site, run, blind=False)
    assert len(names(blind.get("/api/v1/runs"))) == 1
    asked = [{"project": "secret-lab"}, {"account": account}, {"words": "lovelace"}, {"words": "ours"}]
    for query in asked:
        assert names(blind.get("/api/v1/runs", params=query)) == []
        assert names(seeing.get("/api/v1/runs", params=query)) == ["ada-lovelace"]
    assert blind.get("/api/v1/projects").json() == {"projects": [], "total": 0}
    assert seeing.get("/api/v1/projects").json()["projects"][0]["name"] == "secret-lab"


# Moving


def test_a_run_moves_to_another_project_and_back(site: Site) -> None:
    key = site.user_key(site.user("ada"))
    run = site.run(key, project="draft", id="one")
    for project in ("paper", "draft", "draft"):
        assert site.api.patch(run.path, json={"project": project}, headers=bearer(key)).status_code == 200
        assert site.get(run, token=key).json()["project"] == project


def test_a_run_does_not_move_where_its_id_is_taken(site: Site) -> None:
    key = site.user_key(site.user("ada"))
    run = site.run(key, project="draft", id="one")
    site.run(key, project="paper", id="one")
    assert code(site.api.patch(run.path, json={"project": "paper"}, headers=bearer(key))) == "run_exists"
    assert code(site.api.patch(run.path, json={"project": "../x"}, headers=bearer(key))) == "request_invalid"
    assert site.get(run, token=key).json()["project"] == "draft"


def test_an_expired_run_gives_up_its_place_to_one_that_moves_there(site: Site) -> None:
    key = site.anonymous_key()
    gone = site.run(key, project="paper", id="one")
    site.clock.forward(days=4)
    run = site.run(key, project="draft", id="one")
    site.clock.forward(days=4)
    assert site.get(gone, token=key).status_code == 404
    assert site.api.patch(run.path, json={"project": "paper"}, headers=bearer(key)).status_code == 200


def test_a_token_that_outlived_a_claim_moves_nothing(site: Site) -> None:
    run = site.run()
    assert site.claim(run, site.user("ada")).status_code == 200
    assert code(site.api.patch(run.path, json={"project": "mine"}, headers=bearer(run.write))) == "forbidden"


@pytest.mark.parametrize("change", [{"tags": ["seen"]}, {"name": "n"}, {"notes": "n"}, {"project": "p"}])
def test_tidying_up_a_silent_run_does_not_make_it_look_alive(site: Site, change: dict[str, object]) -> None:
    key = site.user_key(site.user("ada"))
    run = site.run(key)
    site.clock.forward(seconds=90)
    assert site.get(run, token=key).json()["state"] == "crashed"
    assert site.api.patch(run.path, json=change, headers=bearer(key)).status_code == 200
    assert site.get(run, token=key).json()["state"] == "crashed"
    site.api.patch(run.path, json={"summary": {"best": 1}}, headers=bearer(run.write))
    assert site.get(run, token=key).json()["state"] == "running"
