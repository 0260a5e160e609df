from __future__ import annotations

import ast
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anonrun.client.notices import in_marimo
from anonrun.errors import UsageError
from anonrun.notebook.hosts import detect, host_named

ROOT = Path(__file__).parents[2]


def shell(*, allow_stdin: bool = True) -> Any:
    return SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=allow_stdin))


MARIMO = SimpleNamespace(running_in_notebook=lambda: True)
NO_MARIMO = SimpleNamespace(running_in_notebook=lambda: False)


@pytest.mark.parametrize(
    ("shell", "environ", "modules", "name", "display"),
    [
        pytest.param(shell(), {}, {}, "jupyter", "widget", id="JupyterLab, Notebook 7"),
        pytest.param(shell(allow_stdin=False), {}, {}, "batch", "static", id="nbclient"),
        pytest.param(shell(), {"VSCODE_PID": "1"}, {}, "vscode", "widget", id="VS Code"),
        pytest.param(shell(), {"COLAB_RELEASE_TAG": "x"}, {}, "colab", "static", id="Colab by variable"),
        pytest.param(shell(), {}, {"google.colab": object()}, "colab", "static", id="Colab by module"),
        pytest.param(shell(), {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}, {}, "kaggle", "static", id="Kaggle"),
        pytest.param(shell(), {"BINDER_SERVICE_HOST": "x"}, {}, "binder", "widget", id="Binder"),
        pytest.param(SimpleNamespace(), {}, {}, "terminal", "text", id="terminal IPython"),
        pytest.param(None, {}, {}, "python", "text", id="a script"),
        pytest.param(None, {}, {"marimo": MARIMO}, "marimo", "widget", id="marimo"),
        pytest.param(None, {}, {"marimo": NO_MARIMO}, "python", "text", id="a script that imports marimo"),
        pytest.param(
            shell(allow_stdin=False), {"KAGGLE_KERNEL_RUN_TYPE": "Batch"}, {}, "batch", "static", id="Kaggle, saved"
        ),
        pytest.param(shell(), {"VSCODE_CWD": "/"}, {}, "vscode", "widget", id="VS Code in a container"),
        pytest.param(shell(), {"ANONRUN_NOTEBOOK_HOST": "terminal"}, {}, "terminal", "text", id="overridden"),
    ],
)
def test_each_host_is_known_by_what_it_leaves(
    shell: Any, environ: dict[str, str], modules: dict[str, Any], name: str, display: str
) -> None:
    host = detect(shell, environ, modules)
    assert (host.name, host.display) == (name, display)


@pytest.mark.parametrize("variable", ["COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE", "BINDER_SERVICE_HOST"])
def test_a_machine_that_is_soon_gone_is_named(variable: str) -> None:
    assert detect(shell(), {variable: "x"}, {}).temporary in {"Colab", "Kaggle", "Binder"}
    assert detect(shell(), {}, {}).temporary is None


@pytest.mark.parametrize(
    "shell",
    [pytest.param(shell(allow_stdin=False), id="Kaggle's saved version"), pytest.param(None, id="!python x.py")],
)
def test_whatever_runs_on_a_machine_that_is_soon_gone_is_gone_with_it(shell: Any) -> None:
    assert detect(shell, {"KAGGLE_KERNEL_RUN_TYPE": "Batch"}, {}).temporary == "Kaggle"
    assert detect(shell, {}, {"google.colab": object()}).temporary == "Colab"
    named = {"ANONRUN_NOTEBOOK_HOST": "jupyter", "KAGGLE_KERNEL_RUN_TYPE": "Batch"}
    assert detect(shell, named, {}).temporary == "Kaggle"


def test_marimo_is_assumed_in_a_thread_of_which_it_knows_nothing() -> None:
    assert not in_marimo({"marimo": NO_MARIMO})
    assert not in_marimo({})
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(in_marimo, {"marimo": NO_MARIMO}).result()
        assert not pool.submit(in_marimo, {}).result()


def test_a_host_that_does_not_exist_is_refused_with_the_list_of_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"jupyterlab.*use one of jupyter, vscode"):
        detect(shell(), {"ANONRUN_NOTEBOOK_HOST": "jupyterlab"}, {})


def documented_hosts() -> list[list[str]]:
    """The table of docs/notebook.md, a list of cells for each row."""
    section = (ROOT / "docs" / "notebook.md").read_text().partition("## Which host gets what\n")[2]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [[*row[:2], " ".join(row[2:-1]), row[-1]] for row in rows[2:]]


@pytest.mark.parametrize("row", [pytest.param(row, id=row[0]) for row in documented_hosts()])
def test_what_the_docs_say_of_a_host_is_what_it_gets(row: list[str]) -> None:
    _, name, gets, source = row
    display = host_named(name.strip("`")).display
    assert gets.startswith(f"`{display}`")
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", source)
    assert source.startswith("tested here: " if tests else "by documented behaviour")
    assert tests or re.search(r"\]\(https://", gets + source), "where that behaviour is documented"
    for path, test in tests:
        functions = {
            part.name for part in ast.parse((ROOT / path).read_text()).body if isinstance(part, ast.FunctionDef)
        }
        assert test in functions, f"{path} has no {test}"


def test_every_host_is_in_the_docs() -> None:
    with pytest.raises(UsageError) as known:
        host_named("?")
    names = {row[1].strip("`") for row in documented_hosts()}
    assert names == set(str(known.value).partition("use one of ")[2].rstrip(".").split(", "))
    asked = ["JupyterLab 4", "Notebook 7", "VS Code", "Colab", "Kaggle", "marimo", "nbconvert", "papermill", "IPython"]
    hosts = " ".join(row[0] for row in documented_hosts())
    assert not [host for host in asked if host not in hosts]
