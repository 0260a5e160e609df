"""What guards a browser: cross-site requests, framing, referrers, caches, cookies, path prefixes."""

from __future__ import annotations

import re
import urllib.robotparser

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.tokens import TokenKind, mint
from anonrun.server.app import OPERATIONS
from anonrun.server.security import path_prefix
from support.site import HOST, PASSWORD, VOUCH, Site, bearer, code, sha

_UNSAFE = [operation for operation in OPERATIONS if operation.method != "GET"]
_PAGES = ("/", "/r/01890000-0000-7000-8000-000000000000", "/claim", "/enter", "/device", "/recover",
          "/sign-in", "/sign-up", "/settings")  # fmt: skip


def write(site: Site, headers: dict[str, str], cookies: httpx.Cookies | None = None) -> httpx.Response:
    """Sign out, which every browser may do."""
    client = httpx.Client(transport=site.transport, base_url=HOST, cookies=cookies)
    return client.request("DELETE", "/api/v1/session", headers=headers)


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        pytest.param({"Sec-Fetch-Site": "same-origin"}, None, id="our page"),
        pytest.param({"Sec-Fetch-Site": "none"}, None, id="typed in"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, "cross_site", id="sibling"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, "cross_site", id="stranger"),
        pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": HOST}, "cross_site", id="stranger with our origin"),
        pytest.param({"Origin": HOST}, None, id="old browser, our origin"),
        pytest.param({"Origin": "https://evil.example"}, "cross_site", id="old browser, another origin"),
        pytest.param({"Origin": "null"}, "cross_site", id="sandboxed frame"),
        pytest.param({}, "cross_site", id="nothing said"),
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_browser_writes_from_our_own_pages_only(
    site: Site, headers: dict[str, str], verdict: str | None, *, signed_in: bool
) -> None:
    browser = site.browser()
    if signed_in:
        browser.post("/api/v1/session/exchange", json={"token": site.run().view})
    answer = write(site, headers | {"Content-Type": "application/json"}, browser.cookies)
    assert code(answer) == verdict
    assert answer.status_code == (204 if verdict is None else 403)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_can_send_changes_nothing(site: Site, kind: str) -> None:
    browser = site.browser()
    browser.post("/api/v1/session/exchange", json={"token": site.run().view})
    answer = write(site, {"Sec-Fetch-Site": "same-origin", "Content-Type": kind}, browser.cookies)
    assert code(answer) == "media_type"


@pytest.mark.parametrize("operation", _UNSAFE, ids=lambda operation: operation.name)
def test_no_operation_lets_another_site_use_a_browser(own_site: Site, operation: object) -> None:
    run = own_site.run()
    browser = own_site.browser(**{"X-Anonrun-Vouch": VOUCH, "Sec-Fetch-Site": "cross-site"})
    path = re.sub(r"\{\w+_id\}", run.run_id, operation.path)  # type: ignore[attr-defined]  # an Operation
    path = re.sub(r"\{\w+\}", "1", path)
    answer = browser.request(operation.method, path, json={})  # type: ignore[attr-defined]  # an Operation
    assert code(answer) == "cross_site"


def test_a_bearer_token_needs_no_origin(site: Site) -> None:
    run = site.run()
    assert site.api.delete(run.path, headers=bearer(run.write)).status_code == 204


@pytest.mark.parametrize("path", _PAGES)
@pytest.mark.parametrize("https", [True, False])
def test_every_page_carries_every_header(site: Site, path: str, *, https: bool) -> None:
    answer = site.browser(**({"X-Forwarded-Proto": "https"} if https else {})).get(path)
    assert answer.headers["content-type"].startswith("text/html")
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert not any("unsafe" in value or "http" in value or "*" in value for value in policy.values())
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert ("strict-transport-security" in answer.headers) == https


def test_robots_are_asked_to_stay_away_from_every_run(site: Site) -> None:
    rules = urllib.robotparser.RobotFileParser()
    rules.parse(site.api.get("/robots.txt").text.splitlines())
    assert not any(rules.can_fetch("anybot", f"{HOST}{path}") for path in (*_PAGES, "/api/v1/runs"))


def test_answers_of_the_api_are_kept_by_no_cache_and_read_by_no_other_site(site: Site) -> None:
    run = site.run()
    answer = site.api.get(run.path, headers=bearer(run.view) | {"Origin": "https://evil.example"})
    assert answer.headers["cache-control"] == "no-store"
    assert not any(name.startswith("access-control-") for name in answer.headers)


def cookies_set(answer: httpx.Response) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}


def exchange(site: Site, host: str, **headers: str) -> dict[str, str]:
    browser = site.browser(**headers)
    browser.base_url = httpx.URL(host)
    answer = browser.post("/api/v1/session/exchange", json={"token": site.run().view})
    assert answer.status_code == 200
    return cookies_set(answer)


def test_the_cookie_is_guarded_and_the_plain_one_is_for_loopback(site: Site) -> None:
    guarded, plain = f"__Host-anonrun_{site.db.instance}", f"anonrun_{site.db.instance}"
    found = exchange(site, "http://127.0.0.1")
    assert found.keys() == {guarded, plain}
    for flag in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert all(flag in line for line in found.values())
    assert "Secure" in found[guarded]
    assert "Domain" not in found[guarded]
    assert exchange(site, "http://lab.example").keys() == {guarded}
    assert exchange(site, "https://127.0.0.1").keys() == {guarded}
    assert exchange(site, "http://127.0.0.1", **{"X-Forwarded-Proto": "https"}).keys() == {guarded}


def test_the_plain_cookie_goes_once_the_guarded_one_has_come_back(site: Site) -> None:
    browser = site.browser()
    browser.post("/api/v1/session/exchange", json={"token": site.run().view})
    both = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
    answer = site.api.get("/api/v1/session", headers={"Cookie": both})
    assert "anonrun_" in (line := cookies_set(answer)[f"anonrun_{site.db.instance}"])
    assert "Max-Age=0" in line
    assert answer.json()["grants"]


def test_the_reference_changes_at_sign_in_and_the_old_one_counts_no_more(site: Site) -> None:
    site.user("ada")
    browser = site.browser()
    run = site.run()
    browser.post("/api/v1/session/exchange", json={"token": run.view})
    before = dict(browser.cookies)
    browser.post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD})
    assert set(before.values()).isdisjoint(dict(browser.cookies).values())
    stale = httpx.Client(transport=site.transport, base_url=HOST, cookies=before)
    assert stale.get("/api/v1/session").json()["grants"] == []
    assert browser.get(run.path).status_code == 200, "what the browser was let in to goes with it"


def test_a_reference_that_was_planted_is_not_signed_in(site: Site) -> None:
    site.user("ada")
    planted = "chosen-by-the-attacker"
    victim = site.browser()
    victim.cookies.set(f"anonrun_{site.db.instance}", planted)
    victim.post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD})
    attacker = site.browser()
    attacker.cookies.set(f"anonrun_{site.db.instance}", planted)
    assert attacker.get("/api/v1/session").json()["account"] is None


def test_reading_changes_nothing_and_sets_no_cookie(site: Site) -> None:
    run = site.run()
    browser = site.browser()
    for path in (*_PAGES, f"/r/{run.run_id}", "/api/v1/session", "/api/v1/runs", "/api/v1/server"):
        assert "set-cookie" not in browser.get(path).headers
    assert site.get(run).json()["anonymous"] is True


def test_jupyters_own_authorization_is_not_ours(own_site: Site) -> None:
    run = own_site.run()
    for value in ("token 0123456789abcdef", "Bearer 0123456789abcdef", "Basic YTpi"):
        headers = {"Authorization": value, "X-Anonrun-Vouch": VOUCH}
        assert own_site.api.get(run.path, headers=headers).status_code == 200


@pytest.mark.parametrize("secret", ["", "wrong", VOUCH[:-1], VOUCH + "x", "ü"])
def test_a_wrong_word_of_the_proxy_is_refused(own_site: Site, secret: str) -> None:
    headers = {"X-Anonrun-Vouch": secret.encode("latin-1")}
    assert code(own_site.api.get("/api/v1/runs", headers=headers)) == "token_invalid"  # type: ignore[arg-type]  # bytes are fine


def test_nobody_vouches_for_anyone_at_a_public_server(site: Site) -> None:
    run = site.run()
    assert site.api.get(run.path, headers={"X-Anonrun-Vouch": VOUCH}).status_code == 404


@pytest.mark.parametrize(
    ("raw", "prefix"),
    [
        ("/user/ada/anonrun", "/user/ada/anonrun"),
        ("/user/ada%40x/anonrun/", "/user/ada%40x/anonrun"),
        ("/", ""),
        ("//evil.example", ""),
        ("https://evil.example/", ""),
        ("/a/../b", ""),
        ('/a"onload="x', ""),
        ("/a<script>", ""),
        ("/a b", ""),
        ("/" + "a" * 600, ""),
        ("/a/b\\c", ""),
    ],
)
def test_a_prefix_is_a_path_or_nothing(raw: str, prefix: str) -> None:
    assert path_prefix({"x-forwarded-context": raw}) == prefix
    assert path_prefix({"x-proxycontextpath": raw}) == prefix


@given(st.text(max_size=80))
def test_no_prefix_can_leave_its_attribute(raw: str) -> None:
    prefix = path_prefix({"x-forwarded-context": raw})
    assert not set(prefix) & set("\"'<>&\\ \t\r\n")
    assert not prefix.startswith("//")


def test_one_secret_cannot_be_made_from_another(site: Site) -> None:
    """The same hash for two purposes would make a view link claim; it is refused."""
    run, key = site.new_run(), site.anonymous_key()
    tokens = run.request()["tokens"] | {"claim": sha(run.view)}
    answer = site.api.post("/api/v1/runs", json={"run_id": run.run_id, "tokens": tokens}, headers=bearer(key))
    assert code(answer) == "request_invalid"
    other = site.run(key)
    tokens = run.request()["tokens"] | {"claim": sha(other.view)}
    answer = site.api.post("/api/v1/runs", json={"run_id": run.run_id, "tokens": tokens}, headers=bearer(key))
    assert code(answer) == "token_exists"


def test_a_handover_works_once_and_for_five_minutes(site: Site) -> None:
    key = site.anonymous_key()

    def handover() -> str:
        token = mint(TokenKind.DEVICE)
        assert site.api.post("/api/v1/handovers", json={"token_hash": sha(token)}, headers=bearer(key)).is_success
        return token

    def enter(token: str) -> httpx.Response:
        return site.browser().post("/api/v1/session/exchange", json={"token": token})

    first, second, third = handover(), handover(), handover()
    assert (enter(first).status_code, code(enter(first))) == (200, "token_invalid")
    site.clock.forward(seconds=300, us=-1)
    assert enter(second).status_code == 200
    site.clock.forward(us=1)
    assert code(enter(third)) == "token_invalid"
    assert code(site.api.get("/api/v1/account", headers=bearer(handover()))) == "token_invalid", "no bearer token"
