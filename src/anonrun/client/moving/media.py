"""A run's media as a server gives and takes them, and as what they are compared by."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator

from anonrun.client.moving.upload import Patience, UnwillingError
from anonrun.client.remote import Remote
from anonrun.client.verdict import Action, decide
from anonrun.core.media import MediaBatch, MediaInfo, MediaItem, MediaKind
from anonrun.core.messages import to_json

__all__ = ["MediaPrint", "deliver", "media_pages", "print_of"]

_PAGE_BYTES = 1 << 20
_BATCH_CHARS = 1 << 20
_BATCH_ITEMS = 200


class MediaPrint:
    """Every item, field by field and in order of arrival, as one SHA-256.

    Example:
        >>> MediaPrint() == MediaPrint()
        True
    """

    def __init__(self) -> None:
        self.items = 0
        self._sum = hashlib.sha256()

    def take(self, items: Iterable[MediaItem]) -> None:
        """Take in some more items."""
        for item in items:
            self.items += 1
            self._sum.update(json.dumps(to_json(item), sort_keys=True).encode() + b"\n")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MediaPrint):
            return NotImplemented
        return (self.items, self._sum.digest()) == (other.items, other._sum.digest())

    __hash__ = None  # type: ignore[assignment]  # it changes


def media_pages(
    remote: Remote, token: str, run_id: str, patience: Patience, *, after: int = 0
) -> Iterator[tuple[list[MediaItem], int]]:
    """Yield the items that arrived after a position, each page with the position up to which it goes.

    Raises:
        ServerUnavailableError: there is no answer.
        UnwillingError: the server refuses.
    """
    end = False
    while not end:
        page = patience.ask(lambda at=after: remote.media(token, run_id, after=at, most=_PAGE_BYTES))  # type: ignore[misc]  # the default binds the loop's value
        end, after = page.end, page.position
        yield [_whole(remote, token, run_id, patience, info) for info in page.items], after


def _whole(remote: Remote, token: str, run_id: str, patience: Patience, info: MediaInfo) -> MediaItem:
    """Return an item as it was sent; the bytes of a picture are read for it."""
    content = info.content
    if info.kind is MediaKind.IMAGE or content is None:
        data = patience.ask(lambda: remote.media_content(token, run_id, info.media_id))
        content = base64.b64encode(data).decode("ascii")
    return MediaItem(
        media_id=info.media_id,
        kind=info.kind,
        key=info.key,
        step=info.step,
        time=info.time,
        type=info.type,
        content=content,
        index=info.index,
        caption=info.caption,
    )


def print_of(remote: Remote, token: str, run_id: str, patience: Patience) -> MediaPrint:
    """Return the print of all of a run's media.

    Raises:
        ServerUnavailableError: there is no answer.
        UnwillingError: the server refuses.
    """
    found = MediaPrint()
    for items, _ in media_pages(remote, token, run_id, patience):
        found.take(items)
    return found


def deliver(remote: Remote, token: str, run_id: str, patience: Patience, items: Iterable[MediaItem]) -> None:
    """Send items in order; those that are there already are known by their ids.

    Raises:
        ServerUnavailableError: there is no answer.
        UnwillingError: the server refuses.
    """
    batch: list[MediaItem] = []
    chars = 0
    for item in items:
        if batch and (chars + len(item.content) > _BATCH_CHARS or len(batch) == _BATCH_ITEMS):
            _send(remote, token, run_id, patience, batch)
            batch, chars = [], 0
        batch.append(item)
        chars += len(item.content)
    if batch:
        _send(remote, token, run_id, patience, batch)


def _send(remote: Remote, token: str, run_id: str, patience: Patience, items: list[MediaItem]) -> None:
    """Send some items, in halves where the server takes no more at once."""
    try:
        patience.ask(lambda: remote.send_media(token, run_id, MediaBatch(items=items)))
    except UnwillingError as exc:
        if decide(exc.refusal).action is not Action.SMALLER or len(items) == 1:
            raise
        half = len(items) // 2
        _send(remote, token, run_id, patience, items[:half])
        _send(remote, token, run_id, patience, items[half:])
