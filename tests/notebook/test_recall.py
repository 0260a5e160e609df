"""Earlier runs of a notebook, for a kernel that has none of them in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from anonrun.core.reference import Outline
from anonrun.notebook.others import MOST_EARLIER, Memory, Other
from anonrun.notebook.recall import Book, Recall, notebook_of
from anonrun.notebook.source import Source
from support.fake_run import FakeRun
from support.script import run_script
from support.server import Server, anonrun_server

IDS = [f"0192f7d0-0000-7000-8000-0000000001{n:02d}" for n in range(20)]


def other(run_id: str) -> Other:
    return Other(run_id, "run", f"run-{run_id[-2:]}", 0.0, {"loss": Outline((0,), (0.0,), (1.0,))})


@pytest.mark.parametrize(
    ("environ", "names", "notebook"),
    [
        pytest.param({"JPY_SESSION_NAME": "/w/a.ipynb"}, {}, "/w/a.ipynb", id="JupyterLab, Notebook 7"),
        pytest.param({"JPY_SESSION_NAME": "/w/a"}, {"__vsc_ipynb_file__": "/w/b.ipynb"}, "/w/b.ipynb", id="VS Code"),
        pytest.param({}, {}, None, id="nobody says"),
        pytest.param({"JPY_SESSION_NAME": ""}, {"__vsc_ipynb_file__": 3}, None, id="nothing of use is said"),
    ],
)
def test_a_host_says_which_notebook_it_is(
    environ: dict[str, str], names: dict[str, object], notebook: str | None
) -> None:
    assert notebook_of(environ, names) == notebook


def test_a_book_has_the_last_runs_of_one_notebook_and_not_its_name(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "/home/ada/secret paper.ipynb")
    assert book.runs("p") == []
    for run_id in IDS:
        book.note(run_id, "p")
    book.note(IDS[0], "q")
    book.note(IDS[15], "p")
    assert book.runs("p")[-3:] == [IDS[18], IDS[19], IDS[15]]
    assert len(book.runs("p")) + len(book.runs("q")) == 12
    book.forget(IDS[19])
    assert IDS[19] not in book.runs("p")
    assert Book.of(tmp_path, "/home/ada/other.ipynb").runs("p") == []
    assert "secret" not in f"{book.path}{book.path.read_text()}"
    assert book.path.stat().st_mode & 0o077 == 0
    book.path.write_text('{"runs": [["x", "p"], 3]}')
    assert book.runs("p") == []


def test_earlier_runs_are_looked_for_once_a_project_and_those_in_memory_are_not(tmp_path: Path) -> None:
    asked: list[list[str]] = []
    found: list[tuple[str, list[Other]]] = []
    done = threading.Event()

    def read(_run: Source, run_ids: list[str]) -> list[Other]:
        asked.append(run_ids)
        return [other(run_id) for run_id in run_ids]

    def take(run: Source, runs: list[Other]) -> None:
        found.append((run.run_id, runs))
        done.set()

    book = Book.of(tmp_path, "a")
    for run_id in IDS[:6]:
        book.note(run_id, "digits")
    recall = Recall(lambda: book, take, read)
    recall.begin(FakeRun(), known={IDS[5]})
    assert done.wait(20)
    assert asked == [IDS[1:5]]
    assert found[0][0] == FakeRun().run_id
    assert book.runs("digits")[-1] == FakeRun().run_id
    second = FakeRun()
    second.run_id = IDS[9]
    recall.begin(second, known=set())
    Recall(lambda: None, take, read).begin(second, known=set())
    assert len(asked) == 1


def test_recalled_runs_stand_before_those_of_this_kernel_and_are_chosen_by_nobody() -> None:
    memory = Memory()
    memory.recall("digits", [other(run_id) for run_id in IDS[:3]])
    memory.recall("elsewhere", [other(IDS[7])])
    behind = memory.behind(FakeRun(), [])
    assert [one.key for one in behind] == IDS[:3]
    assert not any(one.chosen for one in behind)
    assert len({one.slot for one in behind}) == 3
    memory.recall("digits", [replace(other(run_id), name="late") for run_id in IDS[:6]])
    assert len(memory.known) == MOST_EARLIER


_KERNEL = """if True:
    import time, anonrun
    from IPython.core.interactiveshell import InteractiveShell
    shell = InteractiveShell.instance()
    from anonrun.notebook.display import kernel
    run = anonrun.init(project="digits", name={name!r})
    run.log({{"loss": 1.0}}); run.log({{"loss": 0.5}})
    anonrun.show(run, display="widget")
    view = kernel()._going[run.run_id].view
    end = time.monotonic() + 30
    while len(view.others) < {others} and time.monotonic() < end: time.sleep(0.05)
    print([(one.name, sorted(one.metrics)) for one in view.others])
    run.finish()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with anonrun_server(tmp_path / "lab") as running:
        yield running


def test_a_new_kernel_draws_the_runs_of_the_one_before(server: Server, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    at = {"ANONRUN_SERVER": server.url, "JPY_SESSION_NAME": str(tmp_path / "paper.ipynb"), "PYTHONWARNINGS": "ignore"}
    run_script(_KERNEL.format(name="first", others=0), home, **at)
    second = run_script(_KERNEL.format(name="second", others=1), home, **at).stdout
    assert "[('first', ['loss'])]" in second
    third = run_script(_KERNEL.format(name="third", others=2), home, **at).stdout
    assert "[('first', ['loss']), ('second', ['loss'])]" in third
    elsewhere = run_script(_KERNEL.format(name="fourth", others=0), home, **{**at, "JPY_SESSION_NAME": "/other.ipynb"})
    assert "[]" in elsewhere.stdout
