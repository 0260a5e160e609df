"""From what `run.log` was given to items on disk, with one warning for each key where something is wrong.

Nothing here raises: a picture that cannot be kept costs neither the numbers beside it nor the training.
"""

from __future__ import annotations

from anonrun.client.media.content import Content, Media, Unloggable
from anonrun.client.media.recognise import media_in
from anonrun.client.media.shelf import Full, Shelf
from anonrun.client.notices import Notices
from anonrun.core.media import MAX_BATCH_ITEMS

__all__ = ["Intake"]


class Intake:
    """Takes the media of one run.

    Args:
        shelf: where they are kept.
        notices: where warnings go.
    """

    def __init__(self, shelf: Shelf, notices: Notices) -> None:
        self._shelf = shelf
        self._notices = notices

    def contents(self, key: str, value: object) -> list[Content] | None:
        """Return what to keep of a value; None where it is no media, which nobody was told of."""
        try:
            media = media_in(value)
        except Exception as exc:  # noqa: BLE001  the user's own may do anything when it is looked at
            self._warn(key, f"{type(exc).__name__}: {exc}")
            return []
        if media is None:
            return None
        if len(media) > MAX_BATCH_ITEMS:
            self._notices.warn_once(
                f"media list {key}",
                f"{key!r} got {len(media):,} items at once; the first {MAX_BATCH_ITEMS} are kept. Log fewer.",
            )
        made = [self._content(key, medium) for medium in media[:MAX_BATCH_ITEMS]]
        return [content for content in made if content is not None]

    def keep(self, key: str, step: int, contents: list[Content]) -> None:
        """Put items on disk; they are there when this returns."""
        try:
            self._shelf.put(key, step, contents)
        except Full as exc:
            self._notices.warn_once("media full", str(exc))
        except OSError as exc:
            self._notices.warn_once(
                "media disk",
                f"{key!r} of step {step} was not kept, since the disk refuses it ({exc.strerror or exc}); make room. "
                "It is tried again with the next.",
            )

    def _content(self, key: str, medium: Media) -> Content | None:
        try:
            content = medium.content()
        except Unloggable as exc:
            self._warn(key, str(exc))
            return None
        except Exception as exc:  # noqa: BLE001  the encoders of other libraries have many ways to refuse
            self._warn(key, f"{type(exc).__name__}: {exc}")
            return None
        if content.notes:
            self._notices.warn_once(f"media notes {key}", f"{key!r}: {' '.join(content.notes)}")
        return content

    def _warn(self, key: str, why: str) -> None:
        self._notices.warn_once(f"media {key}", f"{key!r} was not logged. {why}")
