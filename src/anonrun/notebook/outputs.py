"""A run's two outputs in a notebook: the static snapshot, and below it the live widget.

They are found again by `display_id`, so that an update from any thread lands in the cell that showed the
run, whatever runs there by then. Showing a run again shows the same two, and each update reaches all.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any, Protocol

from anonrun.notebook.media import Media
from anonrun.notebook.snapshot import Bundle
from anonrun.notebook.view import Message, Others, Points, SecretsMessage, Snapshot, Traits
from anonrun.notebook.widget import new_widget, static_file

__all__ = ["NotebookOutputs", "Outputs", "answer_page", "publish", "send_to_widget"]

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_ASSETS = {"plotly": "plotly.js", "file": "file.txt"}


class Outputs(Protocol):
    """Where a run is shown."""

    def show(self, snapshot: Bundle) -> None:
        """Show the run in the cell that runs now."""

    def send(self, message: Message) -> None:
        """Carry out a message of the view; from any thread."""

    def close(self) -> None:
        """Leave the snapshot as the only output."""


class NotebookOutputs:
    """Outputs in a kernel.

    Args:
        run_id: of the run.
        traits: the widget's first traits; None for a snapshot alone.
        hello: called when a page asks for everything.
    """

    def __init__(self, run_id: str, traits: dict[str, Any] | None, hello: Callable[[], None]) -> None:
        self._snapshot_id = f"anonrun-snapshot-{run_id}"
        self._widget_id = f"anonrun-widget-{run_id}"
        self._hello = hello
        self._widget = None if traits is None else new_widget(**traits)
        if self._widget is not None:
            self._widget.on_msg(self._on_message)

    def show(self, snapshot: Bundle) -> None:
        """Show both outputs in the cell that runs now."""
        publish(snapshot, self._snapshot_id)
        if self._widget is not None:
            view = {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}
            publish({_WIDGET_VIEW: view, "text/plain": "anonrun: live view"}, self._widget_id)

    def send(self, message: Message) -> None:
        """Carry out a message of the view; from any thread."""
        if isinstance(message, Snapshot):
            publish(message.data, self._snapshot_id, update=True)
        elif self._widget is not None:
            send_to_widget(self._widget, message)

    def close(self) -> None:
        """Empty the widget's output and end the widget; the page keeps its view."""
        if self._widget is not None:
            publish({"text/plain": "", "text/html": ""}, self._widget_id, update=True)
            self._widget.layout.close()
            self._widget.close()
            self._widget = None

    def _on_message(self, widget: Any, content: object, _buffers: object) -> None:  # noqa: ANN401  see new_widget
        answer_page(widget, content, self._hello)


def send_to_widget(widget: Any, message: Message) -> None:  # noqa: ANN401  see new_widget
    """Carry out a message of the view that is for the live widget."""
    if isinstance(message, Traits):
        for name, value in message.changed.items():
            setattr(widget, name, value)
    elif isinstance(message, Points):
        said = {"no": message.no, "reset": message.reset, "complete": message.complete}
        widget.send({"type": "points", **said}, [message.segment])
    elif isinstance(message, Others):
        widget.send({"type": "runs", "version": message.version, "runs": message.runs}, message.segments)
    elif isinstance(message, Media):
        # A page cannot ask for the script while a cell runs, so it comes along with the first.
        script = [_packed("media.js")] if message.first else []
        widget.send({"type": "media", "first": message.first, "items": message.items}, [*script, *message.contents])
    elif isinstance(message, SecretsMessage):
        widget.send({"type": "secrets", **asdict(message)})


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(static_file(name).read_bytes(), 6)


def answer_page(widget: Any, content: object, hello: Callable[[], None]) -> None:  # noqa: ANN401  see new_widget
    """Answer what a page sent, which is not to be trusted; `hello` is called when it asks for everything."""
    if not isinstance(content, dict):
        return
    if content.get("type") == "hello":
        hello()
    elif content.get("type") == "asset" and content.get("name") in _ASSETS:
        widget.send({"type": "asset", "name": content["name"]}, [_packed(_ASSETS[content["name"]])])


def publish(data: dict[str, Any], display_id: str | None = None, *, update: bool = False) -> None:
    """Display `data` in the cell that runs now, or, with `update`, wherever `display_id` is displayed."""
    from IPython.core.getipython import get_ipython  # noqa: PLC0415  there may be no IPython

    shell = get_ipython()
    if shell is not None:
        transient = {} if display_id is None else {"display_id": display_id}
        shell.display_pub.publish(data=data, metadata={}, transient=transient, update=update)
