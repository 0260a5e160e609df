from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anonrun.client.notices import Notices
from anonrun.client.progress import Lines, NotebookLine, TerminalLine, sentence
from support.jupyter import free_port
from support.script import environment


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_sentence_says_how_much_is_left_and_how_long_is_waited() -> None:
    assert sentence(unsent=1_200, rows=50_000, waited_s=3.4, most_s=30) == (
        "sending: 1,200 of 50,000 rows to go (3 of at most 30 s)"
    )


def test_a_terminal_has_one_line_that_is_rewritten_and_taken_away() -> None:
    terminal, clock = io.StringIO(), Clock()
    line = TerminalLine(terminal, clock)
    for clock.now in (0.0, 0.1, 0.2, 0.3, 0.4):
        line.show(f"at {clock.now}")
    line.close()
    text = terminal.getvalue()
    assert "\n" not in text
    assert [part for part in text.split("\r\x1b[2K") if part] == [
        "anonrun: at 0.0",
        "anonrun: at 0.2",
        "anonrun: at 0.4",
    ]
    assert text.endswith("\r\x1b[2K")


def test_a_terminal_is_left_alone_where_nothing_was_shown_or_it_is_gone() -> None:
    terminal = io.StringIO()
    TerminalLine(terminal).close()
    assert terminal.getvalue() == ""
    gone = io.StringIO()
    line = TerminalLine(gone)
    gone.close()
    line.show("x")
    line.close()


def test_a_log_file_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = Lines(Notices(), clock)
    for second in range(12):
        clock.now = float(second)
        lines.show(f"at {second}")
    lines.close()
    assert capsys.readouterr().err == "anonrun: at 0\nanonrun: at 5\nanonrun: at 10\n"


class _Display:
    """As IPython's `display`, and the handle that it gives."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def __call__(self, data: dict[str, str], **options: Any) -> _Display:
        assert options == {"raw": True, "display_id": True}
        self.shown.append(("new", data["text/plain"]))
        return self

    def update(self, data: dict[str, str], **options: Any) -> None:
        assert options == {"raw": True}
        self.shown.append(("again", data["text/plain"]))


def test_a_notebook_has_one_output_that_is_updated_and_emptied() -> None:
    display, clock = _Display(), Clock()
    line = NotebookLine(display, clock)
    line.show("one")
    line.show("too soon")
    clock.now = 1
    line.show("two")
    line.close()
    assert display.shown == [("new", "anonrun: one"), ("again", "anonrun: two"), ("again", "")]


def test_a_notebook_gets_no_output_for_a_prompt_end() -> None:
    display = _Display()
    NotebookLine(display).close()
    assert display.shown == []


_BACKLOG = """
import anonrun
run = anonrun.init()
for i in range(1_000): run.log({"x": i})
run.finish(timeout=2.5)
"""


def test_finish_with_a_backlog_rewrites_one_line_of_a_terminal_and_prints_few_elsewhere(home: Path) -> None:
    env = environment(home, ANONRUN_SERVER=f"http://127.0.0.1:{free_port()}")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", _BACKLOG], env=env, stderr=theirs, cwd=home)
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    assert process.wait(30) == 0
    text = seen.decode()
    assert text.count("\r\x1b[2Kanonrun: sending: 1,000 of 1,000 rows to go") > 2
    assert "1,000 of 1,000 rows wait in" in text
    plain = subprocess.run([sys.executable, "-c", _BACKLOG], env=env, stderr=subprocess.PIPE, cwd=home, check=True)
    assert plain.stderr.count(b"sending: 1,000 of 1,000 rows to go") == 1
    assert b"\r" not in plain.stderr


def test_a_saved_notebook_holds_one_emptied_output_of_it(home: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    source = "\n".join(
        [
            "import os",
            f"os.environ['ANONRUN_SERVER'] = 'http://127.0.0.1:{free_port()}'",
            f"os.environ['ANONRUN_DATA_DIR'] = {str(home)!r}",
            _BACKLOG,
        ]
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(book, timeout=60).execute()
    shown = [output for output in book.cells[0].outputs if output.output_type == "display_data"]
    assert [output.data["text/plain"] for output in shown] == [""]
    assert "sending:" not in "".join(output.get("text", "") for output in book.cells[0].outputs)
    assert "1,000 of 1,000 rows wait in" in "".join(output.get("text", "") for output in book.cells[0].outputs)
