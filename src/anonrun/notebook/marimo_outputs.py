"""A run's output in a marimo notebook: the live widget, and behind it the static snapshot, which it hides.

marimo keeps no output that could be updated by a name, forwards to a page only what threads of its cells say, and ends
a widget when the cell that made it runs again. So each display has a widget and a thread of its own: it carries what is
sent to the page, and brings the cell to its last form when the run ends. Only what marimo documents is used.

A widget is gone with its kernel and would then say that it is not found, so the last form is the snapshot alone; the
page keeps its view (`js/widget/placement.ts`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from anonrun.notebook.outputs import answer_page, send_to_widget
from anonrun.notebook.snapshot import Bundle
from anonrun.notebook.view import Message, Snapshot, Traits
from anonrun.notebook.widget import new_widget

__all__ = ["MarimoOutputs"]

_MOST_DISPLAYS = 4
_MOST_OUTPUTS = 500
_LOOK_EVERY_S = 1.0
_LEAVE_WITHIN_S = 5.0


class MarimoOutputs:
    """Outputs in marimo.

    Args:
        traits: the widget's first traits; None for a snapshot alone.
        hello: called when a page asks for everything.
    """

    def __init__(self, traits: dict[str, Any] | None, hello: Callable[[], None]) -> None:
        self._traits = traits
        self._hello = hello
        self._displays: list[_Display] = []

    def show(self, snapshot: Bundle) -> None:
        """Show the run in the cell that runs now."""
        widget = None if self._traits is None else new_widget(**self._traits)
        if widget is not None:
            widget.on_msg(self._on_message)
        self._displays = [display for display in self._displays if display.alive]
        self._displays.append(_Display(widget, snapshot))
        for oldest in self._displays[:-_MOST_DISPLAYS]:
            oldest.leave()
        del self._displays[:-_MOST_DISPLAYS]
        self._hello()

    def send(self, message: Message) -> None:
        """Carry out a message of the view; from any thread."""
        if isinstance(message, Traits) and self._traits is not None:
            self._traits.update(message.changed)
        for display in self._displays:
            display.send(message)

    def close(self) -> None:
        """Bring every cell that shows the run to its last form."""
        for display in self._displays:
            display.leave()

    def _on_message(self, widget: Any, content: object, _buffers: object) -> None:  # noqa: ANN401  see new_widget
        answer_page(widget, content, self._hello)


class _Display:
    """One cell's output, and the thread that speaks to it."""

    def __init__(self, widget: Any, snapshot: Bundle) -> None:  # noqa: ANN401  see new_widget
        import marimo  # noqa: PLC0415  the host has imported it

        self._marimo = marimo
        self._widget = widget
        self._snapshot = snapshot
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._place = self._append()
        self._holds = threading.Event()
        self._thread = marimo.Thread(target=self._work, name="anonrun-cell", daemon=True)
        self._thread.start()
        self._holds.wait()

    @property
    def alive(self) -> bool:
        """Whether the cell still shows the run."""
        return self._thread.is_alive()

    def send(self, message: Message) -> None:
        """Have a message carried out."""
        if self.alive:
            self._messages.put(message)

    def leave(self) -> None:
        """Bring the cell to its last form, which is what marimo saves and exports, and end the thread."""
        self._messages.put(None)
        self._thread.join(_LEAVE_WITHIN_S)

    def _work(self) -> None:
        self._holds.set()  # from here on this thread's output is the cell's, whichever cell runs
        while not self._thread.should_exit:  # as when the cell runs again, or is removed
            try:
                message = self._messages.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                continue
            if message is None:
                self._end()
                return
            if isinstance(message, Snapshot):
                self._snapshot = message.data
            elif self._widget is not None:
                send_to_widget(self._widget, message)

    def _end(self) -> None:
        widget, self._widget = self._widget, None
        self._marimo.output.replace_at_index(self._html(), self._place)
        if widget is not None:
            widget.layout.close()
            widget.close()

    def _html(self) -> Any:  # noqa: ANN401  marimo is imported only where it is the host
        view = "" if self._widget is None else self._marimo.as_html(self._widget).text
        return self._marimo.Html(f'<div class="anonrun-output">{self._snapshot["text/html"]}{view}</div>')

    def _append(self) -> int:
        """Append to the output of the cell that runs now, and return at which place.

        marimo tells no place, but refuses one beyond the end, and appends at the end.
        """
        html = self._html()
        for place in reversed(range(_MOST_OUTPUTS)):
            try:
                self._marimo.output.replace_at_index(html, place)
            except IndexError:
                continue
            return place
        raise AssertionError("the first place always exists")
