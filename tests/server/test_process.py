"""The server as a process: how it starts, is found, stops, and what a kill leaves."""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from anonrun.core.ids import new_run_id
from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import decode_all
from support.process import embedded_server, following, until
from support.script import environment
from support.site import MadeRun, bearer, segment, sha


def made_run(base: str) -> MadeRun:
    key = mint(TokenKind.API_KEY)
    httpx.post(f"{base}/api/v1/accounts/anonymous", json={"key_hash": sha(key)}).raise_for_status()
    run = MadeRun(str(new_run_id(time.time_ns() // 1_000_000, mint(TokenKind.VIEW)[6:16].encode())))
    httpx.post(f"{base}/api/v1/runs", json=run.request(), headers=bearer(key)).raise_for_status()
    return run


def series(base: str, run: MadeRun) -> list[float]:
    answer = httpx.get(f"{base}{run.path}/series", headers=bearer(run.view)).raise_for_status()
    return [value for s in decode_all(answer.content) for frame in s.frames for value in frame.columns[0]]


def test_the_state_file_says_where_it_is_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        server.base()
        path = tmp_path / "server" / "state.json"
        assert server.state().keys() == {"pid", "port", "instance", "vouch", "version", "started_at"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for file in (tmp_path / "server").iterdir():
            assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file
        with socket.create_connection(("127.0.0.1", server.state()["port"])) as sock:
            assert sock.getpeername()[0] == "127.0.0.1"


def test_of_several_that_start_at_once_one_serves_and_the_others_leave(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(embedded_server(tmp_path)) for _ in range(3)]
        until(lambda: sum(server.process.poll() is None for server in servers) == 1)
        (serving,) = [server for server in servers if server.process.poll() is None]
        assert serving.base()
        assert [server.process.returncode for server in servers if server is not serving] == [0, 0]


def test_it_comes_back_at_the_same_port_with_the_same_instance_and_another_secret(tmp_path: Path) -> None:
    states = []
    for _ in range(2):
        with embedded_server(tmp_path) as server:
            server.base()
            states.append(server.state())
    assert states[0]["port"] == states[1]["port"]
    assert states[0]["instance"] == states[1]["instance"]
    assert states[0]["vouch"] != states[1]["vouch"]


def test_a_port_in_use_makes_an_embedded_server_take_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "server").mkdir()
        (tmp_path / "server" / "state.json").write_text(json.dumps({"pid": 1, "port": taken.getsockname()[1]}))
        with embedded_server(tmp_path) as server:
            assert not server.base().endswith(f":{taken.getsockname()[1]}")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"port": "x"}', '{"port": 99999}', "\x00\xff"])
def test_a_corrupt_state_file_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "state.json").write_text(content)
    command = [sys.executable, "-m", "anonrun", "server", "--embedded", "--data-dir", str(tmp_path)]
    process = subprocess.Popen(command, env=environment(tmp_path))
    path = tmp_path / "server" / "state.json"
    try:
        until(lambda: str(process.pid) in path.read_text(errors="replace"))
    finally:
        process.terminate()
        process.wait(10)


def run_server(folder: Path, *flags: str, home: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "anonrun", "server", "--data-dir", str(folder), *flags],
        env=environment(home or folder, **more),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_public_server_says_that_its_port_is_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_server(tmp_path, "--port", str(taken.getsockname()[1]))
    assert done.returncode != 0
    assert "Cannot listen on 127.0.0.1 port" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_public_server_says_that_there_is_one(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        server.base()
        done = run_server(tmp_path, "--port", "0")
    assert done.returncode != 0
    assert "A server already uses" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run_server(tmp_path / "file" / "below", "--port", "0", home=tmp_path)
    assert done.returncode != 0
    assert "cannot be used" in done.stderr
    assert "--data-dir" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("ANONRUN_RETENTION_DAYS", "0"), ("ANONRUN_RETENTION_DAYS", "soon"), ("ANONRUN_SIGN_UP", "maybe")],
)
def test_a_setting_that_cannot_be_meant_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = run_server(tmp_path, "--port", "0", **{name: value})
    assert done.returncode == 2
    assert name in done.stderr


def test_it_exits_when_nobody_has_asked_for_long(tmp_path: Path) -> None:
    with embedded_server(tmp_path, ANONRUN_IDLE_EXIT_S="0.5") as server:
        until(lambda: server.process.poll() is not None)
        assert server.process.returncode == 0
        assert (tmp_path / "server" / "anonrun.db").exists()
        assert not (tmp_path / "server" / "anonrun.db-wal").exists(), "it closed its database"


def test_it_does_not_exit_while_somebody_follows_a_run(tmp_path: Path) -> None:
    with embedded_server(tmp_path, ANONRUN_IDLE_EXIT_S="0.5") as server:
        base = server.base()
        run = made_run(base)
        with httpx.stream("GET", f"{base}{run.path}/live", headers=bearer(run.view)) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: run"
            deadline = time.monotonic() + 2
            until(lambda: server.process.poll() is not None or time.monotonic() > deadline)
            assert server.process.poll() is None
        until(lambda: server.process.poll() is not None)


def test_a_signal_ends_it_soon_though_a_stream_is_open(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        base = server.base()
        run = made_run(base)
        with httpx.stream("GET", f"{base}{run.path}/live", headers=bearer(run.view)) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: run"
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert "gone" not in "".join(lines), "the run is not gone; the stream just ends"
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < 4


def test_what_was_acknowledged_before_a_kill_is_there_after_it_and_only_once(tmp_path: Path) -> None:
    """`kill -9` in mid-ingest, again and again; the sender repeats what was not acknowledged (T4)."""
    acknowledged, run = 0, None
    for round_ in range(5):
        with embedded_server(tmp_path) as server:
            base = server.base()
            run = run or made_run(base)
            with httpx.Client(base_url=base, headers=bearer(run.write)) as client:
                cursor = client.get(f"{run.path}/writers/1").raise_for_status().json()["next"]
                assert cursor >= acknowledged
                acknowledged = cursor
                killer = threading.Timer(0.15 + 0.05 * round_, server.process.kill)
                killer.start()
                with contextlib.suppress(httpx.TransportError):
                    while True:
                        rows = [float(acknowledged + i) for i in range(7)]
                        answer = client.post(f"{run.path}/segments", content=segment(rows, seq=acknowledged))
                        acknowledged = answer.raise_for_status().json()["next"]
                killer.join()
            server.process.wait(10)
    assert run
    assert acknowledged > 0
    with embedded_server(tmp_path) as server:
        values = series(server.base(), run)
        assert len(values) >= acknowledged
        assert values == [float(i) for i in range(len(values))]
    with contextlib.closing(sqlite3.connect(tmp_path / "server" / "anonrun.db")) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_stop_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        base = server.base()
        run = made_run(base)
        acknowledged = 0
        with httpx.Client(base_url=base, headers=bearer(run.write)) as client:
            stopper = threading.Timer(0.2, server.process.terminate)
            stopper.start()
            with contextlib.suppress(httpx.TransportError):
                while True:
                    answer = client.post(f"{run.path}/segments", content=segment([1.0], seq=acknowledged))
                    acknowledged = answer.raise_for_status().json()["next"]
            stopper.join()
        server.process.wait(10)
    with embedded_server(tmp_path) as server:
        assert len(series(server.base(), run)) in {acknowledged, acknowledged + 1}


def events(lines: list[str]) -> list[tuple[str, str | None, str]]:
    """Return name, id and data of the events in lines of a stream."""
    found = []
    for block in "\n".join(lines).split("\n\n"):
        parts = dict(line.partition(": ")[::2] for line in block.split("\n") if line and not line.startswith(":"))
        if {"event", "data"} <= parts.keys():
            found.append((parts["event"], parts.get("id"), parts["data"]))
    return found


def test_a_stream_tells_points_changes_and_the_end(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        base = server.base()
        run = made_run(base)
        first, second = segment([1.0, 2.0]), segment([3.0], seq=2)
        write = bearer(run.write)
        httpx.post(f"{base}{run.path}/segments", content=first, headers=write).raise_for_status()
        with following(f"{base}{run.path}/live", run.view) as lines:
            until(lambda: any(name == "points" for name, _, _ in events(lines)))
            httpx.post(f"{base}{run.path}/segments", content=second, headers=write).raise_for_status()
            until(lambda: sum(name == "points" for name, _, _ in events(lines)) == 2)
            httpx.patch(f"{base}{run.path}", json={"state": "finished"}, headers=write).raise_for_status()
            until(lambda: sum(name == "run" for name, _, _ in events(lines)) == 2)
            httpx.delete(f"{base}{run.path}", headers=write).raise_for_status()
        told = events(lines)
        assert [name for name, _, _ in told] == ["run", "points", "points", "run", "gone"]
        points = [(at, base64.b64decode(data)) for name, at, data in told if name == "points"]
        assert points == [("1", first), ("2", second)]
        assert json.loads(told[3][2])["state"] == "finished"
        assert json.loads(told[4][2])["code"] == "run_deleted"
        assert lines[-1] == "ended"


def test_a_stream_ends_at_the_moment_of_expiry(tmp_path: Path) -> None:
    days = 2.0 / 86_400
    with embedded_server(tmp_path, ANONRUN_RETENTION_DAYS=str(days)) as server:
        base = server.base()
        run = made_run(base)
        with following(f"{base}{run.path}/live", run.view) as lines:
            pass
        told = events(lines)
        assert [name for name, _, _ in told] == ["run", "gone"]
        problem = json.loads(told[-1][2])
        assert problem["code"] == "run_expired"
        assert problem["expired_at"] == json.loads(told[0][2])["expires_at"]
        again = httpx.get(f"{base}{run.path}", headers=bearer(run.view))
        assert (again.status_code, again.json()["code"]) == (410, "run_expired")


@pytest.mark.parametrize("how", ["query", "header"])
def test_a_stream_goes_on_after_a_position(tmp_path: Path, how: str) -> None:
    with embedded_server(tmp_path) as server:
        base = server.base()
        run = made_run(base)
        parts = [segment([float(i)], seq=i) for i in range(3)]
        httpx.post(f"{base}{run.path}/segments", content=b"".join(parts), headers=bearer(run.write)).raise_for_status()
        query, headers = ("?after=2", {}) if how == "query" else ("?after=0", {"Last-Event-ID": "2"})
        url = f"{base}{run.path}/live{query}"
        with httpx.stream("GET", url, headers=bearer(run.view) | headers) as stream:
            lines: list[str] = []
            for line in stream.iter_lines():
                lines.append(line)
                if events(lines)[-1:] and events(lines)[-1][0] == "points" and line == "":
                    break
        ((_, at, data),) = [event for event in events(lines) if event[0] == "points"]
        assert (at, base64.b64decode(data)) == ("3", parts[2])


def test_the_log_is_one_json_object_a_line(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        base = server.base()
        httpx.get(f"{base}/r/x?v={mint(TokenKind.VIEW)}")
    lines = (tmp_path / "server" / "server.log").read_text().splitlines()
    assert {"started", "stopped"} <= {json.loads(line)["message"] for line in lines}
    assert not any("anr_v_" in line for line in lines)
