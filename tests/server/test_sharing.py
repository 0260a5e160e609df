"""Share links, blind ones, publication, charts and badges on other sites."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import httpx
import pytest

from anonrun.core.tokens import TokenKind, mint
from anonrun.server.web.badge import badge
from support.media import media_item, picture, send_media
from support.site import MadeRun, Site, bearer, code, running_site, segment, sha

DAY_S = 86_400.0


def make_link(site: Site, run: MadeRun, *, token: str | None = None, **wanted: Any) -> tuple[str, httpx.Response]:
    """Make a share link by the run's write token, or another; return its secret and the answer."""
    secret = mint(TokenKind.SHARE)
    answer = site.api.post(
        f"{run.path}/links", json={"token_hash": sha(secret), **wanted}, headers=bearer(token or run.write)
    )
    return secret, answer


def links_of(site: Site, run: MadeRun) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.api.get(f"{run.path}/links", headers=bearer(run.write)).json()
    return found


def let_in(site: Site, secret: str) -> httpx.Client:
    browser = site.browser()
    assert browser.post("/api/v1/session/exchange", json={"token": secret}).status_code == 200
    return browser


# Links


def test_a_link_is_listed_and_revoked_by_itself(site: Site) -> None:
    run, tokens = site.run(), [mint(TokenKind.SHARE) for _ in range(2)]
    for i, token in enumerate([*tokens, tokens[0]]):
        body = {"token_hash": sha(token), "label": f"link {i}"}
        site.clock.forward(us=1)
        assert site.api.post(f"{run.path}/links", json=body, headers=bearer(run.write)).status_code == 201
    links = links_of(site, run)
    assert [link["label"] for link in links] == ["link 0", "link 1"]
    assert all(link["expires_at"] == site.get(run).json()["expires_at"] for link in links)
    site.api.delete(f"{run.path}/links/{links[0]['link_id']}", headers=bearer(run.write))
    assert [code(site.get(run, token=token)) for token in tokens] == ["token_invalid", None]
    gone = site.api.delete(f"{run.path}/links/{links[0]['link_id']}", headers=bearer(run.write))
    assert code(gone) == "not_found"
    changed = site.api.patch(f"{run.path}/links/{links[0]['link_id']}", json={}, headers=bearer(run.write))
    assert code(changed) == "not_found"


def test_a_link_with_an_end_of_its_own_works_until_that_microsecond_and_its_holder_is_told(site: Site) -> None:
    run = site.run()
    secret, made = make_link(site, run, expires_in_s=3_600)
    again = site.api.post(f"{run.path}/links", json={"token_hash": sha(secret)}, headers=bearer(run.write))
    assert again.json()["expires_at"] == made.json()["expires_at"]
    browser = let_in(site, secret)
    site.clock.forward(seconds=3_600, us=-1)
    assert site.get(run, token=secret).status_code == browser.get(run.path).status_code == 200
    site.clock.forward(us=1)
    for refused in (site.get(run, token=secret), browser.get(run.path)):
        assert (refused.status_code, code(refused)) == (410, "link_expired")
        assert refused.json()["expired_at"] == made.json()["expires_at"]
    assert links_of(site, run) == []
    again = site.api.post(f"{run.path}/links", json={"token_hash": sha(secret)}, headers=bearer(run.write))
    assert code(again) == "link_expired"
    assert site.get(run).status_code == 200, "the run itself goes on"


def test_a_link_never_outlives_the_run(site: Site) -> None:
    run = site.run()
    secret, made = make_link(site, run, expires_in_s=300 * DAY_S)
    assert made.json()["expires_at"] == site.get(run).json()["expires_at"]
    site.clock.forward(days=7)
    assert code(site.get(run, token=secret)) == "run_expired"


@pytest.mark.parametrize("seconds", [0, -1, 1e12])
def test_an_end_that_cannot_be_is_refused(site: Site, seconds: float) -> None:
    _, answer = make_link(site, site.run(), expires_in_s=seconds)
    assert code(answer) == "request_invalid"


def test_a_run_has_a_hundred_links_and_not_one_more(site: Site) -> None:
    run = site.run()
    answers = [make_link(site, run)[1] for _ in range(101)]
    assert [answer.status_code for answer in answers] == [201] * 100 + [403]
    assert code(answers[-1]) == "quota_exceeded"


def test_the_list_says_when_somebody_came_by_a_link(site: Site) -> None:
    run = site.run()
    secret, _ = make_link(site, run)
    assert links_of(site, run)[0]["last_used_at"] is None
    site.clock.forward(seconds=60)
    let_in(site, secret)
    assert links_of(site, run)[0]["last_used_at"] > links_of(site, run)[0]["created_at"]


# Blind links

WHO = "grace-hopper"
CONFIG = {
    "lr": 0.001,
    "batch": 64,
    "optimizer": {"name": "adam", "betas": [0.9, 0.999]},
    "seed": True,
    "data": "imagenet",
    "user": WHO,
    "userId": 4711_4711_4711,
    "output": f"/home/{WHO}/runs",
    "cache": "~/cache",
    "windows": r"C:\Users\x",
    "base_model": f"{WHO}/llama",
    "mail": "a@b.example",
    "contact_person": "Karl Heinz",
    "node": "gpu17",
    "HOST_NAME": "gpu17",
    "where": "gpu17.cluster.example",
    "address": "10.1.2.3",
    "address6": "fe80::1",
    "checkpoint": "best.pt",
    "comment": "for our paper",
    "prompt": "x" * 201,
    "nested": {"deep": [{"path": "p", "n": 3, "note": "q"}]},
    f"by {WHO}": 1,
    "/secret/place": 2,
    "title": f"The {WHO.upper()} model",
    "team": ["x", "y"],
}
SHOWN = {
    "lr": 0.001,
    "batch": 64,
    "optimizer": {"name": "adam", "betas": [0.9, 0.999]},
    "seed": True,
    "data": "imagenet",
    "nested": {"deep": [{"path": "(hidden)", "n": 3, "note": "(hidden)"}]},
    "(hidden)": 1,
    "(hidden 2)": 2,
} | {
    key: "(hidden)"
    for key in CONFIG
    if key not in {"lr", "batch", "optimizer", "seed", "data", "nested", f"by {WHO}", "/secret/place"}
}
IDENTIFYING = (
    WHO,
    WHO.upper(),
    "471147114711",
    "a@b.example",
    "gpu17",
    "10.1.2.3",
    "best.pt",
    "our paper",
    "/secret",
    "karl heinz",
)


@pytest.fixture
def hers(site: Site) -> MadeRun:
    """A running run that says everywhere whose it is."""
    run = site.run(
        name=f"{WHO} 1", project=f"{WHO}-lab", id=f"{WHO}-7", notes=f"by {WHO}", tags=[WHO], group=WHO,
        job_type=WHO, config=CONFIG,
    )  # fmt: skip
    site.send(run, segment([1.0]))
    site.api.patch(run.path, json={"summary": {"best": 1, "author": WHO, "file": "x"}}, headers=bearer(run.write))
    table = json.dumps({"columns": ["who"], "rows": [[WHO]]}).replace("g", "\\u0067")
    send_media(
        site, run, media_item("shown", "a text", caption=f"by {WHO}"), media_item(WHO), media_item(content=WHO.upper()),
        media_item(content="to a@b.example"), picture(caption="best.pt on gpu17.cluster.example"),
        media_item("console", "host gpu17 /secret", kind="console"),
        media_item("escaped", table, kind="table", type="application/json"),
    )  # fmt: skip
    return run


def test_every_field_of_a_blind_run_says_only_what_it_may(site: Site, hers: MadeRun) -> None:
    full = site.get(hers).json()
    blind = site.get(hers, token=make_link(site, hers, blind=True)[0]).json()
    name = f"run-{hers.run_id[-8:]}"
    assert {key for key in full if full[key] != blind[key]} == {
        "account", "project", "id", "name", "config", "summary", "tags", "notes", "group", "job_type",
        "permissions",
    }  # fmt: skip
    assert full["permissions"] | {"files": False} == blind["permissions"], "names of files tell whose they are"
    assert blind | {"server_time": 0} == full | {
        "account": "", "project": "", "id": name, "name": name, "tags": [], "notes": None, "group": None,
        "job_type": None, "config": SHOWN,
        "summary": {"loss": 1.0, "best": 1, "author": "(hidden)", "file": "(hidden)"}, "server_time": 0,
        "permissions": blind["permissions"],
    }  # fmt: skip


def test_what_ended_a_run_is_hidden_since_a_type_may_bear_a_name(site: Site, hers: MadeRun) -> None:
    end = {"state": "failed", "exit_code": 1, "error": f"{WHO}Error"}
    site.api.patch(hers.path, json=end, headers=bearer(hers.write)).raise_for_status()
    blind = site.get(hers, token=make_link(site, hers, blind=True)[0]).json()
    assert (site.get(hers).json()["error"], blind["error"], blind["exit_code"]) == (f"{WHO}Error", None, 1)


def everything(site: Site, run: MadeRun, client: httpx.Client, headers: dict[str, str]) -> list[httpx.Response]:
    """Return every answer that there is for someone who may read a run, refusals included."""
    path = run.path
    site.core.hub.close()  # a stream then ends when it has told what is there
    reads = [
        "", "/metrics", "/series", "/series?metric=loss", "/sampled", "/sampled?metric=loss&points=3", "/live",
        "/export?format=csv", "/export?format=json", "/export?format=x", "/links", "/writers/1", "/nothing",
        "/media", "/media?kind=console", "/media?kind=text&kind=table",
    ]  # fmt: skip
    answers = [client.get(path + what, headers=headers) for what in reads]
    answers += [client.get(f"/api/v1/{what}", headers=headers) for what in ("runs", "session", "account", "server")]
    answers += [client.get(f"/{what}/{run.run_id}", headers=headers) for what in ("r", "embed", "claim")]
    answers += [client.get(f"/badge/{run.run_id}.svg", headers=headers), client.get("/", headers=headers)]
    for method, what in (
        ("PATCH", ""), ("DELETE", ""), ("POST", "/heartbeat"), ("POST", "/links"), ("PUT", "/publication"),
        ("DELETE", "/publication"), ("POST", "/artifacts"),
    ):  # fmt: skip
        answers.append(client.request(method, path + what, json={}, headers=headers))
    answers.append(client.post("/api/v1/session/pending-claim", json={"run_id": run.run_id}, headers=headers))
    return answers


@pytest.mark.parametrize("way", ["token", "browser"])
def test_nothing_that_a_blind_link_gets_says_whose_run_it_is(site: Site, hers: MadeRun, way: str) -> None:
    account = site.get(hers).json()["account"]
    secret, _ = make_link(site, hers, blind=True, label=f"for the reviewers of {WHO}")
    client, headers = (site.api, bearer(secret)) if way == "token" else (let_in(site, secret), {})
    answers = everything(site, hers, client, headers)
    assert sum(answer.is_success for answer in answers) >= 8
    for answer in answers:
        said = answer.content.decode("latin-1") + str(dict(answer.headers))
        for word in (*IDENTIFYING, account):
            assert word.lower() not in said.lower(), (word, str(answer.request.url))


def test_a_blind_reader_cannot_find_out_the_project_by_asking_for_it(site: Site, hers: MadeRun) -> None:
    browser = let_in(site, make_link(site, hers, blind=True)[0])
    assert len(browser.get("/api/v1/runs").json()["runs"]) == 1
    assert browser.get(f"/api/v1/runs?project={WHO}-lab").json()["runs"] == []
    seeing = let_in(site, make_link(site, hers)[0])
    assert len(seeing.get(f"/api/v1/runs?project={WHO}-lab").json()["runs"]) == 1


def test_the_name_of_a_metric_stays_since_the_points_carry_it(site: Site) -> None:
    run = site.run(project="accuracy", config={"target": "accuracy"})
    site.send(run, segment([0.5], name="val/accuracy"))
    blind = site.get(run, token=make_link(site, run, blind=True)[0]).json()
    assert blind["summary"] == {"val/accuracy": 0.5}
    assert blind["config"] == {"target": "(hidden)"}


def test_a_link_is_unblinded_and_blinded_without_a_new_address(site: Site, hers: MadeRun) -> None:
    secret, made = make_link(site, hers, blind=True)
    browser, link = let_in(site, secret), f"{hers.path}/links/{made.json()['link_id']}"
    assert browser.get(hers.path).json()["account"] == ""
    changed = site.api.patch(link, json={"blind": False, "label": "camera-ready"}, headers=bearer(hers.write))
    assert (changed.json()["blind"], changed.json()["label"]) == (False, "camera-ready")
    for seen in (browser.get(hers.path).json(), site.get(hers, token=secret).json()):
        assert (seen["name"], seen["config"]) == (f"{WHO} 1", CONFIG)
    assert site.api.patch(link, json={"blind": True}, headers=bearer(hers.write)).json()["label"] == "camera-ready"
    assert browser.get(hers.path).json()["account"] == ""


def test_who_has_a_blind_and_a_seeing_link_sees(site: Site, hers: MadeRun) -> None:
    browser = let_in(site, make_link(site, hers, blind=True)[0])
    browser.post("/api/v1/session/exchange", json={"token": make_link(site, hers)[0]})
    assert browser.get(hers.path).json()["name"] == f"{WHO} 1"


# Publication


@pytest.fixture
def ada(site: Site) -> tuple[httpx.Client, MadeRun, MadeRun]:
    """A user's browser, and two runs of one project."""
    browser = site.user("ada")
    key = site.user_key(browser)
    runs = [site.run(key, project="thesis", name=f"run {i}") for i in range(2)]
    for run in runs:
        site.send(run, segment([0.5, 0.25]))
    return browser, *runs


def test_one_run_is_published_out_of_a_private_project_and_taken_back(
    site: Site, ada: tuple[httpx.Client, MadeRun, MadeRun]
) -> None:
    browser, run, other = ada
    stranger = site.user("eve")
    assert browser.get(run.path).json()["permissions"]["publish"] is True
    assert site.api.get(run.path).status_code == 404
    done = browser.put(f"{run.path}/publication", json={})
    assert (done.status_code, done.json()["embed"]) == (200, False)
    since = done.json()["published_at"]
    for client in (site.api, site.browser(), stranger):
        seen = client.get(run.path).json()
        assert (seen["name"], seen["account"], seen["published_at"]) == ("run 0", "ada", since)
        assert not any(seen["permissions"].values())
        assert client.get(f"/r/{run.run_id}").status_code == 200
        for what in ("/metrics", "/series", "/sampled", "/export?format=json"):
            assert client.get(run.path + what).status_code == 200
        assert client.get(other.path).status_code == 404
        assert client.get(f"/r/{other.run_id}").status_code == 404
    assert stranger.get("/api/v1/runs").json()["runs"] == [], "published is not listed"
    site.clock.forward(days=1)
    assert browser.put(f"{run.path}/publication", json={"embed": True}).json()["published_at"] == since
    assert browser.delete(f"{run.path}/publication").status_code == 204
    for client in (site.api, stranger):
        assert client.get(run.path).status_code == client.get(f"/r/{run.run_id}").status_code == 404
    assert browser.get(run.path).json()["published_at"] is None
    assert browser.get(run.path).json()["embed"] is False


def test_an_anonymous_run_is_never_published(site: Site) -> None:
    """R27. Not by its account, and not by anything that a claim finds in the store."""
    key = site.anonymous_key()
    run = site.run(key)
    for method in ("PUT", "DELETE"):
        refused = site.api.request(method, f"{run.path}/publication", json={}, headers=bearer(key))
        assert (refused.status_code, code(refused)) == (403, "anonymous_not_public")
    assert code(site.api.put(f"{run.path}/publication", json={}, headers=bearer(run.write))) == "anonymous_not_public"
    assert site.get(run, token=key).json()["permissions"]["publish"] is False
    browser = site.user("ada")
    site.claim(run, browser)
    assert browser.put(f"{run.path}/publication", json={}).status_code == 200


def test_a_published_run_has_no_blind_link_and_one_with_a_blind_link_is_not_published(
    site: Site, ada: tuple[httpx.Client, MadeRun, MadeRun]
) -> None:
    browser, run, _ = ada
    _, made = make_link(site, run, blind=True)
    refused = browser.put(f"{run.path}/publication", json={})
    assert code(refused) == "blind_links_stand"
    assert site.api.get(run.path).status_code == 404
    link = f"{run.path}/links/{made.json()['link_id']}"
    browser.patch(link, json={"blind": False})
    assert browser.put(f"{run.path}/publication", json={}).status_code == 200
    assert code(make_link(site, run, blind=True)[1]) == "run_is_public"
    assert code(browser.patch(link, json={"blind": True})) == "run_is_public"
    browser.delete(f"{run.path}/publication")
    assert make_link(site, run, blind=True)[1].status_code == 201


def test_a_deleted_run_is_no_longer_public(site: Site, ada: tuple[httpx.Client, MadeRun, MadeRun]) -> None:
    browser, run, _ = ada
    browser.put(f"{run.path}/publication", json={"embed": True})
    browser.delete(run.path)
    for path in (run.path, f"/r/{run.run_id}", f"/embed/{run.run_id}", f"/badge/{run.run_id}.svg"):
        assert site.api.get(path).status_code == 404


# Charts and badges on other sites


def framing(answer: httpx.Response) -> tuple[str, str | None]:
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    return policy["frame-ancestors"], answer.headers.get("x-frame-options")


def test_only_the_chart_of_a_run_whose_owner_said_so_may_be_framed(
    site: Site, ada: tuple[httpx.Client, MadeRun, MadeRun]
) -> None:
    browser, run, other = ada
    chart = f"/embed/{run.run_id}"
    for embed, status, allowed in (
        (None, 404, ("'none'", "DENY")),
        (False, 404, ("'none'", "DENY")),
        (True, 200, ("*", None)),
    ):
        if embed is not None:
            browser.put(f"{run.path}/publication", json={"embed": embed})
        answer = site.api.get(chart)
        assert (answer.status_code, framing(answer)) == (status, allowed)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert "set-cookie" not in answer.headers
    assert browser.get(chart).text == answer.text, "who looks makes no difference"
    for path in (f"/r/{run.run_id}", "/", "/sign-in", f"/embed/{other.run_id}", "/embed/nonsense"):
        assert framing(browser.get(path)) == ("'none'", "DENY")
    browser.delete(f"{run.path}/publication")
    assert framing(site.api.get(chart)) == ("'none'", "DENY")


@pytest.mark.parametrize(
    ("sites", "allowed"),
    [
        pytest.param("none", None, id="none"),
        pytest.param(
            "https://lab.example https://*.uni.example:8443", "https://lab.example https://*.uni.example:8443", id="two"
        ),
    ],
)
def test_an_operator_says_who_may_frame(
    tmp_path_factory: pytest.TempPathFactory, sites: str, allowed: str | None
) -> None:
    with running_site(tmp_path_factory.mktemp("site"), embed_sites=sites) as site:
        browser = site.user("ada")
        run = site.run(site.user_key(browser))
        browser.put(f"{run.path}/publication", json={"embed": True})
        answer = site.api.get(f"/embed/{run.run_id}")
        assert answer.status_code == (200 if allowed else 404)
        assert framing(answer)[0] == (allowed or "'none'")


def test_a_badge_tells_state_or_a_last_value_and_may_be_kept_for_a_minute(
    site: Site, ada: tuple[httpx.Client, MadeRun, MadeRun]
) -> None:
    browser, run, other = ada
    assert site.api.get(f"/badge/{run.run_id}.svg").status_code == 404
    assert browser.get(f"/badge/{run.run_id}.svg").status_code == 404, "a cache must not keep what one person may see"
    browser.put(f"{run.path}/publication", json={})
    running = site.api.get(f"/badge/{run.run_id}.svg")
    assert "<title>run: running</title>" in running.text
    assert running.headers["content-type"] == "image/svg+xml"
    assert running.headers["cache-control"] == "public, max-age=60"
    assert running.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert running.headers["x-content-type-options"] == "nosniff"
    value = site.api.get(f"/badge/{run.run_id}.svg?metric=loss")
    assert "<title>loss: 0.25</title>" in value.text
    again = site.api.get(f"/badge/{run.run_id}.svg?metric=loss", headers={"If-None-Match": value.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", value.headers["etag"])
    site.send(run, segment([0.125], seq=2))
    changed = site.api.get(f"/badge/{run.run_id}.svg?metric=loss", headers={"If-None-Match": value.headers["etag"]})
    assert "<title>loss: 0.125</title>" in changed.text
    site.api.patch(run.path, json={"state": "finished"}, headers=bearer(run.write))
    over = site.api.get(f"/badge/{run.run_id}.svg?metric=nothing")
    assert "<title>nothing: no value</title>" in over.text
    assert over.headers["cache-control"] == "public, max-age=300"
    refused = site.api.get(f"/badge/{other.run_id}.svg")
    assert (refused.status_code, refused.headers["cache-control"]) == (404, "no-store")


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '" onload="x', "\u202egnp.x", "l" * 5_000, "学習率", "a\u0000\u2028b", "&amp;"],
)
def test_a_badge_of_any_name_is_a_picture_and_nothing_else(name: str) -> None:
    picture = badge(name, "0.5", "running")
    root = ET.fromstring(picture)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {"svg", "title", "rect", "path", "g", "text"}
    assert not any(attribute.startswith("on") or "href" in attribute for one in root.iter() for attribute in one.attrib)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", picture)
    assert float(root.attrib["width"]) < 700


# Other sites' scripts


def test_no_other_site_reads_anything_unless_the_operator_says_so(site: Site) -> None:
    run = site.run()
    preflight = {"Origin": "https://x.example", "Access-Control-Request-Method": "GET"}
    for answer in (
        site.api.options(run.path, headers=preflight),
        site.api.get(run.path, headers=bearer(run.view) | {"Origin": "https://x.example"}),
    ):
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_what_a_view_token_reads_may_be_opened_to_other_sites_without_credentials(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """R29."""
    with running_site(tmp_path_factory.mktemp("site"), cross_origin_reads=True) as site:
        run, origin = site.run(), {"Origin": "https://x.example"}
        asked = origin | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        item = media_item()
        assert send_media(site, run, item).status_code == 200
        for what in (
            *("", "/metrics", "/series", "/sampled", "/export?format=json"),
            *("/media?kind=text", f"/media/{item['media_id']}"),
        ):
            before = site.api.options(run.path + what, headers=asked)
            assert (before.status_code, before.headers["access-control-allow-headers"]) == (204, "Authorization")
            answer = site.api.get(run.path + what, headers=bearer(run.view) | origin)
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers
        browser = let_in(site, run.view)
        assert "access-control-allow-origin" not in browser.get(run.path, headers=origin).headers
        for method, path in (
            ("GET", f"{run.path}/links"), ("GET", f"{run.path}/live"), ("GET", "/api/v1/runs"), ("GET", "/"),
            ("GET", "/api/v1/session"), ("PATCH", run.path), ("DELETE", run.path), ("GET", f"/r/{run.run_id}"),
            ("POST", f"{run.path}/media"),
        ):  # fmt: skip
            if path.endswith("/live"):
                site.core.hub.close()
            answer = site.api.request(method, path, headers=bearer(run.view) | origin)
            assert "access-control-allow-origin" not in answer.headers, path
        for method in ("POST", "PATCH", "DELETE", "PUT"):
            refused = site.api.options(run.path, headers=asked | {"Access-Control-Request-Method": method})
            assert not any(name.startswith("access-control") for name in refused.headers)


def test_no_link_of_a_page_or_chart_carries_a_secret(site: Site, ada: tuple[httpx.Client, MadeRun, MadeRun]) -> None:
    browser, run, _ = ada
    browser.put(f"{run.path}/publication", json={"embed": True})
    for path in (f"/r/{run.run_id}", f"/embed/{run.run_id}"):
        assert not re.search(r"anr_[a-z]_", browser.get(path).text)
    assert json.loads(site.api.get(run.path).text)["url_path"] == f"r/{run.run_id}"
