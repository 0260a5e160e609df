"""The live widget: one instance a run, and traits only.

Traits carry nothing secret and no points, since a host may save them in the notebook's file. Points and
tokens go by message, and messages are never saved.
"""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from anonrun.client.home import without_home
from anonrun.errors import AnonrunError

__all__ = ["WidgetMissingError", "new_widget", "prepare_widget", "static_file"]

_STATIC = Path(__file__).parent / "static"
_PLACES = MappingProxyType(
    {
        "widget.js": _STATIC,
        "widget.css": _STATIC,
        "media.js": _STATIC,
        # One copy for all: files that the server serves, and nothing of the server is imported for them.
        "file.txt": Path(__file__).parents[1] / "server" / "web" / "static",
        "plotly.js": Path(__file__).parents[1] / "server" / "web" / "static",
    }
)
_BUILD = "npm --prefix js install && npm --prefix js run build"


class WidgetMissingError(AnonrunError):
    """The built JavaScript is not there."""


def static_file(name: str) -> Path:
    """Return the path of a built file.

    Raises:
        WidgetMissingError: it has not been built.
    """
    path = _PLACES[name] / name
    if not path.is_file():
        raise WidgetMissingError(
            f"The widget's {name} is missing at {without_home(str(path))}. An installed anonrun brings it; "
            f"in a git checkout build it: {_BUILD}"
        )
    return path


@cache
def _widget_class() -> type[Any]:
    # Imported and defined at the first display: ipywidgets takes a while, and scripts never need it.
    import anywidget  # noqa: PLC0415  see above
    import traitlets  # noqa: PLC0415  see above

    script, style = static_file("widget.js"), static_file("widget.css")
    static_file("media.js")  # better missed here than in the middle of a run

    class RunWidget(anywidget.AnyWidget):
        """Live charts of one run."""

        _esm = script.read_text(encoding="utf-8")
        _css = style.read_text(encoding="utf-8")

        run = traitlets.Dict().tag(sync=True)
        """What the server says of the run, and `server`: where it is."""

        status = traitlets.Dict().tag(sync=True)
        """How delivery stands."""

        config = traitlets.Dict().tag(sync=True)
        """The widget's options, such as `height` in CSS pixels."""

    return RunWidget


def prepare_widget() -> None:
    """Import what a widget needs, which takes a while the first time; what is wrong shows when one is made."""
    with contextlib.suppress(Exception):
        _widget_class()


def new_widget(**traits: Any) -> Any:  # noqa: ANN401  the class exists only once ipywidgets is imported
    """Return a new widget.

    Raises:
        WidgetMissingError: the widget's script has not been built.
    """
    return _widget_class()(**traits)
