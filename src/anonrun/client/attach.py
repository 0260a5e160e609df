"""A run in another process than the one that began it: what a pickled `Run` becomes where it is unpickled.

So a run can be given to a spawned worker as any other argument. The worker writes a part of its own into the run's
folder, as a forked one does; the process that began the run delivers it and tells its end. What is pickled holds no
secret: the folder, which is its owner's alone, does.
"""

from __future__ import annotations

import os
from pathlib import Path

from anonrun.client.connect import Connector
from anonrun.client.identity import EMBEDDED, Credential, IdentityStore
from anonrun.client.keys import KeyRing
from anonrun.client.notices import Notices
from anonrun.client.paths import data_dir
from anonrun.client.recording import Recording
from anonrun.client.run import Run
from anonrun.client.settings import Settings
from anonrun.client.spool.folder import RunFolder
from anonrun.core.messages import RunInfo

__all__ = ["attach"]


def attach(folder: str | None, settings: Settings, info: RunInfo, step: int) -> Run:
    """Return a run that writes into the folder of one which another process began.

    Args:
        folder: None for a disabled run.
        settings: by which it was made.
        info: what was known of it.
        step: at which its own counter goes on.
    """
    notices = Notices(silent=folder is None)
    recording = None if folder is None else _recording(RunFolder(Path(folder)), notices)
    if recording is not None:
        recording.recorder.go_on_at(step)
    return Run(settings, info, recording, notices)


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
