"""Looks at an installation without changing it: versions, folders, keys, server, what waits on disk."""

from __future__ import annotations

import importlib.metadata
import platform
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anonrun._version import __version__
from anonrun.client import embedded
from anonrun.client.access import Place, place
from anonrun.client.leftovers import owned
from anonrun.client.media.shelf import Shelf
from anonrun.client.notices import in_notebook
from anonrun.client.remote import Refusal, Remote
from anonrun.client.spool.aside import ASIDE_SUFFIX, Aside
from anonrun.client.spool.folder import ASIDE_FOLDER_SUFFIX, RunFolder, folders_in
from anonrun.client.spool.reader import PartReader
from anonrun.client.transport import open_transport
from anonrun.core.words import counted
from anonrun.errors import AnonrunError, ServerUnavailableError

__all__ = ["Finding", "checkup"]

_OTHERS = ("anywidget", "ipywidgets", "jupyterlab", "notebook", "numpy", "plotly", "requests")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `text` says what to do where it is not good."""

    subject: str
    good: bool
    text: str

    def as_json(self) -> dict[str, Any]:
        """Return what the command line answers."""
        return {"subject": self.subject, "good": self.good, "text": self.text}


def checkup(environ: Mapping[str, str], server: str | None = None) -> list[Finding]:
    """Return all findings."""
    findings = [
        Finding("anonrun", good=True, text=f"{__version__}, Python {platform.python_version()}, {sys.platform}"),
        Finding("packages", good=True, text=_packages()),
        Finding("host", good=True, text="a notebook's kernel" if in_notebook() else "a terminal or script"),
    ]
    try:
        where = place(environ, server)
    except AnonrunError as exc:
        return [*findings, Finding("server", good=False, text=str(exc))]
    findings.append(
        Finding("data folder", good=where.data.problem is None, text=where.data.problem or str(where.data.root))
    )
    findings += _keys(environ, where)
    findings.append(_server(where))
    findings += _spool(where)
    return findings


def _packages() -> str:
    found = []
    for name in _OTHERS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:  # noqa: PERF203  seven times
            found.append(f"{name} not installed")
    return ", ".join(found)


def _keys(environ: Mapping[str, str], where: Place) -> Iterator[Finding]:
    path = where.data.identity
    if path.exists() and sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("keys", good=False, text=f"{path} can be read by others; run: chmod 600 {path}")
    saved = where.saved_key()
    if environ.get("ANONRUN_API_KEY"):
        yield Finding("key", good=True, text="from ANONRUN_API_KEY")
    elif saved is None:
        yield Finding("key", good=True, text="none yet: the first run makes an anonymous account")
    else:
        yield Finding("key", good=True, text="of the saved login" if saved[1] == "login" else "of an anonymous account")


def _server(where: Place) -> Finding:
    if where.url is None:
        found = embedded.find(where.data.server)
        text = (
            "the one on this machine starts by itself when needed" if found is None else f"{found.url}, on this machine"
        )
        return Finding("server", good=True, text=text)
    remote = Remote(open_transport(where.url))
    try:
        info = remote.server(timeout_s=5)
    except (Refusal, ServerUnavailableError) as exc:
        return Finding(
            "server", good=False, text=f"{where.url}: {exc} Check the address; points wait on disk meanwhile."
        )
    finally:
        remote.close()
    anonymous = f"anonymous runs for {info.retention_days:g} days" if info.anonymous else "no anonymous runs"
    return Finding("server", good=True, text=f"{where.url}, version {info.version}, {anonymous}")


def _spool(where: Place) -> Iterator[Finding]:
    spool = where.data.spool
    folders = folders_in(spool) if spool.is_dir() else []
    for folder in folders:
        rows, size, damage = _read_through(folder)
        items = Shelf(folder).waiting()
        size += sum(item.size_bytes for item in items)
        media = f" and {counted(len(items), 'item')} of media" if items else ""
        verb = "waits" if rows == 1 and not items else "wait"
        what = f"{counted(rows, 'row')}{media} {_whose(folder)} {verb} in {folder.path}"
        text = f"{what} ({size:,} bytes); `anonrun sync` delivers what no server has."
        yield Finding("spool", good=not damage, text=" ".join((text, *damage)))
    for path in sorted(spool.glob(f"*{ASIDE_SUFFIX}")):
        aside = Aside(path.with_name(path.name.removesuffix(ASIDE_SUFFIX)))
        rows_aside = counted(len(aside.places()), "row")
        text = f"{rows_aside} that a server did not take: {path}. Remove it when you need it no more."
        yield Finding("rows set aside", good=False, text=text)
    for path in sorted(spool.glob(f"*{ASIDE_FOLDER_SUFFIX}")):
        items_aside = counted(sum(1 for _ in path.iterdir()), "item")
        text = f"{items_aside} of media that a server did not take: {path}. Remove it when you need it no more."
        yield Finding("media set aside", good=False, text=text)
    if not folders:
        yield Finding("spool", good=True, text=f"everything is delivered; {spool} is empty")


def _whose(folder: RunFolder) -> str:
    if not folder.is_saved():  # it may be beginning just now: its process must find the lock free
        return "of a run"
    with owned(folder) as free:
        return "of a run that ended" if free else "of a run that is still going"


def _read_through(folder: RunFolder) -> tuple[int, int, list[str]]:
    """Return rows, bytes, and a sentence for each thing that is damaged."""
    rows, size, damage = 0, 0, []
    try:
        folder.load()
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        damage.append(
            f"{folder.path / 'run.json'} cannot be read ({reason}): nothing here can be delivered without it. Put it "
            "back from a copy, or remove the folder to give the run up."
        )
    for part in folder.parts():
        reader = PartReader(folder.path, part)
        try:
            while True:
                before = reader.offset
                rows += reader.read(final=True).rows
                if reader.offset == before:
                    break
        except OSError as exc:
            damage.append(f"{reader.path} cannot be read: {exc.strerror}.")
        size += reader.offset
        damage += reader.damage
        reader.close()
    return rows, size, damage
