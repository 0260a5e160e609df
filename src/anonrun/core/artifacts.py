"""Artifacts: what they may be called, what may be in them, and the messages that carry them.

An artifact is a set of files under a name, in versions v0, v1, …. Its files are known by the SHA-256 of their bytes.
The paths within one are checked here, for both sides: what passes can be written below a folder, never outside of it.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from anonrun.errors import UsageError

__all__ = [
    "LATEST",
    "MAX_FILES",
    "MAX_PART_BYTES",
    "MIN_PART_BYTES",
    "ArtifactFile",
    "ArtifactInfo",
    "ArtifactList",
    "ArtifactRequest",
    "ArtifactUse",
    "RunArtifacts",
    "UploadState",
    "check_alias",
    "check_artifact_name",
    "check_path",
    "check_paths",
    "check_type",
    "is_digest",
    "manifest_digest",
    "version_number",
]

LATEST = "latest"
MAX_FILES = 10_000
MIN_PART_BYTES = 1 << 20
"""The least that a part of a file may have that is not its last one, so that a file is never a million parts."""
MAX_PART_BYTES = 256 << 20

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"v(0|[1-9][0-9]{0,8})")
_LONGEST_PATH = 1_024
_LONGEST_PART_BYTES = 255
_UNSEEN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\\\]")
"""Control characters, what turns the direction of a text and so hides a name, and what Windows takes for `/`."""


def _check_word(what: str, text: object) -> str:
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise UsageError(
            f"{what} {text!r} cannot be used: start with a letter or digit, then up to 127 letters, digits or . _ -"
        )
    return text


def check_artifact_name(text: object) -> str:
    """Return `text` if an artifact can be called so.

    Raises:
        UsageError: it is empty, longer than 128 characters, or has other characters than letters, digits and `. _ -`.
    """
    return _check_word("Artifact name", text)


def check_type(text: object) -> str:
    """Return `text` if it can be an artifact's type, such as `model` or `dataset`; the rule is that of names.

    Raises:
        UsageError: it breaks the rule.
    """
    return _check_word("Artifact type", text)


def check_alias(text: object) -> str:
    """Return `text` if it can be given to a version by hand; the rule is that of names.

    Raises:
        UsageError: it breaks the rule, or looks like a version's number.
    """
    alias = _check_word("Alias", text)
    if _VERSION.fullmatch(alias):
        raise UsageError(f"Alias {alias!r} cannot be used: versions get their numbers by themselves.")
    return alias


def version_number(text: str) -> int | None:
    """Return the number that `v3` spells; None for another text."""
    found = _VERSION.fullmatch(text)
    return int(found[1]) if found else None


def check_path(path: object) -> str:
    """Return the path of a file in an artifact if it is one on every system: relative, with `/`, and nowhere upwards.

    Raises:
        UsageError: it says what is wrong.
    """
    if not isinstance(path, str) or not path or len(path) > _LONGEST_PATH:
        raise UsageError(f"A path in an artifact has 1 … {_LONGEST_PATH} characters.")
    if _UNSEEN.search(path):
        raise UsageError(f"The path {path!r} has control characters, a backslash, or marks that turn its direction.")
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            raise UsageError(f"The path {path!r} must be relative and plain: no empty part, no . and no ..")
        try:
            size = len(part.encode())
        except UnicodeEncodeError:
            raise UsageError(f"The path {path!r} is not Unicode text.") from None
        if size > _LONGEST_PART_BYTES:
            raise UsageError(f"A part of the path {path[:40]!r}… has {size} bytes; use at most {_LONGEST_PART_BYTES}.")
    if re.match(r"[A-Za-z]:", path):
        raise UsageError(f"The path {path!r} begins with a drive.")
    return path


def check_paths(paths: Iterable[object]) -> list[str]:
    """Return the paths of an artifact's files if they can all be there at once, sorted.

    Raises:
        UsageError: there are none or too many, one breaks the rule of `check_path` or is there twice, or one is both a
            file and a folder.
    """
    checked = sorted(map(check_path, paths))
    if not 1 <= len(checked) <= MAX_FILES:
        raise UsageError(f"An artifact has 1 … {MAX_FILES:,} files, not {len(checked):,}.")
    known = set(checked)
    if len(known) < len(checked):
        twice = next(path for path, after in itertools.pairwise(checked) if path == after)
        raise UsageError(f"The path {twice!r} is in the artifact twice.")
    for path in checked:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in known:
                raise UsageError(f"The path {'/'.join(parts[:depth])!r} is both a file and a folder.")
    return checked


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactFile:
    """A file in an artifact: where it lies in it, its size, and the SHA-256 of its bytes in hexadecimal."""

    path: str
    size_bytes: int
    digest: str


def manifest_digest(files: Iterable[ArtifactFile]) -> str:
    """Return the SHA-256 of what is in an artifact: of a line `path NUL digest NUL size LF` for each, by path."""
    whole = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        whole.update(f"{file.path}\0{file.digest}\0{file.size_bytes}\n".encode())
    return whole.hexdigest()


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 in hexadecimal."""
    return _DIGEST.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRequest:
    """Begin a version of an artifact, or find it again: sending the same `artifact_id` twice begins one.

    Attributes:
        artifact_id: UUIDv7, made by the client.
        name: of the artifact; the next version under that name in the run's project is made.
        type: such as `model` or `dataset`; the same for all versions.
        files: what is in it; the same bytes are uploaded once, whatever their number of paths.
        aliases: further names of this version, which they leave the one before for.
        metadata: anything that belongs to it.
    """

    artifact_id: str
    name: str
    type: str
    files: list[ArtifactFile]
    aliases: list[str] = field(default_factory=list)
    description: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactInfo:
    """A version of an artifact as its readers see it.

    Attributes:
        run_id: of the run that logged it.
        version: `v0`, `v1`, …; None until all of its files are there and it is committed.
        aliases: names of this version; `latest` is the newest one's.
        digest: of its contents, as `manifest_digest` says.
        file_count: how many files there are.
        size_bytes: of all of them.
        files: what is in it, by path; empty in lists of artifacts.
        missing: digests of what is still to be uploaded; empty once it is committed.
    """

    artifact_id: str
    run_id: str
    project: str
    name: str
    type: str
    version: str | None
    aliases: list[str]
    digest: str
    file_count: int
    size_bytes: int
    created_at: datetime
    description: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    files: list[ArtifactFile] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactList:
    """A page of artifacts' versions, newest first; `next` is given back as `after=` for the page that follows."""

    artifacts: list[ArtifactInfo]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunArtifacts:
    """What a run has to do with artifacts.

    Attributes:
        logged: versions that it made, with their files.
        used: versions that it took; told only to whom its account's artifacts may be told.
    """

    logged: list[ArtifactInfo]
    used: list[ArtifactInfo] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactUse:
    """Note that a run takes a version of an artifact of its account."""

    artifact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadState:
    """How far a file has arrived: upload goes on at `offset`; `stored` once all of it was verified."""

    digest: str
    size_bytes: int
    offset: int
    stored: bool
