"""What a program prints is kept on request: nothing of it is swallowed, and no secret of ours is in it."""

# ruff: noqa: T201  printing is what is tested

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from anonrun.client.console import PIECE_BYTES, TOTAL_BYTES, Console, Printed
from anonrun.client.settings import read_settings
from anonrun.core.tokens import TokenKind, mint
from anonrun.errors import UsageError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Case:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.clock = Clock()
        self.console = Console(self.pieces.append, self.clock)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@pytest.fixture
def case(capsys: pytest.CaptureFixture[str]) -> Iterator[Case]:
    made = Case()  # a test begins it, since pytest puts its own streams in place before that
    yield made
    made.console.end()


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        pytest.param(["a", "b\n", "c"], "ab\nc\n", id="pieces of a line"),
        pytest.param(["a\r\nb\n"], "a\nb\n", id="ends as on Windows"),
        pytest.param(["a\r", "\nb\n"], "a\nb\n", id="such an end in two"),
        pytest.param(["\r 1 %", "\r 2 %", "\r 3 %\n"], " 3 %\n", id="progress bar"),
        pytest.param([" 1 %\r", " 2 %\r", "done\n"], "done\n", id="progress bar that returns afterwards"),
        pytest.param([" 1 %\r", " 2 %\r"], " 2 %\n", id="progress bar that was left"),
        pytest.param(["\x1b[31mred\x1b[0m \x1b]8;;x\x07link\n"], "red link\n", id="colours"),
        pytest.param(["a\x00\x07\tb\udcff\n"], "a\tb?\n", id="control characters"),
        pytest.param(["\n\n"], "\n\n", id="empty lines"),
    ],
)
def test_whole_lines_are_kept_in_their_last_state(written: list[str], lines: str) -> None:
    printed = Printed()
    assert "".join([printed.feed(text) for text in written] + [printed.rest()]) == lines


@pytest.mark.parametrize("cut", range(1, 50, 7))
def test_a_secret_is_never_kept(cut: int) -> None:
    token = mint(TokenKind.CLAIM)
    printed = Printed()
    text = printed.feed(f"http://x/r/1#c={token[:cut]}") + printed.feed(f"{token[cut:]}&v=1\n")
    for before in (15_900, 15_950, 15_990, 16_000):  # around the place where a long line is cut
        text += (
            printed.feed("y " * (before // 2)) + printed.feed(token[:cut]) + printed.feed(token[cut:]) + printed.rest()
        )
    assert token[8:] not in text.replace("\n", "")
    assert token[-12:] not in text.replace("\n", "")


def test_what_is_printed_goes_where_it_went_and_is_kept(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    case.console.begin()
    print("one")
    print("two", file=sys.stderr)
    sys.stdout.write("three")
    assert capsys.readouterr() == ("one\nthree", "two\n")
    case.console.flush()
    assert case.pieces == []
    case.clock.now += 2
    case.console.flush()
    assert case.pieces == ["one\ntwo\n"]
    case.console.end()
    assert case.text == "one\ntwo\nthree\n"
    print("four")
    assert "four" not in case.text
    assert "write" not in vars(sys.stdout)


def test_who_holds_a_stream_since_before_is_heard() -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        handler = logging.StreamHandler()
        case = Case()
        case.console.begin()
        handler.handle(logging.makeLogRecord({"msg": "careful"}))
        case.console.end()
    assert case.text == "careful\n"


def test_who_prints_keeps_the_piece_where_nobody_else_does(case: Case) -> None:
    case.console.begin()
    print("one")
    case.clock.now += 5
    print("two")
    assert case.pieces == ["one\n"]
    case.console.end()
    assert case.pieces == ["one\n", "two\n"]


def test_too_much_is_left_out_and_said(case: Case) -> None:
    case.console.begin()
    for _ in range(40):
        print("x" * 9_999)
    case.clock.now += 2
    case.console.flush()
    assert len(case.text) < PIECE_BYTES + 200
    assert "15 lines left out" in case.text
    for _ in range(TOTAL_BYTES // 200_000 + 5):
        print("x" * 199_999)
        case.clock.now += 2
        case.console.flush()
    assert len(case.text) < TOTAL_BYTES + 200_500
    assert case.text.count("the rest is left out") == 1


def test_what_goes_wrong_here_is_not_noticed(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    case.console.begin()

    def broken(_text: str) -> None:
        raise RuntimeError("no")

    case.console._keep = broken
    case.clock.now += 5
    print("one")
    assert capsys.readouterr().out == "one\n"


def test_a_piece_that_cannot_be_kept_may_warn(case: Case) -> None:
    case.console.begin()

    def warns(text: str) -> None:
        case.pieces.append(text)
        print("warning", file=sys.stderr)

    case.console._keep = warns
    case.clock.now += 5
    print("one")
    case.clock.now += 5
    case.console.flush()
    assert case.pieces == ["one\n"]
    case.console.end()
    assert case.pieces == ["one\n", "warning\n"]


def test_threads_print_at_once(case: Case) -> None:
    case.console.begin()
    threads = [threading.Thread(target=lambda n=n: [sys.stdout.write(f"{n}\n") for _ in range(500)]) for n in range(4)]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    case.console.end()
    assert sorted(case.text.split()) == sorted(str(n) for n in range(4) for _ in range(500))


def test_two_runs_keep_what_is_printed(case: Case) -> None:
    case.console.begin()
    other = Case()
    other.console.begin()
    print("both")
    case.console.end()  # not the last that began
    print("other")
    other.console.end()
    assert (case.text, other.text) == ("both\n", "both\nother\n")
    print("none")
    assert "none" not in case.text + other.text


def test_a_stream_that_is_not_there_is_no_trouble() -> None:
    case = Case()
    with contextlib.redirect_stdout(None):
        case.console.begin()
        case.console.end()
    assert case.pieces == []


def test_a_forked_process_keeps_nothing(case: Case) -> None:
    case.console.begin()
    print("before")
    case.console.abandon()
    print("after")
    case.console.end()
    assert case.pieces == []


@pytest.mark.parametrize(
    ("asked", "said", "on"), [(None, None, False), (None, "1", True), (False, "1", False), (True, "0", True)]
)
def test_it_is_asked_for(asked: Any, said: str | None, on: bool) -> None:
    assert read_settings({} if said is None else {"ANONRUN_CONSOLE": said}, console=asked).console is on
    with pytest.raises(UsageError, match="ANONRUN_CONSOLE='maybe'"):
        read_settings({"ANONRUN_CONSOLE": "maybe"})
