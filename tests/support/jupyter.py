"""A real Jupyter server on a free port, isolated from the home folder, and its front end in Chromium."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
from playwright.sync_api import Page

App = Literal["lab", "notebook"]

_READY = """async () => {
  const app = window.jupyterapp;
  if (!app) return false;
  await app.restored;
  const panel = [...app.shell.widgets('main')].find((w) => w.sessionContext && w.content && w.content.widgets);
  if (!panel) return false;
  await panel.context.ready;
  await panel.sessionContext.ready;
  const kernel = panel.sessionContext.session && panel.sessionContext.session.kernel;
  return !!kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}"""


@dataclass(frozen=True, slots=True)
class Jupyter:
    """A running Jupyter server.

    Attributes:
        base: address with a trailing slash.
        data_dir: what ANONRUN_DATA_DIR is there, and so where its embedded server lives.
    """

    base: str
    token: str
    root: Path
    data_dir: Path
    log: Path
    app: App


def free_port() -> int:
    """Return a port on which nothing listens, below those that the system hands out to kernels meanwhile."""
    while True:
        port = random.randint(10_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.bind(("127.0.0.1", port))
            return port


def write_notebook(path: Path, cells: list[str]) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)


def stop_embedded_server(data_dir: Path) -> None:
    """End the embedded server of a data folder, which outlives those who started it."""
    state = data_dir / "server" / "state.json"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(json.loads(state.read_text())["pid"], signal.SIGTERM)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (OSError, http.client.HTTPException):
        return False


@contextlib.contextmanager
def jupyter_server(folder: Path, app: App = "lab", *, base_url: str = "/", **environment: str) -> Iterator[Jupyter]:
    """Start JupyterLab or Notebook 7 below `folder` and end it, its kernels and its embedded server."""
    port, token = free_port(), secrets.token_hex(16)
    root, data_dir, log = folder / "notebooks", folder / "anonrun", folder / "jupyter.log"
    root.mkdir(parents=True, exist_ok=True)
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ANONRUN_", "JUPYTER"))} | {
        "HOME": str(folder / "home"),
        "ANONRUN_DATA_DIR": str(data_dir),
        "ANONRUN_SYSTEM_METRICS": "0",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        **environment,
    }
    (folder / "home").mkdir(exist_ok=True)
    command = [
        sys.executable, "-m", "jupyter", app, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.base_url={base_url}", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True", "--LabApp.news_url=None",
    ]  # fmt: skip
    base = f"http://127.0.0.1:{port}{base_url}"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=env, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not _answers(f"{base}api/status?token={token}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Jupyter did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.1)
        yield Jupyter(base, token, root, data_dir, log, app)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        stop_embedded_server(data_dir)


class NotebookPage:
    """One notebook, open in a browser page."""

    def __init__(self, page: Page, jupyter: Jupyter, name: str) -> None:
        self.page = page
        self.jupyter = jupyter
        self.name = name

    @property
    def file(self) -> Path:
        return self.jupyter.root / self.name

    def open(self) -> NotebookPage:
        """Open or re-open the notebook and wait for its kernel."""
        lab = self.jupyter.app == "lab"
        place = f"lab/tree/{self.name}" if lab else f"notebooks/{self.name}"
        self.page.goto(f"{self.jupyter.base}{place}?token={self.jupyter.token}{'&reset' if lab else ''}")
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
        self.page.wait_for_function(_READY, timeout=60_000)
        return self

    def command(self, name: str, *, wait: bool) -> None:
        """Carry out a command of the front end; `wait` for what it promises, such as the end of a run."""
        self.page.evaluate(
            """([name, wait]) => {
              const promise = window.jupyterapp.commands.execute(name, {});
              return wait ? promise.then(() => true) : (promise.catch(() => 0), true);
            }""",
            [name, wait],
        )

    def run_all(self, *, wait: bool = False) -> None:
        self.command("notebook:run-all-cells", wait=wait)

    def run_new_cell(self, source: str) -> None:
        """Add a cell at the end and run it."""
        self.page.evaluate(
            """async (source) => {
              const panel = [...window.jupyterapp.shell.widgets('main')].find((w) => w.sessionContext && w.content);
              panel.content.activeCellIndex = panel.content.widgets.length - 1;
              await window.jupyterapp.commands.execute('notebook:insert-cell-below');
              panel.content.activeCell.model.sharedModel.setSource(source);
              await window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            source,
        )

    def save(self) -> dict[str, Any]:
        """Save and return the notebook as it stands in its file."""
        self.command("docmanager:save", wait=True)
        saved: dict[str, Any] = json.loads(self.file.read_text())
        return saved

    def shut_kernel_down(self) -> None:
        self.page.evaluate(
            """async () => {
              const panel = [...window.jupyterapp.shell.widgets('main')].find((w) => w.sessionContext && w.content);
              await panel.sessionContext.shutdown();
            }"""
        )

    def wait_until_idle(self) -> None:
        """Wait until no cell runs or waits to run."""
        self.page.wait_for_function(
            """() => {
              const panel = [...window.jupyterapp.shell.widgets('main')].find((w) => w.sessionContext && w.content);
              const waiting = panel.content.widgets.some((cell) => cell.prompt === '*');
              return !waiting && panel.sessionContext.session.kernel.status === 'idle';
            }""",
            timeout=120_000,
        )

    @property
    def busy(self) -> bool:
        """Whether a cell runs or waits to run; the kernel's own status is idle between messages of its widgets, too."""
        running: bool = self.page.evaluate(
            """() => {
              const panel = [...window.jupyterapp.shell.widgets('main')].find((w) => w.sessionContext && w.content);
              return panel.content.widgets.some((cell) => cell.prompt === '*');
            }"""
        )
        return running
