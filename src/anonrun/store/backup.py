"""A copy of an SQLite database as it is at one moment, made while a server writes to it.

`VACUUM INTO` reads in one snapshot, so that no write restarts it, and leaves out what was deleted. A copy has its name
only once it is complete and on disk. PostgreSQL has tools of its own: `docs/deploy.md`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from anonrun.store.errors import StoreError

__all__ = ["copy_database", "put_in_place", "temporary_beside"]

_PARTS = ("", "-wal", "-shm")


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Give a name in the folder of `path` for a file that only its owner may read; what is there in the end is removed.

    Raises:
        StoreError: the folder cannot be written.
    """
    try:
        folder = tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0700
    except OSError as exc:
        raise StoreError(f"{path.parent} cannot be written: {exc.strerror}. Name another place.") from exc
    made = Path(folder) / "database"
    try:
        yield made
    finally:
        for part in _PARTS:
            made.with_name(made.name + part).unlink(missing_ok=True)
        made.parent.rmdir()


def copy_database(source: Path, to: Path) -> None:
    """Write a copy of a database to a file that is not there yet, and wait until it is on disk.

    Raises:
        StoreError: the database cannot be read, or the copy not be written.
    """
    if not source.is_file():
        raise StoreError(f"There is no database at {source}.")
    uri = f"{source.resolve().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=60, isolation_level=None)) as conn:
            conn.execute("VACUUM INTO ?", (str(to),))
    except sqlite3.Error as exc:
        raise StoreError(
            f"{source} cannot be copied: {exc}. Is the disk full, or the file damaged or none of ours?"
        ) from exc
    to.chmod(0o600)
    _sync(to)


def put_in_place(made: Path, path: Path) -> None:
    """Give a complete file its name, in place of what has it, and wait until that is on disk."""
    made.replace(path)
    if os.name == "posix":
        _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
