"""Figures of Plotly, as the text that draws them anywhere."""

from __future__ import annotations

import json
from typing import Any

from anonrun.client.media.content import Content, Media, Unloggable, caption_of, json_content
from anonrun.core.media import MediaKind

__all__ = ["Figure", "is_figure"]


def is_figure(value: object) -> bool:
    """Return whether `value` is a figure of Plotly."""
    named = any(kind.__module__.startswith("plotly.") for kind in type(value).__mro__)
    return named and callable(getattr(value, "to_json", None)) and hasattr(value, "layout")


class Figure(Media):
    """A figure of Plotly; what `run.log` makes of one that it is given."""

    def __init__(self, figure: Any, caption: object = None) -> None:  # noqa: ANN401  plotly is loaded by who has a figure
        self._figure = figure
        self._caption = caption_of(caption)

    def content(self) -> Content:
        """See `Media.content`."""
        try:
            said = json.loads(self._figure.to_json())
            figure = {"data": said.get("data", []), "layout": said.get("layout", {})}
        except Exception as exc:  # noqa: BLE001  plotly has many ways to refuse
            raise Unloggable(f"The figure cannot be written as JSON: {exc}.") from None
        return json_content(MediaKind.FIGURE, figure, caption=self._caption)
