"""An artifact in the user's hand, before it is logged: a name, a type, and which files it is made of.

Files are read where they are and never copied, so they must stay as they are until they were uploaded.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonrun.core.artifacts import (
    ArtifactFile,
    check_alias,
    check_artifact_name,
    check_path,
    check_paths,
    check_type,
)
from anonrun.errors import UsageError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Artifact", "artifact_of", "checked_aliases", "digest_of", "scanned"]

_BLOCK = 1 << 20
_LOOK_EVERY_S = 0.05


class Artifact:
    """A set of files that is logged as one version.

    Args:
        name: letters, digits and `. _ -`; each time that it is logged in a project, its next version is made.
        type: such as `model` or `dataset`; the same for all versions.
        description: a longer text.
        metadata: anything that JSON can hold.

    Raises:
        UsageError: a value cannot be used.

    Example:
        >>> model = Artifact("digits-model", type="model", metadata={"epochs": 10})
        >>> model.name, model.version
        ('digits-model', None)
    """

    def __init__(
        self,
        name: str,
        type: str = "file",  # noqa: A002  wandb's name for it
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = check_artifact_name(name)
        self.type = check_type(type)
        self.description = description
        self.metadata = dict(metadata or {})
        self._files: dict[str, Path] = {}
        self._version: Callable[[], str | None] = lambda: None
        self._waits: Callable[[], bool] = lambda: False

    def add_file(self, local_path: str | os.PathLike[str], name: str | None = None) -> Self:
        """Add a file; returns the artifact.

        Args:
            local_path: where it is.
            name: its path in the artifact; None for its own name.

        Raises:
            UsageError: there is no such file, or it cannot be called so.
        """
        path = Path(local_path)
        if not path.is_file():
            raise UsageError(f"There is no file {str(local_path)!r}.")
        self._files[check_path(path.name if name is None else name)] = path.absolute()
        return self

    def add_dir(self, local_path: str | os.PathLike[str], name: str | None = None) -> Self:
        """Add all files in a folder and in those below it; returns the artifact. Links to folders are not followed.

        Args:
            local_path: the folder.
            name: the folder in the artifact that they are put into; None for its top.

        Raises:
            UsageError: there is no such folder, or a file in it cannot be called so in an artifact.
        """
        root = Path(local_path)
        if not root.is_dir():
            raise UsageError(f"There is no folder {str(local_path)!r}.")
        for folder, below, files in os.walk(root):
            below.sort()
            for file in sorted(files):
                path = Path(folder, file)
                inside = path.relative_to(root).as_posix()
                if path.is_file():
                    self._files[check_path(inside if name is None else f"{name}/{inside}")] = path.absolute()
        return self

    @property
    def files(self) -> dict[str, Path]:
        """Where each file is, by its path in the artifact."""
        return dict(self._files)

    @property
    def version(self) -> str | None:
        """`v0`, `v1`, …, once it was uploaded; None before."""
        return self._version()

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until it was uploaded, refused, or `timeout` seconds are over; returns the artifact."""
        until = None if timeout is None else time.monotonic() + timeout
        while self._waits() and (until is None or time.monotonic() < until):
            time.sleep(_LOOK_EVERY_S)
        return self

    def follow(self, *, version: Callable[[], str | None], waits: Callable[[], bool]) -> None:
        """Have the artifact tell what became of it: called where it is logged."""
        self._version, self._waits = version, waits

    def __repr__(self) -> str:
        return f"<anonrun.Artifact {self.name} ({self.type}) {self.version or f'{len(self._files)} files'}>"


def artifact_of(
    what: Artifact | str | os.PathLike[str], *, name: str | None, type_: str | None, default_name: str
) -> Artifact:
    """Return what was given to `log_artifact` as an artifact.

    Args:
        what: an artifact, a file or a folder.
        name: its name; None for that of the file or folder, as far as it can be one.
        type_: its type; None for `file`.
        default_name: taken where the file's own name cannot be one.

    Raises:
        UsageError: there is no such file, it is empty, or it cannot be called so.
    """
    if isinstance(what, Artifact):
        if name is not None or type_ is not None:
            raise UsageError("An Artifact has a name and a type of its own; give name= and type= for a path only.")
        check_paths(what.files)
        return what
    path = Path(what)
    if name is None:
        try:
            name = check_artifact_name(path.absolute().name)
        except UsageError:
            name = default_name
    made = Artifact(name, type_ or "file")
    if path.is_dir():
        made.add_dir(path)
    else:
        made.add_file(path)
    check_paths(made.files)
    return made


def digest_of(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, in hexadecimal, and its size.

    Raises:
        OSError: it cannot be read.
    """
    whole, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            whole.update(block)
            size += len(block)
    return whole.hexdigest(), size


def scanned(artifact: Artifact) -> list[ArtifactFile]:
    """Read all files of an artifact and return what it is made of.

    Raises:
        OSError: one cannot be read.
    """
    found = []
    for path, place in sorted(artifact.files.items()):
        digest, size = digest_of(place)
        found.append(ArtifactFile(path=path, size_bytes=size, digest=digest))
    return found


def checked_aliases(aliases: Sequence[str] | str | None) -> list[str]:
    """Return aliases that can be given to a version.

    Raises:
        UsageError: one cannot be used.
    """
    given = [aliases] if isinstance(aliases, str) else list(aliases or ())
    return [check_alias(alias) for alias in given]
