"""A run in another process than the one that began it: what a pickled `Run` becomes where it is unpickled.

So a run can be given to a spawned worker as any other argument. The worker writes a part of its own into the run's
folder, as a forked one does; the process that began the run delivers it and tells its end. What is pickled holds no
secret: the folder, which is its owner's alone, does.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anonrun.client.connect import Connector
from anonrun.client.identity import EMBEDDED, Credential, IdentityStore
from anonrun.client.keys import KeyRing
from anonrun.client.notices import Notices
from anonrun.client.paths import data_dir
from anonrun.client.recording import Recording
from anonrun.client.run import Run
from anonrun.client.session import the_session
from anonrun.client.settings import Settings
from anonrun.client.spool.folder import RunFolder
from anonrun.core.messages import RunInfo

__all__ = ["Reduced", "attached", "reduced"]

Reduced = tuple[Callable[..., Run], tuple[str | None, Settings, RunInfo, int, dict[str, Any]]]


def reduced(run: Run, settings: Settings, recording: Recording | None) -> Reduced:
    """Return what pickle keeps of a run; `settings` are those by which it was made."""
    folder = None if recording is None else str(recording.folder.path)
    plain = dataclasses.replace(settings, api_key=None, config={})
    return attached, (folder, plain, run.info(), run.step, run.config.as_dict())


def attached(folder: str | None, settings: Settings, info: RunInfo, step: int, config: dict[str, Any]) -> Run:
    """Return the run: the very one in the process that began it, elsewhere a writer of its own.

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
    info = dataclasses.replace(info, config=config)
    notices = Notices(silent=folder is None)
    recording = None if folder is None else _recording(RunFolder(Path(folder)), notices)
    if recording is not None:
        recording.recorder.go_on_at(step)
    run = Run(settings, info, recording, notices)
    the_session.adopt(run)
    return run


def _recording(folder: RunFolder, notices: Notices) -> Recording | None:
    try:
        file = folder.load()
    except (OSError, ValueError) as exc:
        notices.warn_once("attach", f"This run has ended, or is on another machine; nothing is recorded here ({exc}).")
        return None
    data = data_dir(os.environ)
    where = file.server or EMBEDDED
    keys = KeyRing(IdentityStore(data.identity, notices), where, Credential("", "given"))  # nothing is made from here
    return Recording(
        folder.path.parent,
        file,
        keys=keys,
        keys_for=lambda _left: keys,
        connect=Connector(file.server, data.server),
        notices=notices,
        on_settled=lambda: None,
        helps=True,
    )
