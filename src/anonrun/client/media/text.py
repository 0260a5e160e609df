"""Texts: what a model wrote, what a step was about."""

from __future__ import annotations

from anonrun.client.media.content import MAX_ESCAPED_BYTES, Content, Media, caption_of, escaped_bytes
from anonrun.core.media import MAX_CONTENT_BYTES, MediaKind

__all__ = ["Text"]


class Text(Media):
    """A text, shown as it is: nothing in it is Markdown or HTML.

    Args:
        data: the text; of anything else its `str`.
        caption: said below it.

    Example:
        >>> Text("Once upon a time")
        <anonrun.Text 'Once upon a time'>
    """

    def __init__(self, data: object, caption: object = None) -> None:
        self._text = str(data).encode("utf-8", "replace").decode("utf-8")
        self._caption = caption_of(caption)

    def content(self) -> Content:
        """See `Media.content`."""
        data = self._text.encode("utf-8")
        if len(data) <= MAX_CONTENT_BYTES and escaped_bytes(self._text) <= MAX_ESCAPED_BYTES:
            return Content(MediaKind.TEXT, "text/plain", self._text, self._caption)
        kept = data[: MAX_CONTENT_BYTES - 3].decode("utf-8", "ignore") + "…"
        if escaped_bytes(kept) > MAX_ESCAPED_BYTES:
            kept = data[: MAX_CONTENT_BYTES // 6].decode("utf-8", "ignore") + "…"  # no letter takes more than six
        note = f"A text of {len(data):,} bytes was cut: {MAX_CONTENT_BYTES:,} are kept of one at most."
        return Content(MediaKind.TEXT, "text/plain", kept, self._caption, (note,))

    def __repr__(self) -> str:
        return f"<anonrun.Text {self._text if len(self._text) <= 60 else self._text[:59] + '…'!r}>"  # noqa: PLR2004  a line
