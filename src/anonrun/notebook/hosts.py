"""Which host shows our outputs, and what it can show.

`detect` reads the environment and the shell once for each display; nothing is remembered, since a kernel
can be driven by JupyterLab now and by nbclient later. The facts behind it: docs/notebook.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from anonrun.errors import UsageError

__all__ = ["DISPLAYS", "Display", "Host", "detect", "host_named"]

Display = Literal["widget", "static", "text"]
DISPLAYS: tuple[Display, ...] = ("widget", "static", "text")


@dataclass(frozen=True, slots=True)
class Host:
    """A place where a notebook runs.

    Attributes:
        name: as in ANONRUN_NOTEBOOK_HOST.
        display: `widget` for a live widget beside the snapshot, `static` for a snapshot that is redrawn in
            place, `text` for lines of text.
        snapshot_every_s: seconds between snapshots while a run lasts.
        temporary: name of the kind of machine, where it is soon gone and an embedded server with it.
    """

    name: str
    display: Display
    snapshot_every_s: float = 30.0
    temporary: str | None = None


_HOSTS = {
    host.name: host
    for host in (
        Host("jupyter", "widget"),
        Host("vscode", "widget"),
        Host("binder", "widget", temporary="Binder"),
        # Colab saves widget metadata with which GitHub refuses the whole notebook (colabtools #5255).
        Host("colab", "static", 2.0, temporary="Colab"),
        # Kaggle needs a restart for widgets that it does not bring itself (docker-python #1487).
        Host("kaggle", "static", 2.0, temporary="Kaggle"),
        # Nobody is there to watch: nbclient, papermill, nbconvert.
        Host("batch", "static"),
        Host("marimo", "static"),
        Host("terminal", "text"),
        Host("python", "text"),
    )
}

_VARIABLES = {
    "COLAB_RELEASE_TAG": "colab",
    "KAGGLE_KERNEL_RUN_TYPE": "kaggle",
    "BINDER_SERVICE_HOST": "binder",
    "BINDER_LAUNCH_HOST": "binder",
    "VSCODE_PID": "vscode",
    "VSCODE_CWD": "vscode",
}
"""What each host sets in the environment, in the order in which they are asked for."""


def host_named(name: str) -> Host:
    """Return the host of this name.

    Raises:
        UsageError: there is none.
    """
    host = _HOSTS.get(name.strip().lower())
    if host is None:
        known = ", ".join(_HOSTS)
        raise UsageError(f"ANONRUN_NOTEBOOK_HOST={name!r} is no host that anonrun knows; use one of {known}.")
    return host


def detect(shell: Any, environ: Mapping[str, str] = os.environ, modules: Mapping[str, Any] = sys.modules) -> Host:  # noqa: ANN401  IPython has no types
    """Return the host that runs this code.

    Args:
        shell: IPython's shell, None without IPython.
        environ: the environment; `ANONRUN_NOTEBOOK_HOST` overrides everything.
        modules: what is imported.
    """
    if environ.get("ANONRUN_NOTEBOOK_HOST"):
        return host_named(environ["ANONRUN_NOTEBOOK_HOST"])
    return _HOSTS[_name(shell, environ, modules)]


def _name(shell: Any, environ: Mapping[str, str], modules: Mapping[str, Any]) -> str:  # noqa: ANN401  IPython has no types
    if shell is None:
        return "marimo" if _inside_marimo(modules) else "python"
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return "terminal"
    if "google.colab" in modules:
        return "colab"
    if not getattr(kernel, "_allow_stdin", True):  # whoever runs the cell could not answer a question either
        return "batch"
    return next((name for variable, name in _VARIABLES.items() if variable in environ), "jupyter")


def _inside_marimo(modules: Mapping[str, Any]) -> bool:
    marimo = modules.get("marimo")
    return marimo is not None and bool(getattr(marimo, "running_in_notebook", lambda: False)())
