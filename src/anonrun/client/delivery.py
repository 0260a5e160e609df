"""Brings one run from its folder to the server: at least once on the wire, exactly once in effect.

The server is the authority on what has arrived: after every answer the place to go on from is `Cursor.next`.
One call of `advance` does a bounded piece of work and at most a few requests; nothing here waits, tries again or
starts a thread, so that the sender, `anonrun sync` and the next run on this machine share it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from anonrun.client.media.outbox import Outbox
from anonrun.client.media.shelf import Shelf
from anonrun.client.registration import Keys, make_run
from anonrun.client.remote import Refusal, Remote
from anonrun.client.spool.folder import RunFile, RunFolder
from anonrun.client.spool.queue import Part, PartQueue
from anonrun.client.spool.reader import Batch
from anonrun.client.spool.writer import SpoolWriter
from anonrun.client.status import ServerRef
from anonrun.client.uploads import Uploads
from anonrun.client.verdict import Action, decide
from anonrun.core.messages import Cursor, RunInfo, RunState, RunStatus
from anonrun.core.wire import encode

__all__ = ["Connection", "Delivery", "merged"]

_SEGMENT_ROWS = 20_000
_MOST_DAMAGED = 3
_MOST_ASIDE = 3
_REFUSED_CONTENT = frozenset({400, 413, 422})
_KEPT_ELSEWHERE = frozenset({"run_claimed", "run_moved"})
_STATE_FIELDS = frozenset({"state", "exit_code"})


@dataclass(frozen=True, slots=True)
class Connection:
    """A server that answered."""

    server: ServerRef
    remote: Remote


def merged(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Return fields of `RunUpdate` that do what `first` and `then` do one after the other.

    Example:
        >>> merged({"config": {"a": 1, "b": 2}, "state": "running"}, {"config_removed": ["b"], "config": {"c": 3}})
        {'state': 'running', 'config': {'a': 1, 'c': 3}, 'config_removed': ['b']}
    """
    gone = then.get("config_removed", [])
    kept = {key: value for key, value in first.get("config", {}).items() if key not in gone}
    together = {
        "config": kept | then.get("config", {}),
        "config_removed": sorted({*first.get("config_removed", []), *gone}),  # the server removes first, and adds then
        "summary": first.get("summary", {}) | then.get("summary", {}),
    }
    plain = {name: value for name, value in {**first, **then}.items() if name not in together}
    return plain | {name: value for name, value in together.items() if value}


class Delivery:
    """One run on its way.

    Args:
        folder: where it lies.
        file: what `run.json` says; updated here.
        connect: finds the server; raises ServerUnavailableError.
        keys: by which key the run is made.
        writer: the writing end in this process; None where nobody writes any more.
        keep_bytes: delivered parts are kept up to this size in total, for readers in this process.
        tidy: whether delivered parts may be removed while another process writes the run, which it does not deliver.
        shelf: of this process, where pictures and the like wait; None for another end of the same.

    Attributes:
        info: the run as the server described it last; None before it has it.
        server: the server that was found last; None while none was.
        connection: the way to it; None while there is none.
        connected: whether the last request was answered.
        registered: whether the server has the run.
        drained: whether all that is on disk was delivered when `advance` last looked.
        behind: whether there was more on disk than `advance` took, when it last took something.
        complaint: a sentence where the server did not take config or summary; points are not concerned.
        aside: a sentence where the server takes single rows in no way, which were set aside.
        server_time_offset_s: the server's clock less ours.
        uploads: artifacts of the run that wait.
        outbox: pictures, tables and the like that wait.
    """

    def __init__(
        self,
        folder: RunFolder,
        file: RunFile,
        *,
        connect: Callable[[], Connection],
        keys: Keys,
        writer: SpoolWriter | None = None,
        keep_bytes: int = 0,
        tidy: bool = False,
        shelf: Shelf | None = None,
    ) -> None:
        self.folder = folder
        self.file = file
        self.info: RunInfo | None = None
        self.server: ServerRef | None = None
        self.connection: Connection | None = None
        self.connected = False
        self.registered = False
        self.drained = False
        self.behind = False
        self.complaint: str | None = None
        self.aside: str | None = None
        self.server_time_offset_s: float | None = None
        self.uploads = Uploads(folder)
        self.outbox = Outbox(shelf or Shelf(folder))
        self._connect = connect
        self._keys = keys
        self._writer = writer
        self._queue = PartQueue(folder, writer, keep_bytes, tidy=tidy)
        self._part: Part | None = None
        self._next: tuple[Part, Batch] | None = None
        self._changes: dict[str, Any] = {}
        self._damaged = 0
        self._most_rows = _SEGMENT_ROWS
        self._taken_since_aside = False

    @property
    def run_id(self) -> str:
        """The run's id on the server."""
        return self.file.server_run_id or self.file.run_id

    @property
    def ended(self) -> bool:
        """Whether the server said last that the run has ended."""
        return self.info is not None and self.info.state in (RunState.FINISHED, RunState.FAILED)

    @property
    def damage(self) -> list[str]:
        """Sentences about damaged places in the spool."""
        return self._queue.damage

    def sent_rows(self, *, own: bool) -> int:
        """Return how many rows of this process, or of others, the server has."""
        return self._queue.sent_rows(own=own)

    def removed_rows(self) -> int:
        """Return how many rows are not on disk any more, since the server had them."""
        return self._queue.removed_rows()

    def unsent_rows(self) -> int:
        """Return how many rows are on disk and, as far as is known, not on the server."""
        return self._queue.unsent_rows()

    def may_be_removed(self) -> bool:
        """Return whether the folder holds nothing that the server does not have."""
        return self.drained and self._queue.all_read() and not self.uploads.waiting() and not self.outbox.shelf.count()

    def keep_file(self) -> None:
        """Write `run.json` where the disk had no room for it before: without it nobody else can deliver the run."""
        if not self.folder.is_saved():
            with contextlib.suppress(OSError):
                self.folder.save(self.file)

    def look_for_parts(self) -> None:
        """Notice parts that other processes, such as forked workers, have begun."""
        self._queue.look()

    def close(self) -> None:
        """Let go of files and connections."""
        self._queue.close()
        if self.connection is not None:
            self.connection.remote.close()

    # --- the server ------------------------------------------------------------------------------------------------

    def register(self) -> Remote:
        """Find the server and have it know the run.

        Raises:
            ServerUnavailableError: there is no answer.
            Refusal: the server refuses.
        """
        if self.connection is None:
            self.connection = self._connect()
            self.server = self.connection.server
            if self.file.instance not in (None, self.server.instance):
                self._begin_anew()
        if not self.registered:
            if self.file.instance is None:
                info = make_run(self.connection.remote, self._keys, self.file.request)
                self.file.server_run_id, self.file.instance = info.run_id, self.connection.server.instance
                self._heard(info)
                with contextlib.suppress(OSError):  # it would be made again, which changes nothing
                    self.folder.save(self.file)
            self.registered = True
        self.connected = True
        return self.connection.remote

    def disconnect(self) -> None:
        """Forget the server, to find it again by the next `register`."""
        self.connected = False
        if self.connection is not None:
            self.connection.remote.close()
            self.connection = None

    def make_anew(self) -> bool:
        """Prepare to make the run again after its token was refused; return whether that makes sense.

        It does where the server is not the one that knew the run: it was set up anew under the same address.
        """
        known = self.file.instance
        self.disconnect()
        self.connection = self._connect()
        self.server = self.connection.server
        if known == self.server.instance:
            return False
        self._begin_anew()
        return True

    def heartbeat(self) -> None:
        """Say that the run is alive, and hear how it stands."""
        self._heard(self.register().heartbeat(self.file.write, self.run_id))

    def refresh(self) -> None:
        """Ask the server how the run stands; a claim is learned from what became of the view token.

        Raises:
            ServerUnavailableError: there is no answer.
            Refusal: the run is gone.
        """
        if self.connection is None or not self.registered:
            return
        try:
            self._heard(self.connection.remote.run(self.file.view, self.run_id))
        except Refusal as exc:
            if exc.code not in _KEPT_ELSEWHERE or self.info is None:
                raise
            self.info = replace(self.info, anonymous=False, expires_at=None, account="")

    def _begin_anew(self) -> None:
        self.file.instance = self.file.server_run_id = None
        self.registered = False
        self._next = None
        self._changes.clear()
        self._queue.begin_anew()
        self.uploads.begin_anew()
        self.outbox.begin_anew()

    def _heard(self, said: RunInfo | RunStatus) -> None:
        self.connected = True
        self.server_time_offset_s = (said.server_time - datetime.now(timezone.utc)).total_seconds()
        if isinstance(said, RunInfo):
            self.info = said
        elif self.info is not None:
            self.info = replace(
                self.info,
                state=said.state,
                anonymous=said.anonymous,
                expires_at=said.expires_at,
                account=said.account,
                server_time=said.server_time,
            )

    # --- the rows --------------------------------------------------------------------------------------------------

    def advance(self, *, final: bool = False) -> bool:
        """Send a piece of what is there; return whether there may be more at once.

        Args:
            final: nobody writes the run any more.

        Raises:
            ServerUnavailableError: there was no answer; call again later.
            Refusal: the server refused, and `verdict.decide` says to try again or to stop.
            OSError: the spool cannot be read.
        """
        remote = self.register()
        if self._next is None:
            self._next = self._queue.next(most_rows=self._most_rows, final=final)
        if self._next is None:
            self.behind = self._send_all_else(remote)
            self.drained = not self.behind
            return self.behind
        self.drained = False
        part, batch = self._next
        self.behind = batch.full or not batch.rows or part is not self._part
        if part is not self._part:
            self._part = part
            self._settle_parts(remote)
        if batch.rows:
            self._send_rows(remote, part, batch)
        else:
            self._next = None
            self._merge(batch.changes)
        if not self.behind and self._next is None and not _STATE_FIELDS & self._changes.keys():
            self.behind = self._send_all_else(remote)  # whoever logs without pause has the rest wait no longer
        return True

    def _send_all_else(self, remote: Remote) -> bool:
        """Send what is no row, now that all rows that were there are sent; return whether there may be more of it."""
        if not _STATE_FIELDS & self._changes.keys():
            self._send_changes(remote)
        if self.outbox.advance(remote, self.file.write, self.run_id):  # before the run's end is told
            return True
        self._send_changes(remote)
        self._queue.remove_sent()
        return self.uploads.advance(remote, self.file.write, self.run_id)  # rows that came meanwhile go first

    def _settle_parts(self, remote: Remote) -> None:
        """Remove what was delivered before all is, so that a backlog shrinks; how the run ends is told at the end."""
        if not _STATE_FIELDS & self._changes.keys():
            self._send_changes(remote)
            self._queue.remove_sent()

    def _send_rows(self, remote: Remote, part: Part, batch: Batch) -> None:
        segment = encode(batch.frames, writer=batch.writer, seq=batch.seq)
        try:
            cursor = remote.send_segments(self.file.write, self.run_id, segment)
        except Refusal as exc:
            if not self._recovers(part, batch, exc):
                raise
        else:
            self._acknowledged(part, batch, cursor)

    def _acknowledged(self, part: Part, batch: Batch, cursor: Cursor) -> None:
        end = batch.seq + batch.rows
        self._damaged = 0
        self._taken_since_aside = True
        self._heard(cursor.status)
        if cursor.next < end:  # it is believed, and asked again
            raise Refusal(
                status=502,
                code="cursor_behind",
                detail=f"It acknowledged row {cursor.next} of {end}.",
                problem={},
                retry_after_s=None,
            )
        part.sent[batch.writer] = cursor.next
        self._next = None
        self._merge(batch.changes)
        if cursor.next > end and part.reader.writer == batch.writer:
            self._merge(part.reader.skip_to(batch.writer, cursor.next))
        if self._writer is not None:
            self._writer.release(part.reader.part, part.reader.offset)

    def _recovers(self, part: Part, batch: Batch, refusal: Refusal) -> bool:
        """Do what helps at once after a refusal, and return whether there was such a thing."""
        decision = decide(refusal)
        row = batch.seq
        if decision.next_row is not None and decision.next_row != batch.seq:
            row = decision.next_row
        elif decision.action is Action.AGAIN and self._damaged < _MOST_DAMAGED - 1:
            self._damaged += 1
        elif decision.action not in (Action.AGAIN, Action.SMALLER) or not self._narrows_down(batch, refusal):
            return False
        self._next = None
        self._merge(part.reader.skip_to(batch.writer, row))
        return True

    def _narrows_down(self, batch: Batch, refusal: Refusal) -> bool:
        """Send half as many rows at once, or set the one row aside that is left; return whether that makes sense.

        It does not where row after row is refused: then it is not the rows.
        """
        self._damaged = 0
        if batch.rows > 1:
            self._most_rows = max(1, batch.rows // 2)
            return True
        aside = self._queue.aside
        if batch.seq == 0 and not self._taken_since_aside and aside.streak() >= _MOST_ASIDE:
            return False
        (frame,) = batch.frames
        aside.add(batch.writer, batch.seq, frame, why=refusal.detail)
        self._taken_since_aside = False
        self._most_rows = _SEGMENT_ROWS
        if self.aside is None:
            self.aside = (
                f"The server does not take the row of step {frame.steps[0]}: {refusal.detail} It was set aside in "
                f"{aside.path}, and so is any other like it; all the rest is delivered."
            )
        return True

    def _merge(self, changes: list[dict[str, Any]]) -> None:
        for change in changes:
            self._changes = merged(self._changes, change)

    def _send_changes(self, remote: Remote) -> None:
        if not self._changes:
            return
        try:
            self._heard(remote.update(self.file.write, self.run_id, self._changes))
        except Refusal as exc:
            if exc.status not in _REFUSED_CONTENT:
                raise
            self.complaint = f"The server did not take the run's {' and '.join(sorted(self._changes))}: {exc.detail}"
            only_state = {name: value for name, value in self._changes.items() if name in _STATE_FIELDS}
            self._changes = only_state if only_state != self._changes else {}
            self._send_changes(remote)
        self._changes.clear()
