"""The run in the user's hand: a thin face of `recording`, which does the work."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any

from anonrun.client.config import Config, Summary
from anonrun.client.failure import Failure, failure_of
from anonrun.client.links import LinkWish, claim_link, page_link
from anonrun.client.notices import Notices, in_notebook
from anonrun.client.rows import NoRows, Rows
from anonrun.client.settings import Settings
from anonrun.client.status import ClientStatus, RunSecrets, Standing
from anonrun.core.ids import new_id, new_name, new_run_id
from anonrun.core.messages import RunInfo, RunState
from anonrun.core.progress import MOST_STEPS, total_of
from anonrun.core.words import counted, share_that_waits
from anonrun.errors import ServerUnavailableError, UsageError

if TYPE_CHECKING:
    import plotly.graph_objects
    from typing_extensions import Self

    from anonrun.client.api_artifact import ApiArtifact
    from anonrun.client.artifact import Artifact
    from anonrun.client.media.recent import Recent
    from anonrun.client.moving.moves import Moved
    from anonrun.client.recording import Recording

__all__ = ["HandedOn", "Run", "first_info", "total_problem"]

HandedOn = tuple[str | None, Settings, RunInfo, int, dict[str, Any]]
"""What another process can log into a run by: its folder (None where nothing is recorded), how it was made, what is
known of it, its step, its config."""

_ASK_S = 10.0


class Run:
    """One execution that is being recorded. Made by `anonrun.init`.

    Attributes:
        config: inputs of the run; reads and writes like a dict, or by attribute.
        summary: one value per metric, the last that was logged; entries can be set by hand.
    """

    def __init__(self, settings: Settings, info: RunInfo, recording: Recording | None, notices: Notices) -> None:
        self._settings = settings
        self._first_info = info
        self._recording = recording
        self._notices = notices
        self._state = RunState.RUNNING
        self._ended = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []
        self._total = settings.total  # 0 where it was taken back
        self._failure: tuple[Failure, int] | None = None  # and how many rows there were then
        self._moved: Moved | None = None
        self.config = Config(dict(info.config), self._change, notices)
        latest: Callable[[], dict[str, float]] = dict if recording is None else recording.recorder.latest
        self.summary = Summary(latest, lambda entries: self._change({"summary": entries}))

    # --- recording -------------------------------------------------------------------------------------------------

    def log(self, data: Mapping[Any, Any], step: int | None = None, commit: bool | None = None) -> None:
        """Record metrics at a step, and pictures, tables and the like beside them.

        Returns at once: what was logged is in the hands of the operating system and survives the end of this process,
        however it ends. Never raises for what is logged; what cannot be logged is left out with one warning.

        Args:
            data: numbers by name. Nested dicts are joined by `/`; NaN and ±Inf are kept; NumPy, PyTorch and JAX
                scalars are numbers. Also `anonrun.Image`, `Histogram`, `Table`, `Text`, what `anonrun.plot` makes,
                figures of Plotly and matplotlib, Pillow's pictures, and lists of these.
            step: where it belongs; None takes the run's own counter, which begins at 0.
            commit: whether the run's own counter goes on to the next step. None means yes, unless `step` is given.
        """
        if self._recording is not None:
            self._recording.recorder.log(data, step, commit)

    def finish(self, exit_code: int = 0, timeout: float | None = None) -> None:
        """End the run and deliver what is not delivered yet.

        Waits at most `timeout` seconds. What could not be delivered by then stays on disk, and a message says where.

        Args:
            exit_code: 0 for success; anything else marks the run failed.
            timeout: seconds to wait; None waits 30 s, and 5 s where the server does not answer.
        """
        with self._ended:
            if self._state is not RunState.RUNNING:
                return
            failure = self._last_failure()
            if failure is None:
                self._failure = None
            self._state = RunState.FINISHED if exit_code == 0 else RunState.FAILED
        recording = self._recording
        try:
            if recording is not None:
                recording.end(self._state.value, exit_code, None if failure is None or not exit_code else failure.kind)
                recording.wait_delivered(timeout)
        finally:
            for callback in self._callbacks:
                self._call(callback)
            if recording is not None and not recording.forked:
                self._say_goodbye(recording)
                recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc is not None:
            self.note_failure(exc)
        self.finish(exit_code=0 if kind is None else 1)

    def note_failure(self, exc: BaseException) -> None:
        """Have the run's status tell of an exception that stopped it, until it logs again.

        With the run's end only the exception's type goes to the server: its text may name a person or a path.
        """
        self._failure = failure_of(exc), self._rows()

    # --- what it is ------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The short name, unique in the account's project."""
        return self.info().id

    @property
    def name(self) -> str:
        """The name for display."""
        return self.info().name

    @property
    def project(self) -> str:
        """The project it belongs to."""
        return self.info().project

    @property
    def run_id(self) -> str:
        """The UUIDv7 that never changes, also not by a claim."""
        return self.info().run_id

    @property
    def url(self) -> str | None:
        """The run's page, without any secret; None while no server is known, and for a disabled run."""
        if self._recording is None:
            return None
        if self._moved is not None:
            return self._moved.url
        connection = self._recording.delivery.connection
        base = self._recording.connect.known_url() if connection is None else connection.server.url
        return None if base is None else page_link(base, self.run_id)

    @property
    def anonymous(self) -> bool:
        """Whether the run is unclaimed."""
        return self.info().anonymous

    @property
    def expires_at(self) -> datetime | None:
        """When it stops existing, UTC; None where it is kept, or the server has not said yet."""
        return self.info().expires_at

    @property
    def step(self) -> int:
        """The step that the next `log` without one of its own belongs to."""
        return 0 if self._recording is None else self._recording.recorder.step

    @property
    def total(self) -> int | None:
        """Steps that the training will make; None where nobody said so.

        Can be set at any time, also to None. What cannot be such a number is ignored with a warning.
        """
        return self.info().total

    @total.setter
    def total(self, steps: object) -> None:
        number = 0 if steps is None else total_of(steps)
        if number is None:
            self._notices.warn_once("total", total_problem(steps))
            return
        self._total = number
        self._change({"total": number})

    @property
    def disabled(self) -> bool:
        """Whether nothing is recorded."""
        return self._recording is None

    def info(self) -> RunInfo:
        """Return what is known of the run here, without asking the server."""
        known = None if self._recording is None else self._recording.delivery.info
        info = self._first_info if known is None else known
        failure = self._last_failure()
        return replace(
            info,
            state=self._state,
            config=self.config.as_dict(),
            total=info.total if self._total is None else self._total or None,
            error=None if failure is None or self._state is not RunState.FAILED else failure.kind,
        )

    def status(self) -> ClientStatus:
        """Return how the run and its delivery stand, without asking the server."""
        recording, info = self._recording, self.info()
        if recording is None:
            return ClientStatus(
                state=self._state, rows=0, unsent_rows=0, trouble=None, connected=False, server=None,
                server_time_offset_s=None, anonymous=info.anonymous, expires_at=None, failure=self._last_failure(),
            )  # fmt: skip
        return ClientStatus(
            state=self._state,
            rows=recording.rows,
            unsent_rows=recording.unsent_rows,
            trouble=recording.trouble,
            connected=recording.delivery.connected,
            server=recording.delivery.server,
            server_time_offset_s=recording.delivery.server_time_offset_s,
            anonymous=info.anonymous,
            expires_at=info.expires_at,
            failure=self._last_failure(),
            unsent_media=recording.unsent_media,
        )

    def secrets(self) -> RunSecrets:
        """Return the run's view and claim tokens, for a page that keeps them in memory only."""
        if self._recording is None:
            return RunSecrets(None, None)
        file = self._recording.file
        return RunSecrets(file.view, file.claim if self.anonymous else None)

    def feed(self) -> Rows:
        """Return a new reader of the run's rows, from the first on."""
        return NoRows() if self._recording is None else self._recording.feed()

    def recent_media(self) -> Recent:
        """Return the newest media that this process logged, and how many of what there were."""
        from anonrun.client.media.recent import Recent  # noqa: PLC0415  importing anonrun loads nothing of media

        return Recent() if self._recording is None else self._recording.recent

    def on_finish(self, callback: Callable[[], object]) -> None:
        """Have `callback` called when the run ends, before `finish` returns."""
        self._callbacks.append(callback)

    def refresh(self) -> None:
        """Ask the server how the run stands; where it cannot be asked, all stays as it is known."""
        if self._recording is not None:
            self._recording.refresh()

    # --- sharing, claiming, looking --------------------------------------------------------------------------------

    def share(
        self, blind: bool = False, *, label: str | None = None, expires_in: float | timedelta | None = None
    ) -> str:
        """Make a view link. Whoever has it can view the run, and neither write nor claim it.

        Each call makes a link of its own, which the run's page lists under Share and can end by itself.

        Args:
            blind: leave out what tells whose run it is, for double-blind review.
            label: whom it is for, which only the list of links says.
            expires_in: seconds, or a timedelta, for which it works; None for as long as the run.

        Raises:
            UsageError: `expires_in` is not more than 0.
            ServerUnavailableError: the server does not have the run yet, or does not answer.
            ServerError: it refuses.
        """
        wish = LinkWish(blind=blind, label=label, expires_in=expires_in)
        return self._online("share").share(wish, timeout_s=_ASK_S)

    def claim(self, *, to: str | None = None) -> None:
        """Open the page where the run is claimed into an account. In a notebook nothing secret is printed.

        Args:
            to: address of another server: the run, which must be over, moves into the account that is logged in
                there. It is read, written there, compared point by point, and then removed where it was; called again
                after any stop, this goes on.

        Raises:
            AnonrunError: `to` is given, and the run cannot be moved now; the message says why and what is where.
        """
        if to is not None:
            self._move(to)
            return
        claim = self.secrets().claim
        if claim is None:
            self._notices.say("There is nothing to claim: this run is not anonymous.")
            return
        recording = self._online("claim")
        link = claim_link(recording.connected(_ASK_S).server.url, claim)
        if recording.open_in_browser(link):
            self._notices.say("The claim page was opened in your browser.")
        elif in_notebook():
            self._notices.say("Use the Claim button above the charts; no browser can be opened from this kernel.")
        else:
            self._notices.say_secret(f"claim this run here: {link}\nWhoever has this link can claim the run.")

    def log_artifact(
        self,
        artifact: Artifact | str | os.PathLike[str],
        name: str | None = None,
        type: str | None = None,  # noqa: A002  wandb's name for it
        aliases: Sequence[str] | str | None = None,
    ) -> Artifact | None:
        """Log files as a version of an artifact: runs of accounts only.

        Reads the files once, and returns; they are uploaded in the background, and `finish` waits for that. They are
        not copied, so they must stay as they are until then: what has changed is not uploaded, with a warning. What is
        not uploaded when this process ends is by `anonrun sync`, or by the next run on this machine.

        Args:
            artifact: an `anonrun.Artifact`, or the path of a file or folder.
            name: of the artifact, for a path; None for the name of the file or folder.
            type: such as `model` or `dataset`, for a path; None for `file`.
            aliases: further names of this version, such as `best`; `latest` it is anyway.

        Returns:
            The artifact; None, with a warning, for an anonymous run, or where the files cannot be read.

        Raises:
            UsageError: a name, type, alias or path cannot be used.
        """
        from anonrun.client import artifact as artifacts  # noqa: PLC0415  few runs log any

        named = f" ({artifact!r})"
        if self.anonymous:
            self._refuse_artifact("log an artifact to", named, "The file stays where it is. ")
            return None
        if self._recording is None:
            return artifact if isinstance(artifact, artifacts.Artifact) else None
        if self._state is not RunState.RUNNING:
            self._notices.warn_once(
                "artifact after finish", f"The run is finished; {artifact!r} was not logged. Call anonrun.init() first."
            )
            return None
        wanted = artifacts.checked_aliases(aliases)
        if not isinstance(artifact, artifacts.Artifact) and not os.path.exists(artifact):  # noqa: PTH110  any kind of path
            self._notices.warn_once(f"artifact {named}", f"There is no file{named}; no artifact was logged.")
            return None
        made = artifacts.artifact_of(artifact, name=name, type_=type, default_name=f"run-{self.id}-files")
        try:
            self._recording.log_artifact(made, wanted)
        except OSError as exc:
            text = f"Artifact {made.name} was not logged: {exc.filename or 'the disk'}: {exc.strerror or exc}."
            self._notices.warn_once(f"artifact {named}", text)
            return None
        return made

    def use_artifact(self, name: str) -> ApiArtifact | None:
        """Return a version of an artifact of the account, and note that this run uses it.

        Args:
            name: such as `digits-model:latest`, `digits-model:v3`, or `project/digits-model:best`; without a project
                this run's, without a version the latest.

        Returns:
            The version, to `download`; None, with a warning, for an anonymous or disabled run.

        Raises:
            NotFoundError: there is none.
            AuthenticationError: there is no key to read with.
            ServerUnavailableError: the server does not answer.
        """
        from anonrun.client.access import open_access  # noqa: PLC0415  few runs read
        from anonrun.client.api_artifact import find_artifact  # noqa: PLC0415  few runs read

        if self.anonymous:
            self._refuse_artifact("use an artifact in", f" ({name!r})", "")
            return None
        if self._recording is None:
            return None
        recording = self._online("use_artifact")
        key = self._settings.api_key
        access = open_access(os.environ, server=recording.file.server, api_key=key)
        try:
            found = find_artifact(access, name, project=self.project)
        except BaseException:
            access.remote.close()
            raise
        recording.use_artifact(found.info.artifact_id, timeout_s=_ASK_S)
        return found

    def _refuse_artifact(self, what: str, named: str, then: str) -> None:
        text = f"You can't {what} an anonymous run{named}. {then}Claim the run, or run `anonrun login` first."
        self._notices.warn_once(f"{what} {named}", text)

    def figure(self, metric: str, *more: str) -> plotly.graph_objects.Figure:
        """Return a chart of every point of one metric, or of several in one chart.

        Args:
            metric: its name.
            more: names of metrics whose lines stand beside it.

        Raises:
            UsageError: the run has no such metric.
        """
        from anonrun.client.figure import line_figure  # noqa: PLC0415  plotly is large

        return line_figure((metric, *more), self.feed().read_new(), run=self.id)

    def cite(self) -> str:
        """Return BibTeX entries of this run and of anonrun, to be pasted into a paper.

        They hold its name, project, date and page, and no secret. A run whose server is on this machine has no address
        that readers could open, which a comment says.
        """
        from anonrun.client.citing import citation  # noqa: PLC0415  few runs are cited

        return citation(self.info(), self.url, datetime.now(timezone.utc).date())

    def __repr__(self) -> str:
        where = f" {self.url}" if self.url else ""
        return f"<anonrun.Run {self.name} ({self.project}/{self.id}) {self._state.value}{where}>"

    # --- within ----------------------------------------------------------------------------------------------------

    def _handed_on(self) -> HandedOn:
        folder = None if self._recording is None else str(self._recording.folder.path)
        plain = replace(self._settings, api_key=None, config={})
        return folder, plain, self.info(), self.step, self.config.as_dict()

    def _move(self, to: str) -> None:
        from anonrun.client.moving.moves import move_run  # noqa: PLC0415  few runs are moved
        from anonrun.client.progress import progress  # noqa: PLC0415  likewise

        self._online("claim")
        if self._moved is not None:
            self._notices.say(f"run {self.name} is in your account on {self._moved.to} already: {self.url}")
            return
        if self._state is RunState.RUNNING:
            raise UsageError(f"Run {self.id} is still going; finish it first: run.finish().")
        environ = dict(os.environ)
        if self._settings.server is None:  # it may have been named since, and is not where this run is
            environ.pop("ANONRUN_SERVER", None)
        shown = progress(self._notices)
        try:
            self._moved = move_run(environ, self.run_id, to=to, server=self._settings.server, say=shown.show)
        finally:
            shown.close()
        self.refresh()
        self._notices.say(f"run {self.name} is kept in your account on {to}: {self.url}")

    def _call(self, callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception as exc:  # noqa: BLE001  whoever shows the run must not keep it from ending
            self._notices.say(f"what was to happen at the run's end failed: {type(exc).__name__}: {exc}")

    def _rows(self) -> int:
        return 0 if self._recording is None else self._recording.rows

    def _last_failure(self) -> Failure | None:
        """Return what stopped the run; None where it logged since."""
        if self._failure is None:
            return None
        failure, rows = self._failure
        went_on = self._state is RunState.RUNNING and self._rows() > rows
        return None if went_on or self._state is RunState.FINISHED else failure

    def _change(self, fields: dict[str, Any]) -> None:
        if self._recording is not None:
            self._recording.change(fields)

    def _take_up(self, standing: Standing) -> None:
        """Go on where an older process ended, with what `init` was given standing before what was there."""
        if self._recording is None:
            return
        self._recording.recorder.go_on_at(standing.next_step)
        self.summary.begin_with(standing.summary)
        self.config.begin_with(standing.config)

    def _online(self, what: str) -> Recording:
        if self._recording is None or self._recording.sender is None:
            raise ServerUnavailableError(f"run.{what}() needs a server, and this run is {self._settings.mode}.")
        return self._recording

    def _after_fork_in_child(self) -> None:
        self._callbacks.clear()
        self._ended = threading.Lock()
        self.config._after_fork_in_child()  # noqa: SLF001  the run's own part
        if self._recording is not None:
            self._recording.after_fork_in_child()

    def _say_goodbye(self, recording: Recording) -> None:
        unsent, unsent_media = recording.unsent_rows, recording.unsent_media
        media = f"{counted(unsent_media, 'item')} of media"
        if recording.sender is None:
            trouble = f" {recording.trouble}" if recording.trouble else ""
            self._notices.say(
                f"run {self.name} is kept in {recording.folder.path}; `anonrun sync FOLDER` delivers it.{trouble}"
            )
        elif recording.refusal is not None:
            if recording.sender.trouble:  # it was said, but for a notebook, where nothing is said in the background
                self._notices.warn_once(recording.sender.trouble, recording.sender.trouble)
            self._notices.say(
                f"run {self.name} {self._state.value}: {unsent:,} of {counted(recording.written_rows, 'row')}"
                f"{f' and {media}' if unsent_media else ''} did not reach the server."
            )
        elif not unsent and unsent_media:
            why = recording.trouble or "There was not time enough."
            self._notices.say(
                f"run {self.name}: {media} not delivered yet, in {recording.folder.path}. {why} `anonrun sync` goes on "
                "with it; so does the next run on this machine."
            )
        elif not recording.sender.done and not unsent and (left := len(recording.delivery.uploads.waiting())):
            why = recording.trouble or "There was not time enough."
            self._notices.say(
                f"run {self.name}: {counted(left, 'artifact')} not uploaded yet. {why} `anonrun sync` goes on with it; "
                "so does the next run on this machine. Leave the files where they are until then."
            )
        elif not recording.sender.done:
            why = recording.trouble or "The server did not answer in time."
            self._notices.say(
                f"run {self.name} is not delivered in full: {share_that_waits(unsent, recording.written_rows)}"
                f"{f', with {media},' if unsent_media else ''} in {recording.folder.path}. {why} `anonrun sync` "
                "delivers them; so does the next run on this machine."
            )
        elif not in_notebook():
            failure = self._last_failure()
            how = self._state.value if failure is None else f"{self._state.value} ({failure.kind})"
            self._notices.say(f"run {self.name} {how}: {counted(recording.rows, 'row')}, {self.url}")
        if recording.recorder.lost:
            were = "row was" if recording.recorder.lost == 1 else "rows were"
            self._notices.say(f"{recording.recorder.lost:,} {were} not kept: there was no room for them on this disk.")


def total_problem(value: object) -> str:
    """Return what is said of a total that cannot be one."""
    got = repr(value)[:80]
    return f"total={got} is no number of steps from 1 to {MOST_STEPS} and is ignored; give one such as total=1000."


def first_info(settings: Settings, *, anonymous: bool) -> RunInfo:
    """Return a new run as it is known before any server does, with ids and a name of its own."""
    run_id = str(new_run_id(time.time_ns() // 1_000_000, os.urandom(10)))
    now = datetime.now(timezone.utc)
    return RunInfo(
        run_id=run_id, account="", project=settings.project, id=settings.id or new_id(secrets.choice),
        name=settings.name or new_name(secrets.choice), state=RunState.RUNNING, anonymous=anonymous, created_at=now,
        server_time=now, url_path=f"r/{run_id}", config=settings.config, tags=settings.tags, notes=settings.notes,
        group=settings.group, job_type=settings.job_type, total=settings.total,
    )  # fmt: skip
