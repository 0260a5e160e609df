"""One run's machinery from `log` to the server, put together and taken apart in the right order.

Owns the run's folder and its lock while this process lives. Knows nothing of the current run or of how a run is
shown. After a fork, the child goes on as a writer of its own and leaves delivery to its parent.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anonrun.client.artifact import Artifact, scanned
from anonrun.client.browser import open_privately
from anonrun.client.connect import Connector
from anonrun.client.console import Console
from anonrun.client.delivery import Connection, Delivery
from anonrun.client.feed import RowFeed
from anonrun.client.home import without_home
from anonrun.client.leftovers import deliver_leftovers, owned
from anonrun.client.links import LinkWish, share_link
from anonrun.client.media.intake import Intake
from anonrun.client.media.recent import Recent
from anonrun.client.media.shelf import Shelf
from anonrun.client.notices import Notices
from anonrun.client.progress import progress, sentence
from anonrun.client.recorder import Recorder
from anonrun.client.registration import Keys
from anonrun.client.remote import Refusal, as_public_error
from anonrun.client.sampler import Sampler
from anonrun.client.sender import Sender
from anonrun.client.spool.folder import RunFile, RunFolder
from anonrun.client.spool.writer import KEEP_BYTES, LIMIT_BYTES, SpoolWriter, refused_text
from anonrun.core.artifacts import ArtifactRequest
from anonrun.core.ids import new_run_id
from anonrun.core.metrics import SYSTEM_PREFIX
from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import Frame, decode_all
from anonrun.errors import ServerUnavailableError

__all__ = ["Recording"]

_FINISH_S = 30.0
_UNREACHABLE_S = 5.0
_PROGRESS_AFTER_S = 1.0
_MEDIA_SHARE = 4  # of what the run may take on disk, beside its rows


class Recording:
    """What stands behind an online or offline run.

    Args:
        spool: folder of all runs.
        file: the run.
        keys: by which key it is made.
        keys_for: the same for a run that an earlier process left over.
        connect: finds the server.
        notices: where warnings go.
        on_settled: called in the background once the server has the run.
        heartbeat_s: how often to say that the run is alive.
        limit_bytes: what the run's folder may take.
        tells_end: whether the run's end is this process's to tell; False where it only adds to another's run.
        helps: another process began the run and delivers it; this one only writes into its folder.

    Attributes:
        recorder: takes what is logged.
        recent: the newest of the pictures, tables and the like that this process logged.
        shelf: where pictures, tables and the like wait.
        sender: None for an offline run.
    """

    def __init__(
        self,
        spool: Path,
        file: RunFile,
        *,
        keys: Keys,
        keys_for: Callable[[RunFile], Keys],
        connect: Connector,
        notices: Notices,
        on_settled: Callable[[], object],
        heartbeat_s: float = 15.0,
        limit_bytes: int = LIMIT_BYTES,
        tells_end: bool = True,
        helps: bool = False,
    ) -> None:
        self.file = file
        self.folder = RunFolder(spool / file.run_id)
        self.connect = connect
        self._notices = notices
        self._forked = helps
        self._tells_end = tells_end
        self._lock = contextlib.ExitStack()
        self._unsaved: str | None = (
            None  # why there is no `run.json`, without which no other process can deliver the run
        )
        if not helps:
            self._own()
        self.writer = SpoolWriter(self.folder.path, limit_bytes=limit_bytes)
        self.recent = Recent()
        self.shelf = Shelf(self.folder, limit_bytes // _MEDIA_SHARE, self.recent.add)
        self.recorder = Recorder(self.writer, notices, intake=Intake(self.shelf, notices))
        self.delivery = Delivery(
            self.folder,
            file,
            connect=connect,
            keys=keys,
            writer=self.writer,
            keep_bytes=min(KEEP_BYTES, limit_bytes // 4),
            shelf=self.shelf,
        )
        self.sender: Sender | None = None
        self._sampler: Sampler | None = None
        self._console: Console | None = None
        if not file.offline and not helps:
            others = deliver_leftovers(spool, server=file.server, connect=connect, keys_for=keys_for)
            self.sender = Sender(
                self.delivery,
                self.writer,
                notices,
                leftovers=others,
                on_settled=on_settled,
                heartbeat_s=heartbeat_s if tells_end else None,
                each_turn=self._keep_printed,
            )
            self.sender.start()

    def _own(self) -> None:
        with contextlib.suppress(OSError):
            self.folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.enter_context(owned(self.folder, new=True))
        try:
            self.folder.save(self.file)
        except OSError as exc:
            self._unsaved = refused_text(self.folder.path, exc)
            self._notices.warn_once("disk", self._unsaved)

    @property
    def rows(self) -> int:
        """Rows logged, as far as this process knows."""
        return self.recorder.rows + self.delivery.sent_rows(own=False)

    @property
    def unsent_rows(self) -> int:
        """Rows of this process that the server does not have, those of system metrics included."""
        return max(0, self.recorder.rows + self.recorder.samples - self.delivery.sent_rows(own=True))

    @property
    def written_rows(self) -> int:
        """Rows that are to be delivered, those of system metrics included."""
        return self.rows + self.recorder.samples

    @property
    def unsent_media(self) -> int:
        """Pictures, tables and the like that the server does not have."""
        return self.shelf.count()

    @property
    def trouble(self) -> str | None:
        """A sentence while something is wrong."""
        if self._unsaved is not None and (self.folder.is_saved() or (self.sender is not None and self.sender.done)):
            self._unsaved = None
        of_sender = None if self.sender is None else self.sender.trouble
        trouble = self.writer.trouble or self._unsaved or self.recorder.trouble or of_sender
        return None if trouble is None else without_home(trouble)

    @property
    def refusal(self) -> Refusal | None:
        """Why delivery ended before its time."""
        return None if self.sender is None else self.sender.refusal

    def wait_settled(self, timeout_s: float, *, only_without_trouble: bool = False) -> bool:
        """Wait until the server has the run or has refused it; return whether that is so.

        Args:
            timeout_s: how long at most.
            only_without_trouble: give up as soon as the server is known not to answer.
        """
        sender = self.sender
        if sender is None:
            return False
        if not only_without_trouble:
            return sender.settled.wait(timeout_s)
        deadline = time.monotonic() + timeout_s
        while not sender.settled.wait(0.05) and sender.trouble is None and time.monotonic() < deadline:
            pass
        return sender.settled.is_set()

    def sample_system(self, every_s: float, *, rank: int) -> None:
        """Record from now on how the machine does.

        Args:
            every_s: seconds between samples.
            rank: which of the training's processes this is; 0 for the one that began the run. Others' metrics say so.
        """
        began = time.time()

        def age_s() -> float:
            info, offset_s = self.delivery.info, self.delivery.server_time_offset_s
            if info is None or offset_s is None:
                return time.time() - began
            return time.time() + offset_s - info.created_at.timestamp()

        prefix = f"{SYSTEM_PREFIX}rank{rank}/" if rank else SYSTEM_PREFIX
        self._sampler = Sampler(
            self.recorder.log_sample,
            age_s,
            every_s=every_s,
            prefix=prefix,
            complain=lambda text: self._notices.warn_once("system", text),
        )
        self._sampler.start()

    def feed(self) -> RowFeed:
        """Return a new reader of all rows."""
        return RowFeed(self.folder, self.writer, self._rows_on_server)

    def keep_console(self) -> None:
        """Keep what this process prints from now on, until `end`."""
        self._console = Console(self.recorder.keep_printed)
        self._console.begin()

    def change(self, fields: dict[str, Any]) -> None:
        """Save fields of `RunUpdate` that change."""
        if not self.recorder.closed:
            self.recorder.change(fields)

    def end(self, state: str, exit_code: int, error: str | None = None) -> None:
        """Take nothing more, and note how the run ended; a forked child only stops."""
        if self._sampler is not None:
            self._sampler.stop()
        if self._console is not None:
            self._console.end()
        if not self._forked and self._tells_end:
            told = {"state": state, "exit_code": exit_code}
            self.recorder.change(told if error is None else {**told, "error": error})
        self.recorder.closed = True
        self.shelf.close()
        self.writer.close()
        self.recorder.warn_of_disk()
        if not self._forked:
            self.delivery.keep_file()
        if self.sender is not None and not self._forked:
            self.sender.finish()

    def wait_delivered(self, timeout_s: float | None) -> bool:
        """Wait for delivery after `end`, bounded, and say how far it is; return whether all has arrived."""
        sender = self.sender
        if sender is None or self._forked:
            return False
        started = time.monotonic()
        most_s = _FINISH_S if timeout_s is None else timeout_s
        shown = progress(self._notices)
        while not sender.wait(0.2 if timeout_s is None else min(0.2, max(0.0, started + most_s - time.monotonic()))):
            now = time.monotonic()
            uploads, outbox = self.delivery.uploads, self.delivery.outbox
            heard = max(started, sender.reached_at or started)
            # Files take as long as they take: without a bound of the user's it is waited for as long as they move.
            moved_at = max(started, uploads.moved_at or started, outbox.moved_at or started)
            moved = started if timeout_s is not None else moved_at
            if now >= moved + most_s or (timeout_s is None and now - heard >= _UNREACHABLE_S and not uploads.waiting()):
                break
            if now - started >= _PROGRESS_AFTER_S:
                rows = sentence(unsent=self.unsent_rows, rows=self.written_rows, waited_s=now - started, most_s=most_s)
                shown.show((None if self.unsent_rows else outbox.left() or uploads.left()) or rows)
        shown.close()
        return sender.done

    def close(self) -> None:
        """Let go of everything; what was not delivered stays on disk."""
        if self.sender is not None and not self._forked:
            self.sender.stop()
            delivered = self.sender.done and self.delivery.may_be_removed()
            if self.sender.wait(0 if delivered else 1.0):
                self.delivery.close()
            if delivered:
                self.folder.remove()
        self._lock.close()

    def discard(self) -> None:
        """Undo the run before anything was logged."""
        self.recorder.closed = True
        self.writer.close()
        if self.sender is not None:
            self.sender.stop()
            self.sender.wait(1.0)
        self.folder.remove()
        self._lock.close()

    def connected(self, timeout_s: float) -> Connection:
        """Return the connection to a server that has the run.

        Raises:
            ServerUnavailableError: there is none in time.
        """
        self.wait_settled(timeout_s)
        connection = self.delivery.connection
        if connection is None or not self.delivery.registered:
            raise ServerUnavailableError(self.trouble or "The server does not have the run yet; try again in a moment.")
        return connection

    def share(self, wish: LinkWish, *, timeout_s: float) -> str:
        """Make a view link; see `Run.share`."""
        token = mint(TokenKind.SHARE)
        request = wish.request(token)
        connection, run_id = self.connected(timeout_s), self.delivery.run_id
        try:
            connection.remote.make_link(self.file.write, run_id, request)
        except Refusal as exc:
            raise as_public_error(exc, "The run cannot be shared") from None
        return share_link(connection.server.url, run_id, token)

    def log_artifact(self, artifact: Artifact, aliases: list[str]) -> None:
        """Have an artifact uploaded; its files are read now, and are on their way when this returns.

        Raises:
            OSError: a file cannot be read, or the disk refuses.
        """
        files = scanned(artifact)
        artifact_id = str(new_run_id(time.time_ns() // 1_000_000, os.urandom(10)))
        request = ArtifactRequest(
            artifact_id=artifact_id, name=artifact.name, type=artifact.type, files=files, aliases=aliases,
            description=artifact.description, metadata=artifact.metadata,
        )  # fmt: skip
        uploads = self.delivery.uploads
        uploads.add(request, artifact.files)

        def version() -> str | None:
            info = uploads.committed.get(artifact_id)
            return None if info is None else info.version

        artifact.follow(version=version, waits=lambda: uploads.waits(artifact_id))

    def use_artifact(self, artifact_id: str, *, timeout_s: float) -> None:
        """Note that the run takes a version; see `Run.use_artifact`."""
        connection = self.connected(timeout_s)
        try:
            connection.remote.use_artifact(self.file.write, self.delivery.run_id, artifact_id)
        except Refusal as exc:
            raise as_public_error(exc, "The artifact cannot be used") from None

    def refresh(self) -> None:
        """Ask the server how the run stands; where it cannot be asked, all stays as it is known."""
        with contextlib.suppress(Refusal, ServerUnavailableError):
            self.delivery.refresh()

    def open_in_browser(self, link: str) -> bool:
        """Open a page whose link holds a secret; return whether there is a browser for that."""
        return open_privately(link, self.folder.path.parent)

    def after_fork_in_child(self) -> None:
        """Go on as a writer of its own; the parent delivers."""
        self._forked = True
        self._sampler = None  # its thread is the parent's
        if self._console is not None:
            self._console.abandon()
        self.recent.after_fork_in_child()
        self.shelf.after_fork_in_child()
        self.recorder.after_fork_in_child()

    @property
    def forked(self) -> bool:
        """Whether another process delivers, since this is a forked or spawned worker."""
        return self._forked

    def _keep_printed(self) -> None:
        if self._console is not None:
            self._console.flush()

    def _rows_on_server(self) -> list[Frame]:
        """Return all rows that the server has; nothing where it cannot be asked."""
        connection = self.delivery.connection
        with contextlib.suppress(Refusal, ServerUnavailableError):
            if connection is None:
                connection = self.connect()
            data = connection.remote.series(self.file.view, self.delivery.run_id)
            return [frame for segment in decode_all(data) for frame in segment.frames]
        return []
