"""The notebook: when the first chart is there, and how large the saved quickstart is.

Further figures of the widget (frames a second, processor time of the browser, `log()` to pixels) belong here: yield
them from `run`, measured in the browser that `_first_charts` opens.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tests.support.chromium import chromium
from tests.support.jupyter import NotebookPage, jupyter_server, stop_embedded_server, write_notebook

from benchmarks.figures import Absent, Figure, Result
from benchmarks.setup import ROOT, Setup

_QUICKSTART = ROOT / "notebooks" / "quickstart.ipynb"
_CELLS = [
    "%load_ext anonrun\nimport anonrun, time",
    "%anonrun\nfor step in range(100):\n    anonrun.log({'loss': 1 / (step + 1)})\n    time.sleep(0.05)",
]


def _first_charts(repetitions: int) -> Iterator[float]:
    with tempfile.TemporaryDirectory() as folder, jupyter_server(Path(folder)) as jupyter, chromium() as browser:
        for number in range(repetitions):
            name = f"first_{number}.ipynb"
            write_notebook(jupyter.root / name, _CELLS)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            notebook = NotebookPage(page, jupyter, name).open()
            notebook.command("notebook:run-cell-and-select-next", wait=True)
            start = time.perf_counter()
            notebook.command("notebook:run-cell-and-select-next", wait=False)
            page.locator(".anr-widget canvas").first.wait_for(timeout=30_000)
            yield (time.perf_counter() - start) * 1e3
            page.close()


def _saved_size_kb() -> float:
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "anonrun"
        book = nbformat.read(_QUICKSTART, as_version=4)
        client = NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}})
        try:
            client.execute(env=_environment(data_dir))
        finally:
            stop_embedded_server(data_dir)
        return len(nbformat.writes(book).encode()) / 1000


def _environment(data_dir: Path) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("ANONRUN_")} | {"ANONRUN_DATA_DIR": str(data_dir)}


def run(setup: Setup) -> Iterator[Result]:
    """Yield the notebook's figures."""
    if shutil.which("chromium") is None and shutil.which("google-chrome") is None:
        yield Absent("first chart after the cell of `%anonrun` starts", "there is no Chromium: apt install chromium")
    else:
        charts = tuple(_first_charts(setup.repeat))
        note = "JupyterLab and Chromium with software rendering"
        yield Figure("first chart after the cell of `%anonrun` starts", charts, "ms", 1_000, note=note)
    yield Figure("saved quickstart", (_saved_size_kb(),), "kB", 300)
