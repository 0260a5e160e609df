"""A run's folder: which parts it has, and `run.json`, all that another process needs to deliver them.

`run.json` holds the run's tokens and so is readable by its owner alone; it never holds an API key.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from anonrun.client.spool.writer import PART_SUFFIX, PartName
from anonrun.core.tokens import TokenKind, kind_of

__all__ = ["ASIDE_FOLDER_SUFFIX", "RunFile", "RunFolder", "folders_in", "remove_remains", "write_private"]

_FILE = "run.json"
_LOCK = "lock"
_REMAINS = ".gone-"
ASIDE_FOLDER_SUFFIX = ".aside"
"""Ends the name of the folder of media that a server did not take, beside the run's folder."""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


@dataclass(slots=True)
class RunFile:
    """What `run.json` says.

    Attributes:
        run_id: the id that the client chose; the folder's name.
        server: address of a named server; None for the embedded one.
        account: whose key makes the run: `given`, `login` or `anonymous`.
        request: `RunRequest` as JSON; holds hashes only.
        write: the write token.
        view: the view token.
        claim: the claim token; None where the run is an account's.
        instance: the server that knows the run; None until it does.
        server_run_id: the run's id there, another one where `resume` found an older run.
        offline: not to be delivered but by `anonrun sync`.
    """

    run_id: str
    server: str | None
    account: str
    request: dict[str, Any]
    write: str = field(repr=False)
    view: str = field(repr=False)
    claim: str | None = field(repr=False, default=None)
    instance: str | None = None
    server_run_id: str | None = None
    offline: bool = False
    version: int = 1

    @staticmethod
    def parse(text: str) -> RunFile:
        """Read the file's text.

        Raises:
            ValueError: it is no such text, or of a later version.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("version") != 1:
            raise ValueError("not a run.json of version 1; update anonrun")
        try:
            run = RunFile(**data)
        except TypeError as exc:
            raise ValueError(str(exc)) from exc
        if kind_of(str(run.write)) is not TokenKind.WRITE or not isinstance(run.request, dict):
            raise ValueError("its write token or request is damaged")
        return run


class RunFolder:
    """One run's folder below the spool."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def lock_path(self) -> Path:
        """File that is locked by the process that owns the run, while it lives."""
        return self.path / _LOCK

    def load(self) -> RunFile:
        """Return what `run.json` says.

        Raises:
            OSError: there is none that can be read.
            ValueError: it is damaged.
        """
        return RunFile.parse((self.path / _FILE).read_text(encoding="utf-8"))

    def save(self, run: RunFile) -> None:
        """Write `run.json`.

        Raises:
            OSError: the disk refuses.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.path / _FILE, json.dumps(asdict(run)))

    def is_saved(self) -> bool:
        """Return whether `run.json` is there."""
        return (self.path / _FILE).is_file()

    def is_empty(self) -> bool:
        """Return whether nothing is in it but its lock."""
        try:
            return all(entry.name == _LOCK for entry in self.path.iterdir())
        except FileNotFoundError:
            return True

    def parts(self) -> list[PartName]:
        """Return the parts that are there, in the order of their numbers."""
        try:
            names = [PartName.parse(entry.name) for entry in self.path.iterdir() if entry.suffix == PART_SUFFIX]
        except FileNotFoundError:
            return []
        return sorted(name for name in names if name is not None)

    def remove_part(self, part: PartName) -> None:
        """Delete one part; where that cannot be, it is left."""
        with contextlib.suppress(OSError):
            (self.path / part.file_name).unlink()

    def remove(self) -> None:
        """Delete the folder and all that is in it; where that cannot be, it is left.

        It is renamed before: whoever is killed in the midst leaves remains, and no run that is half there.
        """
        remains = self.path.with_name(_REMAINS + self.path.name)
        with contextlib.suppress(OSError):
            self.path.rename(remains)
        for path in (remains, self.path):
            shutil.rmtree(path, ignore_errors=True)


def folders_in(spool: Path) -> list[RunFolder]:
    """Return all folders in a spool, the oldest first, without the remains of runs and what was set aside.

    Raises:
        OSError: the spool cannot be read.
    """
    return [
        RunFolder(path)
        for path in sorted(spool.iterdir())
        if path.is_dir() and not (path.name.startswith(_REMAINS) or path.name.endswith(ASIDE_FOLDER_SUFFIX))
    ]


def remove_remains(spool: Path) -> None:
    """Delete what is left of runs whose removal was cut short."""
    for path in spool.glob(f"{_REMAINS}*"):
        shutil.rmtree(path, ignore_errors=True)
