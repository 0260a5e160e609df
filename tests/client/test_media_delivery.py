"""Media from `log` to the server: kept when `log` returns, delivered after the rows, never in the way of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import anonrun
from anonrun.client.delivery import Delivery
from anonrun.client.media.intake import Intake
from anonrun.client.media.shelf import Shelf
from anonrun.client.notices import Notices
from anonrun.client.recorder import Recorder
from anonrun.client.remote import Refusal
from anonrun.client.spool.folder import RunFile, RunFolder
from anonrun.client.spool.writer import SpoolWriter
from anonrun.client.transport import Request, Response
from anonrun.core.media import MediaItem, MediaKind
from anonrun.core.messages import RunRequest, TokenHashes, to_json
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.errors import ServerUnavailableError
from client.fakes import FaultyNetwork, MemoryKeys, MemoryServer, connecting, problem
from support.disk import small_disk


class Case:
    """One run in a folder, with media, and what brings it to a server."""

    def __init__(self, folder: Path, *, limit_bytes: int = 2**20) -> None:
        write, view = mint(TokenKind.WRITE), mint(TokenKind.VIEW)
        tokens = TokenHashes(write=token_hash(write).hex(), view=token_hash(view).hex())
        request = RunRequest(run_id="run", tokens=tokens, id="short", project="p")
        self.folder = RunFolder(folder / "run")
        self.folder.save(RunFile("run", None, "anonymous", to_json(request), write, view))
        self.writer = SpoolWriter(self.folder.path)
        self.shelf = Shelf(self.folder, limit_bytes)
        notices = Notices()
        self.recorder = Recorder(self.writer, notices, intake=Intake(self.shelf, notices))
        self.keys = MemoryKeys()
        self.server = MemoryServer()

    def delivery(self, network: Any = None) -> Delivery:
        connect = connecting(self.server, network)
        return Delivery(self.folder, self.folder.load(), connect=connect, keys=self.keys, writer=self.writer)

    def items(self) -> list[MediaItem]:
        return list(self.server.runs["run"].media.values())


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def deliver(delivery: Delivery) -> None:
    while delivery.advance():
        pass


def test_media_are_at_the_step_of_the_numbers_beside_them(case: Case) -> None:
    case.recorder.log({"loss": 1.0})
    case.recorder.log({"loss": 0.5, "eval": {"text": anonrun.Text("x")}, "two": [anonrun.Text("a"), anonrun.Text("b")]})
    case.recorder.log({"late": anonrun.Text("y", caption="c")}, step=7)
    assert case.recorder.step == 7
    deliver(case.delivery())
    found = [(item.key, item.step, item.index, item.content, item.caption) for item in case.items()]
    assert found == [
        ("eval/text", 1, 0, "x", ""),
        ("two", 1, 0, "a", ""),
        ("two", 1, 1, "b", ""),
        ("late", 7, 0, "y", "c"),
    ]
    assert case.server.runs["run"].values("loss") == [1.0, 0.5]


def test_rows_go_first_and_the_end_of_the_run_last(case: Case) -> None:
    case.recorder.log({"text": anonrun.Text("x"), "loss": 1.0})
    case.recorder.change({"state": "finished"})
    deliver(case.delivery())
    asked = [request.rsplit("/", 1)[-1] for request in case.server.requests if "runs/run" in request]
    assert asked == ["segments", "media", "run"]


def test_what_was_delivered_is_gone_from_the_disk(case: Case) -> None:
    case.recorder.log({"text": anonrun.Text("x")})
    delivery = case.delivery()
    assert not delivery.may_be_removed()
    deliver(delivery)
    assert delivery.may_be_removed()
    assert case.shelf.waiting() == []


def test_batches_are_bounded_and_in_order(tmp_path: Path) -> None:
    case = Case(tmp_path, limit_bytes=2**26)
    for number in range(300):
        case.recorder.log({"t": anonrun.Text(str(number))})
    case.recorder.log({"big": [anonrun.Text("x" * 700_000), anonrun.Text("y" * 700_000)]})
    deliver(case.delivery())
    assert [item.content for item in case.items()[:300]] == [str(number) for number in range(300)]
    assert sum(request.endswith("/media") for request in case.server.requests) == 3


@pytest.mark.parametrize("fault", ["lost", "unheard"])
def test_an_answer_that_is_not_heard_doubles_nothing(case: Case, fault: str) -> None:
    case.recorder.log({"text": anonrun.Text("x")})
    delivery = case.delivery(FaultyNetwork(case.server, [None, None, fault]))
    with pytest.raises(ServerUnavailableError):
        deliver(delivery)
    assert case.shelf.count() == 1
    deliver(delivery)
    assert len(case.items()) == 1


def refusing(code: str, status: int, *, when: str = "worst", **more: Any) -> Any:
    def refuse(request: Request) -> Response | None:
        if not request.path.endswith("/media") or when.encode() not in (request.body or b""):
            return None
        return problem(status, code, **more)

    return refuse


@pytest.mark.parametrize(
    ("status", "code"), [(422, "media_invalid"), (413, "body_too_large"), (400, "request_invalid")]
)
def test_an_item_that_is_not_taken_is_set_aside_and_the_others_go_on(case: Case, status: int, code: str) -> None:
    for number in range(9):
        case.recorder.log({"t": anonrun.Text("worst" if number == 5 else str(number)), "x": number})
    case.server.refuse = refusing(code, status)
    delivery = case.delivery()
    deliver(delivery)
    assert [item.content for item in case.items()] == list("01234678")
    assert delivery.outbox.aside is not None
    assert "'t' (text) of step 5" in delivery.outbox.aside
    (kept,) = case.shelf.aside.iterdir()
    assert json.loads(kept.read_text())["content"] == "worst"
    assert delivery.may_be_removed()


def test_an_item_that_the_server_names_is_set_aside_at_once(case: Case) -> None:
    case.recorder.log({"t": [anonrun.Text("a"), anonrun.Text("worst"), anonrun.Text("c")]})
    case.server.refuse = refusing("media_invalid", 422, item=1)
    deliver(case.delivery())
    assert [item.content for item in case.items()] == ["a", "c"]
    assert sum(request.endswith("/media") for request in case.server.requests) == 2


@pytest.mark.parametrize(
    ("status", "code"), [(403, "quota_exceeded"), (403, "forbidden"), (404, "not_found"), (405, "method_not_allowed")]
)
def test_a_server_that_takes_no_media_takes_the_rows(case: Case, status: int, code: str) -> None:
    case.recorder.log({"t": anonrun.Text("worst"), "x": 1})
    case.server.refuse = refusing(code, status)
    delivery = case.delivery()
    deliver(delivery)
    case.recorder.log({"x": 2})
    deliver(delivery)
    assert case.server.runs["run"].values("x") == [1, 2]
    assert delivery.outbox.stopped
    assert not delivery.may_be_removed()
    assert case.shelf.count() == 1
    case.server.refuse = lambda _request: None
    deliver(case.delivery())  # another process, such as `anonrun sync`
    assert len(case.items()) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(410, "run_expired"), (401, "token_invalid"), (429, "too_many_requests"), (503, "busy")]
)
def test_what_concerns_the_whole_run_is_as_for_rows(case: Case, status: int, code: str) -> None:
    case.recorder.log({"t": anonrun.Text("worst")})
    case.server.refuse = refusing(code, status)
    with pytest.raises(Refusal) as caught:
        deliver(case.delivery())
    assert caught.value.code == code
    assert case.shelf.count() == 1


def test_a_damaged_file_is_set_aside(case: Case) -> None:
    case.recorder.log({"t": [anonrun.Text("a"), anonrun.Text("b")]})
    case.shelf.waiting()[0].file.write_text('{"media')
    delivery = case.delivery()
    deliver(delivery)
    assert [item.content for item in case.items()] == ["b"]
    assert "cannot be read" in str(delivery.outbox.aside)


def test_what_waits_on_disk_is_bounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = Case(tmp_path, limit_bytes=20_000)
    for number in range(40):
        case.recorder.log({"t": anonrun.Text("x" * 1_000), "n": number})
    kept = case.shelf.count()
    assert 10 <= kept < 20
    assert capsys.readouterr().err.count("20,000 are the bound") == 1
    deliver(case.delivery())
    assert case.server.runs["run"].values("n") == list(range(40))
    case.shelf._look_at = 0.0
    case.recorder.log({"t": anonrun.Text("again")})
    deliver(case.delivery())
    assert len(case.items()) == kept + 1


def test_a_disk_that_refuses_is_said_once_and_rows_go_on(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    (case.folder.path / "media").write_text("a file where the folder would be")
    for number in range(3):
        case.recorder.log({"t": anonrun.Text("x"), "n": number})
    assert capsys.readouterr().err.count("was not kept") == 1
    deliver(case.delivery())
    assert case.server.runs["run"].values("n") == [0, 1, 2]


def test_a_full_disk_is_no_end_of_the_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small_disk(tmp_path / "small", 400) as disk:
        case = Case(disk)
        for number in range(6):
            case.recorder.log({"t": anonrun.Text(str(number) * 100_000), "n": number})
        assert capsys.readouterr().err.count("was not kept") == 1
        deliver(case.delivery())
        kept = len(case.items())
        assert 1 <= kept < 6
        case.recorder.log({"t": anonrun.Text("again" * 10_000), "n": 6})
        deliver(case.delivery())
        assert case.server.runs["run"].values("n") == list(range(7))
        assert len(case.items()) == kept + 1
        case.writer.close()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("words", "anonrun.Text", id="text"),
        pytest.param([1, 2], "anonrun.Histogram", id="list"),
        pytest.param(anonrun.Image("nowhere.png"), "nowhere.png", id="picture that is not there"),
        pytest.param(anonrun.Histogram([]), "no numbers", id="histogram of nothing"),
    ],
)
def test_what_cannot_be_logged_is_said_once_and_the_rest_is_kept(
    case: Case, capsys: pytest.CaptureFixture[str], value: Any, said: str
) -> None:
    for number in range(3):
        case.recorder.log({"t": value, "n": number})
    assert capsys.readouterr().err.count(said) == 1
    deliver(case.delivery())
    assert case.server.runs["run"].values("n") == [0, 1, 2]


def test_more_than_a_request_holds_is_cut(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    case.recorder.log({"t": [anonrun.Text("x")] * 300})
    assert case.shelf.count() == 256
    assert "300 items" in capsys.readouterr().err


def test_nothing_is_put_in_a_run_that_is_over(case: Case) -> None:
    case.shelf.close()
    case.recorder.log({"t": anonrun.Text("x")})
    assert case.shelf.count() == 0


def test_kinds_and_types_arrive_as_they_are(case: Case) -> None:
    case.recorder.log({"h": anonrun.Histogram([1, 2, 3]), "t": anonrun.Table(["a"], [[1]])})
    deliver(case.delivery())
    assert {item.kind for item in case.items()} == {MediaKind.HISTOGRAM, MediaKind.TABLE}
