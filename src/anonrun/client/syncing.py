"""Delivers run folders from another process than the one that logged, the run still going or not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonrun.client.access import Place, place
from anonrun.client.delivery import Delivery
from anonrun.client.identity import choose
from anonrun.client.keys import KeyRing
from anonrun.client.leftovers import owned, run_folders
from anonrun.client.remote import Refusal
from anonrun.client.settings import spool_bytes
from anonrun.client.spool.folder import RunFile, RunFolder, remove_remains
from anonrun.client.spool.reader import rows_in
from anonrun.client.spool.writer import KEEP_BYTES
from anonrun.client.verdict import Action, after_stop, backoff_s, decide
from anonrun.errors import AnonrunError, ServerUnavailableError

__all__ = ["Outcome", "sync_folders"]

_MOST_RETRIES = 5
_LONGEST_WAIT_S = 30.0  # somebody is looking at the terminal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run.

    Attributes:
        rows: rows that the server has of it now.
        waiting: rows that are on disk only; 0 for a run that is still going.
        delivered: whether that is all, so that the folder was removed.
        live: whether a process still writes it.
        trouble: why something is left; None where nothing is.
        media: pictures, tables and the like that are on disk only; 0 for a run that is still going.
    """

    name: str
    folder: Path
    rows: int
    waiting: int
    delivered: bool
    live: bool
    trouble: str | None
    media: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return what the command line answers."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "rows": self.rows,
            "waiting": self.waiting,
            "media": self.media,
            "delivered": self.delivered,
            "live": self.live,
            "trouble": self.trouble,
        }


def sync_folders(
    environ: Mapping[str, str],
    folders: Sequence[Path],
    *,
    server: str | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Outcome]:
    """Deliver runs, and yield what became of each.

    Args:
        environ: the environment, for server and key.
        folders: of runs, or holding such; all of this machine's where there are none.
        server: deliver there, whatever a run was meant for; None for where it was meant to go.
        sleep: waits; replaced only by tests.
    """
    found = [run for folder in folders for run in _runs_below(folder)] if folders else _all_runs(environ)
    for folder in found:
        try:
            file = folder.load()
        except (OSError, ValueError) as exc:
            what = f"run.json: {exc}"
            yield Outcome(folder.path.name, folder.path, 0, _on_disk(folder), delivered=False, live=False, trouble=what)
            continue
        yield _sync(environ, folder, file, server, sleep)


def _all_runs(environ: Mapping[str, str]) -> list[RunFolder]:
    spool = place(environ, None).data.spool
    remove_remains(spool)
    return run_folders(spool)


def _runs_below(folder: Path) -> list[RunFolder]:
    if (folder / "run.json").is_file():
        return [RunFolder(folder)]
    return run_folders(folder) or run_folders(folder / "spool")


def _sync(
    environ: Mapping[str, str], folder: RunFolder, file: RunFile, server: str | None, sleep: Callable[[float], object]
) -> Outcome:
    where = _place_for(environ, file, server)
    with owned(folder) as mine:
        try:
            credential = choose(
                where.store,
                where.name,
                anonymous="must" if file.account == "anonymous" else "never",
                api_key=None,
                environ=environ,
            )
            keys = KeyRing(where.store, where.name, credential)
            tidy = file.offline and not mine  # a run that is online still has to deliver its parts elsewhere
            keep_bytes = min(KEEP_BYTES, spool_bytes(environ) // 4)
            delivery = Delivery(folder, file, connect=where.connector(), keys=keys, keep_bytes=keep_bytes, tidy=tidy)
            trouble = _deliver(delivery, final=mine, sleep=sleep)
        except (AnonrunError, OSError) as exc:
            return Outcome(
                _name(file), folder.path, 0, _on_disk(folder), delivered=False, live=not mine, trouble=str(exc)
            )
        delivered = mine and trouble is None and delivery.may_be_removed()
        damage = " ".join(text for text in _complaints(delivery) if text) or None
        rows, waiting = delivery.sent_rows(own=False), 0
        media = 0 if delivered or not mine else delivery.outbox.shelf.count()
        if not delivered and mine:
            with contextlib.suppress(OSError):
                waiting = delivery.unsent_rows()
        delivery.close()
        if delivered:
            folder.remove()
    return Outcome(
        _name(file), folder.path, rows, waiting, delivered, live=not mine, trouble=trouble or damage, media=media
    )


def _complaints(delivery: Delivery) -> Iterator[str | None]:
    yield from delivery.damage
    yield from (delivery.aside, delivery.outbox.aside, delivery.outbox.stopped)
    yield from delivery.uploads.problems


def _place_for(environ: Mapping[str, str], file: RunFile, server: str | None) -> Place:
    if server is None:
        without = {name: value for name, value in environ.items() if name != "ANONRUN_SERVER"}
        return place(without, file.server)
    where = place(environ, server)
    if where.url != file.server:
        file.server, file.instance, file.server_run_id = where.url, None, None
    return where


def _deliver(delivery: Delivery, *, final: bool, sleep: Callable[[float], object]) -> str | None:
    """Deliver all that is there; return why something is left, or None."""
    failures = 0
    while True:
        wait_s: float | None = None
        try:
            if not delivery.advance(final=final):
                return None
            failures = 0
            continue
        except ServerUnavailableError as exc:
            delivery.disconnect()
            why = str(exc)
        except Refusal as exc:
            decision = decide(exc)
            if decision.action is not Action.RETRY:
                return f"{decision.trouble or exc.detail} {after_stop(delivery.folder.path, gone_rows=0)}"
            why, wait_s = decision.trouble or exc.detail, decision.wait_s
        failures += 1
        if wait_s is not None and wait_s > _LONGEST_WAIT_S:
            return f"{why} It asks to wait {wait_s:,.0f} s; run `anonrun sync` again after that."
        if failures > _MOST_RETRIES:
            return why
        sleep(backoff_s(failures, 1.0) if wait_s is None else wait_s)


def _on_disk(folder: RunFolder) -> int:
    with contextlib.suppress(OSError):
        return sum(rows_in(folder.path, part) for part in folder.parts())
    return 0


def _name(file: RunFile) -> str:
    return f"{file.request.get('project')}/{file.request.get('id') or file.run_id}"
