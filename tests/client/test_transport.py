from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from anonrun.client import embedded
from anonrun.client.remote import Refusal, Remote, retry_after_s
from anonrun.client.transport import HttpTransport, LoopbackTransport, Request, Transport, open_transport
from anonrun.core.tokens import TokenKind, mint
from anonrun.errors import ServerUnavailableError

TOKEN = mint(TokenKind.WRITE)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, str | None]]

    def do_GET(self) -> None:
        self.seen.append((self.command, self.path, self.headers.get("Authorization")))
        if self.path == "/moved":
            self.send_response(307)
            self.send_header("Location", f"http://elsewhere.test/?t={TOKEN}")
        elif self.path.startswith("/page"):
            self.send_response(200)
        else:
            self.send_response(503)
            self.send_header("Retry-After", "4")
        body = b"<html>"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        pass


@pytest.fixture
def web() -> Iterator[tuple[str, list[tuple[str, str, str | None]]]]:
    seen: list[tuple[str, str, str | None]] = []
    handler = type("Handler", (_Handler,), {"seen": seen})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=[LoopbackTransport, HttpTransport])
def kind(request: pytest.FixtureRequest) -> type[Transport]:
    chosen: type[Transport] = request.param
    return chosen


def test_loopback_and_the_rest_have_their_own_transport() -> None:
    assert isinstance(open_transport("http://127.0.0.1:1"), LoopbackTransport)
    assert isinstance(open_transport("http://localhost:1/x"), LoopbackTransport)
    assert isinstance(open_transport("https://localhost:1"), HttpTransport)
    assert isinstance(open_transport("http://runs.example.org"), HttpTransport)


def test_a_redirect_is_not_followed_and_its_secret_not_told(
    kind: type, web: tuple[str, list[tuple[str, str, str | None]]]
) -> None:
    url, seen = web
    transport = kind(url)
    with pytest.raises(Refusal, match="not followed") as caught:
        Remote(transport).call("GET", "/moved", token=TOKEN)
    transport.close()
    assert seen == [("GET", "/moved", f"Bearer {TOKEN}")]
    assert TOKEN not in str(caught.value)
    assert "elsewhere.test" in str(caught.value)


def test_what_netrc_says_never_takes_the_tokens_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, web: tuple[str, list[tuple[str, str, str | None]]]
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    url, seen = web
    transport = kind(url)
    transport.send(Request(method="GET", path="/page", token=TOKEN))
    transport.send(Request(method="GET", path="/page"))
    transport.close()
    assert [authorization for _, _, authorization in seen] == [f"Bearer {TOKEN}", None]


def test_an_answer_without_a_problem_is_still_a_refusal(
    kind: type, web: tuple[str, list[tuple[str, str, str | None]]]
) -> None:
    transport = kind(web[0])
    with pytest.raises(Refusal) as caught:
        Remote(transport).server()
    transport.close()
    assert (caught.value.status, caught.value.code, caught.value.retry_after_s) == (503, "http_503", 4.0)


_NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("120", 120),
        ("0.5", 0.5),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30),
        ("Tuesday, 24-Nov-26 12:00:30 GMT", 30),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
        ("Tue, 24 Nov 2026 13:00:30 +0100", 30),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(text: str, wait_s: float | None) -> None:
    assert retry_after_s(text, _NOW) == wait_s


def test_a_page_of_some_other_server_is_refused(kind: type, web: tuple[str, list[tuple[str, str, str | None]]]) -> None:
    transport = kind(web[0] + "/page")
    with pytest.raises(Refusal, match="is this an anonrun server"):
        Remote(transport).server()
    transport.close()


def test_nobody_there_and_nobody_answering_are_both_unavailable(kind: type) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for listening in (False, True):
            if listening:
                silent.listen(1)
            transport = kind(url)
            with pytest.raises(ServerUnavailableError, match=r"No answer from http://127\.0\.0\.1"):
                transport.send(Request(method="GET", path="/", timeout_s=0.2))
            transport.close()


def test_a_request_shows_no_secret() -> None:
    request = Request(method="POST", path="/", token=TOKEN, vouch="a vouch", body=b"secret")
    assert TOKEN not in repr(request)
    assert "vouch'" not in repr(request)
    assert "secret" not in repr(request)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"pid": 1}',
        '{"pid": 1, "port": "x", "instance": "a"}',
        '{"pid": -1, "port": 80, "instance": "a"}',
        '{"pid": 1, "port": 99999, "instance": "a"}',
    ],
)
def test_a_damaged_state_file_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert embedded.read_state(tmp_path) is None
    assert embedded.find(tmp_path) is None


def test_another_server_on_the_remembered_port_is_not_believed(
    tmp_path: Path, web: tuple[str, list[tuple[str, str, str | None]]]
) -> None:
    port = web[0].rpartition(":")[2]
    (tmp_path / "state.json").write_text(f'{{"pid": 1, "port": {port}, "instance": "mine", "vouch": "v"}}')
    assert embedded.find(tmp_path) is None
