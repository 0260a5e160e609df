"""Media on their way to the server, in batches, the oldest first.

An item that the server does not take for what it is, is set aside, and the others go on. Where the server takes no
media of the run (any more), they stay on disk, and rows are not concerned.
"""

from __future__ import annotations

import time

from anonrun.client.media.shelf import Shelf, Waiting
from anonrun.client.remote import Refusal, Remote
from anonrun.client.verdict import Action, decide
from anonrun.core.media import MAX_BATCH_ITEMS, MediaBatch, MediaItem
from anonrun.core.words import counted

__all__ = ["Outbox"]

_BATCH_BYTES = 1_000_000
_REFUSED_CONTENT = frozenset({400, 413, 422})
_OF_THE_RUN = frozenset({"token_invalid", "run_not_found", "run_expired", "run_deleted", "run_moved", "run_claimed"})


class Outbox:
    """What brings one run's media to the server.

    Args:
        shelf: where they wait.

    Attributes:
        stopped: a sentence where the server takes no more of them, and why; None while it does.
        aside: a sentence where single items were set aside; None where none was.
        sent: items that this process delivered.
        moved_at: when some were delivered last (monotonic); None while none were.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.stopped: str | None = None
        self.aside: str | None = None
        self.sent = 0
        self.moved_at: float | None = None
        self._shelf = shelf
        self._most_items = MAX_BATCH_ITEMS

    @property
    def shelf(self) -> Shelf:
        """Where they wait."""
        return self._shelf

    def advance(self, remote: Remote, token: str, run_id: str) -> bool:
        """Send a batch; return whether there may be more.

        Raises:
            ServerUnavailableError: there was no answer; call again later.
            Refusal: the server refuses the run, or asks to wait.
        """
        if self.stopped is not None:
            return False
        batch = self._batch()
        if not batch:
            return False
        try:
            remote.send_media(token, run_id, MediaBatch(items=[item for _, item in batch]))
        except Refusal as exc:
            self._refused(batch, exc)
            return True
        for waiting, _ in batch:
            self._shelf.remove(waiting)
        self.sent += len(batch)
        self.moved_at = time.monotonic()
        self._most_items = min(MAX_BATCH_ITEMS, self._most_items * 2)
        return True

    def begin_anew(self) -> None:
        """Try again: the server is another one now."""
        self.stopped = None

    def left(self) -> str | None:
        """Return how much is left, in words; None where nothing is, or it is not sent any more."""
        count = 0 if self.stopped is not None else self._shelf.count()
        return f"sending: {counted(count, 'item')} of media to go" if count else None

    def _batch(self) -> list[tuple[Waiting, MediaItem]]:
        batch: list[tuple[Waiting, MediaItem]] = []
        size = 0
        for waiting in self._shelf.waiting():
            if batch and (len(batch) == self._most_items or size + waiting.size_bytes > _BATCH_BYTES):
                break
            try:
                item = waiting.load()
            except FileNotFoundError:  # delivered by another process just now
                continue
            except (OSError, ValueError) as exc:
                self._set_aside(waiting, f"Its file cannot be read ({exc}).")
                continue
            batch.append((waiting, item))
            size += waiting.size_bytes
        return batch

    def _refused(self, batch: list[tuple[Waiting, MediaItem]], refusal: Refusal) -> None:
        if refusal.status in _REFUSED_CONTENT:
            number = 0 if len(batch) == 1 else refusal.problem.get("item")
            if type(number) is int and 0 <= number < len(batch):
                waiting, item = batch[number]
                self._set_aside(waiting, f"The server does not take it: {refusal.detail}", item)
            else:
                self._most_items = len(batch) // 2
        elif refusal.code == "quota_exceeded" and len(batch) > 1:  # as many as there is room for
            self._most_items = len(batch) // 2
        elif refusal.code in _OF_THE_RUN or decide(refusal).action is Action.RETRY:
            raise refusal
        elif refusal.status in (404, 405):
            self.stopped = (
                "This server takes no pictures, tables and the like: it is of an older version. They stay on disk; "
                "numbers are delivered. Have it updated, then run `anonrun sync`."
            )
        else:
            self.stopped = (
                f"The server takes no more pictures, tables and the like of this run: {refusal.detail} Those that are "
                "left stay on disk; numbers are delivered as long as it takes them."
            )

    def _set_aside(self, waiting: Waiting, why: str, item: MediaItem | None = None) -> None:
        try:
            self._shelf.set_aside(waiting)
        except OSError as exc:  # it would be sent again and again
            self.stopped = f"{waiting.file} is not taken, and cannot be set aside ({exc.strerror or exc}). {why}"
            return
        if self.aside is None:
            what = "An item of media" if item is None else f"{item.key!r} ({item.kind.value}) of step {item.step}"
            self.aside = (
                f"{what} was set aside in {self._shelf.aside}, and so is any other like it. {why} All the rest is "
                "delivered."
            )
