"""Versions of artifacts: what a request may ask for, what an account may keep, and what readers are told."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from anonrun.core.artifacts import (
    LATEST,
    ArtifactFile,
    ArtifactInfo,
    ArtifactRequest,
    UploadState,
    check_alias,
    check_artifact_name,
    check_paths,
    check_type,
    is_digest,
    manifest_digest,
)
from anonrun.core.ids import parse_run_id
from anonrun.core.times import from_us
from anonrun.core.words import counted
from anonrun.errors import UsageError
from anonrun.server.actors import Actor
from anonrun.server.policy import Action, can
from anonrun.server.problems import ProblemError
from anonrun.server.services.guard import found
from anonrun.server.settings import Settings
from anonrun.store import artifacts, blobs, meta, rates, runs
from anonrun.store.artifacts import Artifact, TypeDiffersError
from anonrun.store.blobs import Blob
from anonrun.store.records import Run
from anonrun.store.transaction import Tx

__all__ = [
    "Wish",
    "begin",
    "commit",
    "info",
    "infos",
    "of_run",
    "readable",
    "upload_of",
    "upload_state",
    "wish_of",
]

_MOST_ALIASES = 20
_LARGEST_FILE = 1 << 50
_MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Wish:
    """A checked request for a version; `files` are path, digest and size, sorted by path."""

    artifact_id: uuid.UUID
    request: ArtifactRequest
    files: list[tuple[str, bytes, int]]
    sizes: dict[bytes, int]
    digest: bytes


def wish_of(request: ArtifactRequest, settings: Settings) -> Wish:
    """Check a request for a version.

    Raises:
        ProblemError: `request_invalid`, or `artifact_too_large` where a file is larger than any may be.
    """
    artifact_id = parse_run_id(request.artifact_id)
    if artifact_id is None:
        raise ProblemError("request_invalid", "artifact_id must be a UUID in its canonical form of 36 characters.")
    try:
        check_artifact_name(request.name)
        check_type(request.type)
        for alias in request.aliases:
            check_alias(alias)
        check_paths(file.path for file in request.files)
    except UsageError as exc:
        raise ProblemError("request_invalid", str(exc)) from None
    if len(request.aliases) > _MOST_ALIASES:
        raise ProblemError("request_invalid", f"A version has at most {_MOST_ALIASES} aliases.")
    if request.description is not None and len(request.description) > settings.limits.text_chars:
        raise ProblemError("request_invalid", f"The description may have {settings.limits.text_chars} characters.")
    if len(json.dumps(request.metadata).encode()) > settings.limits.config_bytes:
        raise ProblemError("request_invalid", f"The metadata may have {settings.limits.config_bytes} bytes as JSON.")
    files, sizes = [], dict[bytes, int]()
    most = settings.artifact_megabytes_per_file * _MEGABYTE or _LARGEST_FILE
    for file in sorted(request.files, key=lambda file: file.path):
        if not is_digest(file.digest):
            raise ProblemError("request_invalid", "A file's digest is its SHA-256 as 64 hexadecimal characters.")
        if file.size_bytes < 0:
            raise ProblemError("request_invalid", f"The file {file.path!r} has no such size.")
        if file.size_bytes > most:
            raise ProblemError(
                "artifact_too_large", f"A file may have {counted(most, 'byte')}; {file.path!r} has more."
            )
        digest = bytes.fromhex(file.digest)
        if sizes.setdefault(digest, file.size_bytes) != file.size_bytes:
            raise ProblemError("request_invalid", f"The same digest has two sizes, at {file.path!r} and before.")
        files.append((file.path, digest, file.size_bytes))
    return Wish(artifact_id, request, files, sizes, bytes.fromhex(manifest_digest(request.files)))


def begin(tx: Tx, actor: Actor, run_id: uuid.UUID, wish: Wish, settings: Settings) -> tuple[Artifact, bool]:
    """Make the version that is wished for, or find it again; return it and whether it is new.

    What this very run logged as the newest version already is not logged again: that version gets the aliases.

    Raises:
        ProblemError: as `found`; `artifact_exists`, `artifact_type`, `digest_mismatch`, `artifact_quota_exceeded` or
            `artifact_storage_full`.
    """
    run = found(tx, actor, run_id, Action.ARTIFACT)
    before = artifacts.find(tx, wish.artifact_id)
    if before is not None and before.run_id == run_id and before.digest == wish.digest:
        return before, False
    if before is not None or artifacts.is_known(tx, wish.artifact_id):
        raise ProblemError("artifact_exists")
    request = wish.request
    same = artifacts.same_as_latest(tx, run, request.name, request.type, wish.digest)
    if same is not None:
        for alias in request.aliases:
            if alias != LATEST:
                artifacts.note_alias(tx, same, alias)
        return same, False
    account_id = run.account.account_id
    meta.get_or_set(tx, "has_files", "yes")
    rates.hold(tx, "artifacts", "")  # so that two at once do not both find room, or both make the same blob
    wanted = blobs.want(tx, account_id, wish.sizes)
    for digest, size in wish.sizes.items():
        if wanted[digest].size_bytes != size:
            raise ProblemError("digest_mismatch", "A file with this digest has another size.")
    _check_room(tx, account_id, settings)
    fields = {
        "aliases": [alias for alias in dict.fromkeys(request.aliases) if alias != LATEST],
        "description": request.description,
        "metadata": request.metadata,
    }
    try:
        made = artifacts.begin(
            tx, run, artifact_id=wish.artifact_id, name=request.name, type_=request.type, digest=wish.digest,
            files=wish.files, fields=fields,
        )  # fmt: skip
    except TypeDiffersError as exc:
        raise ProblemError(
            "artifact_type", f"{request.name} is of type {exc.args[0]}, not {request.type}. Choose another name."
        ) from None
    return made, True


def _check_room(tx: Tx, account_id: int, settings: Settings) -> None:
    most = settings.artifact_megabytes_per_account * _MEGABYTE
    if most and not settings.embedded and (taken := blobs.taken(tx, account_id)) > most:
        raise ProblemError(
            "artifact_quota_exceeded",
            f"With this the account's files would have {counted(taken, 'byte')}, of {counted(most, 'byte')} that it "
            "may have. Delete some.",
        )
    most = settings.artifact_megabytes * _MEGABYTE
    if most and blobs.taken(tx) > most:
        raise ProblemError("artifact_storage_full")


def of_run(tx: Tx, run: Run, artifact_id: str) -> Artifact:
    """Return a version that a run logs, committed or not.

    Raises:
        ProblemError: `artifact_not_found`.
    """
    parsed = parse_run_id(artifact_id)
    artifact = None if parsed is None else artifacts.find(tx, parsed)
    if artifact is None or artifact.run_id != run.run_id:
        raise ProblemError("artifact_not_found")
    return artifact


def upload_of(tx: Tx, run: Run, artifact_id: str, digest: str) -> tuple[Artifact, Blob]:
    """Return a version that a run logs, and bytes of it.

    Raises:
        ProblemError: `artifact_not_found`.
    """
    artifact = of_run(tx, run, artifact_id)
    blob = None
    if is_digest(digest) and artifacts.holds(tx, artifact, bytes.fromhex(digest)):
        blob = blobs.find(tx, artifact.account_id, bytes.fromhex(digest))
    if blob is None:
        raise ProblemError("artifact_not_found")
    return artifact, blob


def commit(tx: Tx, actor: Actor, run_id: uuid.UUID, artifact_id: str) -> Artifact:
    """Have a version be there for its readers.

    Raises:
        ProblemError: as `found`; `artifact_not_found`, or `artifact_incomplete` where bytes are missing.
    """
    artifact = of_run(tx, found(tx, actor, run_id, Action.ARTIFACT), artifact_id)
    if artifact.version is None:
        if missing := artifacts.missing(tx, artifact):
            raise ProblemError("artifact_incomplete", missing=[digest.hex() for digest in missing[:1_000]])
        artifacts.commit(tx, artifact)
        artifact = of_run(tx, found(tx, actor, run_id, Action.ARTIFACT), artifact_id)
    return artifact


def readable(tx: Tx, actor: Actor, artifact_id: str, action: Action = Action.READ_FILES) -> Artifact:
    """Return a committed version with which an actor may do something, as with the run that logged it.

    Raises:
        ProblemError: `artifact_not_found`, the same for one that is not there and one of others.
    """
    parsed = parse_run_id(artifact_id)
    artifact = None if parsed is None else artifacts.find(tx, parsed)
    run = None if artifact is None else runs.find(tx, artifact.run_id)
    if artifact is None or run is None or artifact.version is None or not can(actor, action, run):
        raise ProblemError("artifact_not_found")
    return artifact


def upload_state(blob: Blob) -> UploadState:
    """Return how far bytes have arrived."""
    return UploadState(digest=blob.digest.hex(), size_bytes=blob.size_bytes, offset=blob.arrived, stored=blob.stored)


def _info(artifact: Artifact, aliases: list[str]) -> ArtifactInfo:
    return ArtifactInfo(
        artifact_id=str(artifact.artifact_id),
        run_id=str(artifact.run_id),
        project=artifact.project,
        name=artifact.name,
        type=artifact.type,
        version=None if artifact.version is None else f"v{artifact.version}",
        aliases=aliases,
        digest=artifact.digest.hex(),
        file_count=artifact.file_count,
        size_bytes=artifact.size_bytes,
        created_at=from_us(artifact.created_at),
        description=artifact.description,
        metadata=artifact.metadata,
    )


def infos(tx: Tx, found_ones: Collection[Artifact]) -> list[ArtifactInfo]:
    """Return versions as their readers see them, without their files."""
    aliases = artifacts.aliases_of(tx, found_ones)
    return [_info(artifact, aliases[artifact.artifact_id]) for artifact in found_ones]


def info(tx: Tx, artifact: Artifact) -> ArtifactInfo:
    """Return a version as its readers see it, with its files and with what is still missing."""
    files = [
        ArtifactFile(path=file.path, size_bytes=file.size_bytes, digest=file.digest.hex())
        for file in artifacts.files(tx, artifact)
    ]
    missing = [] if artifact.version is not None else [digest.hex() for digest in artifacts.missing(tx, artifact)]
    return dataclasses.replace(infos(tx, [artifact])[0], files=files, missing=missing)
