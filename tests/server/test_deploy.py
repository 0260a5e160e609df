"""The files of `deploy/` are what their programs take, and the proxy passes events on as they come."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from anonrun.core.ids import new_run_id
from anonrun.core.tokens import TokenKind, mint
from support.jupyter import free_port
from support.server import Server, anonrun_server
from support.site import MadeRun, bearer, segment, sha

_DEPLOY = Path(__file__).parent.parent.parent / "deploy"


def program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        missing = f"needs {name}: apt install {package}"
        if os.environ.get("CI"):
            raise RuntimeError(missing)
        pytest.skip(missing)
    return found


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this system has no systemd")
    unit = tmp_path / "anonrun.service"
    unit.write_text((_DEPLOY / "anonrun.service").read_text().replace("/opt/anonrun/bin/anonrun", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    about_it = [line for line in done.stderr.splitlines() if "anonrun" in line]
    assert (done.returncode, about_it) == (0, [])


def test_the_container_file_runs_the_command_as_nobody_special() -> None:
    lines = (_DEPLOY / "Containerfile").read_text().splitlines()
    names = [line.split()[0] for line in lines if re.match(r"[A-Z]+ ", line)]
    assert names[0] == "FROM"
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert 'ENTRYPOINT ["anonrun"]' in lines


@contextmanager
def nginx(server: Server, folder: Path) -> Iterator[str]:
    """Run the example with plain HTTP on a free port before a server; yield its address."""
    port = free_port()
    text = (_DEPLOY / "nginx.conf").read_text()
    text = re.sub(r"^\s*ssl_certificate.*\n", "", text, flags=re.MULTILINE)
    for shown, here in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8765", server.url.removeprefix("http://")),
    ):
        assert shown in text
        text = text.replace(shown, here)
    places = "".join(
        f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; master_process off; pid {folder / 'pid'}; error_log {folder / 'errors'};\n"
        f"events {{}}\nhttp {{\n{places}{text}\n}}\n"
    )
    command = [program("nginx", "nginx-light"), "-e", folder / "errors", "-p", folder, "-c", conf]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((folder / "errors").read_text()) from None
                time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def test_a_page_behind_the_proxy_gets_points_while_the_stream_is_open(tmp_path: Path) -> None:
    program("nginx", "nginx-light")
    folder = tmp_path / "nginx"
    folder.mkdir()
    with (
        anonrun_server(tmp_path / "lab", ANONRUN_TRUSTED_PROXIES="127.0.0.1") as server,
        nginx(server, folder) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        key = mint(TokenKind.API_KEY)
        run = MadeRun(str(new_run_id(time.time_ns() // 1_000_000, secrets.token_bytes(10))))
        assert client.post("/api/v1/accounts/anonymous", json={"key_hash": sha(key)}).status_code == 201
        assert client.post("/api/v1/runs", json=run.request(), headers=bearer(key)).status_code == 201
        with client.stream("GET", f"{run.path}/live", headers=bearer(run.view)) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            next(line for line in lines if line)  # it has begun, and is not closed
            with httpx.Client(base_url=url) as other:
                sent = other.post(f"{run.path}/segments", content=segment([1.0]), headers=bearer(run.write))
                assert sent.status_code == 200
            assert next(line for line in lines if line == "event: points")
        for inside in ("/metrics", "/readyz"):
            assert client.get(inside).status_code == 403
            assert httpx.get(f"{server.url}{inside}").status_code == 200
        spoofed = client.get("/nowhere", headers={"X-Forwarded-Context": "/evil", "X-Request-Id": "a-strangers-own-id"})
        assert "/evil" not in spoofed.text
        request_id = spoofed.headers["x-request-id"]
        assert request_id != "a-strangers-own-id", "the proxy names requests"
        log = (tmp_path / "lab" / "server-process.log").read_text()
        assert any(json.loads(line).get("request") == request_id for line in log.splitlines() if line.startswith("{"))
