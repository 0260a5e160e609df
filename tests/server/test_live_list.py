"""The stream of a list of runs: that it has changed, and nothing else."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from pathlib import Path

import httpx

from anonrun.core.ids import new_run_id
from anonrun.core.tokens import TokenKind, mint
from anonrun.server.services.live import Hub
from support.process import embedded_server, following, until
from support.site import MadeRun, bearer, segment, sha


def _account(api: httpx.Client) -> str:
    key = mint(TokenKind.API_KEY)
    api.post("/api/v1/accounts/anonymous", json={"key_hash": sha(key)}).raise_for_status()
    return key


def test_an_account_hears_of_its_own_runs_and_of_no_others(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server, httpx.Client(base_url=server.base()) as api:
        mine, other = _account(api), _account(api)
        run = MadeRun(str(new_run_id(time.time_ns() // 1_000_000, secrets.token_bytes(10))))
        changes = [
            lambda: api.post("/api/v1/runs", json=run.request(), headers=bearer(mine)),
            lambda: api.post(f"{run.path}/segments", content=segment([1.0]), headers=bearer(run.write)),
            lambda: api.patch(run.path, json={"name": "renamed"}, headers=bearer(run.write)),
            lambda: api.delete(run.path, headers=bearer(run.write)),
        ]
        url = f"{server.base()}/api/v1/live"
        with following(url, mine) as heard, following(url, other) as elsewhere:
            until(lambda: heard and elsewhere)  # news come from now on
            for number, change in enumerate(changes, start=1):
                assert change().is_success
                until(lambda number=number: heard.count("event: runs") == number)
            server.process.terminate()
        assert [line for line in elsewhere if line.startswith("event")] == []
        assert {line for line in heard if line} == {": still here", "event: runs", "data: {}", "ended"}


def test_a_watcher_remembers_of_which_runs_there_was_news_and_at_last_that_it_was_many() -> None:
    async def watched() -> None:
        hub = Hub()
        first, others = uuid.UUID(int=1), [uuid.UUID(int=number) for number in range(2, 1_003)]
        with hub.watch() as watcher:
            hub.publish(first)
            hub.publish(first)
            assert await watcher.heard(5)
            assert watcher.take() == {first}
            assert watcher.take() == frozenset()
            hub.hear(others)
            assert watcher.take() is None, "as many as that may be any"
            hub.hear(None)
            assert await watcher.heard(5)
            assert watcher.take() is None
        hub.publish(first)
        assert (watcher.take(), len(hub)) == (frozenset(), 0), "it has left"

    asyncio.run(watched())
