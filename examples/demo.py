"""Run the quickstart notebook as a reader would, and say where to look: `make demo`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "quickstart.ipynb"


def execute(notebook: Path, target: Path) -> None:
    """Execute `notebook` in a kernel of its own and write it to `target`, saying how far it is."""
    book = nbformat.read(notebook, as_version=4)
    total = sum(cell.cell_type == "code" for cell in book.cells)
    begun = iter(range(1, total + 1))

    def say(cell: nbformat.NotebookNode, cell_index: int) -> None:  # noqa: ARG001  nbclient passes both by name
        first = cell.source.strip().splitlines()[0]
        print(f"  cell {next(begun)} of {total}: {first}", flush=True)

    client = NotebookClient(
        book,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its warnings are not for who runs a demo
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(target.parent)}},
        on_cell_execute=say,
    )
    client.execute()
    nbformat.write(book, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"), help="where the executed notebook goes (default: out)")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    target = (out / NOTEBOOK.name).resolve()
    print(f"Running notebooks/{NOTEBOOK.name}:", flush=True)
    execute(NOTEBOOK, target)
    link = subprocess.run(
        [sys.executable, "-m", "anonrun", "ui", "--no-open"], check=True, capture_output=True, text=True
    ).stdout.strip()
    print(f"\nThe dashboard, for one browser within five minutes: {link}")
    print("Later on: .venv/bin/anonrun ui")
    print(f"The executed notebook, charts included: {target} ({target.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
