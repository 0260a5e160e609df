"""Artifacts on their way to the server, from a run's folder, part by part.

What is to be uploaded stands in the folder as a small file: the request, and where each file of it lies. It goes when
the server has committed the version, or will never take it; so whoever delivers the run, in this process or a later
one, goes on with it. The files themselves are read where they are; one that has changed meanwhile is not uploaded.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonrun.client.artifact import digest_of
from anonrun.client.home import without_home
from anonrun.client.remote import Refusal, Remote
from anonrun.client.spool.folder import RunFolder, write_private
from anonrun.core.artifacts import ArtifactInfo, ArtifactRequest
from anonrun.core.messages import from_json, to_json

__all__ = ["Uploads"]

_FOLDER = "artifacts"
_PART = 4 << 20
_MOST_TRIES = 3
_TAKES_NO_MORE = frozenset({401, 404, 410})
_WAITS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(slots=True)
class _Entry:
    """A version that waits: `places` says where each file lies, by its path in the artifact."""

    file: Path
    request: ArtifactRequest
    places: dict[str, Path]
    begun: bool = False
    missing: list[str] | None = None
    tries: int = 0


class Uploads:
    """The artifacts of one run that wait.

    Args:
        folder: the run's.

    Attributes:
        problems: sentences about artifacts that will not be uploaded.
        committed: what the server has of those that were, by id.
        sent_bytes: of all artifacts, by this process.
        moved_at: when something was uploaded last (monotonic); None while nothing was.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.problems: list[str] = []
        self.committed: dict[str, ArtifactInfo] = {}
        self.sent_bytes = 0
        self.moved_at: float | None = None
        self._folder = folder.path / _FOLDER
        self._now: _Entry | None = None

    def add(self, request: ArtifactRequest, places: dict[str, Path]) -> None:
        """Have a version uploaded; when this returns, it is on disk.

        Raises:
            OSError: the disk refuses.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        entry = {"request": to_json(request), "places": {path: str(place) for path, place in places.items()}}
        write_private(self._folder / f"{request.artifact_id}.json", json.dumps(entry))

    def waiting(self) -> list[Path]:
        """Return the files of what waits, the oldest first."""
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix == ".json" and path.name[0] != ".")
        except OSError:
            return []

    def waits(self, artifact_id: str) -> bool:
        """Whether a version is still to be uploaded."""
        return (self._folder / f"{artifact_id}.json").is_file()

    def left(self) -> str | None:
        """Return how much is left of what is being uploaded, in words; None where nothing is."""
        count = len(self.waiting())
        if not count:
            return None
        entry = self._now
        what = "" if entry is None else f" {entry.request.name}"
        return f"uploading{what}: {self.sent_bytes / 1e6:,.1f} MB sent, {count:,} to go"

    def advance(self, remote: Remote, token: str, run_id: str) -> bool:
        """Upload a piece; return whether there may be more.

        Raises:
            ServerUnavailableError: there was no answer; call again later.
            Refusal: the server refuses the run, or asks to wait.
        """
        if self._now is None:
            self._now = self._next()
        if self._now is None:
            return False
        entry = self._now
        try:
            self._piece(remote, token, run_id, entry)
        except OSError as exc:
            self._give_up(entry, f"{exc.filename or 'a file of it'} cannot be read: {exc.strerror or exc}")
        except Refusal as exc:
            if exc.status in _WAITS or (exc.status in _TAKES_NO_MORE and exc.code != "artifact_not_found"):
                raise
            self._refused(entry, exc)
        return True

    def begin_anew(self) -> None:
        """Forget how far an upload is: the server is another one now."""
        self._now = None

    def _next(self) -> _Entry | None:
        for path in self.waiting():
            try:
                said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                places = {name: Path(place) for name, place in said["places"].items()}
                return _Entry(path, from_json(ArtifactRequest, said["request"]), places)
            except (OSError, ValueError, KeyError, AttributeError, TypeError):  # noqa: PERF203  seldom more than one
                with contextlib.suppress(OSError):
                    path.rename(path.with_suffix(".damaged"))
        return None

    def _piece(self, remote: Remote, token: str, run_id: str, entry: _Entry) -> None:
        artifact_id = entry.request.artifact_id
        if not entry.begun:
            info = remote.begin_artifact(token, run_id, entry.request)
            entry.begun, entry.missing = True, list(info.missing)
            if info.artifact_id != artifact_id:  # the same contents as before: that version it is
                self._ended(entry, info)
            return
        if entry.missing:
            self._send_part(remote, token, run_id, entry, entry.missing[0])
            return
        self._ended(entry, remote.commit_artifact(token, run_id, artifact_id))

    def _send_part(self, remote: Remote, token: str, run_id: str, entry: _Entry, digest: str) -> None:
        assert entry.missing, "there is something to send"
        artifact_id = entry.request.artifact_id
        file = next(file for file in entry.request.files if file.digest == digest)
        place = entry.places[file.path]
        state = remote.upload(token, run_id, artifact_id, digest)
        if not state.stored:
            if place.stat().st_size != file.size_bytes:
                self._give_up(entry, f"{place} has changed since it was logged")
                return
            with place.open("rb") as source:
                source.seek(state.offset)
                data = source.read(_PART)
            try:
                state = remote.send_file(token, run_id, artifact_id, digest, data, offset=state.offset)
            except Refusal as exc:
                if exc.code == "digest_mismatch" and digest_of(place) != (digest, file.size_bytes):
                    self._give_up(entry, f"{place} has changed since it was logged")
                    return
                raise
            self.sent_bytes += len(data)
            self.moved_at = time.monotonic()
        if state.stored:
            entry.missing.pop(0)

    def _refused(self, entry: _Entry, refusal: Refusal) -> None:
        """Begin anew where that may help, and give up where it did not."""
        entry.tries += 1
        passing = {"upload_offset", "artifact_incomplete", "digest_mismatch", "artifact_not_found"}
        if refusal.code in passing and entry.tries < _MOST_TRIES:
            entry.begun = False
            return
        self._give_up(entry, refusal.detail)

    def _give_up(self, entry: _Entry, why: str) -> None:
        text = f"Artifact {entry.request.name} was not uploaded: {why.rstrip('.')}. The files stay where they are."
        self.problems.append(without_home(text))
        self._forget(entry)

    def _ended(self, entry: _Entry, info: ArtifactInfo) -> None:
        self.committed[entry.request.artifact_id] = info
        self.moved_at = time.monotonic()
        self._forget(entry)

    def _forget(self, entry: _Entry) -> None:
        self._now = None
        with contextlib.suppress(OSError):
            entry.file.unlink()
        with contextlib.suppress(OSError):
            self._folder.rmdir()
