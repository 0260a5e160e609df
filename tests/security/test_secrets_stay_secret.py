"""Canaries: every secret of a whole story is looked for in everything that the server writes or says."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from anonrun.core.tokens import TokenKind, mint
from anonrun.server.logs import JsonFormatter
from support.site import Site, bearer, segment, sha


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(before)


def test_no_secret_is_in_the_log_the_database_or_an_answer(site: Site, log: io.StringIO) -> None:
    key = site.anonymous_key()
    run = site.run(key)
    share, unknown = mint(TokenKind.SHARE), mint(TokenKind.VIEW)
    said: list[str] = []
    api = site.api
    api.event_hooks["response"] = [lambda answer: said.append(answer.read().decode("latin-1") + str(answer.headers))]
    site.send(run, segment([1.0]))
    api.post(f"{run.path}/links", json={"token_hash": sha(share), "label": share}, headers=bearer(run.write))
    # Mistakes that put a secret where it does not belong.
    api.get(f"/r/{run.run_id}?v={run.view}&c={run.claim}")
    api.get(f"/api/v1/runs/{run.claim}")
    api.get(f"{run.path}/series?metric={run.write}", headers=bearer(run.view))
    api.get(f"/nowhere/{key}", headers=bearer(unknown))
    api.post("/api/v1/runs", json={"run_id": run.claim}, headers=bearer(key))
    api.post("/api/v1/runs", json={"tokens": run.write}, headers=bearer(key))
    api.get(f"{run.path}/writers/{run.write}", headers=bearer(run.write))
    api.get(f"{run.path}/sampled?points={run.claim}", headers=bearer(run.view))
    browser = site.user("ada")
    browser.post("/api/v1/session/exchange", json={"token": run.view})
    assert site.claim(run, browser).status_code == 200
    api.get(run.path, headers=bearer(run.view))
    secrets = [key, run.write, run.view, run.claim, unknown]
    stored = b"".join(path.read_bytes() for path in site.core.settings.server_dir.glob("*"))
    for secret in secrets:
        assert secret not in log.getvalue()
        assert secret.encode() not in stored
        assert not any(secret in text for text in said)
    assert "anr_*_[redacted]" in log.getvalue(), "the mistakes above must have reached the log"
    assert all(json.loads(line) for line in log.getvalue().splitlines())


def test_a_failure_of_ours_says_nothing_of_itself_and_is_in_the_log(site: Site, log: io.StringIO) -> None:
    secret = mint(TokenKind.CLAIM)

    class Broken:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(f"broken by {secret}")

    site.app.state.core, core = Broken(), site.app.state.core
    answer = site.api.get("/api/v1/server")
    site.app.state.core = core
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "broken" not in answer.text
    assert secret not in answer.text + log.getvalue()


def test_an_exception_in_a_log_is_redacted_too() -> None:
    secret = mint(TokenKind.WRITE)
    try:
        raise ValueError(secret)  # noqa: TRY301  an exception as it happens
    except ValueError:
        import sys

        record = logging.LogRecord("x", logging.ERROR, "f", 1, "about %s", (secret,), sys.exc_info())
    line = JsonFormatter().format(record)
    assert secret not in line
    assert "ValueError" in json.loads(line)["exception"]
