"""Media as a notebook shows them: parcels for the live widget, and lines and a small picture for what is saved.

Pure. What the program printed is in neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from anonrun.client.media.recent import Kept, Recent, Tally
from anonrun.core.media import MediaInfo, MediaItem, MediaKind, content_bytes
from anonrun.core.messages import to_json

__all__ = ["Media", "MediaParcels", "StillMedia", "still_media", "thumbnail_html"]

_PARCEL_BYTES = 1_000_000
_SMALL_CHARS = 4 << 20
_MOST_THUMBNAIL_CHARS = 60_000
_MOST_LINES = 12
_MOST_KEY_CHARS = 80

_NOUNS = {
    MediaKind.HISTOGRAM: ("histogram", "histograms"),
    MediaKind.IMAGE: ("image", "images"),
    MediaKind.TABLE: ("table", "tables"),
    MediaKind.TEXT: ("text", "texts"),
    MediaKind.CONFUSION_MATRIX: ("confusion matrix", "confusion matrices"),
    MediaKind.CURVES: ("set of curves", "sets of curves"),
    MediaKind.FIGURE: ("figure", "figures"),
}


@dataclass(frozen=True, slots=True)
class Media:
    """Items for the page: what is said of each, and its content's bytes in the same place.

    Not `first` are parcels that a page understands only after one that was.
    """

    first: bool
    items: list[dict[str, Any]]
    contents: list[bytes] = field(repr=False)


class MediaParcels:
    """Which items of a run go to the page next."""

    __slots__ = ("_recent", "_sent")

    def __init__(self, recent: Recent) -> None:
        self._recent = recent
        self._sent = 0

    def restart(self) -> None:
        """Begin again with the oldest that is held: a page may not have been there."""
        self._sent = 0

    def next(self) -> Media | None:
        """Return the next items, about a megabyte of them; None where there are none."""
        parcel: list[Kept] = []
        size = 0
        for kept in self._recent.after(self._sent):
            size += len(kept.item.content)
            if parcel and size > _PARCEL_BYTES:
                break
            parcel.append(kept)
        if not parcel:
            return None
        first, self._sent = self._sent == 0, parcel[-1].position
        contents = [content_bytes(kept.item.kind, kept.item.content) for kept in parcel]
        said = [_said(kept, len(content)) for kept, content in zip(parcel, contents, strict=True)]
        return Media(first, said, contents)

    def rest(self) -> list[Media]:
        """Return what is left, and all where that is little, since a page may have missed some."""
        if sum(len(kept.item.content) for kept in self._recent.after(0)) <= _SMALL_CHARS:
            self.restart()
        parcels = []
        while (parcel := self.next()) is not None:
            parcels.append(parcel)
        return parcels


def _said(kept: Kept, size_bytes: int) -> dict[str, Any]:
    item = kept.item
    info = MediaInfo(
        position=kept.position,
        media_id=item.media_id,
        kind=item.kind,
        key=item.key,
        step=item.step,
        time=item.time,
        type=item.type,
        size_bytes=size_bytes,
        index=item.index,
        caption=item.caption,
    )
    said: dict[str, Any] = to_json(info)
    return said


@dataclass(frozen=True, slots=True)
class StillMedia:
    """What a static form says of media: a line for each key, and a small picture."""

    lines: tuple[str, ...] = ()
    picture: MediaItem | None = None


def still_media(recent: Recent) -> StillMedia:
    """Return what a static form says of the media that were logged so far."""
    tallies = recent.tallies()
    return StillMedia(tuple(_lines(tallies)), recent.newest_picture(_MOST_THUMBNAIL_CHARS))


def _lines(tallies: Sequence[Tally]) -> Iterator[str]:
    for tally in tallies[:_MOST_LINES]:
        one, many = _NOUNS[tally.kind]
        what = f"{tally.count:,} {one if tally.count == 1 else many}"
        yield f"{_short(tally.key)}: {what}, last at step {tally.last_step}"
    if len(tallies) > _MOST_LINES:
        yield f"… and {len(tallies) - _MOST_LINES:,} more; the run’s page has all."


def _short(key: str) -> str:
    return key if len(key) <= _MOST_KEY_CHARS else f"{key[: _MOST_KEY_CHARS - 1]}…"


def thumbnail_html(media: StillMedia) -> str:
    """Return the small picture as HTML; empty where there is none."""
    item = media.picture
    if item is None:
        return ""
    name = escape(f"{_short(item.key)}, step {item.step}")
    style = "display:block;max-width:240px;max-height:160px;min-width:48px"
    return (
        f'<p style="margin:4px 0">{name}<img alt="{name}" style="{style}" '
        f'src="data:{item.type};base64,{item.content}"></p>'
    )
