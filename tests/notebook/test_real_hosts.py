"""Hosts that can be run here, as their users run them: a process of their own, and the file or page that is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from support.jupyter import free_port, stop_embedded_server, write_notebook
from support.process import until

CELLS = [
    "%load_ext anonrun",
    "%anonrun --name seen",
    "import anonrun\nfor step in range(20):\n    anonrun.log({'train/loss': 1 / (step + 1)})",
    "%anonrun finish",
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    write_notebook(tmp_path / "paper.ipynb", CELLS)
    yield tmp_path
    stop_embedded_server(tmp_path / "data")


def away_from_home(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of this machine's user is read or written."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("ANONRUN_", "JUPYTER", "JPY_"))}
    (folder / "home").mkdir(exist_ok=True)
    return mine | {
        "HOME": str(folder / "home"),
        "XDG_CONFIG_HOME": str(folder / "home"),
        "ANONRUN_DATA_DIR": str(folder / "data"),
        "ANONRUN_SYSTEM_METRICS": "0",
        "IPYTHONDIR": str(folder / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def run(folder: Path, *command: str, stdin: str | None = None) -> str:
    """Run a module of this Python in `folder` and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=away_from_home(folder), cwd=folder, input=stdin, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def assert_static(path: Path) -> None:
    """The file holds one picture of the finished run, in every form, no widget and no secret."""
    book = nbformat.read(path, 4)
    shown = [output.data for cell in book.cells for output in cell.outputs if "text/html" in output.get("data", {})]
    (picture,) = shown
    assert picture["text/plain"].startswith("anonrun: seen · finished · step 19\n  train/loss  0.05")
    assert "data:image/svg+xml," in picture["text/html"]
    assert picture["image/png"]
    assert "widgets" not in book.metadata
    assert "widget-view" not in path.read_text()
    assert not re.search(r"anr_[a-z]_", path.read_text())


def test_papermill_leaves_static_charts(folder: Path) -> None:
    run(folder, "papermill", "paper.ipynb", "done.ipynb", "-k", "python3")
    assert_static(folder / "done.ipynb")


def test_nbconvert_leaves_static_charts_in_a_notebook_and_in_a_page(folder: Path) -> None:
    run(folder, "nbconvert", "--to", "notebook", "--execute", "paper.ipynb", "--output", "done.ipynb")
    assert_static(folder / "done.ipynb")
    run(folder, "nbconvert", "--to", "html", "done.ipynb")
    page = (folder / "done.html").read_text()
    assert "data:image/svg+xml," in page
    assert not re.search(r"anr_[a-z]_", page)


def test_the_terminal_gets_lines_of_text(folder: Path) -> None:
    typed = "\n".join([*CELLS, "anonrun.show()", "%anonrun status", "exit", ""])
    said = run(folder, "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor", stdin=typed)
    assert "Traceback" not in said
    assert "anonrun: seen · finished · step 19" in said
    assert "train/loss  0.05  (min 0.05, max 1)" in said
    assert "<div" not in said
    assert "<IPython.core.display" not in said


def test_a_script_gets_lines_of_text(folder: Path) -> None:
    (folder / "train.py").write_text(
        "import anonrun\nwith anonrun.init(name='seen') as run:\n    run.log({'loss': 0.5})\nanonrun.show(run)\n"
    )
    said = run(folder, "train")
    assert "anonrun: seen · finished · step 0\n  loss  0.5" in said


MARIMO = """
import marimo

app = marimo.App()

@app.cell
def _():
    import anonrun
    run = anonrun.init(name="seen")
    anonrun.show(run)
    return anonrun, run

@app.cell
def _(run):
    import pathlib, time
    deadline = time.monotonic() + 60
    for step in range(20):
        run.log({"train/loss": 1 / (step + 1)})
        while step == 9 and pathlib.Path("wait").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    run.finish()
    ended = True
    return (ended,)

@app.cell
def _(anonrun, ended, run):
    assert ended
    anonrun.show(run)
    return

if __name__ == "__main__":
    app.run()
"""


@contextlib.contextmanager
def marimo(folder: Path, mode: str) -> Iterator[str]:
    """Serve `paper.py` by marimo and give its address."""
    port = free_port()
    command = [sys.executable, "-m", "marimo", mode, "paper.py", "--headless", "--no-token", "--port", str(port)]
    with (folder / "marimo.log").open("wb") as log:
        process = subprocess.Popen(command, env=away_from_home(folder), cwd=folder, stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=2):
                return True
        except OSError:
            return False

    try:
        until(answers, within_s=60)
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.browser
def test_marimo_shows_the_widget_live_and_keeps_it_when_the_run_ends(folder: Path, browser: Browser) -> None:
    (folder / "paper.py").write_text(MARIMO)
    (folder / "wait").touch()
    with marimo(folder, "run") as base, browser.new_context() as context:
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(base)
        widget, snapshots = page.locator(".anr-widget"), page.locator(".anonrun-snapshot")
        expect(widget.locator(".anr-head")).to_contain_text(re.compile(r"running.*step 9"))  # while the cell is busy
        expect(widget.locator("canvas")).to_have_count(1)
        expect(snapshots).to_have_count(1)
        expect(snapshots).to_be_hidden()
        (folder / "wait").unlink()
        expect(widget.locator(".anr-head")).to_contain_text(re.compile(r"finished.*step 19"))
        expect(snapshots).to_have_count(2)
        expect(page.locator("marimo-anywidget")).to_have_count(0)
        expect(snapshots.first).to_be_hidden()
        expect(snapshots.last).to_be_visible()
        expect(widget.get_by_text("Claim this run")).to_be_visible()
        expect(widget.locator("canvas")).to_have_count(1)


@pytest.mark.browser
def test_marimo_shows_static_charts_of_a_notebook_that_is_opened_again_without_running_it(
    folder: Path, browser: Browser
) -> None:
    (folder / "paper.py").write_text(MARIMO)
    run(folder, "marimo", "export", "html", "paper.py", "-o", "paper.html")
    kept = (folder / "__marimo__" / "session" / "paper.py.json").read_text()
    for saved in (kept, (folder / "paper.html").read_text()):
        assert not re.search(r"anr_[a-z]_", saved)
    outputs = [output for cell in json.loads(kept)["cells"] for output in cell["outputs"]]
    shown = "".join(output["data"].get("text/html", "") for output in outputs)
    assert shown.count("seen, finished: train/loss 0.05") == 2, "where it was shown first, too"
    assert "marimo-anywidget" not in shown
    config = folder / "home" / "marimo"
    config.mkdir(parents=True, exist_ok=True)
    (config / "marimo.toml").write_text("[runtime]\nauto_instantiate = false\n")
    with marimo(folder, "edit") as base, browser.new_context() as context:
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(base)
        images = page.locator(".anonrun-snapshot img")
        expect(images).to_have_count(2)
        for image in images.all():
            expect(image).to_be_visible()
            assert image.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 960
        expect(page.get_by_text("Model not found")).to_have_count(0)
