"""Logging files with a run of an account and getting them back, by scripts as users write them and a real server."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

import anonrun
from anonrun.client.access import Access
from anonrun.client.api_artifact import ApiArtifact
from anonrun.client.artifact import Artifact
from anonrun.client.remote import Remote
from anonrun.client.transport import Request, Response
from anonrun.core.artifacts import ArtifactFile, ArtifactInfo
from anonrun.core.messages import to_json
from anonrun.core.times import parse_time
from anonrun.errors import DamagedDataError, NotFoundError, UsageError
from support.process import until
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server, user_key


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return user_key(server)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def as_user(server: Server, key: str) -> dict[str, str]:
    return {"ANONRUN_SERVER": server.url, "ANONRUN_API_KEY": key}


def script(*lines: str, project: str) -> str:
    return "\n".join(["import anonrun", f"run = anonrun.init(project={project!r})", *lines])


def test_what_a_run_logs_comes_back_byte_by_byte(server: Server, key: str, home: Path, tmp_path: Path) -> None:
    data = random.Random(1).randbytes(9_000_001)
    (home / "weights.pt").write_bytes(data)
    (home / "data" / "sub").mkdir(parents=True)
    (home / "data" / "sub" / "a.txt").write_text("a")
    (home / "data" / "empty").write_bytes(b"")
    done = run_script(
        script(
            "model = anonrun.Artifact('model', type='model', description='first', metadata={'epochs': 3})",
            "model.add_file('weights.pt').add_dir('data', name='inputs')",
            "run.log({'loss': 1.0})",
            "assert run.log_artifact(model, aliases=['best']) is model",
            "assert anonrun.log_artifact('weights.pt', name='alone', type='model').name == 'alone'",
            "run.finish()",
            "print(model.version, anonrun.Artifact('x').version)",
            project="back",
        ),
        home,
        **as_user(server, key),
    )
    assert done.stdout.split() == ["v0", "None"]
    api = anonrun.Api(server.url, api_key=key)
    found = api.artifact("back/model:best")
    assert (found.name, found.type, found.aliases) == ("model:v0", "model", ["latest", "best"])
    assert (found.metadata, found.info.description) == ({"epochs": 3}, "first")
    folder = found.download(tmp_path / "got")
    written = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert written == {"weights.pt": data, "inputs/sub/a.txt": b"a", "inputs/empty": b""}
    (folder / "weights.pt").write_bytes(b"something else")
    found.download(folder)
    assert (folder / "weights.pt").read_bytes() == data
    assert {one.name for one in api.artifacts("back")} == {"model:v0", "alone:v0"}
    assert not list((home / "spool").glob("*"))
    with pytest.raises(NotFoundError, match="no artifact"):
        api.artifact("back/model:v7")
    with pytest.raises(UsageError, match="needs its project"):
        api.artifact("model")
    api.close()


def test_a_run_uses_what_another_has_logged(server: Server, key: str, home: Path) -> None:
    (home / "d.csv").write_text("1,2")
    mine = as_user(server, key)
    run_script(script("run.log_artifact('d.csv', name='data', type='dataset')", project="use"), home, **mine)
    done = run_script(
        script(
            "data = run.use_artifact('data:latest')",
            "print(data.name, (data.download() / 'd.csv').read_text())",
            "print(run.run_id)",
            project="use",
        ),
        home,
        **mine,
    )
    name, text, run_id = done.stdout.split()
    assert (name, text) == ("data:v0", "1,2")
    headers = {"Authorization": f"Bearer {key}"}
    told = httpx.get(f"{server.url}/api/v1/runs/{run_id}/artifacts", headers=headers).json()
    assert [one["name"] for one in told["used"]] == ["data"]


def test_an_anonymous_run_warns_and_keeps_the_file_where_it_is(server: Server, home: Path) -> None:
    (home / "model.bin").write_bytes(b"x")
    done = run_script(
        script(
            "assert run.log_artifact('model.bin') is None",
            "assert run.log_artifact(anonrun.Artifact('m').add_file('model.bin')) is None",
            "assert run.use_artifact('m:latest') is None",
            project="anonymous",
        ),
        home,
        ANONRUN_SERVER=server.url,
    )
    assert done.stderr.count("anonymous run") == 3
    assert (home / "model.bin").read_bytes() == b"x"


def test_a_training_does_not_end_over_a_file_that_is_not_there(server: Server, key: str, home: Path) -> None:
    done = run_script(
        script(
            "assert run.log_artifact('nowhere.bin') is None",
            "run.log({'a': 1})",
            "run.finish()",
            "assert run.log_artifact('.') is None",
            project="absent",
        ),
        home,
        **as_user(server, key),
    )
    assert "There is no file" in done.stderr
    assert "The run is finished; '.' was not logged." in done.stderr
    assert not list((home / "spool").glob("*"))
    for call in ("run.log_artifact('.', name='a b')", "run.log_artifact('.', aliases=['v3'])"):
        failed = run_script(script(call, project="absent"), home, check=False, **as_user(server, key))
        assert "UsageError" in failed.stderr


@pytest.mark.parametrize("what", ["changed", "gone"])
def test_a_file_that_is_no_more_what_was_logged_is_not_uploaded(
    server: Server, key: str, home: Path, what: str
) -> None:
    path = home / "weights.pt"
    path.write_bytes(b"as it was logged")
    run_script(
        script("run.log_artifact('weights.pt', name='w')", project=what),
        home,
        ANONRUN_MODE="offline",
        **as_user(server, key),
    )
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(b"as it is now by n")
    done = run_command("sync", data_dir=home, check=False, **as_user(server, key))
    said = done.stdout + done.stderr
    assert "Artifact w was not uploaded" in said
    assert ("has changed" if what == "changed" else "cannot be read") in said
    api = anonrun.Api(server.url, api_key=key)
    assert api.artifacts(what) == []
    assert len(api.runs(what)) == 1
    api.close()


def test_an_upload_survives_the_kill_of_the_training(server: Server, key: str, home: Path) -> None:
    data = random.Random(2).randbytes(60_000_000)
    (home / "big.bin").write_bytes(data)
    source = script(
        "run.log_artifact('big.bin', name='big')", "print('logged', flush=True)", "run.finish()", project="kill"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", source], env=environment(home, **as_user(server, key)), cwd=home, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"logged\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert list((home / "spool").glob("*/artifacts/*.json"))
    run_command("sync", data_dir=home, **as_user(server, key))
    api = anonrun.Api(server.url, api_key=key)
    folder = api.artifact("kill/big:v0").download(home / "got")
    assert hashlib.sha256((folder / "big.bin").read_bytes()).digest() == hashlib.sha256(data).digest()
    api.close()
    assert not list((home / "spool").glob("*"))


def test_the_server_may_be_killed_while_a_file_is_uploaded(tmp_path: Path, home: Path) -> None:
    data = random.Random(3).randbytes(80_000_000)
    (home / "big.bin").write_bytes(data)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(anonrun_server(tmp_path / "server"))
        key = user_key(first)
        source = script("run.log_artifact('big.bin', name='big')", "run.finish()", project="kill")
        process = subprocess.Popen(
            [sys.executable, "-c", source], env=environment(home, **as_user(first, key)), cwd=home
        )
        until(lambda: [path for path in (tmp_path / "server" / "server" / "files").rglob("*") if path.is_file()])
        os.kill(first.pid, signal.SIGKILL)
        port = int(first.url.rpartition(":")[2])
        again = stack.enter_context(anonrun_server(tmp_path / "server", port=port))
        assert process.wait(60) == 0
        run_command("sync", data_dir=home, **as_user(again, key))
        api = anonrun.Api(again.url, api_key=key)
        folder = api.artifact("kill/big:latest").download(home / "got")
        assert (folder / "big.bin").read_bytes() == data
        api.close()


def test_the_command_lists_gets_and_deletes(server: Server, key: str, home: Path) -> None:
    (home / "a.txt").write_text("hello")
    mine = as_user(server, key)
    run_script(script("run.log_artifact('a.txt', name='note', aliases='first')", project="command"), home, **mine)
    listed = json.loads(run_command("artifact", "ls", "--project", "command", "--json", data_dir=home, **mine).stdout)
    assert [(one["name"], one["version"], one["aliases"]) for one in listed] == [("note", "v0", ["latest", "first"])]
    assert "command/note:v0" in run_command("artifact", "ls", data_dir=home, **mine).stdout
    run_command("artifact", "get", "command/note:first", "--to", str(home / "got"), data_dir=home, **mine)
    assert (home / "got" / "a.txt").read_text() == "hello"
    run_command("artifact", "delete", "command/note:v0", "--yes", data_dir=home, **mine)
    assert run_command("artifact", "get", "command/note:v0", data_dir=home, check=False, **mine).returncode == 1


class _Hostile:
    """A server that answers every request for a file with the same bytes, and says of an artifact what it likes."""

    def __init__(self, info: ArtifactInfo, data: bytes) -> None:
        self._info, self._data = info, data

    def send(self, request: Request) -> Response:
        if "/files/" in request.path:
            assert request.part is not None
            return Response(206, {}, self._data[slice(*request.part)])
        return Response(200, {}, json.dumps(to_json(self._info)).encode())

    def close(self) -> None:
        """Nothing is open."""


def _artifact(paths: Mapping[str, bytes], sent: bytes) -> ApiArtifact:
    files = [
        ArtifactFile(path=path, size_bytes=len(data), digest=hashlib.sha256(data).hexdigest())
        for path, data in paths.items()
    ]
    info = ArtifactInfo(
        artifact_id="0192f7d0-5b1c-7cc3-98c4-dc0c0c07398f", run_id="x", project="p", name="a", type="t", version="v0",
        aliases=[], digest="", file_count=len(files), size_bytes=0, created_at=parse_time("2026-01-01T00:00:00Z"),
        files=files,
    )  # fmt: skip
    return ApiArtifact(Access("http://x", "key", "given", Remote(_Hostile(info, sent))), info)


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "C:/evil", "a//b", "x\0y"])
def test_a_server_cannot_write_outside_of_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError):
        _artifact({path: b"evil"}, b"evil").download(tmp_path / "got")
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == []


def test_a_link_in_the_folder_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "got").mkdir()
    (tmp_path / "got" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="leads out of"):
        _artifact({"link/evil": b"evil"}, b"evil").download(tmp_path / "got")
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_is_not_what_was_logged_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"before")
    with pytest.raises(DamagedDataError):
        _artifact({"a": b"right"}, b"wrong").download(tmp_path)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"before")]


def test_an_artifact_is_checked_where_it_is_made(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    made = Artifact("m", type="model").add_file(tmp_path / "f", name="deep/er/f")
    assert made.files == {"deep/er/f": tmp_path / "f"}
    wrong: list[Any] = [
        lambda: Artifact("a b"),
        lambda: Artifact("m", type=""),
        lambda: made.add_file(tmp_path / "absent"),
        lambda: made.add_dir(tmp_path / "f"),
        lambda: made.add_file(tmp_path / "f", name="../f"),
    ]
    for call in wrong:
        with pytest.raises(UsageError):
            call()
