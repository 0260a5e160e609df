"""The steps of a move, each of which may be repeated: read, make and send, compare, let go.

The source is asked last of all to let the run go, and does so only where nothing of it has changed since it was read.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from anonrun.client.access import Access
from anonrun.client.moving.fingerprint import Fingerprint
from anonrun.client.moving.history import fingerprint_of, in_order, pages
from anonrun.client.moving.journal import Journal, Move
from anonrun.client.moving.media import MediaPrint, deliver, media_pages, print_of
from anonrun.client.moving.upload import Patience, Stream, UnwillingError
from anonrun.core.frames import Frame
from anonrun.core.messages import Departure, MetricInfo, RunInfo, RunRequest, RunState, TokenHashes, to_json
from anonrun.core.tokens import token_hash
from anonrun.core.words import counted
from anonrun.errors import AnonrunError, NotFoundError, UsageError

__all__ = ["Carrier", "MoveError", "still_going"]

_MOST_ROUNDS = 5
_GONE = frozenset({404, 410})
_ENDED = frozenset({RunState.FINISHED, RunState.FAILED})
_OTHERWISE = frozenset(
    {"account", "anonymous", "expires_at", "heartbeat_at", "id", "permissions", "published_at", "embed", "server_time",
     "state", "url_path"}
)  # fmt: skip
"""What a run says otherwise on its new server; all the rest, and what later versions add, is compared."""

_NAMED_DIFFERENCES = 3


class MoveError(AnonrunError):
    """A move cannot go on; the message says why."""


def still_going(info: RunInfo) -> str:
    """Return why a run is not moved now."""
    return (
        f"Run {info.id} is still going, and a run is moved when it is over. Finish it, or end its program (where that "
        "is gone already, wait a minute); then ask again."
    )


@dataclass(slots=True, kw_only=True)
class Carrier:
    """One move.

    Attributes:
        journal: where it is noted; owned by the caller.
        move: how far it has come.
        source: the server where the run is, by a key that owns it there.
        there: the server where it goes, by the key of an account.
        here_asks: asks the source again.
        there_asks: asks the other server again.
        claim: the run's claim token at the source, by which a claim is told from an end; None where it is not known.
        say: shows what happens now.
    """

    journal: Journal
    move: Move
    source: Access
    there: Access
    here_asks: Patience
    there_asks: Patience
    claim: str | None
    say: Callable[[str], object]

    def carry(self) -> RunInfo:
        """Do what is left to do, and return the run as it is on its new server.

        Raises:
            MoveError: the run changes all the time, cannot be read in full, or is not the same there.
            NotFoundError: the source does not have it any more, and it had not been read in full.
            UsageError: it is still going.
            ServerUnavailableError: one of the servers does not answer.
            UnwillingError: one of them refuses.
        """
        for _ in range(_MOST_ROUNDS):
            here = self._read()
            if here is not None or not self.move.verified:
                self._compare(self._deliver(), with_source=here is not None)
            made = self._made()
            if here is None or self._let_go():
                self.journal.remove()
                return made
        raise self._restless()

    def _restless(self) -> MoveError:
        return MoveError(f"Run {self.move.info.id} changes all the time on {self.source.url}.")

    # --- read ------------------------------------------------------------------------------------------------------

    def _read(self) -> RunInfo | None:
        """Have all of the run in the journal; return it, or None where the source does not have it any more."""
        for _ in range(_MOST_ROUNDS):
            info = self._here()
            if info is None:
                self._check_read()
                return None
            if info.state is RunState.RUNNING:
                raise UsageError(still_going(info))
            if self.move.whole and _unchanged(self.move.info, info):
                return info
            self._read_on(info)
            now = self._here()
            if now is not None and _unchanged(info, now):
                self.move.run, self.move.whole = to_json(now), True
                self.journal.save(self.move)
                return now
        raise self._restless()

    def _read_on(self, info: RunInfo) -> None:
        """Read what has arrived at the source since it was read last."""
        move = self.move
        move.whole = move.verified = False
        ranks = {metric.name: i for i, metric in enumerate(self._metrics_here())}
        known = Fingerprint()
        for frame in self._noted():
            known.take(frame)
        for frames, position in pages(
            self.source.remote, self.source.key, move.run_id, self.here_asks, after=move.position
        ):
            seen = known.metrics
            for frame in frames:
                known.take(frame)
            self.journal.append(move, in_order(frames, ranks, seen), position=position)
            self.say(f"read {known.points:,} of {counted(info.points, 'point')}")
        if known.points < info.points:
            raise MoveError(
                f"Of the {counted(info.points, 'point')} of run {info.id}, {self.source.url} can read only "
                f"{known.points:,}: its data is damaged. `anonrun doctor` tells more."
            )
        self._read_media(info)

    def _read_media(self, info: RunInfo) -> None:
        """Read the media that have arrived at the source since they were read last."""
        move = self.move
        if info.media == move.media_position:  # of none nothing is asked: a server may know of none
            return
        read = media_pages(self.source.remote, self.source.key, move.run_id, self.here_asks, after=move.media_position)
        for items, position in read:
            self.journal.append_media(move, items, position=position)
            self.say(f"read {move.media_items:,} of {counted(info.media, 'item')} of media")
        if move.media_items < info.media:
            raise MoveError(
                f"Of the {counted(info.media, 'item')} of media of run {info.id}, {self.source.url} shows only "
                f"{move.media_items:,}."
            )

    def _check_read(self) -> None:
        """See to it that nothing is missing where the source does not have the run any more.

        Raises:
            NotFoundError: something is.
            MoveError: it has it, but as another account's.
        """
        info = self.move.info
        if self._was_claimed():
            raise MoveError(
                f"Run {info.id} was claimed into an account on {self.source.url} meanwhile, so it is not removed there."
            )
        if not self.move.whole:
            raise NotFoundError(
                f"{self.source.url} does not have run {info.id} any more, and it had not been read in full. What had "
                f"been read is in {self.journal.path}."
            )

    def _was_claimed(self) -> bool:
        if self.claim is None:
            return False
        token = self.claim
        try:
            self.here_asks.ask(lambda: self.source.remote.run(token, self.move.run_id))
        except UnwillingError as exc:
            return exc.refusal.code == "run_claimed"
        return False

    def _here(self) -> RunInfo | None:
        try:
            return self.here_asks.ask(lambda: self.source.remote.run(self.source.key, self.move.run_id))
        except UnwillingError as exc:
            if exc.refusal.status in _GONE:
                return None
            raise

    def _metrics_here(self) -> list[MetricInfo]:
        return self.here_asks.ask(lambda: self.source.remote.metrics(self.source.key, self.move.run_id))

    def _noted(self) -> Iterable[Frame]:
        return (frame for segment in self.journal.segments(self.move) for frame in segment.frames)

    # --- make and send ---------------------------------------------------------------------------------------------

    def _deliver(self) -> RunInfo:
        """Have the other server hold what the journal holds; return what it says of the run."""
        move, remote = self.move, self.there.remote
        request = _request(move)
        self.there_asks.ask(lambda: remote.make_run(self.there.key, request))
        self.say(f"sending {counted(move.rows, 'row')}")
        Stream(remote, move.write, move.run_id, self.there_asks).upload(self.journal.segments(move))
        if move.media_items:
            self.say(f"sending {counted(move.media_items, 'item')} of media")
            there = self._made().media
            rest = itertools.islice(self.journal.media(move), there, None)
            deliver(remote, move.write, move.run_id, self.there_asks, rest)
        made = self._made()
        fields = _left_to_tell(move.info, made)
        if not fields:
            return made
        self.there_asks.ask(lambda: remote.update(move.write, move.run_id, fields))
        return self._made()

    def _made(self) -> RunInfo:
        return self.there_asks.ask(lambda: self.there.remote.run(self.move.view, self.move.run_id))

    # --- compare ---------------------------------------------------------------------------------------------------

    def _compare(self, made: RunInfo, *, with_source: bool) -> None:
        """Compare all of the run, and note that it is the same.

        Args:
            made: what the other server says of it.
            with_source: read the source once more for that; else what was read of it is compared.

        Raises:
            MoveError: it is not the same.
        """
        self.say("comparing every point")
        info = self.move.info
        same = (field.name for field in dataclasses.fields(RunInfo) if field.name not in _OTHERWISE)
        other = [name for name in same if getattr(info, name) != getattr(made, name)]
        if info.state in _ENDED and made.state is not info.state:
            other.append("state")
        theirs = fingerprint_of(self.there.remote, self.move.view, self.move.run_id, self.there_asks)
        if with_source:
            ours = fingerprint_of(self.source.remote, self.source.key, self.move.run_id, self.here_asks)
            if self._metrics_here() != self._metrics_there():
                other.append("metrics")
        else:
            ours = Fingerprint()
            for frame in self._noted():
                ours.take(frame)
        other += (f"the points of {name!r}" for name in ours.differences(theirs))
        if info.media and not self._same_media(with_source=with_source):
            other.append("what its media hold")
        if other:
            more = len(other) - _NAMED_DIFFERENCES
            named = ", ".join(other[:_NAMED_DIFFERENCES]) + (f" and {more} more" if more > 0 else "")
            raise MoveError(
                f"Run {info.id} is on {self.move.to}, but not the same there: {named}. Has somebody changed it there?"
            )
        self.move.verified = True
        self.journal.save(self.move)

    def _same_media(self, *, with_source: bool) -> bool:
        if with_source:
            ours = print_of(self.source.remote, self.source.key, self.move.run_id, self.here_asks)
        else:
            ours = MediaPrint()
            ours.take(self.journal.media(self.move))
        return ours == print_of(self.there.remote, self.move.view, self.move.run_id, self.there_asks)

    def _metrics_there(self) -> list[MetricInfo]:
        return self.there_asks.ask(lambda: self.there.remote.metrics(self.move.view, self.move.run_id))

    # --- let go ----------------------------------------------------------------------------------------------------

    def _let_go(self) -> bool:
        """Have the source remove the run; return False where something of it has changed since it was read."""
        info = self.move.info
        heard = info.heartbeat_at or info.created_at
        departure = Departure(to=self.move.to, heartbeat_at=heard, points=info.points, media=info.media)
        try:
            self.here_asks.ask(lambda: self.source.remote.depart(self.source.key, self.move.run_id, departure))
        except UnwillingError as exc:
            if exc.refusal.code == "run_changed":
                return False
            if exc.refusal.status not in _GONE:
                raise
        return True


def _unchanged(before: RunInfo, now: RunInfo) -> bool:
    """Return whether a run is as it was: every change of it, by whomever, is heard of."""
    return (before.heartbeat_at, before.points, before.media) == (now.heartbeat_at, now.points, now.media)


def _request(move: Move) -> RunRequest:
    info = move.info
    return RunRequest(
        run_id=move.run_id,
        tokens=TokenHashes(write=token_hash(move.write).hex(), view=token_hash(move.view).hex()),
        project=info.project, id=info.id, name=info.name, config=info.config, tags=info.tags, notes=info.notes,
        group=info.group, job_type=info.job_type, total=info.total, made_at=info.created_at,
    )  # fmt: skip


def _left_to_tell(info: RunInfo, made: RunInfo) -> dict[str, Any]:
    """Return the fields of `RunUpdate` by which the run there becomes what it is here, once it has all points.

    Its summary holds each metric's last value by itself; only what a user set is told.
    """
    fields: dict[str, Any] = {
        name: getattr(info, name)
        for name in ("name", "notes", "tags")
        if getattr(info, name) != getattr(made, name) and getattr(info, name) is not None
    }
    for name in ("config", "summary"):
        wanted, there = getattr(info, name), getattr(made, name)
        other = {key: value for key, value in wanted.items() if key not in there or there[key] != value}
        if other:
            fields[name] = other
    if info.total != made.total:
        fields["total"] = info.total or 0
    gone = sorted(made.config.keys() - info.config.keys())
    if gone:
        fields["config_removed"] = gone
    if info.state in _ENDED and any(
        getattr(info, name) != getattr(made, name) for name in ("state", "exit_code", "finished_at", "error")
    ):
        fields |= {"state": info.state.value, "exit_code": info.exit_code, "finished_at": info.finished_at}
        fields["error"] = info.error
    return fields
