"""What `%anonrun status`, `share`, `claim`, `export`, `delete`, `finish` and `off` do.

They speak of the current run. Nothing that they print holds a secret, but for the view link that `share` makes,
since it was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from anonrun.client.api import Api
from anonrun.client.connect import Connector
from anonrun.client.paths import data_dir
from anonrun.client.remote import Refusal, as_public_error
from anonrun.client.run import Run
from anonrun.client.session import the_session
from anonrun.core.messages import RunState
from anonrun.core.progress import Progress
from anonrun.core.retention import remaining_text
from anonrun.core.spans import parse_span
from anonrun.core.words import counted
from anonrun.errors import ServerUnavailableError, UsageError
from anonrun.notebook.csv_file import new_path, write_csv
from anonrun.notebook.display import kernel
from anonrun.notebook.numbers import utc_text
from anonrun.notebook.outputs import publish

__all__ = ["COMMANDS"]


def _run(what: str) -> Run:
    """Return the current run.

    Raises:
        UsageError: there is none.
    """
    run = the_session.run
    if run is None:
        raise UsageError(f"There is no run to {what} yet; start one with %anonrun.")
    return run


def _only(words: Sequence[str], command: str, *flags: str) -> set[str]:
    """Return the flags that were given.

    Raises:
        UsageError: there is something else.
    """
    unknown = [word for word in words if word not in flags]
    if unknown:
        takes = f"it takes {' and '.join(flags)}" if flags else "it takes nothing more"
        raise UsageError(f"%anonrun {command} does not know {unknown[0]!r}; {takes}.")
    return set(words)


def _kept(run: Run, offset_s: float | None) -> str:
    if not run.anonymous:
        return "yes, by an account"
    if run.expires_at is None:
        return "for a limited time; the server has not said until when"
    now = datetime.fromtimestamp(datetime.now(timezone.utc).timestamp() + (offset_s or 0.0), timezone.utc)
    left = remaining_text(run.expires_at - now)
    return f"until {utc_text(run.expires_at)} ({left}), then deleted unless claimed"


def status(words: Sequence[str]) -> None:
    """Print how the run and its delivery stand."""
    _only(words, "status")
    run = _run("ask about")
    now = run.status()
    where = "none found yet" if now.server is None else now.server.url
    lines = {
        "run": f"{run.name} ({run.project}/{run.id}), {now.state.value}",
        "error": None if now.failure is None else str(now.failure),
        "steps": Progress(0, run.step - 1, run.total).text if run.step else None,
        "rows": f"{now.rows:,} logged, {now.unsent_rows:,} waiting to be sent",
        "media": f"{counted(now.unsent_media, 'item')} waiting to be sent" if now.unsent_media else None,
        "server": f"{where}{' (on this machine)' if now.server is not None and now.server.embedded else ''}",
        "page": run.url or "none yet",
        "kept": _kept(run, now.server_time_offset_s),
        "trouble": now.trouble,
        "view": kernel().trouble(run),
    }
    print("\n".join(f"{name:<8}{text}" for name, text in lines.items() if text))  # noqa: T201  that is what was asked for


def _sharing(words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of `Run.share` that were given as flags.

    Raises:
        UsageError: a flag is unknown or lacks its value.
    """
    given: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word == "--blind":
            given["blind"] = True
        elif name in {"--label", "--expires-in"}:
            said = value if equals else next(rest, None)
            if not said:
                raise UsageError(f"{name} needs a value, as in %anonrun share --label reviewers --expires-in 60d.")
            given[name[2:].replace("-", "_")] = said if name == "--label" else parse_span(said)
        else:
            raise UsageError(f"%anonrun share does not know {word!r}; it takes --blind, --label and --expires-in.")
    return given


def share(words: Sequence[str]) -> None:
    """Make a view link and show it."""
    wanted = _sharing(words)
    run = _run("share")
    link = run.share(**wanted)
    server = run.status().server
    reach = " It leads to a server on this machine, so it works here only." if server and server.embedded else ""
    note = f"Whoever has this link can view the run, and nothing else. It is saved with this notebook.{reach}"
    anchor = f'<a href="{escape(link)}" target="_blank" rel="noopener">{escape(link)}</a>'
    publish({"text/html": f"{anchor}<br>{escape(note)}", "text/plain": f"{link}\n{note}"})


def claim(words: Sequence[str]) -> None:
    """Open the claim page, or say where the button is; with `--to URL`, move the run into an account there."""
    if words[:1] == ["--to"] and len(words) == 2:  # noqa: PLR2004  the flag and what it takes
        _run("claim").claim(to=words[1])
        return
    _only(words, "claim", "--to URL")
    _run("claim").claim()


def export(words: Sequence[str]) -> None:
    """Write the run to a file in the working folder, or at the path that is given: CSV, or HTML with its charts."""
    paths = [word for word in words if word != "--html"]
    if len(paths) > 1 or (paths and paths[0].startswith("-")):
        raise UsageError("%anonrun export takes --html and one path at most, such as %anonrun export curves.csv")
    run = _run("export")
    html = len(paths) < len(words) or (bool(paths) and Path(paths[0]).suffix == ".html")
    named = paths[0] if paths else str(new_path(Path(), run.name, "html" if html else "csv"))  # what is said is saved
    frames, path = run.feed().read_new(), Path(named).expanduser()
    try:
        if html:
            from anonrun.notebook.html_file import html_file, write_html  # noqa: PLC0415  who starts a run does without

            failure = run.status().failure
            info = replace(run.info(), summary=dict(run.summary))
            now = datetime.now(timezone.utc)
            write_html(path, html_file(info, frames, saved_at=now, failure=None if failure is None else str(failure)))
            print(f"The whole run is in {named}; it opens in any browser, with no server and no network.")  # noqa: T201  asked for
            return
        rows = write_csv(path, frames)
    except OSError as exc:
        raise UsageError(
            f"{named} cannot be written: {exc.strerror or exc}. Name another: %anonrun export PATH"
        ) from exc
    print(f"{counted(rows, 'row')} {'is' if rows == 1 else 'are'} in {named}")  # noqa: T201  that is what was asked for


def delete(words: Sequence[str]) -> None:
    """Delete the run on its server at once."""
    if not _only(words, "delete", "--yes"):
        raise UsageError("%anonrun delete removes the run from its server for good; say %anonrun delete --yes.")
    run = _run("delete")
    run.finish()
    server, secret = run.status().server, run.secrets().claim
    if server is None:
        raise ServerUnavailableError("No server has this run, so there is nothing to delete there.")
    named = None if server.embedded else server.url
    if secret is None:
        Api(server=named).run(run.run_id).delete()
    else:
        try:
            Connector(named, data_dir(os.environ).server)().remote.delete(secret, run.run_id)
        except Refusal as exc:
            raise as_public_error(exc, f"Run {run.id} cannot be deleted") from None
    kernel().deleted(run)
    print(f"run {run.name} is deleted; what this notebook shows of it stays until you clear it.")  # noqa: T201  the answer


def finish(words: Sequence[str]) -> None:
    """Finish the run."""
    _only(words, "finish")
    _run("finish").finish()


def off(words: Sequence[str]) -> None:
    """Finish the run, and show no run by itself any more."""
    _only(words, "off")
    kernel().auto = False
    run = the_session.run
    if run is not None and run.status().state is RunState.RUNNING:
        run.finish()


COMMANDS: Mapping[str, Callable[[Sequence[str]], None]] = MappingProxyType(
    {
        "status": status, "share": share, "claim": claim, "export": export,
        "delete": delete, "finish": finish, "off": off,
    }
)  # fmt: skip
"""By name, what follows `%anonrun`."""
