"""A version of an artifact as the server has it: what is in it, and how it gets onto this disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from anonrun.client.access import Access
from anonrun.core.artifacts import LATEST, ArtifactFile, ArtifactInfo, check_path
from anonrun.errors import DamagedDataError, NotFoundError, ServerUnavailableError, UsageError

__all__ = ["ApiArtifact", "find_artifact"]

_PART = 8 << 20
_MOST_TRIES = 5
_WINDOWS_NAMES = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"COM{n}" for n in range(10)), *(f"LPT{n}" for n in range(10))}
)
_NOT_ON_WINDOWS = frozenset('<>:"|?*')


class ApiArtifact:
    """A version of an artifact on the server."""

    def __init__(self, access: Access, info: ArtifactInfo) -> None:
        self._access = access
        self._info = info

    @property
    def info(self) -> ArtifactInfo:
        """All that the server says of it."""
        return self._info

    @property
    def name(self) -> str:
        """Name and version, such as `digits-model:v3`."""
        return f"{self._info.name}:{self._info.version}"

    @property
    def project(self) -> str:
        """The project of the run that logged it."""
        return self._info.project

    @property
    def type(self) -> str:
        """Such as `model` or `dataset`."""
        return self._info.type

    @property
    def version(self) -> str:
        """Its number: `v0`, `v1` and so on."""
        return str(self._info.version)

    @property
    def aliases(self) -> list[str]:
        """Names of this version; `latest` is the newest one's."""
        return list(self._info.aliases)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What was said of it when it was logged."""
        return self._info.metadata

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return self._info.size_bytes

    @property
    def created_at(self) -> datetime:
        """When it was logged, UTC."""
        return self._info.created_at

    @property
    def files(self) -> list[ArtifactFile]:
        """What is in it, by path; asks the server the first time."""
        if not self._info.files:
            with self._access.asking(f"Artifact {self.name}") as remote:
                self._info = remote.artifact(self._access.key, self._info.artifact_id)
        return list(self._info.files)

    def download(self, root: str | os.PathLike[str] | None = None) -> Path:
        """Write its files below a folder, and return the folder.

        Each file appears under its name only when it is complete and is what was logged. Those that are there already
        and are the same are left alone; others of the same name are replaced.

        Args:
            root: the folder; None for `./artifacts/NAME-VERSION`.

        Raises:
            DamagedDataError: what came is not what was logged.
            UsageError: a file cannot be called so on this system.
            ServerUnavailableError: the server does not answer any more; call it again to go on.
        """
        folder = Path(root) if root is not None else Path("artifacts", f"{self._info.name}-{self.version}")
        folder.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(self.files):
            self._fetch(number, file, _place_in(folder, file.path))
        return folder

    def delete(self) -> None:
        """Delete this version at once, for good."""
        with self._access.asking(f"Artifact {self.name} cannot be deleted") as remote:
            remote.delete_artifact(self._access.key, self._info.artifact_id)

    def _fetch(self, number: int, file: ArtifactFile, place: Path) -> None:
        if place.is_file() and place.stat().st_size == file.size_bytes and _digest(place) == file.digest:
            return
        made = place.with_name(f".{secrets.token_hex(6)}.part")
        whole = hashlib.sha256()
        try:
            with made.open("xb") as out:
                at = 0
                while at < file.size_bytes:
                    data = self._part(number, at, min(file.size_bytes, at + _PART))
                    whole.update(data)
                    out.write(data)
                    at += len(data)
            self._compare(whole.hexdigest(), file)
            made.replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                made.unlink()
            raise

    def _compare(self, digest: str, file: ArtifactFile) -> None:
        if digest != file.digest:
            raise DamagedDataError(f"{file.path} of {self.name} is not what was logged; nothing was written.")

    def _part(self, number: int, start: int, end: int) -> bytes:
        for tries in range(1, _MOST_TRIES + 1):
            try:
                with self._access.asking(f"Artifact {self.name}") as remote:
                    data = remote.file_part(self._access.key, self._info.artifact_id, number, start, end)
            except ServerUnavailableError:  # noqa: PERF203  few tries
                if tries == _MOST_TRIES:
                    raise
            else:
                if len(data) == end - start:
                    return data
        raise ServerUnavailableError(f"{self.name} could not be downloaded whole; call download() again to go on.")

    def __repr__(self) -> str:
        return f"<anonrun.ApiArtifact {self.project}/{self.name} ({self.type})>"


def _digest(path: Path) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            whole.update(block)
    return whole.hexdigest()


def _place_in(folder: Path, path: str) -> Path:
    """Return where a file goes; its folder is made. What a server says of a path is not believed.

    Raises:
        UsageError: it would be outside of the folder, or cannot be on this system.
    """
    parts = check_path(path).split("/")
    if sys.platform == "win32":
        for part in parts:
            stem = part.partition(".")[0].upper()
            if stem in _WINDOWS_NAMES or _NOT_ON_WINDOWS & set(part) or part.endswith((" ", ".")):
                raise UsageError(f"{path!r} cannot be the name of a file on this system.")
    place = folder.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.parent.resolve().is_relative_to(folder.resolve()):  # a link that was there leads elsewhere
        raise UsageError(f"{place.parent} leads out of {folder}; nothing is written there.")
    if place.is_dir():
        raise UsageError(f"{place} is a folder; {path!r} is to be a file.")
    return place


def find_artifact(access: Access, name: str, *, project: str | None = None) -> ApiArtifact:
    """Return the version that `project/name:version` names.

    Args:
        access: the server.
        name: the version is `latest` where none is given; the project may be left out where `project` is given.
        project: taken where the name has none.

    Raises:
        NotFoundError: there is none.
        UsageError: no project is given.
    """
    place, _, version = name.partition(":")
    *given, short = place.rsplit("/", 2)[-2:]
    where = given[0] if given else project
    if where is None:
        raise UsageError(f"Artifact {name!r} needs its project: write project/{place}:{version or LATEST}.")
    with access.asking(f"Artifact {name}") as remote:
        found = remote.artifacts(access.key, project=where, name=short, version=version or LATEST).artifacts
    if not found:
        raise NotFoundError(f"There is no artifact {where}/{short}:{version or LATEST} for this key.")
    return ApiArtifact(access, found[0])
