"""Notebooks, executed for real: kernel, client, embedded server, and the file that is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter

from support.jupyter import free_port, stop_embedded_server

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MOST_BYTES = 300_000

Executor = Any


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place of its own for the kernel, which inherits this environment."""
    for name in [name for name in os.environ if name.startswith("ANONRUN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANONRUN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ANONRUN_SYSTEM_METRICS", "0")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    yield tmp_path
    stop_embedded_server(tmp_path / "data")


def client_of(cells: Sequence[str] | nbformat.NotebookNode, folder: Path, **options: Any) -> NotebookClient:
    book = cells
    if not isinstance(cells, nbformat.NotebookNode):
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    return NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}, **options
    )


def executed(cells: Sequence[str] | nbformat.NotebookNode, folder: Path, **options: Any) -> nbformat.NotebookNode:
    return client_of(cells, folder, **options).execute()


def outputs(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return all outputs but those that were emptied: on a slow machine `finish` tells for a while how far it is."""
    every = [output for cell in book.cells for output in cell.get("outputs", [])]
    return [output for output in every if output.get("data") != {"text/plain": ""}]


def pictures(book: nbformat.NotebookNode) -> list[dict[str, str]]:
    return [dict(output.data) for output in outputs(book) if "image/png" in output.get("data", {})]


def text_of(book: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in outputs(book) if output.output_type == "stream")


def assert_static_and_free_of_secrets(book: nbformat.NotebookNode) -> None:
    text = nbformat.writes(book)
    assert not re.search(r"anr_[a-z]_", text)
    assert "widgets" not in book.metadata
    assert "widget-view" not in text
    assert len(text) < MOST_BYTES * max(1, len(pictures(book))), "for each run that is shown"


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in NOTEBOOKS])
def test_every_notebook_runs_and_is_left_with_charts_and_without_secrets(path: Path, folder: Path) -> None:
    for beside in path.parent.glob("*.json"):
        shutil.copy(beside, folder)
    book = executed(nbformat.read(path, 4), folder)
    assert_static_and_free_of_secrets(book)
    assert pictures(book)
    assert not [output for output in outputs(book) if output.output_type == "error"]
    assert "warning" not in text_of(book).lower()


NOWHERE = """
import os
del os.environ["ANONRUN_SERVER"]
data = os.path.join(os.path.expanduser("~"), "data")
os.environ["ANONRUN_DATA_DIR"] = data
os.makedirs(data)
open(os.path.join(data, "server"), "w").close()
from anonrun.core.tokens import TokenKind, mint
anonrun.Api(api_key=mint(TokenKind.API_KEY))
"""


def test_no_output_tells_the_name_that_the_home_folder_has(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what `finish`, `%anonrun status`, a script in a cell or an error of ours says of where rows wait."""
    home = folder / "ada.lovelace"
    home.mkdir()
    monkeypatch.delenv("ANONRUN_DATA_DIR")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ANONRUN_SERVER", f"http://127.0.0.1:{free_port()}")
    cells = [
        "%load_ext anonrun",
        "%%anonrun\nimport anonrun\nanonrun.log({'a': 1})",
        "run = anonrun.init(reinit='create_new'); anonrun.log({'a': 2})\n%anonrun status",
        "run.finish(timeout=0); print(run.status().trouble)",
        "import sys\n!{sys.executable} -c 'import anonrun; r = anonrun.init(); r.finish(timeout=0)'",
        NOWHERE,
    ]
    book = executed(cells, folder, allow_errors=True)
    text = nbformat.writes(book)
    assert "lovelace" not in text
    assert len(re.findall(r"rows? waits? in ~/\.local/share/anonrun/spool/", text_of(book))) == 3
    (error,) = [output for output in outputs(book) if output.output_type == "error"]
    assert error.ename == "ServerUnavailableError"
    assert "'~/data/server'" in error.evalue


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in NOTEBOOKS])
def test_every_notebook_is_stored_without_outputs(path: Path) -> None:
    book = nbformat.read(path, 4)
    assert not outputs(book)
    assert not [cell for cell in book.cells if cell.get("execution_count")]


LOG_AND_DIE = """
import anonrun, os, signal, time
started = time.monotonic()
while time.monotonic() < started + 4:
    anonrun.log({'loss': 1.0})
    time.sleep(0.05)
os.kill(os.getpid(), signal.SIGKILL)
"""
LOG = "import anonrun\nfor i in range({rows}):\n    anonrun.log({{'train/loss': 1 / (i + 1), 'val/loss': 2 / (i + 1)}})"


def test_a_run_is_one_static_output_with_its_exact_date(folder: Path) -> None:
    book = executed(
        ["%load_ext anonrun", "%anonrun --project p --name n", LOG.format(rows=20), "%anonrun finish"], folder
    )
    assert_static_and_free_of_secrets(book)
    (picture,) = pictures(book)
    assert picture["text/plain"].startswith("anonrun: n · finished · step 19\n  train/loss  0.05  (min 0.05, max 1)")
    assert re.search(r"Kept until \w{3} \d+ \w{3} 20\d\d, \d\d:\d\d UTC unless claimed", picture["text/plain"])
    assert "localhost" not in picture["text/html"]
    assert re.search(r'href="http://127\.0\.0\.1:\d+/r/[0-9a-f-]{36}"', picture["text/html"])
    assert outputs(book)[0].data == picture, "where %anonrun stands, and nowhere else"


def test_a_run_that_nobody_finishes_is_in_the_file_as_it_was_after_the_last_cell(folder: Path) -> None:
    book = executed(["%load_ext anonrun", "%anonrun --name open", LOG.format(rows=5)], folder)
    assert_static_and_free_of_secrets(book)
    (picture,) = pictures(book)
    assert picture["text/plain"].startswith("anonrun: open · running · step 4\n  train/loss  0.2")


CLAIM = """
import os, subprocess, sys, time
from anonrun.client.connect import Connector
from pathlib import Path
data = os.environ["ANONRUN_DATA_DIR"]
command = [sys.executable, "-m", "anonrun", "admin", "user", "add", "ada", "--data-dir", data, "--json"]
done = subprocess.run(command, input="correct horse battery", capture_output=True, text=True, check=True)
key = next(word for word in done.stdout.replace('"', " ").split() if word.startswith("anr" + "_u"))
run = anonrun.run
claim = run.secrets().claim
run.finish()
Connector(None, Path(data) / "server")().remote.claim(key, claim)
deadline = time.monotonic() + 30
while run.anonymous and time.monotonic() < deadline:
    time.sleep(0.1)
time.sleep(1)
"""


def test_a_claim_after_the_end_changes_the_banner_of_the_picture(folder: Path) -> None:
    book = executed(["%load_ext anonrun", "%anonrun", LOG.format(rows=5), CLAIM], folder)
    assert_static_and_free_of_secrets(book)
    (picture,) = pictures(book)
    assert "Claimed. This run is kept." in picture["text/plain"]
    assert "ada" not in picture["text/html"]


def test_widget_state_that_nbclient_saves_has_no_secret_no_points_and_no_media(folder: Path) -> None:
    note = "anonrun.log({'note': anonrun.Text('Kern' + 'ing')})"
    cells = ["%load_ext anonrun", "%anonrun --display widget", f"{LOG.format(rows=500)}\n{note}", "%anonrun finish"]
    book = executed(cells, folder, store_widget_state=True)
    state = json.dumps(book.metadata["widgets"])
    assert "Kerning" not in nbformat.writes(book)
    assert "note: 1 text, last at step 500" in nbformat.writes(book)
    assert not re.search(r"anr_[a-z]_", nbformat.writes(book))
    assert "0.3333" not in state
    assert "anon-" not in state
    assert len(nbformat.writes(book)) < MOST_BYTES
    assert pictures(book)


@pytest.mark.parametrize("host", ["colab", "kaggle"])
def test_where_widget_metadata_breaks_a_notebook_none_is_saved(
    host: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANONRUN_NOTEBOOK_HOST", host)
    cells = ["%load_ext anonrun", "%anonrun", LOG.format(rows=9), "%anonrun finish"]
    book = executed(cells, folder, store_widget_state=True)
    assert_static_and_free_of_secrets(book)
    (picture,) = pictures(book)
    assert f"Its server is on this {host.title()} machine and ends with it" in picture["text/plain"]


def test_a_cell_magic_s_run_lasts_as_long_as_the_cell(folder: Path) -> None:
    book = executed(
        ["%load_ext anonrun", f"%%anonrun --name whole\n{LOG.format(rows=3)}\n6 * 7", "anonrun.run"], folder
    )
    assert_static_and_free_of_secrets(book)
    first, value, shown = outputs(book)
    assert "whole · finished" in first.data["text/plain"]
    assert value.data["text/plain"] == "42"
    assert "whole · finished" in shown.data["text/plain"]
    assert "image/png" in shown.data


def test_magics_and_displays_work_inside_a_cell_magic(folder: Path) -> None:
    cell = "%%anonrun\n%env ANONRUN_TEST=1\nvalue = !echo hello\nprint(value)\nx = 1;"
    book = executed(["%load_ext anonrun", cell, "print(x)"], folder)
    assert "['hello']" in text_of(book)
    assert text_of(book).endswith("1\n")


def test_an_exception_in_a_cell_magic_marks_the_run_failed_and_reaches_the_user(folder: Path) -> None:
    cell = f"%%anonrun --name broken\n{LOG.format(rows=3)}\nraise ZeroDivisionError('mine')"
    book = executed(["%load_ext anonrun", cell], folder, allow_errors=True)
    picture, error = outputs(book)
    assert "broken · failed · step 2" in picture.data["text/plain"]
    assert (error.ename, error.evalue) == ("ZeroDivisionError", "mine")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    assert "raise ZeroDivisionError('mine')" in plain
    assert "notebook/magic.py" not in plain, "the user's lines, not ours"
    assert_static_and_free_of_secrets(book)


def test_an_error_of_ours_in_a_cell_magic_is_the_user_s_own(folder: Path) -> None:
    cell = "%%anonrun\nimport anonrun\nraise anonrun.NotFoundError('mine')"
    book = executed(["%load_ext anonrun", cell], folder, allow_errors=True)
    assert [output.ename for output in outputs(book) if output.output_type == "error"] == ["NotFoundError"]


def test_a_syntax_error_in_a_cell_magic_starts_no_run(folder: Path) -> None:
    book = executed(
        ["%load_ext anonrun", "%%anonrun\nfor for", "import anonrun\nprint(anonrun.run)"], folder, allow_errors=True
    )
    (error,) = [output for output in outputs(book) if output.output_type == "error"]
    assert error.ename == "SyntaxError"
    assert text_of(book) == "None\n"


def test_an_interrupt_in_a_cell_magic_marks_the_run_failed_and_reaches_the_user(folder: Path) -> None:
    cell = (
        "%%anonrun --name stopped\nimport anonrun, os, signal, threading\nanonrun.log({'loss': 1})\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\nthreading.Event().wait(60)"
    )
    book = executed(["%load_ext anonrun", cell], folder, allow_errors=True)
    (error,) = [output for output in outputs(book) if output.output_type == "error"]
    assert error.ename == "KeyboardInterrupt"
    (picture,) = pictures(book)
    assert "stopped · failed" in picture["text/plain"]


def test_a_kernel_that_is_killed_leaves_the_last_snapshot(folder: Path) -> None:
    client = client_of(["%load_ext anonrun", "%anonrun --name lost", LOG_AND_DIE], folder)
    with pytest.raises(DeadKernelError):
        client.execute()
    (shown,) = [output for output in outputs(client.nb) if "text/html" in output.get("data", {})]
    assert "lost · running · step" in shown.data["text/plain"]
    assert "Kept until" in shown.data["text/html"]


def test_the_notebook_becomes_a_page_with_its_charts(folder: Path) -> None:
    book = executed(["%load_ext anonrun", "%anonrun", LOG.format(rows=9), "%anonrun finish"], folder)
    page, _ = HTMLExporter().from_notebook_node(book)
    assert "data:image/svg+xml," in page
    assert "unless claimed" in page
    assert not re.search(r"anr_[a-z]_", page)


def test_runs_that_init_starts_are_shown_once_the_extension_is_loaded(folder: Path) -> None:
    cells = [
        "import anonrun\nrun = anonrun.init(name='before')\nrun.finish()",
        "%load_ext anonrun",
        "run = anonrun.init(name='shown')\nrun.log({'a': 1})\nrun.finish()",
        "for i in range(3):\n    with anonrun.init(name=f'sweep-{i}') as run:\n        run.log({'a': i})",
        "%anonrun off",
        "run = anonrun.init(name='quiet')\nrun.finish()",
        "anonrun.show()",
    ]
    book = executed(cells, folder)
    assert_static_and_free_of_secrets(book)
    names = [picture["text/plain"].split()[1] for picture in pictures(book)]
    assert names == ["shown", "sweep-0", "quiet"]
    assert "run sweep-1, http://127.0.0.1" in text_of(book)


def test_a_second_magic_finishes_the_first_run(folder: Path) -> None:
    cells = [
        "%load_ext anonrun",
        "%anonrun --name a",
        LOG.format(rows=2),
        "%anonrun --name b",
        LOG.format(rows=3),
        "%anonrun finish",
    ]
    book = executed(cells, folder)
    first, second = pictures(book)
    assert "a · finished · step 1" in first["text/plain"]
    assert "b · finished · step 2" in second["text/plain"]


def test_the_commands_answer_in_words_and_without_secrets(folder: Path) -> None:
    cells = [
        "%load_ext anonrun", "%anonrun --name n --total 10", LOG.format(rows=7), "%anonrun status", "%anonrun claim",
        "%anonrun export", "%anonrun export 'my curves.csv'", "%anonrun export --html", "%anonrun finish",
        "%anonrun export whole.html", "%anonrun delete", "%anonrun delete --yes", "%anonrun status",
    ]  # fmt: skip
    book = executed(cells, folder, allow_errors=True)
    assert_static_and_free_of_secrets(book)
    said = text_of(book)
    assert re.search(r"rows    7 logged, \d waiting to be sent", said)
    assert re.search(r"kept    until .* UTC \(6 d 23 h\), then deleted unless claimed", said)
    assert "Use the Claim button above the charts" in said
    assert "removes the run from its server for good; say %anonrun delete --yes." in said
    assert "run n is deleted" in said
    (picture,) = pictures(book)
    assert "Deleted. This run is no longer on its server" in picture["text/plain"]
    assert "train/loss" in picture["text/plain"]
    lines = (folder / "my curves.csv").read_text().splitlines()
    assert lines[0] == "step,time,train/loss,val/loss"
    assert [line.split(",")[0] for line in lines[1:]] == [str(i) for i in range(7)]
    assert (folder / "n.csv").read_text().splitlines() == lines
    assert "7 rows are in n.csv\n" in said
    assert "steps   step 6 of 10 (70\u202f%)" in said
    assert "The whole run is in n.html; it opens in any browser, with no server and no network.\n" in said
    for name, state in (("n.html", "running"), ("whole.html", "finished")):
        held = json.loads((folder / name).read_text().partition('id="held">')[2].partition("</script>")[0])
        assert (held["run"]["name"], held["run"]["state"], held["run"]["total"], held["points"]) == ("n", state, 10, 14)
        assert held["run"]["summary"]["train/loss"] == pytest.approx(1 / 7)
    assert str(folder) not in nbformat.writes(book), "a path tells whose notebook it is"


def test_a_view_link_is_shown_because_it_was_asked_for_and_is_no_other_secret(folder: Path) -> None:
    line = "%anonrun share --blind --label 'reviewer 2' --expires-in=60d"
    book = executed(["%load_ext anonrun", "%anonrun", LOG.format(rows=3), line], folder)
    tokens = set(re.findall(r"anr_[a-z]_[0-9A-Za-z]{36}", nbformat.writes(book)))
    assert len(tokens) == 1
    assert tokens.pop().startswith("anr_s_")


EXPORT = "import sys\n!{{sys.executable}} -m anonrun export {{run.run_id}} --reference -o {path}"


def test_the_paper_s_curve_stands_behind_the_reader_s_from_a_file_beside_the_notebook(folder: Path) -> None:
    cells = [
        "%load_ext anonrun", "%anonrun --name 'the paper'", LOG.format(rows=20), "%anonrun finish",
        "import anonrun; run = anonrun.run", EXPORT.format(path="reference.json"),
        "%anonrun --reference reference.json --name mine", LOG.format(rows=9), "%anonrun finish",
    ]  # fmt: skip
    book = executed(cells, folder)
    assert_static_and_free_of_secrets(book)
    _, mine = pictures(book)
    assert "train/loss  0.1111  (min 0.1111, max 1)  0.1111, reference 0.1111: ±0" in mine["text/plain"]
    assert "the paper" in mine["text/html"]
    assert str(folder) not in nbformat.writes(book)
    assert "anon-" not in (folder / "reference.json").read_text()
    assert len((folder / "reference.json").read_bytes()) < 2_000


def test_a_view_link_as_a_reference_leaves_no_token_in_the_notebook(folder: Path) -> None:
    """Not in outputs, not in the widget's state, and not where the link is wrong."""
    cells = [
        "%load_ext anonrun", "%anonrun --name 'the paper'", LOG.format(rows=20), "%anonrun finish",
        "import anonrun; link = anonrun.run.share(blind=True)",
        "%anonrun --display widget --reference $link --name mine  # not '#s=' but this is a comment",
        LOG.format(rows=9), "anonrun.show(reference=link)", "%anonrun finish",
        "anonrun.show(reference=link[:-1])", "anonrun.show(reference=link.replace('#s=', '#c='))", "anonrun.run",
    ]  # fmt: skip
    book = executed(cells, folder, store_widget_state=True)
    text = nbformat.writes(book)
    assert not re.search(r"anr_[a-z]_", text)
    assert "reference 0.1111: ±0" in pictures(book)[1]["text/plain"]
    said = text_of(book)
    assert said.count("The reference link cannot be used: it is not complete") == 2


def test_without_its_reference_a_run_goes_on_and_one_line_says_why(folder: Path) -> None:
    (folder / "bad.json").write_text("{}")
    cells = [
        "%load_ext anonrun", "%anonrun", LOG.format(rows=1), "%anonrun finish",
        "%anonrun --reference missing.json --compare nobody", "%anonrun --reference bad.json",
        LOG.format(rows=3), "%anonrun finish",
    ]  # fmt: skip
    book = executed(cells, folder)
    said = text_of(book).splitlines()
    assert [line.partition(" The charts")[0] for line in said if line.startswith("anonrun: ")] == [
        "anonrun: The reference 'missing.json' cannot be used: No such file or directory, where this notebook runs.",
        said[1].partition(" The charts")[0],
        (
            "anonrun: The reference 'bad.json' cannot be used: it is no reference file; make one with "
            "`anonrun export RUN --reference -o FILE`."
        ),
    ]
    assert "There is no run 'nobody'" in said[1]
    assert "finished · step 2" in pictures(book)[-1]["text/plain"]


def test_chosen_runs_stand_in_the_picture_and_earlier_ones_do_not(folder: Path) -> None:
    cells = [
        "%load_ext anonrun", "%anonrun --name first", LOG.format(rows=3), "%anonrun finish",
        "import anonrun; first = anonrun.run", "%anonrun --name second", LOG.format(rows=4), "%anonrun finish",
        "second = anonrun.run", "%anonrun --name third --compare first", LOG.format(rows=5), "%anonrun finish",
        "anonrun.show([first, second, anonrun.Api().run(anonrun.run.run_id)])",
    ]  # fmt: skip
    book = executed(cells, folder)
    assert_static_and_free_of_secrets(book)
    behind = [re.findall(r"with (.*?) behind it", picture["text/html"]) for picture in pictures(book)]
    assert behind == [["second and third"], [], ["first"], ["second and third"]], "shown again, and where it was"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        pytest.param("%anonrun --nmae x", "does not know '--nmae'; did you mean --name?", id="flag"),
        pytest.param("%anonrun statsu", "does not know 'statsu'; did you mean status?", id="command"),
        pytest.param("%anonrun --height tall", "'tall' is no height in pixels", id="height"),
        pytest.param("%anonrun --project", "expected one argument", id="no value"),
        pytest.param("%anonrun --display hologram", "invalid choice: 'hologram'", id="choice"),
        pytest.param("%anonrun --name 'open", "close the quotation mark", id="quotes"),
        pytest.param("%anonrun status now", "status does not know 'now'; it takes nothing more", id="too much"),
        pytest.param("%anonrun share --blnd", "share does not know '--blnd'; it takes --blind", id="share"),
        pytest.param("%anonrun share --expires-in soon", "'soon' is no span of time; write 90m", id="span"),
        pytest.param("%anonrun share --label", "--label needs a value", id="label"),
        pytest.param("%anonrun status", "There is no run to ask about yet", id="no run"),
        pytest.param("%anonrun --project 'a b/c'", "Project name 'a b/c' cannot be used", id="project"),
        pytest.param("%anonrun --server ftp://x", "ftp://x", id="server"),
        pytest.param("%%anonrun status\npass", "%%anonrun starts a run for this cell", id="command in a cell magic"),
        pytest.param("%anonrun --refrence x", "does not know '--refrence'; did you mean --reference?", id="near"),
        pytest.param("%anonrun --help", "%anonrun status | share | claim", id="help"),
    ],
)
def test_a_wrong_line_is_answered_in_one_line(shell: Any, line: str, answer: str) -> None:
    said = shell(line)
    assert answer in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One kernel for many lines: gives what a line prints."""
    folder = tmp_path_factory.mktemp("shell")
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setenv("ANONRUN_DATA_DIR", str(folder / "data"))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        client = client_of(["%load_ext anonrun"], folder)
        stack.enter_context(client.setup_kernel())
        client.execute_cell(client.nb.cells[0], 0)

        def run(line: str) -> str:
            cell = nbformat.v4.new_code_cell(line)
            client.nb.cells.append(cell)
            with contextlib.suppress(CellExecutionError):
                client.execute_cell(cell, len(client.nb.cells) - 1)
            return "".join(output.get("text", "") or "\n".join(output.get("traceback", [])) for output in cell.outputs)

        yield run
    stop_embedded_server(folder / "data")


def test_what_a_cell_prints_is_kept_on_request_and_shown_as_ever(folder: Path) -> None:
    book = executed(
        [
            "%load_ext anonrun",
            "%%anonrun --console\nimport anonrun, sys\nprint('to', 'out')\nprint('to err', file=sys.stderr)",
            "print('later')",
            "(printed,) = anonrun.Api().run(anonrun.run.run_id).media('console')\nprint(repr(printed.content))",
        ],
        folder,
    )
    text = text_of(book)
    assert text.count("to out\n") == 1
    assert text.count("to err\n") == 1
    assert "'to out\\nto err\\n'" in text
