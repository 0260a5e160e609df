"""The runs of this process: which one is current, how they begin, and that they end.

A run that is still going when the interpreter ends is finished then; after an uncaught exception it is marked
failed. Everything that is known of runs here belongs to one `Session`, of which a process has one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from anonrun.client.announce import announcement
from anonrun.client.connect import Connector
from anonrun.client.identity import EMBEDDED, Credential, IdentityStore, choose
from anonrun.client.keys import KeyRing
from anonrun.client.notices import Notices, in_notebook
from anonrun.client.paths import data_dir
from anonrun.client.receipts import Receipts
from anonrun.client.recording import Recording
from anonrun.client.remote import Refusal, as_public_error
from anonrun.client.run import Run, first_info
from anonrun.client.settings import Settings, read_settings, refuse_unknown
from anonrun.client.spool.folder import RunFile
from anonrun.core.ids import new_id, new_name, new_run_id
from anonrun.core.messages import RunRequest, TokenHashes, to_json
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.errors import AnonrunError, UsageError

__all__ = ["IGNORED", "Session", "current_run", "the_session"]

_NAMED_SERVER_S = 1.8
_EMBEDDED_S = 0.95
_KERNEL_EXIT_S = 3.0

IGNORED = frozenset({"entity", "settings", "save_code", "force", "magic", "sync_tensorboard", "monitor_gym",
                     "allow_val_change", "config_exclude_keys", "config_include_keys"})  # fmt: skip
"""Arguments of wandb.init that mean nothing here."""

_KNOWN = frozenset({"project", "name", "config", "anonymous", "server", "api_key", "id", "resume", "mode", "tags",
                    "notes", "group", "job_type", "dir", "reinit", "system_metrics", "capture"})  # fmt: skip


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
        return Run(settings, self._info(settings, anonymous=settings.anonymous != "never"), None, notices)

    def _info(self, settings: Settings, *, anonymous: bool) -> Any:  # noqa: ANN401  a RunInfo
        choose_random = random.SystemRandom().choice
        run_id = str(new_run_id(time.time_ns() // 1_000_000, os.urandom(10)))
        return first_info(
            settings,
            run_id=run_id,
            short_id=settings.id or new_id(choose_random),
            name=settings.name or new_name(choose_random),
            anonymous=anonymous,
            now=datetime.now(timezone.utc),
        )

    def _start(self, settings: Settings, *, announce: bool) -> Run:
        notices = Notices()
        data = data_dir(os.environ)
        if data.problem:
            self.notices.warn_once("data dir", data.problem)
        store = IdentityStore(data.identity, notices)
        where = settings.server or EMBEDDED
        credential = choose(store, where, anonymous=settings.anonymous, api_key=settings.api_key, environ=os.environ)
        info = self._info(settings, anonymous=credential.source == "anonymous")
        file = _run_file(settings, info, credential)
        spool = data.spool if settings.dir is None else Path(settings.dir).absolute() / "spool"
        greeting = _Greeting(announce=announce and not (in_notebook() and self._on_start), notices=notices)

        def settled() -> None:
            _keep_receipt(data.root, where, recording, notices)
            greeting.settled()

        recording = Recording(
            spool,
            file,
            keys=KeyRing(store, where, credential),
            keys_for=lambda left: KeyRing(store, where, _credential_of(left, store, where)),
            connect=Connector(settings.server, data.server),
            notices=notices,
            on_settled=settled,
        )
        run = greeting.run = Run(settings, info, recording, notices)
        if (
            recording.wait_settled(_NAMED_SERVER_S if settings.server else _EMBEDDED_S)
            and recording.refusal is not None
        ):
            _raise_for_mistakes(recording, recording.refusal, settings)
        greeting.say()
        return run

    def _hook(self) -> None:
        if self._hooked:
            return
        self._hooked = True
        atexit.register(self._at_exit)
        before = sys.excepthook

        def excepthook(kind: type[BaseException], exc: BaseException, traceback: TracebackType | None) -> None:
            self._failed = True
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


class _Greeting:
    """Says once where a run can be watched: by `init`, or in the background if the server took longer."""

    def __init__(self, *, announce: bool, notices: Notices) -> None:
        self.run: Run | None = None
        self._wanted = announce
        self._notices = notices
        self._lock = threading.Lock()
        self._init_is_over = False

    def settled(self) -> None:
        """Note that the server has the run; called in the background."""
        with self._lock:
            late = self._init_is_over
        if late and not in_notebook():
            self.say()

    def say(self) -> None:
        """Say it, if the server has the run."""
        with self._lock:
            self._init_is_over = True
            run = self.run
            if not self._wanted or run is None:
                return
            status = run.status()
            if status.server is None or not status.connected:
                return
            self._wanted = False
        public, secret = announcement(run.info(), status, run.secrets())
        self._notices.say(public)
        if secret:
            self._notices.say_secret(secret)


def _keep_receipt(root: Path, where: str, recording: Recording, notices: Notices) -> None:
    """Remember by which token an anonymous run can be claimed once its spool folder is gone."""
    info, claim = recording.delivery.info, recording.file.claim
    if info is not None and claim is not None and info.expires_at is not None:
        Receipts(root, notices).keep(info.run_id, server=where, claim=claim, until=info.expires_at)


def _credential_of(file: RunFile, store: IdentityStore, where: str) -> Credential:
    """Return the key for a run that an earlier process left over."""
    if file.account == "anonymous":
        return store.anonymous(where)
    return choose(store, where, anonymous="never", api_key=None, environ=os.environ)


def _run_file(settings: Settings, info: Any, credential: Credential) -> RunFile:  # noqa: ANN401  a RunInfo
    anonymous = credential.source == "anonymous"
    write, view = mint(TokenKind.WRITE), mint(TokenKind.VIEW)
    claim = mint(TokenKind.CLAIM) if anonymous else None
    request = RunRequest(
        run_id=info.run_id,
        tokens=TokenHashes(
            write=token_hash(write).hex(),
            view=token_hash(view).hex(),
            claim=None if claim is None else token_hash(claim).hex(),
        ),
        project=info.project, id=info.id, name=info.name, config=info.config, tags=info.tags, notes=info.notes,
        group=info.group, job_type=info.job_type, resume=settings.resume,
    )  # fmt: skip
    return RunFile(
        run_id=info.run_id, server=settings.server, account=credential.source, request=to_json(request),
        write=write, view=view, claim=claim, offline=settings.mode == "offline",
    )  # fmt: skip


def _raise_for_mistakes(recording: Recording, refusal: Refusal, settings: Settings) -> None:
    """Raise where the server refused what the caller asked for; anything else is trouble, and training goes on.

    Raises:
        AuthenticationError: the account's key was refused.
        NotFoundError: there is no run to resume.
        UsageError: the id is taken.
    """
    error: AnonrunError
    if refusal.status == 401 and recording.file.account != "anonymous":  # noqa: PLR2004  HTTP's number
        error = as_public_error(refusal, "init()")
    elif refusal.code == "run_exists":
        error = UsageError(
            f"Project {settings.project} has a run {settings.id!r} already; use another id, or resume='allow' to go on "
            "with it."
        )
    elif refusal.status == 404 and settings.resume == "must":  # noqa: PLR2004
        error = as_public_error(refusal, f"There is no run {settings.id!r} to resume")
    else:
        return
    with contextlib.suppress(OSError):
        recording.discard()
    raise error from refusal


the_session = Session()
"""The runs of this process."""


def current_run() -> Run | None:
    """Return the run that `anonrun.log` logs to; None before the first `init`."""
    return the_session.run
