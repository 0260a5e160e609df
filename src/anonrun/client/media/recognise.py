"""What may be given to `run.log` beside numbers, told by its looks, so that no library is loaded for it."""

from __future__ import annotations

from anonrun.client.media.content import Media

__all__ = ["media_in"]


def media_in(value: object) -> list[Media] | None:
    """Return the media in a value that was logged, in order; None where it is none, nor a list of them."""
    if isinstance(value, (list, tuple)):
        made = [_medium(entry) for entry in value]
        return [medium for medium in made if medium is not None] if made and None not in made else None
    medium = _medium(value)
    return None if medium is None else [medium]


def _medium(value: object) -> Media | None:
    if isinstance(value, Media):
        return value
    if isinstance(value, (str, bytes, int, float)) or value is None:
        return None
    from anonrun.client.media.figure import Figure, is_figure  # noqa: PLC0415  most runs log numbers only
    from anonrun.client.media.image import Image, is_pil, is_plot  # noqa: PLC0415  likewise

    if is_figure(value):
        return Figure(value)
    return Image(value) if is_pil(value) or is_plot(value) else None
