"""The earlier runs of a notebook, for a kernel that has none of them in memory: after a restart, or the next day.

Which notebook a kernel belongs to is what its host says, and stays on this machine: in a file that is named by a hash
of it and holds ids of runs, nothing else. Their curves are read from the run's own server in the background, with the
key that `anonrun.Api()` has. Nobody asked for these runs, so what cannot be read is left out without a word.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonrun.client.api import Api
from anonrun.client.spool.folder import write_private
from anonrun.core.ids import parse_run_id
from anonrun.errors import AnonrunError
from anonrun.notebook.others import MOST_EARLIER, Other, of_server
from anonrun.notebook.source import Source

__all__ = ["Book", "Recall", "notebook_of"]

_MOST_RUNS = 12
_MOST_BOOKS = 200
_SERVER_PATIENCE_S = 30.0
_POLL_S = 0.2


def notebook_of(environ: Mapping[str, str], names: Mapping[str, Any]) -> str | None:
    """Return which notebook a kernel belongs to, in the words of its host; None where no host says.

    Args:
        environ: the kernel's environment; JupyterLab and Notebook 7 put the notebook's path into it.
        names: the kernel's own variables; VS Code puts the path among them.
    """
    said = names.get("__vsc_ipynb_file__") or environ.get("JPY_SESSION_NAME")
    return said if isinstance(said, str) and said else None


@dataclass(frozen=True, slots=True)
class Book:
    """What this machine remembers of one notebook.

    Attributes:
        path: the file.
    """

    path: Path

    @staticmethod
    def of(root: Path, notebook: str) -> Book:
        """Return the book of a notebook in the client's folder."""
        return Book(root / "notebooks" / f"{hashlib.sha256(notebook.encode()).hexdigest()[:32]}.json")

    def runs(self, project: str) -> list[str]:
        """Return the ids of the notebook's runs of a project, the oldest first."""
        return [run_id for run_id, of in self._load() if of == project]

    def note(self, run_id: str, project: str) -> None:
        """Remember a run; of many, the last ones. A disk that refuses forgets it."""
        entries = [entry for entry in self._load() if entry[0] != run_id]
        self._save([*entries, (run_id, project)][-_MOST_RUNS:])

    def forget(self, run_id: str) -> None:
        """Forget a run."""
        entries = self._load()
        if any(known == run_id for known, _ in entries):
            self._save([entry for entry in entries if entry[0] != run_id])

    def _load(self) -> list[tuple[str, str]]:
        try:
            runs: Any = json.loads(self.path.read_text(encoding="utf-8"))["runs"]
            return [(run_id, str(project)) for run_id, project in runs if parse_run_id(run_id) is not None]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _save(self, entries: list[tuple[str, str]]) -> None:
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(self.path, json.dumps({"version": 1, "runs": entries}))
            books = sorted(self.path.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in books[:-_MOST_BOOKS]:
                path.unlink()


def _read(run: Source, run_ids: list[str]) -> list[Other]:
    """Return the runs that the server of `run` tells this machine of, as it has them now."""
    deadline = time.monotonic() + _SERVER_PATIENCE_S
    while (server := run.status().server) is None:
        if time.monotonic() >= deadline:
            return []
        time.sleep(_POLL_S)
    found: list[Other] = []
    api = Api(None if server.embedded else server.url)
    try:
        for run_id in run_ids:
            with contextlib.suppress(AnonrunError):
                found.append(of_server(api.run(run_id)))
    finally:
        api.close()
    return [one for one in found if one.metrics]


class Recall:
    """Reads a notebook's earlier runs once for each project that a kernel shows.

    Args:
        book: gives the notebook's book; None where the host does not say which notebook this is.
        found: takes a run, and the earlier ones that were read for it; called in the background.
        read: replaced only by tests.
    """

    def __init__(
        self,
        book: Callable[[], Book | None],
        found: Callable[[Source, list[Other]], object],
        read: Callable[[Source, list[str]], list[Other]] = _read,
    ) -> None:
        self._book = book
        self._found = found
        self._read = read
        self._seen: set[str] = set()

    def begin(self, run: Source, *, known: set[str]) -> None:
        """Remember a run that is shown, and look for earlier ones of its project unless that was done.

        Args:
            run: which.
            known: ids of runs that the kernel has in memory.
        """
        book, project = self._book(), run.info().project
        if book is None:
            return
        earlier = [run_id for run_id in book.runs(project) if run_id not in known and run_id != run.run_id]
        book.note(run.run_id, project)
        if project not in self._seen and earlier:
            look = threading.Thread(target=self._look, args=(run, earlier[-MOST_EARLIER:]), daemon=True)
            look.name = "anonrun-recall"
            look.start()
        self._seen.add(project)

    def forget(self, run_id: str) -> None:
        """Forget a run that was deleted."""
        book = self._book()
        if book is not None:
            book.forget(run_id)

    def _look(self, run: Source, earlier: list[str]) -> None:
        with contextlib.suppress(AnonrunError):
            found = self._read(run, earlier)
            if found:
                self._found(run, found)
