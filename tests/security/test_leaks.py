"""A secret that was found in public is ended by whoever found it, and nothing is said about any other."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest

from anonrun.core.tokens import TOKEN_PATTERN, TokenKind, mint
from anonrun.store import audit
from support.site import Site, bearer, code, segment, sha

_ROOT = Path(__file__).parent.parent.parent


def report(site: Site, token: str) -> tuple[int, bytes]:
    answer = site.api.post("/api/v1/tokens/report-leak", json={"token": token})
    return answer.status_code, answer.content


@pytest.mark.parametrize("kind", ["key", "write", "view", "claim", "share"])
def test_whoever_finds_a_secret_ends_it_and_no_other(site: Site, kind: str) -> None:
    key = site.anonymous_key()
    run = site.run(key)
    site.send(run, segment([1.0]))
    share = mint(TokenKind.SHARE)
    site.api.post(f"{run.path}/links", json={"token_hash": sha(share)}, headers=bearer(run.write))
    tokens = {"key": key, "write": run.write, "view": run.view, "claim": run.claim, "share": share}
    reader = site.browser()
    reader.post("/api/v1/session/exchange", json={"token": run.view})
    assert report(site, tokens[kind]) == (204, b"")
    works = {
        "key": site.api.get("/api/v1/account", headers=bearer(key)).is_success,
        "write": site.send(run, segment([2.0], seq=1)).is_success,
        "view": site.get(run).is_success,
        "claim": site.browser().post("/api/v1/session/exchange", json={"token": run.claim}).is_success,
        "share": site.get(run, token=share).is_success,
    }
    assert works == {name: name != kind for name in tokens}
    assert reader.get(run.path).is_success == (kind != "view")
    assert code(site.get(run, token=tokens[kind])) == "token_invalid"
    assert report(site, tokens[kind]) == (204, b""), "again is as once"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("anr_v_half", id="half"),
        pytest.param(mint(TokenKind.VIEW), id="unknown"),
        pytest.param("x" * 5_000, id="long"),
    ],
)
def test_what_is_no_secret_of_ours_gets_the_same_answer(site: Site, token: str) -> None:
    assert report(site, token) == (204, b"")


def test_a_report_is_in_the_audit_without_the_secret(site: Site) -> None:
    run = site.run()
    report(site, run.view)
    events = site.db.read_now(lambda tx: audit.events(tx, uuid.UUID(run.run_id)))
    assert [(event.kind, event.reason) for event in events] == [("leaked", "v")]


def test_the_published_rule_finds_every_kind_and_nothing_shorter() -> None:
    rule = re.search(r"^regex = '''(.+)'''$", (_ROOT / "docs" / "secrets.md").read_text(), re.MULTILINE)
    assert rule is not None
    found = re.compile(rule[1])
    for kind in TokenKind:
        token = mint(kind)
        assert found.search(f'"link": "https://x.example/r/1#v={token}"')
        assert TOKEN_PATTERN.fullmatch(token)
        assert not found.search(token[:-1])
