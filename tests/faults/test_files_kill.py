"""`kill -9` of the server while files arrive and while they are removed: nothing is lost, dangles, or is left over.

ANONRUN_TEST_KILLS sets the number of rounds; without it there are few.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from anonrun.core.artifacts import MIN_PART_BYTES
from anonrun.server.services.files import objects_of
from anonrun.server.settings import settings_from
from anonrun.store.database import Database
from support.artifacts import S3_SETTINGS, begin, bucket_service, commit, digest_of, new_artifact_id, send
from support.process import until
from support.script import run_command
from support.server import anonrun_server, later, user_key
from support.site import MadeRun, bearer

_ROUNDS = int(os.environ.get("ANONRUN_TEST_KILLS") or 3)
_UNREACHED = (httpx.TransportError,)


@pytest.fixture(params=["folder", "bucket"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where the server keeps files, as its environment says; sweeps are many."""
    more = {"ANONRUN_SWEEP_INTERVAL_S": "0.05"}
    if request.param == "folder":
        yield more
        return
    with bucket_service(tmp_path) as url:
        settings = {**S3_SETTINGS, "s3_endpoint": url}
        yield more | {f"ANONRUN_{name.upper()}": value for name, value in settings.items()}


class Uploader(threading.Thread):
    """Logs one version after another, each until it is there, whatever happens to the server."""

    def __init__(self, base: dict[str, str], run: MadeRun, seed: int) -> None:
        super().__init__(daemon=True)
        self.base, self.run_, self.random = base, run, random.Random(seed)
        self.ended = threading.Event()
        self.done: dict[str, dict[str, bytes]] = {}

    def run(self) -> None:
        while not self.ended.is_set():
            files = {f"{n}.bin": self.random.randbytes(self.random.randrange(3 * MIN_PART_BYTES)) for n in range(2)}
            listed = [{"path": p, "size_bytes": len(data), "digest": digest_of(data)} for p, data in files.items()]
            request = {"artifact_id": new_artifact_id(), "name": "weights", "type": "t", "files": listed}
            while not self.ended.is_set():
                with contextlib.suppress(*_UNREACHED):
                    self.log(request, files)
                    self.done[request["artifact_id"]] = files
                    break

    def log(self, request: dict[str, Any], files: dict[str, bytes]) -> None:
        with httpx.Client(base_url=self.base["url"], timeout=30) as api:
            info = begin(api, self.run_, request)
            assert info.status_code in {200, 201}, info.text
            for data in files.values():
                digest = digest_of(data)
                path = f"{self.run_.path}/artifacts/{request['artifact_id']}/uploads/{digest}"
                state = api.get(path, headers=bearer(self.run_.write)).json()
                while not state["stored"]:
                    at = state["offset"]
                    sent = send(
                        api, self.run_, request["artifact_id"], digest, data[at : at + MIN_PART_BYTES], offset=at
                    )
                    state = (
                        sent.json()
                        if sent.status_code == 200
                        else api.get(path, headers=bearer(self.run_.write)).json()
                    )
            done = commit(api, self.run_, request["artifact_id"])
            assert done.status_code == 200, done.text


def remove_some(
    url: str, key: str, uploaders: list[Uploader], kept: dict[str, dict[str, bytes]], chance: random.Random
) -> int:
    """Delete half of what has been logged since, while more comes; return how many versions."""
    gone = 0
    for uploader in uploaders:
        for artifact_id in list(uploader.done):
            if artifact_id not in kept and chance.random() < 0.5:
                answer = httpx.delete(f"{url}/api/v1/artifacts/{artifact_id}", headers=bearer(key))
                assert answer.status_code == 204
                uploader.done.pop(artifact_id)
                gone += 1
            else:
                kept[artifact_id] = uploader.done[artifact_id]
    return gone


def assert_whole(url: str, key: str, kept: dict[str, dict[str, bytes]]) -> None:
    for artifact_id, files in kept.items():
        info = httpx.get(f"{url}/api/v1/artifacts/{artifact_id}", headers=bearer(key)).json()
        for number, file in enumerate(info["files"]):
            path = f"{url}/api/v1/artifacts/{artifact_id}/files/{number}"
            assert httpx.get(path, headers=bearer(key)).content == files[file["path"]]


def objects_left(data_dir: Path, environment: dict[str, str]) -> list[str]:
    """Return what is in the folder or bucket."""
    settings = settings_from(environment, default_data_dir=data_dir)

    async def listed() -> list[str]:
        db = Database.open(settings.database)
        objects = objects_of(settings, db.instance)
        found = [one.key async for batch in objects.listed() for one in batch]
        await objects.close()
        db.close()
        return found

    return asyncio.run(listed())


def test_a_kill_at_any_point_loses_no_file_and_leaves_none_behind(tmp_path: Path, environment: dict[str, str]) -> None:
    data_dir = tmp_path / "data"
    base: dict[str, str] = {}
    chance = random.Random(7)
    key, uploaders, kept, gone = "", [], dict[str, dict[str, bytes]](), 0
    for _ in range(_ROUNDS):
        with anonrun_server(data_dir, **environment) as server:
            base["url"] = server.url
            if not key:
                key = user_key(server)
                for seed in range(2):
                    run = MadeRun(new_artifact_id())
                    httpx.post(f"{server.url}/api/v1/runs", json=run.request(), headers=bearer(key)).raise_for_status()
                    uploaders.append(Uploader(base, run, seed))
                for uploader in uploaders:
                    uploader.start()
            wanted = sum(len(uploader.done) for uploader in uploaders) + chance.randrange(1, 3)
            until(lambda: sum(len(uploader.done) for uploader in uploaders) >= wanted, within_s=60)  # noqa: B023  asked at once
            gone += remove_some(server.url, key, uploaders, kept, chance)
            threading.Event().wait(chance.random() * 0.2)  # so that the kill falls anywhere in uploads and sweeps
            os.kill(server.pid, signal.SIGKILL)
    for uploader in uploaders:
        uploader.ended.set()
    with anonrun_server(data_dir, **environment) as server:
        base["url"] = server.url
        for uploader in uploaders:
            uploader.join(60)
            kept |= uploader.done
        assert_whole(server.url, key, kept)
    checked = json.loads(
        run_command("admin", "check", "--read-files", "--json", data_dir=data_dir, **environment).stdout
    )
    assert checked["faults"] == []
    assert gone
    assert len(kept) >= _ROUNDS // 2
    with anonrun_server(data_dir, **environment) as server:
        for uploader in uploaders:
            assert httpx.delete(f"{server.url}{uploader.run_.path}", headers=bearer(key)).status_code == 204
    # What was arriving at a kill waits for a day before it counts as given up.
    in_two_days = environment | later(timedelta(days=2))
    run_command("gc", "--json", data_dir=data_dir, **in_two_days)
    said = json.loads(run_command("gc", "--dry-run", "--json", data_dir=data_dir, **in_two_days).stdout)
    assert said["stray_files"] == 0
    assert objects_left(data_dir, environment) == []
