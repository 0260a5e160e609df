from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anonrun.client.notices import Notices
from anonrun.client.pace import pause_s
from anonrun.client.recording import Recording
from anonrun.client.sender import Sender
from anonrun.client.spool.folder import RunFile
from anonrun.client.transport import Request, Response
from anonrun.core.messages import RunRequest, TokenHashes, to_json
from anonrun.core.tokens import TokenKind, mint, token_hash
from client.fakes import FaultyNetwork, MemoryKeys, MemoryServer, connecting, problem


def until(condition: Callable[[], object], what: str, deadline_s: float = 20) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


class _Connect:
    """As `Connector`, to a server in memory."""

    def __init__(self, server: MemoryServer, network: Any = None) -> None:
        self._connect = connecting(server, network)

    def __call__(self) -> Any:
        return self._connect()

    def known_url(self) -> str:
        return "http://server.test"


Start = Callable[..., Recording]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts recordings, and ends what a test leaves running."""
    begun: list[Recording] = []

    def begin(server: MemoryServer, network: Any = None, **options: float) -> Recording:
        write, view = mint(TokenKind.WRITE), mint(TokenKind.VIEW)
        tokens = TokenHashes(write=token_hash(write).hex(), view=token_hash(view).hex())
        request = to_json(RunRequest(run_id=f"run{len(begun)}", tokens=tokens, id=f"r{len(begun)}"))
        recording = Recording(
            tmp_path / "spool",
            RunFile(request["run_id"], "http://server.test", "anonymous", request, write, view),
            keys=MemoryKeys(),
            keys_for=lambda _file: MemoryKeys(),
            connect=_Connect(server, network),  # type: ignore[arg-type]  # as a Connector, as far as it is used
            notices=Notices(),
            on_settled=lambda: None,
            **options,
        )
        begun.append(recording)
        return recording

    yield begin
    for recording in begun:
        recording.recorder.closed = True
        recording.writer.close()
        recording.close()


def test_points_are_on_their_way_at_once_and_the_end_is_prompt(start: Start) -> None:
    server = MemoryServer()
    recording = start(server)
    recording.recorder.log({"x": 1})
    until(lambda: server.runs and server.runs["run0"].values("x") == [1], "the first point does not arrive")
    recording.recorder.log({"x": 2})
    recording.end("finished", 0)
    assert recording.wait_delivered(20)
    recording.close()
    assert server.runs["run0"].values("x") == [1, 2]
    assert server.runs["run0"].state == "finished"
    assert not recording.folder.path.exists()


def test_a_burst_takes_few_requests_and_a_silence_does_not_slow_what_follows(start: Start) -> None:
    server = MemoryServer()
    recording = start(server)
    assert recording.wait_settled(20)
    began = time.monotonic()
    for value in range(100_000):
        recording.recorder.log({"x": value})
    until(lambda: not recording.unsent_rows, "the burst does not arrive")
    sent = sum("segments" in request for request in server.requests)
    pauses = (time.monotonic() - began) / pause_s(age_s=0, rows=1, took_s=0)
    assert sent <= 100_000 // 13_000 + 2 + pauses, "half a megabyte of rows each, and one for each pause meanwhile"
    recording.recorder.log({"x": -1})
    until(lambda: not recording.unsent_rows, "the row after it does not arrive")
    assert server.runs["run0"].values("x") == [*range(100_000), -1]


@pytest.mark.parametrize("code", ["run_expired", "run_deleted", "quota_exceeded"])
def test_a_refusal_for_good_warns_once_and_keeps_everything(
    start: Start, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    server = MemoryServer()
    recording = start(server)
    assert recording.wait_settled(20)
    server.refuse = lambda request: problem(410, code) if "segments" in request.path else None
    for value in range(3):
        recording.recorder.log({"x": value})
    until(lambda: recording.refusal, "the refusal is not noticed")
    recording.recorder.log({"x": 3})
    recording.end("finished", 0)
    assert not recording.wait_delivered(5)
    recording.close()
    assert recording.folder.parts()
    printed = capsys.readouterr().err
    assert printed.count("warning:") == 1
    assert str(recording.folder.path) in printed
    assert "anonrun sync" in printed
    assert recording.unsent_rows == 4


def test_a_server_in_trouble_is_asked_again_and_the_trouble_passes(start: Start) -> None:
    server = MemoryServer()
    answers = iter([problem(503, "busy"), problem(429, "rate_limited", retry_after="0.05"), problem(500, "internal")])

    def refuse(request: Request) -> Response | None:
        return next(answers, None) if "segments" in request.path else None

    server.refuse = refuse
    recording = start(server)
    recording.recorder.log({"x": 1})
    until(lambda: recording.trouble, "no trouble is shown")
    until(lambda: not recording.unsent_rows, "the point does not arrive")
    until(lambda: recording.trouble is None, "the trouble stays")
    assert server.runs["run0"].values("x") == [1]


def test_lost_answers_and_requests_do_no_harm(start: Start) -> None:
    server = MemoryServer()
    recording = start(server, FaultyNetwork(server, [None, "unheard", "lost", "unheard", None, "lost", "unheard"]))
    for value in range(50):
        recording.recorder.log({"x": value})
    recording.end("failed", 3)
    assert recording.wait_delivered(20)
    assert server.runs["run0"].values("x") == list(range(50))
    assert server.runs["run0"].changes == {"state": "failed", "exit_code": 3}


def test_a_server_set_up_anew_gets_the_run_again(start: Start) -> None:
    server = MemoryServer("one")
    recording = start(server)
    recording.recorder.log({"x": 1})
    until(lambda: recording.delivery.sent_rows(own=True) == 1, "the first point does not arrive")
    server.instance, server.runs, server.keys = "two", {}, set()
    recording.recorder.log({"x": 2})
    until(lambda: server.runs and server.runs["run0"].values("x") == [1, 2], "the run is not made anew")
    assert recording.refusal is None


def test_the_run_says_that_it_is_alive(start: Start) -> None:
    server = MemoryServer()
    start(server, heartbeat_s=0.05)
    until(lambda: "POST /api/v1/runs/run0/heartbeat" in server.requests, "no heartbeat")


def test_what_another_process_left_is_delivered_in_between(start: Start) -> None:
    server = MemoryServer()
    server.refuse = lambda _request: problem(503, "busy")
    first = start(server)
    first.recorder.log({"x": 1})
    until(lambda: first.trouble, "no trouble is shown")
    first.recorder.closed = True
    first.writer.close()
    first.close()
    assert first.folder.parts()
    server.refuse = lambda _request: None
    start(server)
    until(lambda: not first.folder.path.exists(), "the older run is not delivered")
    assert server.runs["run0"].values("x") == [1]


def test_a_mistake_of_ours_is_shown_and_nothing_is_lost(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    server = MemoryServer()

    def break_down(_request: Request) -> Response | None:
        raise ZeroDivisionError("mine")

    server.refuse = break_down
    recording = start(server)
    recording.recorder.log({"x": 1})
    assert recording.wait_settled(20)
    until(lambda: recording.trouble, "the mistake passes for silence")
    assert "ZeroDivisionError" in str(recording.trouble)
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert recording.folder.parts()
    assert isinstance(recording.sender, Sender)
