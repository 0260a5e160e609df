"""Which host shows our outputs, and what it can show.

`detect` reads the environment and the shell once for each display; nothing is remembered, since a kernel
can be driven by JupyterLab now and by nbclient later. The facts behind it: docs/notebook.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from anonrun.client.notices import in_marimo
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
        temporary: name of the kind of machine, where it is soon gone and an embedded server with it; whatever runs
            there, such as a script or a notebook that nobody watches, is gone with it too.
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
        Host("binder", "widget"),
        # Colab saves widget metadata with which GitHub refuses the whole notebook (colabtools #5255).
        Host("colab", "static", 2.0),
        # Kaggle needs a restart for widgets that it does not bring itself (docker-python #1487).
        Host("kaggle", "static", 2.0),
        # Nobody is there to watch: nbclient, papermill, nbconvert.
        Host("batch", "static"),
        Host("marimo", "widget"),
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
    "VSCODE_CWD": "vscode",  # where VSCODE_PID is not set, as in a container (holoviz/panel #5200)
}
"""What each host sets in the environment, in the order in which they are asked for."""

_TEMPORARY = {"colab": "Colab", "kaggle": "Kaggle", "binder": "Binder"}
"""Hosts whose machine is soon gone."""


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
    named = environ.get("ANONRUN_NOTEBOOK_HOST")
    host = host_named(named) if named else _HOSTS[_name(shell, environ, modules)]
    machine = host.name if host.name in _TEMPORARY else _provider(environ, modules)
    return replace(host, temporary=_TEMPORARY.get(machine or ""))


def _provider(environ: Mapping[str, str], modules: Mapping[str, Any]) -> str | None:
    """Return who brings this machine and its front end, by what they leave; None where that is nobody we know."""
    if "google.colab" in modules:
        return "colab"
    return next((name for variable, name in _VARIABLES.items() if variable in environ), None)


def _name(shell: Any, environ: Mapping[str, str], modules: Mapping[str, Any]) -> str:  # noqa: ANN401  IPython has no types
    if shell is None:
        return "marimo" if in_marimo(modules) else "python"
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return "terminal"
    if "google.colab" in modules:
        return "colab"
    if not getattr(kernel, "_allow_stdin", True):  # whoever runs the cell could not answer a question either
        return "batch"
    return _provider(environ, modules) or "jupyter"
