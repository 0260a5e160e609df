"""Run the paper's notebook with the paper's seed and write its reference file: `make reference`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
CHANGES = {'"seed": 1': '"seed": 0', "--name mine": "--name paper", " --reference paper_reference.json": ""}


def as_in_the_paper(notebook: Path) -> nbformat.NotebookNode:
    """Return the notebook with the paper's seed and the run's name, and without what is to be made."""
    book = nbformat.read(notebook, as_version=4)
    for cell in book.cells:
        if cell.source.startswith("%%anonrun"):
            for old, new in CHANGES.items():
                if old not in cell.source:
                    raise SystemExit(f"{notebook.name} no longer has {old!r} in its experiment.")
                cell.source = cell.source.replace(old, new)
    return book


def anonrun(*arguments: str) -> str:
    command = [sys.executable, "-m", "anonrun", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603  our own command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER / "paper_reference.json", help="the file to write")
    out: Path = parser.parse_args().out.resolve()
    with tempfile.TemporaryDirectory() as folder:  # a server of its own, so that no run of yours is among those it has
        os.environ |= {"ANONRUN_DATA_DIR": str(Path(folder) / "data")}
        os.environ.pop("ANONRUN_SERVER", None)
        os.environ.pop("ANONRUN_API_KEY", None)
        Path(folder, out.name).touch()  # nothing is to be fetched
        book = as_in_the_paper(FOLDER / "paper_demo_colab.ipynb")
        NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
        try:
            (run,) = json.loads(anonrun("runs", "--json"))
            anonrun("export", run["run_id"], "--reference", "--name", "paper", "-o", str(out))
        finally:
            os.kill(json.loads(Path(folder, "data", "server", "state.json").read_text())["pid"], signal.SIGTERM)
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
