"""Brings one run from its folder to the server: at least once on the wire, exactly once in effect.

The server is the authority on what has arrived: after every answer the place to go on from is `Cursor.next`.
One call of `advance` does a bounded piece of work and at most a few requests; nothing here waits, retries or
starts a thread, so that the sender, `anonrun sync` and the next run on this machine share it.

Invariant: a part is removed only after the server has acknowledged its last row and last change.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Protocol

from anonrun.client.identity import Credential
from anonrun.client.remote import Refusal, Remote
from anonrun.client.spool.folder import RunFile, RunFolder
from anonrun.client.spool.reader import Batch, PartReader
from anonrun.client.spool.writer import PartName, SpoolWriter
from anonrun.client.status import ServerRef
from anonrun.client.verdict import Action, decide
from anonrun.core.messages import Cursor, RunInfo, RunStatus
from anonrun.core.tokens import token_hash
from anonrun.core.wire import encode

__all__ = ["Connection", "Delivery", "Keys"]

_SEGMENT_ROWS = 20_000
_SEGMENT_BYTES = 500_000
_MOST_DAMAGED = 3
_REFUSED_CONTENT = frozenset({400, 413, 422})
_STATE_FIELDS = frozenset({"state", "exit_code"})


@dataclass(frozen=True, slots=True)
class Connection:
    """A server that answered."""

    server: ServerRef
    remote: Remote


class Keys(Protocol):
    """Gives the API key by which the run is made."""

    def current(self) -> Credential:
        """Return the key to use."""

    def instead_of(self, refused: Credential) -> Credential | None:
        """Return another key after the server refused one, or None where there is none to try."""


@dataclass(slots=True)
class _Part:
    reader: PartReader
    own: bool
    complete: bool = False
    sent: dict[int, int] = field(default_factory=dict)

    @property
    def sent_rows(self) -> int:
        return sum(self.sent.values())


class Delivery:
    """One run on its way.

    Args:
        folder: where it lies.
        file: what `run.json` says; updated here.
        connect: finds the server; raises ServerUnavailableError.
        keys: by which key the run is made.
        writer: the writing end in this process; None where nobody writes any more.
        keep_bytes: delivered parts are kept up to this size in total, for readers in this process.

    Attributes:
        info: the run as the server described it last; None before it has it.
        connected: whether the last request was answered.
        drained: whether all that is on disk was delivered when `advance` last looked.
        complaint: a sentence where the server did not take config or summary; points are not concerned.
        server_time_offset_s: the server's clock less ours.
        damage: sentences about damaged places in the spool.
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
    ) -> None:
        self.folder = folder
        self.file = file
        self.info: RunInfo | None = None
        self.connection: Connection | None = None
        self.connected = False
        self.registered = False
        self.drained = False
        self.complaint: str | None = None
        self.server_time_offset_s: float | None = None
        self._server: ServerRef | None = None
        self._connect = connect
        self._keys = keys
        self._writer = writer
        self._keep_bytes = keep_bytes
        self._parts: dict[PartName, _Part] = {}
        self._gone: dict[PartName, _Part] = {}
        self._batch: Batch | None = None
        self._batch_part: _Part | None = None
        self._changes: dict[str, Any] = {}
        self._damaged = 0
        self._most_rows = _SEGMENT_ROWS

    @property
    def run_id(self) -> str:
        """The run's id on the server."""
        return self.file.server_run_id or self.file.run_id

    def sent_rows(self, *, own: bool) -> int:
        """Return how many rows of this process, or of others, the server has."""
        parts = [*list(self._parts.values()), *list(self._gone.values())]
        return sum(part.sent_rows for part in parts if part.own is own)

    @property
    def damage(self) -> list[str]:
        """Sentences about damaged places in the spool."""
        return [text for part in list(self._parts.values()) for text in part.reader.damage]

    @property
    def server(self) -> ServerRef | None:
        """The server that was found last; None while none was."""
        return self._server

    def register(self) -> None:
        """Find the server and have it know the run.

        Raises:
            ServerUnavailableError: there is no answer.
            Refusal: the server refuses.
        """
        if self.connection is None:
            self.connection = self._connect()
            self._server = self.connection.server
            if self.file.instance not in (None, self.connection.server.instance):
                self._begin_anew()
        if not self.registered:
            if self.file.instance is None:
                self._heard(self._make_run(self.connection.remote))
                self.file.instance = self.connection.server.instance
                with contextlib.suppress(OSError):  # it would be made again, which changes nothing
                    self.folder.save(self.file)
            self.registered = True
        self.connected = True

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
        if known == self.connection.server.instance:
            return False
        self._begin_anew()
        return True

    def advance(self, *, final: bool = False) -> bool:
        """Send a piece of what is there; return whether there may be more at once.

        Args:
            final: nobody writes the run any more.

        Raises:
            ServerUnavailableError: there was no answer; call again later.
            Refusal: the server refused, and `verdict.decide` says to retry or to stop.
            OSError: the spool cannot be read.
        """
        self.register()
        if self._batch is None and not self._read(final=final):
            self._send_changes()
            self._tidy(final=final)
            self.drained = True
            return False
        self.drained = False
        assert self._batch is not None
        if self._batch.rows:
            self._send_rows(self._batch)
        else:
            self._merge(self._batch.changes)
            self._batch = None
        return True

    def heartbeat(self) -> None:
        """Say that the run is alive, and hear how it stands."""
        self.register()
        assert self.connection is not None
        self._heard(self.connection.remote.heartbeat(self.file.write, self.run_id))

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
            if exc.code != "run_claimed" or self.info is None:
                raise
            self.info = replace(self.info, anonymous=False, expires_at=None, account="")

    def may_be_removed(self) -> bool:
        """Return whether the folder holds nothing that the server does not have.

        Another process, such as a forked worker, may have written a last row just now, or may write on.
        """
        foreign = [part.reader for part in self._parts.values() if not part.own]
        if not self.drained or any(name not in self._parts and name not in self._gone for name in self.folder.parts()):
            return False
        pids = {reader.pid for reader in foreign} - {None, os.getpid()}
        if pids:
            import psutil  # noqa: PLC0415  only where there are other processes

            if any(psutil.pid_exists(pid) for pid in pids):
                return False
        return all(reader.at_end() for reader in foreign)

    def close(self) -> None:
        """Let go of files and connections."""
        for part in self._parts.values():
            part.reader.close()
        if self.connection is not None:
            self.connection.remote.close()

    def _begin_anew(self) -> None:
        self.file.instance = self.file.server_run_id = None
        self.registered = False
        self._batch = None
        self._changes.clear()
        for part in self._parts.values():
            part.reader.skip_to(part.reader.part.writer, 0)
            part.complete = False
            part.sent.clear()

    def _make_run(self, remote: Remote) -> RunInfo:
        credential = self._keys.current()
        makes_account = credential.source == "anonymous" and credential.new
        while True:
            try:
                if makes_account:
                    remote.make_anonymous_account(token_hash(credential.key).hex())
                info = remote.make_run(credential.key, self.file.request)
            except Refusal as exc:  # noqa: PERF203  three requests at most
                if exc.status != 401 or credential.source != "anonymous":  # noqa: PLR2004  HTTP's number
                    raise
                if not makes_account:
                    makes_account = True  # another process made the key just now, or the server lost its accounts
                    continue
                other = self._keys.instead_of(credential)
                if other is None:
                    raise
                credential = other
            else:
                self.file.server_run_id = info.run_id
                return info

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

    def look_for_parts(self) -> None:
        """Notice parts that other processes, such as forked workers, have begun."""
        for name in self.folder.parts():
            self._take(name)

    def _read(self, *, final: bool) -> bool:
        """Read the next batch; return whether there is one."""
        writing = None if self._writer is None else self._writer.part
        if writing is None or writing not in self._parts:
            self.look_for_parts()
        if writing is not None:
            self._take(writing)
        after_own = self._batch_part is None or not self._batch_part.own
        for name in sorted(self._parts, key=lambda n: (self._parts[n].own is not after_own, n)):
            part = self._parts[name]
            if part.complete:
                continue
            ended = final or (part.own and name != writing)
            batch = part.reader.read(most_rows=self._most_rows, most_bytes=_SEGMENT_BYTES, final=ended)
            if not batch.empty:
                self._batch, self._batch_part = batch, part
                return True
            part.complete = ended
        return False

    def _take(self, name: PartName) -> None:
        if name in self._parts or name in self._gone:
            return
        own = self._writer is not None and self._writer.wrote(name)
        reader = (
            PartReader(self.folder.path, name, self._writer.unwritten)
            if own and self._writer
            else PartReader(self.folder.path, name)
        )
        self._parts[name] = _Part(reader, own)

    def _send_rows(self, batch: Batch) -> None:
        assert self.connection is not None
        segment = encode(batch.frames, writer=batch.writer, seq=batch.seq)
        try:
            cursor = self.connection.remote.send_segments(self.file.write, self.run_id, segment)
        except Refusal as exc:
            if not self._recovers(batch, exc):
                raise
            return
        self._damaged = 0
        self._acknowledged(batch, cursor)

    def _acknowledged(self, batch: Batch, cursor: Cursor) -> None:
        assert self._batch_part is not None
        part, end = self._batch_part, batch.seq + batch.rows
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
        self._batch = None
        self._merge(batch.changes)
        if cursor.next > end and part.reader.writer == batch.writer:
            self._merge(part.reader.skip_to(batch.writer, cursor.next))
        if self._writer is not None:
            self._writer.release(part.reader.part, part.reader.offset)

    def _recovers(self, batch: Batch, refusal: Refusal) -> bool:
        """Do what helps at once after a refusal, and return whether there was such a thing."""
        assert self._batch_part is not None
        decision = decide(refusal)
        reader = self._batch_part.reader
        if decision.next_row is not None and decision.next_row != batch.seq:
            self._back_to(reader, batch, decision.next_row)
            return True
        if decision.action is Action.SMALLER and batch.rows > 1:
            self._most_rows = max(1, batch.rows // 2)
            self._back_to(reader, batch, batch.seq)
            return True
        if decision.action is Action.AGAIN and self._damaged < _MOST_DAMAGED - 1:
            self._damaged += 1
            self._back_to(reader, batch, batch.seq)
            return True
        return False

    def _back_to(self, reader: PartReader, batch: Batch, row: int) -> None:
        self._batch = None
        self._merge(reader.skip_to(batch.writer, row))

    def _merge(self, changes: list[dict[str, Any]]) -> None:
        for change in changes:
            summary = {**self._changes.get("summary", {}), **change.get("summary", {})}
            self._changes.update(change)
            if summary:
                self._changes["summary"] = summary

    def _send_changes(self) -> None:
        if not self._changes:
            return
        assert self.connection is not None
        try:
            self._heard(self.connection.remote.update(self.file.write, self.run_id, self._changes))
        except Refusal as exc:
            if exc.status not in _REFUSED_CONTENT:
                raise
            self.complaint = f"The server did not take the run's {' and '.join(sorted(self._changes))}: {exc.detail}"
            only_state = {k: v for k, v in self._changes.items() if k in _STATE_FIELDS}
            self._changes = only_state if only_state != self._changes else {}
            self._send_changes()
        self._changes.clear()

    def _tidy(self, *, final: bool) -> None:
        """Remove parts that are delivered in full, the oldest first."""
        done = [name for name, part in sorted(self._parts.items()) if part.complete]
        sizes = {name: self._parts[name].reader.offset for name in done}
        kept = sum(sizes.values())
        for name in done:
            if final or kept <= self._keep_bytes:
                break
            kept -= sizes[name]
            part = self._gone[name] = self._parts.pop(name)
            part.reader.close()
            self.folder.remove_part(name)
