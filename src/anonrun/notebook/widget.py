"""The live widget: one instance a run, and traits only.

Traits carry nothing secret and no points, since a host may save them in the notebook's file. Points and
tokens go by message, and messages are never saved.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from anonrun.errors import AnonrunError

__all__ = ["STATIC", "WidgetMissingError", "new_widget", "static_file"]

STATIC = Path(__file__).parent / "static"
_BUILD = "npm --prefix js install && npm --prefix js run build"


class WidgetMissingError(AnonrunError):
    """The built JavaScript is not there."""


def static_file(name: str) -> Path:
    """Return the path of a built file.

    Raises:
        WidgetMissingError: it has not been built.
    """
    path = STATIC / name
    if not path.is_file():
        raise WidgetMissingError(
            f"The widget's {name} is missing at {path}. An installed anonrun brings it; "
            f"in a git checkout build it: {_BUILD}"
        )
    return path


@cache
def _widget_class() -> type[Any]:
    # Imported and defined at the first display: ipywidgets takes a while, and scripts never need it.
    import anywidget  # noqa: PLC0415  see above
    import traitlets  # noqa: PLC0415  see above

    script, style = static_file("widget.js"), STATIC / "widget.css"

    class RunWidget(anywidget.AnyWidget):
        """Live charts of one run."""

        _esm = script.read_text(encoding="utf-8")
        _css = style.read_text(encoding="utf-8") if style.is_file() else ""

        run = traitlets.Dict().tag(sync=True)
        """What the server says of the run, and `server`: where it is."""

        status = traitlets.Dict().tag(sync=True)
        """How delivery stands."""

        config = traitlets.Dict().tag(sync=True)
        """The widget's options, such as `height` in CSS pixels."""

    return RunWidget


def new_widget(**traits: Any) -> Any:  # noqa: ANN401  the class exists only once ipywidgets is imported
    """Return a new widget.

    Raises:
        WidgetMissingError: the widget's script has not been built.
    """
    return _widget_class()(**traits)
