"""A secret in every place where a request can carry one reaches no log, number, database or backup of a real server."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from anonrun.core.tokens import TokenKind, mint
from anonrun.server.services.backups import back_up
from support.server import Server, anonrun_server

_HEADERS = (
    "Accept", "Accept-Language", "Authorization", "Content-Type", "Cookie", "If-None-Match", "Last-Event-Id", "Origin",
    "Range", "Referer", "Sec-Fetch-Site", "User-Agent", "X-Anonrun-Vouch", "X-Forwarded-Context", "X-Forwarded-For",
    "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id",
)  # fmt: skip
_PATHS = (
    "/{}", "/api/v1/{}", "/api/v1/runs/{}", "/api/v1/runs/{}/segments", "/api/v1/runs?project={}", "/r/{}", "/r/x?v={}",
    "/claim?c={}", "/static/{}", "/api/v1/runs/0192f7d0-0000-7000-8000-000000000000/writers/{}",
)  # fmt: skip
_BODIES = (
    {"token": "{}"}, {"run_id": "{}"}, {"key_hash": "{}"}, {"username": "{}", "password": "x"}, {"{}": 1},
    {"run_id": "x", "tokens": {"write": "{}"}, "config": {"{}": "{}"}},
)  # fmt: skip


def canaries(server: Server) -> list[str]:
    """Send a secret of its own in each place; return all of them."""
    sent: list[str] = []

    def secret() -> str:
        sent.append(mint(TokenKind.CLAIM))
        return sent[-1]

    with httpx.Client(base_url=server.url) as client:
        for name in _HEADERS:
            for method, path in (("GET", "/api/v1/runs"), ("POST", "/api/v1/runs"), ("GET", "/")):
                client.request(method, path, headers={name: secret()})
        for path in _PATHS:
            for method in ("GET", "POST", "DELETE"):
                client.request(method, path.format(secret()))
        for path in (
            "/api/v1/accounts/anonymous",
            "/api/v1/runs",
            "/api/v1/session/exchange",
            "/api/v1/session/sign-in",
        ):
            for body in _BODIES:
                client.post(path, content=json.dumps(body).replace("{}", secret()), headers={"Origin": server.url,
                            "Content-Type": "application/json"})  # fmt: skip
        for path in ("/api/v1/session/exchange", "/api/v1/runs"):
            client.post(path, content=secret(), headers={"Origin": server.url, "Content-Type": "application/json"})
    # What no client of ours would send: a method, a version and a whole request that is none.
    address = urlsplit(server.url)
    for line in ("{} / HTTP/1.1", "GET / {}", "{}", "GET http://{}/ HTTP/1.1", "GET / HTTP/1.1\r\n{}"):
        with socket.create_connection((address.hostname, address.port), timeout=5) as conn:
            conn.sendall(line.format(secret()).encode() + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
            while conn.recv(65536):
                pass
    return sent


def test_no_secret_of_a_request_reaches_log_numbers_database_or_backup(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with anonrun_server(folder, ANONRUN_LOG_LEVEL="debug", ANONRUN_TRUSTED_PROXIES="127.0.0.1") as server:
        sent = canaries(server)
        numbers = httpx.get(f"{server.url}/metrics").text
        back_up(folder / "server" / "anonrun.db", tmp_path / "backup.db")
        kept = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    log = (folder / "server-process.log").read_text()
    assert log.count('"message": "request"') >= len(sent) - 10, "the requests are in the log"
    assert "anr_*_[redacted]" in log
    sinks = [log.encode(), numbers.encode(), (tmp_path / "backup.db").read_bytes(), *kept]
    found = [secret for secret in sent for sink in sinks if secret.encode() in sink or secret[6:30].encode() in sink]
    assert found == []
