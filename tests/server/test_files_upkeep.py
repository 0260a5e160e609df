"""Bodies that break off, pause or come twice at once, and files that were lost or changed behind the server's back."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import socket
import zipfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from anonrun.core.artifacts import MIN_PART_BYTES
from anonrun.server.problems import ProblemError
from anonrun.server.services.backups import back_up, restore
from anonrun.server.services.retention import sweep
from anonrun.server.services.uploads import Uploads
from anonrun.server.settings import settings_from
from anonrun.store import blobs
from anonrun.store.ledger import Ledger
from support.artifacts import begin, commit, digest_of, logged, new_artifact_id, request_of, send
from support.process import until
from support.script import run_command
from support.server import Server, anonrun_server, user_key
from support.site import MadeRun, Site, bearer, running_site


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return user_key(server)


@pytest.fixture
def run(server: Server, key: str) -> MadeRun:
    made = MadeRun(new_artifact_id())
    httpx.post(f"{server.url}/api/v1/runs", json=made.request(), headers=bearer(key)).raise_for_status()
    return made


def send_raw(server: Server, run: MadeRun, path: str, *, announced: int, sent: bytes) -> bytes:
    """Send a request whose body ends before what it announced; return what came back."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        head = f"PUT {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {run.write}\r\n"
        sock.sendall(f"{head}Content-Length: {announced}\r\n\r\n".encode() + sent)
        if sent:
            return b""
        came = b""
        while b"\r\n\r\n{" not in came and (more := sock.recv(4096)):
            came += more
        return came


def test_what_came_before_a_connection_broke_stays_and_an_oversized_body_is_not_read(
    server: Server, run: MadeRun
) -> None:
    data = secrets.token_bytes(3 * MIN_PART_BYTES)
    with httpx.Client(base_url=server.url) as api:
        request = request_of({"big": data})
        begin(api, run, request)
        path = f"{run.path}/artifacts/{request['artifact_id']}/uploads/{digest_of(data)}"
        too_large = send_raw(server, run, path, announced=len(data) + 1, sent=b"")
        assert b"413" in too_large
        assert b"body_too_large" in too_large

        def offset() -> int:
            return int(api.get(path, headers=bearer(run.write)).json()["offset"])

        assert offset() == 0
        send_raw(server, run, path, announced=len(data), sent=data[: 2 * MIN_PART_BYTES])
        until(offset)
        at = offset()
        assert MIN_PART_BYTES <= at <= 2 * MIN_PART_BYTES
        assert send(api, run, request["artifact_id"], digest_of(data), data[at:], offset=at).json()["stored"]
        assert commit(api, run, request["artifact_id"]).status_code == 200


def test_the_same_bytes_sent_by_many_at_once_are_stored_once(server: Server, key: str, run: MadeRun) -> None:
    data = secrets.token_bytes(2 * MIN_PART_BYTES)

    def log(n: int) -> str:
        with httpx.Client(base_url=server.url, timeout=60) as api:
            request = request_of({"same": data}, name=f"by-{n}")
            assert begin(api, run, request).status_code == 201
            path = f"{run.path}/artifacts/{request['artifact_id']}/uploads/{digest_of(data)}"
            state = api.get(path, headers=bearer(run.write)).json()
            while not state["stored"]:
                at = state["offset"]
                send(api, run, request["artifact_id"], digest_of(data), data[at:], offset=at)
                state = api.get(path, headers=bearer(run.write)).json()
            assert commit(api, run, request["artifact_id"]).status_code == 200
            return str(request["artifact_id"])

    with ThreadPoolExecutor(6) as threads:
        ids = list(threads.map(log, range(6)))
    for artifact_id in ids:
        got = httpx.get(f"{server.url}/api/v1/artifacts/{artifact_id}/files/0", headers=bearer(key))
        assert got.content == data
    said = json.loads(run_command("gc", "--json", data_dir=server.data_dir).stdout)
    assert said["stray_files"] == 0
    kept = [path for path in (server.data_dir / "server" / "files").rglob(f"{digest_of(data)}*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) == len(data)


def test_a_body_that_pauses_is_given_up_and_leaves_nothing(site: Site) -> None:
    key = site.user_key(site.user("ada"))
    run = site.run(key)
    data = bytes(2 * MIN_PART_BYTES)
    begin(site.api, run, request_of({"a": data}))
    found = site.db.read_now(lambda tx: blobs.find(tx, 1, bytes.fromhex(digest_of(data))))
    assert found is not None

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 100
        await asyncio.Event().wait()

    uploads = Uploads(site.db, site.core.objects, silence_s=0.05)
    with pytest.raises(ProblemError) as refused:
        asyncio.run(uploads.receive(found, 0, slow(), None))
    assert refused.value.code == "body_too_slow"
    assert site.db.read_now(lambda tx: blobs.parts(tx, found.blob_id)) == []
    removable = site.db.read_now(lambda tx: blobs.removable(tx, 10))
    assert [blob_id for blob_id, _ in removable] == [found.blob_id]


@pytest.mark.databases("sqlite")
def test_a_check_names_files_that_are_lost_or_changed_and_a_backup_says_what_it_lacks(
    site: Site, tmp_path: Path
) -> None:
    run = site.run(site.user_key(site.user("ada")))
    logged(site.api, run, {"a": b"first", "b": b"second"})
    settings = {"data_dir": tmp_path / "lab"}
    (tmp_path / "lab" / "server").mkdir(parents=True)
    back_up(tmp_path / "test.db", tmp_path / "lab" / "server" / "anonrun.db")
    (tmp_path / "server" / "files").rename(tmp_path / "lab" / "server" / "files")
    sound = json.loads(run_command("admin", "check", "--read-files", "--json", **settings).stdout)
    assert (sound["files"], sound["objects"], sound["faults"]) == (2, 2, [])
    said = run_command("admin", "backup", str(tmp_path / "b.db"), **settings)
    assert "The files of artifacts are not in it." in said.stderr
    files = {path.read_bytes(): path for path in (tmp_path / "lab" / "server" / "files").rglob("*") if path.is_file()}
    files[b"first"].write_bytes(b"FIRST")
    assert json.loads(run_command("admin", "check", "--json", **settings).stdout)["faults"] == []
    files[b"second"].unlink()
    bad = run_command("admin", "check", "--read-files", check=False, **settings)
    assert bad.returncode == 1
    assert f"BAD file {digest_of(b'first')}: what is stored is not what was uploaded" in bad.stdout
    assert f"BAD file {digest_of(b'second')}: 1 of its objects are lost, or cut off" in bad.stdout


def test_a_restore_brings_back_no_version_that_was_deleted_since(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with running_site(folder) as site:
        key = site.user_key(site.user("ada"))
        run = site.run(key)
        gone, kept = (logged(site.api, run, {"f": name.encode()}, name=name) for name in ("gone", "kept"))
        back_up(folder / "server" / "anonrun.db", tmp_path / "b.db")
        path = f"/api/v1/artifacts/{gone['artifact_id']}"
        assert site.api.delete(path, headers=bearer(key)).status_code == 204
        ledger = Ledger(site.core.settings.ledger)
        asyncio.run(sweep(site.db, ledger=ledger, objects=site.core.objects))
        assert len(ledger.hashes()) == 1
    restored = restore(settings_from({}, default_data_dir=folder), tmp_path / "b.db")
    assert (restored.report.faults, restored.report.files) == ([], 1)
    with running_site(folder) as site:
        for info, status in ((gone, 404), (kept, 200)):
            answer = site.api.get(f"/api/v1/artifacts/{info['artifact_id']}/files/0", headers=bearer(key))
            assert answer.status_code == status
    checked = json.loads(run_command("admin", "check", "--read-files", "--json", data_dir=folder).stdout)
    assert checked["faults"] == []


def test_all_that_an_account_has_includes_its_files(site: Site) -> None:
    ada = site.user("ada")
    run = site.run(site.user_key(ada), id="mine")
    logged(site.api, run, {"deep/model.pt": b"weights", "empty": b""}, name="model")
    archive = zipfile.ZipFile(io.BytesIO(ada.get("/api/v1/account/export").content))
    names = [name for name in archive.namelist() if "/artifacts/" in name]
    folder = f"runs/uncategorized/mine-{run.run_id}/artifacts/model-v0"
    assert names == [f"{folder}/deep/model.pt", f"{folder}/empty"]
    assert [archive.read(name) for name in names] == [b"weights", b""]
