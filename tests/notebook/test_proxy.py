"""The proxy in a real Jupyter server, in front of a server that tells what reached it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from anonrun.core.tokens import TokenKind, mint
from support.jupyter import Jupyter, jupyter_server

CONFIG = Path(__file__).parents[2] / "jupyter-config" / "jupyter_server_config.d" / "anonrun.json"
VOUCH = "a-secret-of-the-state-file"
INSTANCE = "4b1c"


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked; `/events` streams, and tells when its reader has gone."""

    go_on = threading.Event()
    gone: queue.Queue[bool] = queue.Queue()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        said = {"method": self.command, "path": self.path, "headers": dict(self.headers.items()), "body": body}
        said |= {"instance": INSTANCE} if self.path == "/healthz" else {}
        self.send_response(307 if self.path == "/moved" else 200)
        if self.path == "/moved":
            self.send_header("Location", "/r/1")
        data = json.dumps(said).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.path == "/moved":
            self.send_header("Set-Cookie", "__Host-anonrun_4b1c=one; Secure; HttpOnly; Path=/")
            self.send_header("Set-Cookie", "anonrun_4b1c=two; HttpOnly; Path=/")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else data)

    def do_GET(self) -> None:
        if self.path != "/events":
            self._answer()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            self.wfile.write(b"data: first\n\n")
            while not self.go_on.wait(0.05):
                self.wfile.write(b": still here\n\n")
            self.wfile.write(b"data: second\n\n")
        except OSError:
            self.gone.put(True)

    do_POST = do_PATCH = do_DELETE = do_HEAD = _answer  # noqa: N815  the base class's names


@dataclass(frozen=True, slots=True)
class Proxied:
    jupyter: Jupyter
    browser: requests.Session

    @property
    def root(self) -> str:
        return f"{self.jupyter.base}anonrun/"


def write_state(data_dir: Path, port: int, pid: int) -> None:
    folder = data_dir / "server"
    folder.mkdir(parents=True, exist_ok=True)
    state = {"pid": pid, "port": port, "instance": INSTANCE, "vouch": VOUCH, "version": "0", "started_at": "now"}
    (folder / "state.json").write_text(json.dumps(state))


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("jupyter")
    enabled = folder / "config" / "jupyter_server_config.d"
    enabled.mkdir(parents=True)
    shutil.copy(CONFIG, enabled)
    echo = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=echo.serve_forever, daemon=True).start()
    with jupyter_server(folder, base_url="/user/ada/") as jupyter, requests.Session() as browser:
        write_state(jupyter.data_dir, echo.server_address[1], os.getpid())
        browser.get(f"{jupyter.base}lab?token={jupyter.token}").raise_for_status()
        yield Proxied(jupyter, browser)
        (jupyter.data_dir / "server" / "state.json").unlink(missing_ok=True)  # its pid is ours
    echo.shutdown()
    echo.server_close()


def test_who_is_signed_in_to_jupyter_is_vouched_for(proxied: Proxied) -> None:
    said = proxied.browser.get(f"{proxied.root}r/1?a=b&c=%20d").json()
    assert said["path"] == "/r/1?a=b&c=%20d"
    assert said["headers"]["X-Anonrun-Vouch"] == VOUCH
    assert said["headers"]["X-Forwarded-Context"] == "/user/ada/anonrun"


def test_without_jupyter_s_login_nothing_comes_through(proxied: Proxied) -> None:
    page = requests.get(f"{proxied.root}r/1", allow_redirects=False, timeout=10)
    assert page.status_code == 302
    assert "/login" in page.headers["Location"]
    assert requests.post(f"{proxied.root}api/v1/session/claim", timeout=10).status_code == 403
    token = requests.get(
        f"{proxied.root}r/1",
        headers={"Authorization": f"Bearer {mint(TokenKind.VIEW)}"},
        allow_redirects=False,
        timeout=10,
    )
    assert token.status_code == 302


def test_a_token_of_ours_comes_through_beside_jupyter_s_cookie(proxied: Proxied) -> None:
    token = mint(TokenKind.WRITE)
    answer = proxied.browser.post(f"{proxied.root}api", headers={"Authorization": f"bearer {token}"}, data="body")
    assert answer.json()["headers"]["Authorization"] == f"Bearer {token}"
    assert answer.json()["body"] == "body"


def test_jupyter_s_own_secrets_stay_with_jupyter(proxied: Proxied) -> None:
    jupyter = proxied.jupyter
    by_header = requests.get(f"{proxied.root}x", headers={"Authorization": f"token {jupyter.token}"}, timeout=10)
    by_query = requests.get(f"{proxied.root}x?token={jupyter.token}&a=1", timeout=10)
    by_cookie = proxied.browser.get(
        f"{proxied.root}x", headers={"X-XSRFToken": "2|x", "Referer": f"{jupyter.base}?token=x"}
    )
    for answer in (by_header, by_query, by_cookie):
        assert answer.json()["headers"]["X-Anonrun-Vouch"] == VOUCH
        assert jupyter.token not in answer.text
        assert not {"Authorization", "Cookie", "Referer", "X-Xsrftoken"} & set(answer.json()["headers"])
    assert by_query.json()["path"] == "/x?a=1"


def test_only_our_cookies_go_on(proxied: Proxied) -> None:
    cookies = {"anonrun_4b1c": "session", "__Host-anonrun_4b1c": "safe", "other": "thing"}
    said = proxied.browser.get(f"{proxied.root}x", cookies=cookies).json()
    assert sorted(said["headers"]["Cookie"].split("; ")) == ["__Host-anonrun_4b1c=safe", "anonrun_4b1c=session"]


def test_nobody_outside_can_vouch_or_choose_where_the_proxy_is(proxied: Proxied) -> None:
    forged = {
        "X-Anonrun-Vouch": "forged", "x-anonrun-vouch": "forged", "X-Forwarded-Context": "/evil",
        "X-ProxyContextPath": "/evil", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Prefix": "/evil",
    }  # fmt: skip
    text = proxied.browser.get(f"{proxied.root}x", headers=forged).text
    assert "forged" not in text
    assert "evil" not in text
    assert "1.2.3.4" not in text


@pytest.mark.parametrize("site", ["same-origin", "same-site", "cross-site", "none"])
def test_where_a_write_comes_from_is_told_unchanged(proxied: Proxied, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Origin": "https://evil.example", "Content-Type": "application/json"}
    said = proxied.browser.post(f"{proxied.root}api/v1/session/claim", headers=headers).json()["headers"]
    assert said["Sec-Fetch-Site"] == site
    assert said["Origin"] == "https://evil.example"


def test_jupyter_s_own_origin_is_told_as_the_server_s_own(proxied: Proxied) -> None:
    origin = proxied.jupyter.base.removesuffix("/user/ada/")
    said = proxied.browser.post(f"{proxied.root}x", headers={"Origin": origin}).json()["headers"]
    assert said["Origin"] == f"http://{said['Host']}"
    near = proxied.browser.post(f"{proxied.root}x", headers={"Origin": f"{origin}.evil.example"}).json()["headers"]
    assert near["Origin"] == f"{origin}.evil.example"


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_every_method_and_its_body_come_through_without_jupyter_s_xsrf(proxied: Proxied, method: str) -> None:
    said = proxied.browser.request(method, f"{proxied.root}api", json={"a": 1}).json()
    assert (said["method"], said["body"]) == (method, '{"a": 1}')


def test_cookies_policies_and_redirects_come_back_as_they_were(proxied: Proxied) -> None:
    answer = requests.get(
        f"{proxied.root}moved",
        headers={"Authorization": f"token {proxied.jupyter.token}"},
        allow_redirects=False,
        timeout=10,
    )
    assert answer.status_code == 307
    assert answer.headers["Location"] == "/user/ada/anonrun/r/1"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    cookies = answer.raw.headers.getlist("Set-Cookie")
    assert [cookie.partition("=")[0] for cookie in cookies if "anonrun" in cookie] == [
        "__Host-anonrun_4b1c",
        "anonrun_4b1c",
    ]


def test_a_missing_slash_is_added(proxied: Proxied) -> None:
    answer = proxied.browser.get(proxied.root.removesuffix("/"), allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/user/ada/anonrun/"


def test_events_come_as_they_happen_and_end_when_the_reader_goes(proxied: Proxied) -> None:
    accept = {"Accept": "text/event-stream"}
    Echo.go_on.clear()
    with proxied.browser.get(f"{proxied.root}events", headers=accept, stream=True, timeout=10) as answer:
        lines = answer.iter_lines()
        assert next(lines) == b"data: first"
        Echo.go_on.set()
        assert b"data: second" in list(lines)
    Echo.go_on.clear()
    with proxied.browser.get(f"{proxied.root}events", headers=accept, stream=True, timeout=10) as answer:
        assert next(answer.iter_lines()) == b"data: first"
    assert Echo.gone.get(timeout=20)
    assert "Traceback" not in proxied.jupyter.log.read_text()


def test_the_secret_is_not_in_jupyter_s_log(proxied: Proxied) -> None:
    token = mint(TokenKind.VIEW)
    proxied.browser.get(f"{proxied.root}x", headers={"Authorization": f"Bearer {token}"})
    log = proxied.jupyter.log.read_text()
    assert VOUCH not in log
    assert token not in log


@pytest.fixture
def no_server(proxied: Proxied) -> Iterator[Path]:
    """The folder of the embedded server, emptied for one test."""
    folder = proxied.jupyter.data_dir / "server"
    aside = folder.with_name("server.aside")
    folder.rename(aside)
    yield folder
    if folder.is_file():
        folder.unlink()
    aside.rename(folder)


def test_a_page_that_only_looks_for_a_server_starts_none(proxied: Proxied, no_server: Path) -> None:
    assert proxied.browser.get(f"{proxied.root}healthz").status_code == 404
    assert not no_server.exists()


def test_where_the_server_cannot_be_started_a_page_says_why_and_what_to_do(proxied: Proxied, no_server: Path) -> None:
    no_server.write_text("in the way")
    answer = proxied.browser.get(f"{proxied.root}r/1")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "cannot be started" in answer.text
    assert "anonrun doctor" in answer.text


def test_a_server_that_does_not_name_our_instance_is_told_no_secret(proxied: Proxied) -> None:
    heard: list[str] = []

    class Stranger(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Say nothing."""

        def do_GET(self) -> None:
            heard.append(str(self.headers))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"instance": "another"}')

    state = proxied.jupyter.data_dir / "server" / "state.json"
    before = state.read_text()
    stranger = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=stranger.serve_forever, daemon=True).start()
    try:
        write_state(proxied.jupyter.data_dir, stranger.server_address[1], os.getpid())
        proxied.browser.get(f"{proxied.root}healthz")
    finally:
        stranger.shutdown()
        stranger.server_close()
        state.write_text(before)
    assert heard
    assert VOUCH not in "".join(heard)
