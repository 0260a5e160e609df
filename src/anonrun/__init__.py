"""Run a published notebook or script and watch its metrics live, without an account.

Example:
    ```python
    import anonrun

    run = anonrun.init(project="digits", config={"lr": 0.01})
    run.log({"loss": 0.5})
    run.finish()
    ```
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anonrun._version import __version__
from anonrun.client.run import Run
from anonrun.client.session import the_session as _session
from anonrun.errors import (
    AccountRequiredError,
    AnonrunError,
    AuthenticationError,
    DamagedDataError,
    NotFoundError,
    ServerError,
    ServerUnavailableError,
    UsageError,
)

if TYPE_CHECKING:
    from anonrun.client.api import Api
    from anonrun.client.artifact import Artifact
    from anonrun.client.config import Config, Summary
    from anonrun.client.media.histogram import Histogram
    from anonrun.client.media.image import Image
    from anonrun.client.media.table import Table
    from anonrun.client.media.text import Text

    run: Run | None
    config: Config
    summary: Summary

__all__ = [
    "AccountRequiredError",
    "AnonrunError",
    "Api",
    "Artifact",
    "AuthenticationError",
    "DamagedDataError",
    "Histogram",
    "Image",
    "NotFoundError",
    "Run",
    "ServerError",
    "ServerUnavailableError",
    "Table",
    "Text",
    "UsageError",
    "__version__",
    "finish",
    "init",
    "log",
    "log_artifact",
    "login",
    "logout",
    "plot",
    "show",
]


def init(
    project: str | None = None,
    name: str | None = None,
    config: object = None,
    *,
    anonymous: str | None = None,
    server: str | None = None,
    api_key: str | None = None,
    id: str | None = None,  # noqa: A002  the name is fixed by the documentation
    resume: str | bool | None = None,
    mode: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
    group: str | None = None,
    job_type: str | None = None,
    dir: str | None = None,  # noqa: A002  the name is fixed by the documentation
    reinit: str | bool | None = None,
    system_metrics: bool | float | None = None,
    capture: Sequence[str] = (),
    total: int | None = None,
    console: bool | None = None,
    **more: Any,  # noqa: ANN401  the user's values
) -> Run:
    """Start a run.

    Returns at once, with the server slow or absent too: points go to disk, and are delivered when it is there.

    Args:
        project: where the run belongs; None means `ANONRUN_PROJECT`, or `uncategorized`.
        name: for display; None makes one of two words.
        config: inputs of the run: a dict, an argparse.Namespace or a dataclass.
        anonymous: `allow` (the default) uses an account where there is one, and otherwise makes an anonymous one
            without a prompt; `must` is always anonymous; `never` asks for an account. None means `ANONRUN_ANONYMOUS`.
        server: address; None means `ANONRUN_SERVER`, or the server on this machine, which starts by itself.
        api_key: of an account; None means `ANONRUN_API_KEY`, or the saved login.
        id: short name, unique in the account's project; None makes one.
        resume: what to do where the project has the id already: `never` (the default) refuses, `allow` goes on with
            that run, `must` also refuses where there is none.
        mode: `online`, `offline` (keep everything on disk for `anonrun sync`) or `disabled`. None means
            `ANONRUN_MODE`, or online; processes of a distributed training whose rank is not 0 are disabled.
        tags: texts to find the run by.
        notes: a longer text.
        group: what belongs together.
        job_type: such as `train` or `eval`.
        dir: folder for what is not delivered yet; None means `ANONRUN_DATA_DIR`.
        reinit: with a run still going, `finish_previous` (the default) finishes it, `create_new` keeps both.
        system_metrics: seconds between samples of how the machine does (`system/cpu`, `system/memory` and so on; see
            docs/client.md); True means 10, False none. None means `ANONRUN_SYSTEM_METRICS`, or 10, and none in
            processes that only add to a run of the training's first one.
        capture: accepted for the sake of later versions; nothing about the machine is collected.
        total: steps that the training will make, for a progress bar and the time that is left; `run.total` can be set
            later too. What cannot be such a number is ignored with a warning.
        console: whether what this process prints is kept with the run, from here to `finish`: for whoever may see the
            run, without our own secrets. None means `ANONRUN_CONSOLE`, or no.
        more: arguments of wandb.init that mean nothing here are ignored with a note; others raise.

    Raises:
        UsageError: a value cannot be used.
        AccountRequiredError: `anonymous="never"`, and there is no account.
        AuthenticationError: the server refused the account's key.
        NotFoundError: `resume="must"`, and there is no such run.
        TypeError: an argument does not exist.
    """
    return _session.init(
        project=project, name=name, config=config, anonymous=anonymous, server=server, api_key=api_key, id=id,
        resume=resume, mode=mode, tags=tags, notes=notes, group=group, job_type=job_type, dir=dir, reinit=reinit,
        system_metrics=system_metrics, capture=capture, total=total, console=console, **more,
    )  # fmt: skip


def log(data: Mapping[Any, Any], step: int | None = None, commit: bool | None = None) -> None:
    """Record metrics, pictures, tables and the like in the current run; see `Run.log`."""
    _session.log(data, step, commit)


def finish(exit_code: int = 0, timeout: float | None = None) -> None:
    """Finish the current run; see `Run.finish`."""
    _session.finish(exit_code, timeout)


def log_artifact(
    artifact: Artifact | str | os.PathLike[str],
    name: str | None = None,
    type: str | None = None,  # noqa: A002  wandb's name for it
    aliases: Sequence[str] | str | None = None,
) -> Artifact | None:
    """Log an artifact to the current run; see `Run.log_artifact`."""
    return None if _session.run is None else _session.run.log_artifact(artifact, name, type, aliases)


def login(api_key: str | None = None, server: str | None = None) -> bool:
    """Log in to an account of a server; runs go to it from now on.

    Args:
        api_key: a key of the account; None prints a code that is approved in a browser, and waits for that.
        server: address; None means `ANONRUN_SERVER`, or the server on this machine.

    Raises:
        AuthenticationError: the server refuses the key, or nobody approved the code within ten minutes.
        UsageError: what was given has not the form of a key.
    """
    from anonrun.client.account import login as log_in  # noqa: PLC0415  most programs never log in

    log_in(api_key, server)
    return True


def logout(server: str | None = None) -> bool:
    """Forget the saved login for a server; return whether there was one."""
    from anonrun.client.account import logout as log_out  # noqa: PLC0415  most programs never log out

    return log_out(server)


def show(run: Run | list[Any] | tuple[Any, ...] | None = None, **options: Any) -> Any:  # noqa: ANN401  the notebook side names and checks them
    """Show a run's live charts in this cell (again); see `anonrun.notebook.show` for the options.

    Args:
        run: which; None for the current one. Of several, the first, with the others behind it.
        options: `display`, `height`, `key_metrics`, `reference`, `compare`, `server`.
    """
    from anonrun.notebook import show as show_in_notebook  # noqa: PLC0415  the notebook side is large

    return show_in_notebook(run, **options)


def load_ipython_extension(ipython: Any) -> None:  # noqa: ANN401  IPython is imported only by who has it
    """Make `%anonrun` known; called by `%load_ext anonrun`."""
    from anonrun.notebook.magic import load  # noqa: PLC0415  the notebook side is large

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:  # noqa: ANN401  IPython is imported only by who has it
    """Forget `%anonrun`; called by `%unload_ext anonrun`."""
    from anonrun.notebook.magic import unload  # noqa: PLC0415  the notebook side is large

    unload(ipython)


_ON_DEMAND = {
    "Api": "anonrun.client.api",
    "Artifact": "anonrun.client.artifact",
    "Histogram": "anonrun.client.media.histogram",
    "Image": "anonrun.client.media.image",
    "Table": "anonrun.client.media.table",
    "Text": "anonrun.client.media.text",
}
"""Where the classes are that not every program needs."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  what it is depends on the name
    if name in _ON_DEMAND:
        return getattr(importlib.import_module(_ON_DEMAND[name]), name)
    if name == "plot":
        return importlib.import_module("anonrun.plot")
    if name == "run":
        return _session.run
    if name in ("config", "summary"):
        if _session.run is None:
            raise AttributeError(f"anonrun.{name} is there after anonrun.init()")
        return getattr(_session.run, name)
    raise AttributeError(f"module 'anonrun' has no attribute {name!r}")
