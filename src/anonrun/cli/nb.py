"""`anonrun nb`: mends notebook files, whoever wrote them."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anonrun.cli.output import as_json_option, command_errors, print_json
from anonrun.errors import UsageError

if TYPE_CHECKING:
    from anonrun.notebook.cleaning import Cleaned

__all__ = ["nb"]

_STANDARD = "-"


@click.group(epilog="Example: anonrun nb clean paper.ipynb")
def nb() -> None:
    """Mend notebook files, whoever wrote them."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What became of one file."""

    file: str
    cleaned: Cleaned | None = None
    refused: str | None = None

    @property
    def needs_cleaning(self) -> bool:
        return self.cleaned is not None and self.cleaned.changed

    def as_json(self) -> dict[str, Any]:
        done = self.cleaned
        return {
            "file": self.file,
            "changed": self.needs_cleaning,
            "widget_metadata": done.metadata if done else False,
            "widget_views": done.views if done else 0,
            "outputs": done.outputs if done else 0,
            "error": self.refused,
        }

    def text(self, *, check: bool) -> str:
        name = "standard input" if self.file == _STANDARD else self.file
        if self.cleaned is None:
            return f"{name}: {self.refused}"
        if not self.cleaned.changed:
            return f"{name}: nothing to remove."
        if not check:
            return f"{name}: removed {self.cleaned.what}."
        return f"{name}: has {self.cleaned.what}; remove it with: anonrun nb clean {self.file}"


@nb.command("clean", epilog="Example: anonrun nb clean --check notebooks/*.ipynb")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where there is something to remove.")
@as_json_option
@command_errors
def clean(files: tuple[str, ...], *, check: bool, as_json: bool) -> None:
    """Remove widget metadata with which GitHub refuses a notebook, and widget views that show nothing.

    What a view stands beside, such as a picture or text, stays, and so does everything else, as it is written. `-`
    reads standard input and writes standard output. Clean what no kernel runs: its widgets are in the kernel only.
    """
    if _STANDARD in files and as_json and not check:
        raise UsageError("Standard output cannot hold the notebook and the answer in JSON; leave --json away.")
    answers = [_clean_one(file, check=check) for file in files]
    if as_json:
        print_json([answer.as_json() for answer in answers])
    else:
        for answer in answers:
            click.echo(answer.text(check=check), err=_STANDARD in files or answer.cleaned is None)
    if any(answer.cleaned is None or (check and answer.needs_cleaning) for answer in answers):
        raise SystemExit(1)


def _clean_one(file: str, *, check: bool) -> _Answer:
    """Clean one file; what is wrong with it keeps no other from being cleaned."""
    try:
        if file == _STANDARD:
            done = _cleaned(sys.stdin.buffer.read())
            if not check:
                sys.stdout.buffer.write(done.text.encode())
                sys.stdout.buffer.flush()
            return _Answer(file, done)
        path = Path(file)
        seen, data = _read(path)
        done = _cleaned(data)
        if done.changed and not check:
            _replace(path, done.text.encode(), seen)
    except BrokenPipeError:
        raise
    except OSError as exc:
        return _Answer(file, refused=f"{exc.strerror or exc}.")
    except UsageError as exc:
        return _Answer(file, refused=str(exc))
    return _Answer(file, done)


def _read(path: Path) -> tuple[os.stat_result, bytes]:
    """Return how a file stands, and what is in it.

    Raises:
        UsageError: it is no file, such as a folder.
        OSError: it is not there, or cannot be read.
    """
    seen = path.stat()
    if not stat.S_ISREG(seen.st_mode):
        raise UsageError("This is no file; name notebooks.")
    return seen, path.read_bytes()


def _cleaned(data: bytes) -> Cleaned:
    from anonrun.notebook.cleaning import clean as clean_text

    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"This is no notebook: byte {exc.start:,} is not UTF-8.") from None
    return clean_text(text)


def _replace(path: Path, data: bytes, seen: os.stat_result) -> None:
    """Put `data` in the place of a file in one step; mode and owner stay, and a link goes on pointing to it.

    Args:
        path: the file.
        data: its new content.
        seen: how it stood when it was read; a change since then, as by an open editor, is not lost.

    Raises:
        UsageError: the file changed meanwhile, or is read-only.
        OSError: it cannot be written.
    """
    target = path.resolve()
    if not os.access(target, os.W_OK):
        raise UsageError("This file is read-only.")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".anonrun-", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if sys.platform != "win32":
            with contextlib.suppress(PermissionError):  # only root gives files away
                os.chown(part, seen.st_uid, seen.st_gid)
        part.chmod(stat.S_IMODE(seen.st_mode))
        now = target.stat()
        if (now.st_mtime_ns, now.st_size) != (seen.st_mtime_ns, seen.st_size):
            raise UsageError("This file was changed by someone else just now; run the command again.")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
