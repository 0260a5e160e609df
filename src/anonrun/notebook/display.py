"""Shows runs in the notebook, and leaves a static picture of each when it ends.

A run is shown by `show`, from then on kept up to date by the kernel's publisher, and brought to its last
form by its own `finish`, before that returns. Nothing here raises into `finish`: what goes wrong is told
by a warning, and by `%anonrun status`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from anonrun.client.api import ApiRun
from anonrun.client.home import without_home
from anonrun.client.paths import data_dir
from anonrun.client.session import current_run, the_session
from anonrun.core.messages import RunState
from anonrun.errors import AnonrunError, UsageError
from anonrun.notebook.aftercare import Aftercare
from anonrun.notebook.hosts import Display, Host, detect
from anonrun.notebook.marimo_outputs import MarimoOutputs
from anonrun.notebook.media import still_media
from anonrun.notebook.others import Memory, Other, read_reference_from
from anonrun.notebook.outputs import NotebookOutputs
from anonrun.notebook.publisher import Publisher, Shown
from anonrun.notebook.recall import Book, Recall, notebook_of
from anonrun.notebook.snapshot import Bundle, plain_text
from anonrun.notebook.source import Source
from anonrun.notebook.view import RunView, Snapshot
from anonrun.notebook.widget import WidgetMissingError

__all__ = ["Kernel", "StaticView", "kernel", "mimebundle", "show"]

_MOST_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class StaticView:
    """A run's static form, for hosts that display what a cell returns."""

    data: Bundle

    def __repr__(self) -> str:
        return self.data["text/plain"]

    def _repr_html_(self) -> str:
        return self.data["text/html"]


def _shell() -> Any:  # noqa: ANN401  IPython has no types
    try:
        from IPython.core.getipython import get_ipython  # noqa: PLC0415  there may be no IPython
    except ImportError:
        return None
    return get_ipython()


def _book() -> Book | None:
    """Return what this machine remembers of the notebook that this kernel belongs to."""
    shell = _shell()
    notebook = None if shell is None else notebook_of(os.environ, getattr(shell, "user_ns", {}))
    return None if notebook is None else Book.of(data_dir(os.environ).root, notebook)


def _cell() -> int | None:
    """Return the number of the cell that runs now; None outside of cells."""
    return getattr(_shell(), "execution_count", None)


class Kernel:
    """What this process shows.

    Args:
        host: says where it is shown, asked at each display.
        publisher: keeps runs up to date.

    Attributes:
        auto: whether a run is shown when `anonrun.init` starts it.
    """

    def __init__(self, host: Callable[[], Host] = lambda: detect(_shell()), publisher: Publisher | None = None) -> None:
        self.auto = False
        self._host = host
        self._publisher = publisher or Publisher()
        self._aftercare = Aftercare()
        self._going: dict[str, Shown] = {}
        self._auto_cell: int | None = None
        self._last: Shown | None = None
        self._watches_cells = False
        self._ended: dict[str, Bundle] = {}
        self._rows_before: dict[str, int] = {}
        self.memory = Memory()
        self._recall = Recall(_book, self._recalled)

    def show(
        self, run: Source, display: Display | None, config: dict[str, Any], chosen: Sequence[Other] | None = None
    ) -> StaticView | None:
        """Show a run in the cell that runs now, `chosen` ones behind it, None for those of before; see `show` below."""
        if run.disabled:
            print("anonrun: this run is switched off (mode='disabled'), so there is nothing to show.")  # noqa: T201  asked for
            return None
        host = self._host()
        kind = display or host.display
        if kind == "text":
            view = RunView(run, 0.0, live=False, temporary=host.temporary)
            view.read()
            print(plain_text(view.facts, view.buffer, chosen or (), media=still_media(run.recent_media())))  # noqa: T201  nothing can be drawn here
            return None
        shown = self._going.get(run.run_id)
        if shown is None and run.status().state != RunState.RUNNING:
            return self._show_ended(run, host, chosen)
        if shown is None:
            shown = self._begin(run, host, kind, config)
            chosen = chosen or ()
            if kind == "widget":
                self._recall.begin(run, known=self.memory.known)
        with shown.lock:
            if chosen is not None:
                shown.view.set_others(self.memory.behind(run, chosen))
            shown.view.read()
            shown.outputs.show(shown.view.snapshot())
        return None

    def _begin(self, run: Source, host: Host, kind: Display, config: dict[str, Any]) -> Shown:
        view = RunView(
            run,
            self._publisher.clock(),
            live=kind == "widget",
            snapshot_every_s=host.snapshot_every_s,
            temporary=host.temporary,
        )
        traits = {**view.first_traits(), "config": config} if kind == "widget" else None
        outputs = (
            MarimoOutputs(traits, view.hello)
            if host.name == "marimo"
            else NotebookOutputs(run.run_id, traits, view.hello)
        )
        shown = Shown(view, outputs)
        self._going[run.run_id] = shown
        run.on_finish(lambda *_: self._finish(shown))
        self._publisher.add(shown)
        self._watch_cells()
        return shown

    def _recalled(self, run: Source, earlier: list[Other]) -> None:
        """Draw runs of a kernel before this one behind those of their project; called in the background."""
        project = run.info().project
        self.memory.recall(project, earlier)
        for shown in list(self._going.values()):
            with shown.lock:
                view = shown.view
                if view.live and view.source.info().project == project:
                    view.set_others(self.memory.behind(view.source, [one for one in view.others if one.chosen]))

    def _watch_cells(self) -> None:
        shell = _shell()
        if shell is not None and not self._watches_cells:
            shell.events.register("pre_run_cell", lambda *_: self._cell_began())
            shell.events.register("post_run_cell", lambda result=None, *_: self._cell_ended(result))
            self._watches_cells = True

    def _cell_began(self) -> None:
        self._rows_before = {run_id: shown.view.source.status().rows for run_id, shown in self._going.items()}

    def _cell_ended(self, result: Any = None) -> None:  # noqa: ANN401  IPython has no types
        """Bring the pictures up to date, so that a notebook that is saved or left now shows what was logged.

        An error belongs to the runs that logged, or began, in the cell that it ended.
        """
        error = getattr(result, "error_in_exec", None)
        for run_id, shown in list(self._going.items()):
            source = shown.view.source
            if isinstance(error, BaseException) and source.status().rows > self._rows_before.get(run_id, -1):
                source.note_failure(error)
            with shown.lock:
                try:
                    shown.view.read()
                    message = shown.view.new_snapshot()
                    if message is not None:
                        shown.outputs.send(message)
                except Exception as exc:  # noqa: BLE001  no cell of the user fails for it; %anonrun status tells
                    shown.trouble = f"The picture could not be drawn: {type(exc).__name__}: {exc}"

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Show no run by itself meanwhile, since whoever starts it shows it."""
        auto, self.auto = self.auto, False
        try:
            yield
        finally:
            self.auto = auto

    @property
    def draws(self) -> bool:
        """Whether runs are drawn here, and not told of in lines of text."""
        return self._host().display != "text"

    def started(self, run: Source) -> None:
        """Show a run that `anonrun.init` has just started, where that is wanted."""
        if not self.auto or not self.draws:
            return
        cell = _cell()
        if cell is not None and cell == self._auto_cell:
            print(f"anonrun: run {run.info().name}, {run.url or 'not on a server yet'}")  # noqa: T201  instead of charts
            return
        self._auto_cell = cell
        show(run)

    def deleted(self, run: Source) -> None:
        """Say in the picture of the run that ended last that it is no longer on its server."""
        self.memory.forget(run.run_id)
        self._recall.forget(run.run_id)
        if self._last is None or self._last.view.source.run_id != run.run_id:
            return
        self._aftercare.forget(self._last)
        view = self._last.view
        data = view.static_form(replace(view.facts, deleted=True))
        self._remember(run.run_id, data)
        with self._last.lock:
            self._last.outputs.send(Snapshot(data))

    def trouble(self, run: Source) -> str | None:
        """Return why a run's view is no longer kept up to date; None while all is well."""
        shown = self._going.get(run.run_id)
        return without_home(shown.trouble) if shown and shown.trouble else None

    def _show_ended(self, run: Source, host: Host, chosen: Sequence[Other] | None) -> StaticView | None:
        data = self._ended.get(run.run_id)
        if data is None or chosen is not None:
            data = mimebundle(run, tuple(other for other in self.memory.behind(run, chosen or ()) if other.chosen))
            self._remember(run.run_id, data)
        if host.name == "marimo":
            return StaticView(data)
        NotebookOutputs(run.run_id, None, lambda: None).show(data)
        return None

    def _finish(self, shown: Shown) -> None:
        run_id = shown.view.source.run_id
        if self._going.pop(run_id, None) is None:
            return
        self._publisher.remove(shown)
        try:
            with shown.lock:
                for message in shown.view.final():
                    shown.outputs.send(message)
                    if isinstance(message, Snapshot):
                        self._remember(run_id, message.data)
                shown.outputs.close()
                self.memory.keep(shown.view.source, shown.view.buffer)
        except Exception as exc:  # noqa: BLE001  finish() must go on
            the_session.notices.warn_once(
                f"picture {run_id}", f"The last picture of this run could not be drawn: {exc!r}"
            )
        else:
            self._last = shown
            self._aftercare.add(shown)

    def _remember(self, run_id: str, data: Bundle) -> None:
        self._ended[run_id] = data
        while len(self._ended) > _MOST_REMEMBERED:
            self._ended.pop(next(iter(self._ended)))


@cache
def _kernel_of(_pid: int) -> Kernel:
    return Kernel()


def kernel() -> Kernel:
    """Return what this process shows; a forked child begins anew and leaves its parent's outputs alone."""
    return _kernel_of(os.getpid())


def mimebundle(run: Source, others: tuple[Other, ...] = ()) -> Bundle:
    """Return a run's static form of this instant, for its `_repr_mimebundle_`; `others` are drawn behind it."""
    view = RunView(run, 0.0, live=False, temporary=detect(_shell()).temporary)
    view.set_others(others)
    view.read()
    return view.snapshot()


Comparable = Source | ApiRun | str
"""A run to compare with: of this process, of a server, or its id or name."""


def _chosen(
    reference: str | os.PathLike[str] | None, compare: Sequence[Comparable], server: str | None
) -> list[Other] | None:
    """Return the runs that somebody asked for, None where there are none; why one cannot be had is said."""
    if reference is None and not compare:
        return None
    read: list[Callable[[], Other]] = [partial(kernel().memory.read, one, server) for one in compare]
    if reference is not None:
        read.insert(0, partial(read_reference_from, os.fspath(reference)))
    return [found for one in read if (found := _or_said(one)) is not None] or None


def _or_said(read: Callable[[], Other]) -> Other | None:
    try:
        return read()
    except AnonrunError as exc:
        print(f"anonrun: {without_home(str(exc))} The charts are shown without it.")  # noqa: T201  it was asked for
        return None


def show(
    run: Source | list[Comparable] | tuple[Comparable, ...] | None = None,
    *,
    display: Display | None = None,
    height: int | None = None,
    key_metrics: Sequence[str] | None = None,
    reference: str | os.PathLike[str] | None = None,
    compare: Sequence[Comparable] = (),
    server: str | None = None,
) -> StaticView | None:
    """Show a run's live charts in this cell; where no widget can be shown, its static form.

    Args:
        run: which; None for the current one. Of several, the first, with the others behind it as they are now.
        display: `widget`, `static` or `text`; None for what suits the host.
        height: of the widget's charts, CSS pixels; None for as much as they need.
        key_metrics: metrics whose charts stand first; None for the order in which they were logged.
        reference: a reference file, or a view link, whose run is drawn behind. Of a link nothing is kept.
        compare: runs that are drawn behind: runs, or their ids or names. With neither of these two, what was chosen
            before stays.
        server: where the ids in `compare` are; None for the server that `anonrun.Api()` means.

    Returns:
        Something to be displayed in hosts that show what a cell returns (marimo), otherwise None.

    Raises:
        UsageError: there is no run yet, or the first one is not of this process.
    """
    first, *more = run if isinstance(run, (list, tuple)) and run else [run]
    if first is None:
        first = current_run()
    if first is None or isinstance(first, (list, tuple)):
        raise UsageError("There is no run to show yet; start one with anonrun.init() or %anonrun.")
    if isinstance(first, (str, ApiRun)):
        raise UsageError(f"{first!r} is no run of this process; name it in compare=[…], behind one that is.")
    config = {"height": height, "key_metrics": None if key_metrics is None else list(key_metrics)}
    config = {name: value for name, value in config.items() if value is not None}
    chosen = _chosen(reference, [*more, *compare], server)
    try:
        return kernel().show(first, display, config, chosen)
    except WidgetMissingError as exc:
        if display is not None:
            raise
        the_session.notices.warn_once("widget", f"{exc} Until then the run is shown as a picture.")
        return kernel().show(first, "static", config, chosen)
