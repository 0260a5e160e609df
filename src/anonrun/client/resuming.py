"""Where a run that is resumed stands: which step comes next, which config and summary it has.

The server says so when the run is made; this machine's spool may hold rows of the run that no server has yet, or has
all of it where the run is offline.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonrun.client.leftovers import run_folders
from anonrun.client.notices import Notices
from anonrun.client.spool.folder import RunFile, RunFolder
from anonrun.client.spool.reader import PartReader
from anonrun.client.status import Standing
from anonrun.core.metrics import is_of_training, of_training

if TYPE_CHECKING:
    from anonrun.client.recording import Recording
    from anonrun.client.run import Run
    from anonrun.client.settings import Settings

__all__ = ["Resumption", "on_disk"]


class Resumption:
    """Has a run go on where it stood, once: by `init`, or in the background where the server took longer.

    Steps are taken up by `init` only: those that were given out meanwhile stay as they are.
    """

    def __init__(self, settings: Settings, notices: Notices) -> None:
        self.run: Run | None = None
        self._settings = settings
        self._notices = notices
        self._lock = threading.Lock()
        self._waits = False

    def begin(self, recording: Recording) -> None:
        """Take up steps, config and summary as far as they can be known now; called by `init`."""
        settings, run = self._settings, self.run
        if settings.resume == "never" or settings.id is None or settings.assists or run is None:
            return
        file, spool = recording.file, recording.folder.path.parent
        here = on_disk(spool, but=file.run_id, server=file.server, project=settings.project, id_=settings.id)
        with self._lock:
            there = _on_server(recording)
            self._waits = recording.sender is not None and recording.delivery.info is None
            late = self._waits
        if here is not None or there is not None:
            here, there = here or Standing(), there or Standing()
            next_step = max(here.next_step, there.next_step)
            run._take_up(Standing(next_step, here.config | there.config, there.summary))  # noqa: SLF001  its other half
        if late:
            self._notices.warn_once(
                "resume",
                f"The server has not said yet where run {settings.id!r} stands; steps begin at {run.step}. Give step= "
                "where that is not right.",
            )

    def settled(self, recording: Recording) -> None:
        """Take up config and summary now, where `init` could not; called in the background."""
        with self._lock:
            if not self._waits or self.run is None:
                return
            self._waits = False
            there = _on_server(recording)
        if there is not None:
            self.run._take_up(Standing(0, there.config, there.summary))  # noqa: SLF001  its other half


def _on_server(recording: Recording) -> Standing | None:
    """Return how the run stood on the server when it was resumed; None where it was not there, or nobody has said."""
    info = recording.delivery.info
    if info is None or info.run_id == recording.file.run_id:
        return None
    return Standing(0 if info.max_step is None else info.max_step + 1, info.config, of_training(info.summary))


def on_disk(spool: Path, *, but: str, server: str | None, project: str, id_: str) -> Standing | None:
    """Return how the run stands on this disk; None where nothing of it is there.

    Args:
        spool: folder of all runs.
        but: the `run_id` of the process that asks, whose own folder does not count.
        server: address of the server that the run goes to; None for the embedded one.
        project: the run's project.
        id_: its short id.
    """
    highest, config, found = -1, dict[str, Any](), False
    for folder in run_folders(spool):
        with contextlib.suppress(OSError, ValueError):
            file = folder.load()
            if file.run_id != but and file.server == server and _is_of(file, project, id_):
                found = True
                highest = max(highest, _highest_step(folder))
                config |= file.request.get("config", {})
    return Standing(highest + 1, config) if found else None


def _is_of(file: RunFile, project: str, id_: str) -> bool:
    return bool(file.request.get("project") == project and file.request.get("id") == id_)


def _highest_step(folder: RunFolder) -> int:
    highest = -1
    for part in folder.parts():
        reader = PartReader(folder.path, part)
        try:
            while True:
                before = reader.offset
                batch = reader.read(final=True)
                highest = max([highest, *(max(frame.steps) for frame in batch.frames if is_of_training(frame.names))])
                if reader.offset == before:
                    break
        finally:
            reader.close()
    return highest
