"""The paper's notebook and its template: what a reader's Colab, and an author, meet."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest

from anonrun.core.reference import read_reference

ROOT = Path(__file__).parents[2]
DEMO = nbformat.read(ROOT / "notebooks" / "paper_demo_colab.ipynb", 4)
TEMPLATE = nbformat.read(ROOT / "notebooks" / "paper_template.ipynb", 4)
COLAB = "https://colab.research.google.com/github"


def repository() -> str:
    """OWNER/REPO, as the package says it."""
    found = re.search(r'Repository = "https://github\.com/([\w.-]+/[\w.-]+)"', (ROOT / "pyproject.toml").read_text())
    assert found
    return found[1]


def text_of(book: nbformat.NotebookNode) -> str:
    return "\n".join(cell.source for cell in book.cells)


def test_the_badge_opens_this_notebook_of_this_repository() -> None:
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({COLAB}/{repository()}"
    assert f"{badge}/blob/main/notebooks/paper_demo_colab.ipynb)" in DEMO.cells[0].source
    owners = set(re.findall(r"github(?:usercontent)?\.com/(?:github/)?([\w.-]+/[\w.-]+)", text_of(DEMO)))
    assert owners == {repository()}
    assert f"{COLAB}/OWNER/REPO/blob/main/" in TEMPLATE.cells[0].source


def test_the_author_s_server_is_named_by_one_variable() -> None:
    for book in (DEMO, TEMPLATE):
        assert len(re.findall(r"^SERVER = None", text_of(book), re.MULTILINE)) == 1


def test_the_reference_stands_beside_the_notebook_and_has_its_metrics() -> None:
    reference = read_reference((ROOT / "notebooks" / "paper_reference.json").read_bytes())
    assert reference.name == "paper"
    assert {"loss/training_digits", "accuracy/last", "accuracy/averaged"} <= set(reference.metrics)
    (experiment,) = [cell.source for cell in DEMO.cells if cell.source.startswith("%%anonrun")]
    found = re.search(r'"epochs": (\d+)', experiment)
    assert found
    assert max(reference.metrics["loss/training_digits"].steps) == int(found[1]) - 1, (
        "make reference: it is of other settings"
    )


FIRST_CELL = """
import json, sys
from IPython.testing.globalipapp import get_ipython, start_ipython
shell = start_ipython()
asked = []
shell.register_magic_function(lambda line: asked.append(line), magic_name="pip")
shell.run_cell(json.loads(sys.argv[1])).raise_error()
print(json.dumps(asked))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has IPython, and neither anonrun nor scikit-learn."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        if not re.match(r"anonrun|_?anonrun|scikit_learn|sklearn|.*\.(pth|egg-link)$", installed.name):
            (packages / installed.name).symlink_to(installed)
    return folder / "bin" / "python"


def asked_of_pip(python: Path | str, book: nbformat.NotebookNode, folder: Path, **more: str) -> list[str]:
    """Run a notebook's first cell in `folder` and return what it asks `%pip` for."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ANONRUN_"))}
    cell = next(cell.source for cell in book.cells if cell.cell_type == "code")
    done = subprocess.run(
        [python, "-c", FIRST_CELL, json.dumps(cell)], cwd=folder, capture_output=True, text=True, check=False,
        env=mine | {"IPYTHONDIR": str(folder / ".ipython"), **more},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    asked: list[str] = json.loads(done.stdout.splitlines()[-1])
    return asked


def test_the_first_cell_installs_from_pypi_what_is_missing(bare: Path, tmp_path: Path) -> None:
    assert asked_of_pip(bare, DEMO, tmp_path) == ['install --quiet "anonrun" "scikit-learn"']
    assert asked_of_pip(bare, TEMPLATE, tmp_path) == ['install --quiet "anonrun"']


def test_the_first_cell_installs_from_the_checkout_in_which_it_stands(bare: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "a checkout"
    (checkout / "src" / "anonrun").mkdir(parents=True)
    (checkout / "src" / "anonrun" / "__init__.py").touch()
    (checkout / "notebooks").mkdir()
    for folder in (checkout, checkout / "notebooks"):
        assert asked_of_pip(bare, DEMO, folder) == [f'install --quiet "{checkout}" "scikit-learn"']


def test_the_first_cell_leaves_an_anonrun_that_is_there_alone(tmp_path: Path) -> None:
    assert asked_of_pip(sys.executable, DEMO, tmp_path, PYTHONPATH=str(ROOT / "src")) == []
