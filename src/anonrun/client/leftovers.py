"""Runs on this machine whose process is gone before the server had everything: delivered by whoever comes next.

A run is left over when nobody holds its folder's lock. Working on it takes the lock, so that of several processes
one does it; delivering twice would do no harm.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from anonrun.client.delivery import Connection, Delivery
from anonrun.client.registration import Keys
from anonrun.client.remote import Refusal
from anonrun.client.spool.folder import RunFile, RunFolder, folders_in, remove_remains
from anonrun.client.verdict import Action, decide
from anonrun.errors import AnonrunError, ServerUnavailableError

__all__ = ["deliver_leftovers", "owned", "run_folders"]


def run_folders(spool: Path) -> list[RunFolder]:
    """Return the folders of all runs that are in a spool, the oldest first."""
    try:
        return [folder for folder in folders_in(spool) if folder.is_saved()]
    except OSError:
        return []


@contextlib.contextmanager
def owned(folder: RunFolder, *, new: bool = False) -> Iterator[bool]:
    """Own a run's folder for a while; the value says whether that was possible.

    Args:
        folder: of the run.
        new: whether nothing is in it yet. Any other folder with nothing in it is one that another process has just
            removed, and that taking the lock has made again.
    """
    import filelock  # noqa: PLC0415  `import anonrun` does without it

    lock = filelock.FileLock(folder.lock_path, timeout=0, thread_local=False, mode=0o600)
    try:
        lock.acquire()
    except (filelock.Timeout, OSError):
        yield False
        return
    try:
        gone = not new and folder.is_empty()
        if gone:
            folder.remove()
        yield not gone
    finally:
        with contextlib.suppress(OSError):
            lock.release()


def deliver_leftovers(
    spool: Path, *, server: str | None, connect: Callable[[], Connection], keys_for: Callable[[RunFile], Keys]
) -> Generator[None, None, None]:
    """Deliver what is left over for one server; each `next` does a piece.

    What the server refuses, and what cannot be read, stays where it is for `anonrun sync` to tell about.

    Args:
        spool: folder of all runs.
        server: which runs: those of this server's address; None for the embedded one.
        connect: finds the server.
        keys_for: gives the key to make a run that the server does not have yet.
    """
    remove_remains(spool)
    for folder in run_folders(spool):
        yield
        with owned(folder) as mine:
            if not mine:
                continue
            try:
                file = folder.load()
                if file.offline or file.server != server:
                    continue
                delivery = Delivery(folder, file, connect=connect, keys=keys_for(file))
            except (OSError, ValueError, AnonrunError):
                continue
            try:
                yield from _deliver(delivery)
            finally:
                delivery.close()
            if delivery.may_be_removed():
                folder.remove()


def _deliver(delivery: Delivery) -> Generator[None, None, None]:
    while True:
        try:
            if not delivery.advance(final=True):
                return
        except ServerUnavailableError:
            return
        except Refusal as exc:
            if decide(exc).action is not Action.RETRY:
                return
        except OSError:
            return
        yield
