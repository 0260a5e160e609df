from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from anonrun.errors import UsageError
from anonrun.notebook.hosts import detect


def shell(*, allow_stdin: bool = True) -> Any:
    return SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=allow_stdin))


MARIMO = SimpleNamespace(running_in_notebook=lambda: True)


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
        pytest.param(None, {}, {"marimo": MARIMO}, "marimo", "static", id="marimo"),
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


def test_a_host_that_does_not_exist_is_refused_with_the_list_of_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"jupyterlab.*use one of jupyter, vscode"):
        detect(shell(), {"ANONRUN_NOTEBOOK_HOST": "jupyterlab"}, {})
