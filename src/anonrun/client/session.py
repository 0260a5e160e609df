"""The runs of this process: which one is current, how they begin, and that they end.

A run that is still going when the interpreter ends is finished then; after an uncaught exception it is marked
failed. Everything that is known of runs here belongs to one `Session`, of which a process has one. So pickling a run
is its business too: it comes back as itself in the process that began it, and elsewhere, such as in a spawned worker,
as a writer of its own.
"""

from __future__ import annotations

import atexit
import copyreg
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

from anonrun.client.notices import Notices, in_notebook
from anonrun.client.run import HandedOn, Run, first_info, total_problem
from anonrun.client.settings import Settings, read_settings, refuse_unknown
from anonrun.core.messages import RunInfo

__all__ = ["IGNORED", "Session", "attached", "current_run", "the_session"]

_KERNEL_EXIT_S = 3.0

IGNORED = frozenset({"entity", "settings", "save_code", "force", "magic", "sync_tensorboard", "monitor_gym",
                     "allow_val_change", "config_exclude_keys", "config_include_keys"})  # fmt: skip
"""Arguments of wandb.init that mean nothing here."""

_KNOWN = frozenset({"project", "name", "config", "anonymous", "server", "api_key", "id", "resume", "mode", "tags",
                    "notes", "group", "job_type", "dir", "reinit", "system_metrics", "capture", "total",
                    "console"})  # fmt: skip


class Session:
    """The runs of one process.

    Attributes:
        run: the current one; None before the first `init`.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self.notices = Notices()
        self._runs: list[Run] = []
        self._lock = threading.RLock()
        self._on_start: list[Callable[[Run], object]] = []
        self._hooked = False
        self._failed = False

    def init(self, *, announce: bool = True, **asked: Any) -> Run:  # noqa: ANN401  the user's values
        """Start a run and make it the current one; see `anonrun.init`.

        Args:
            announce: say where the run can be watched.
            asked: the arguments of `anonrun.init`.
        """
        refuse_unknown((name for name in asked if name not in _KNOWN | IGNORED), _KNOWN, "init()")
        for name in IGNORED & {name for name, value in asked.items() if value is not None}:
            self.notices.warn_once(name, f"init({name}=...) means nothing to anonrun and is ignored.")
        settings = read_settings(os.environ, **asked)
        if asked.get("total") is not None and settings.total is None:
            self.notices.warn_once("total", total_problem(asked["total"]))
        with self._lock:
            self._hook()
            self._runs = [run for run in self._runs if run.info().state.value == "running"]
            if settings.reinit == "finish_previous" and self.run in self._runs and self.run is not None:
                self.notices.say(
                    f"run {self.run.name} was still going and is finished first; reinit='create_new' keeps both."
                )
                self.run.finish()
            run = self._disabled(settings) if settings.mode == "disabled" else self._start(settings, announce=announce)
            self._runs.append(run)
            self.run = run
        for callback in self._on_start:
            callback(run)
        return run

    def find(self, run_id: str) -> Run | None:
        """Return the run of this process that has this id and is still going, or None."""
        return next((run for run in self._runs if run.run_id == run_id and run.info().state.value == "running"), None)

    def adopt(self, run: Run) -> None:
        """Have a run that another process began end with this one; it is the current run where there is none."""
        with self._lock:
            self._hook()
            self._runs.append(run)
            if self.run is None:
                self.run = run

    def on_start(self, callback: Callable[[Run], object]) -> None:
        """Have `callback` called with each run that begins from now on; it shows the run, so that `init` need not."""
        self._on_start.append(callback)

    def log(self, data: Mapping[Any, Any], step: int | None = None, commit: bool | None = None) -> None:
        """Record metrics in the current run; see `Run.log`."""
        if self.run is None:
            self.notices.warn_once(
                "no run", "log() was called before init(), and this was not logged. Call anonrun.init() first."
            )
            return
        self.run.log(data, step, commit)

    def finish(self, exit_code: int = 0, timeout: float | None = None) -> None:
        """Finish the current run; nothing happens where there is none."""
        if self.run is not None:
            self.run.finish(exit_code, timeout)

    def _disabled(self, settings: Settings) -> Run:
        notices = Notices(silent=True)
        return Run(settings, first_info(settings, anonymous=settings.anonymous != "never"), None, notices)

    def _start(self, settings: Settings, *, announce: bool) -> Run:
        from anonrun.client.begin import start  # noqa: PLC0415  half of what `import anonrun` would take

        return start(settings, announce=announce and not (in_notebook() and self._on_start), notices=self.notices)

    def _hook(self) -> None:
        if self._hooked:
            return
        self._hooked = True
        atexit.register(self._at_exit)
        before = sys.excepthook

        def excepthook(kind: type[BaseException], exc: BaseException, traceback: TracebackType | None) -> None:
            self._failed = True
            for run in self._runs:  # now, since an exception that is kept keeps all that its frames hold
                run.note_failure(exc)
            before(kind, exc, traceback)

        sys.excepthook = excepthook
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork_in_child)

    def _at_exit(self) -> None:
        for run in self._runs:
            run.finish(exit_code=1 if self._failed else 0, timeout=_KERNEL_EXIT_S if in_notebook() else None)

    def _after_fork_in_child(self) -> None:
        self._lock = threading.RLock()
        for run in self._runs:
            run._after_fork_in_child()  # noqa: SLF001  the session is a run's other half


the_session = Session()
"""The runs of this process."""


def current_run() -> Run | None:
    """Return the run that `anonrun.log` logs to; None before the first `init`."""
    return the_session.run


def attached(folder: str | None, settings: Settings, info: RunInfo, step: int, config: dict[str, Any]) -> Run:
    """Return the run that was pickled: the very one in the process that began it, elsewhere a writer of its own.

    Args:
        folder: the run's folder; None for a disabled run.
        settings: by which it was made.
        info: what was known of it.
        step: at which its own counter goes on.
        config: its config.
    """
    known = the_session.find(info.run_id)
    if known is not None:
        return known
    from anonrun.client.attach import attach  # noqa: PLC0415  few runs are pickled

    run = attach(folder, settings, replace(info, config=config), step)
    the_session.adopt(run)
    return run


def _reduced(run: Run) -> tuple[Callable[..., Run], HandedOn]:
    return attached, run._handed_on()  # noqa: SLF001  the session is a run's other half


copyreg.pickle(Run, _reduced)  # here and not as a method of Run, which would have to know the session that knows it
