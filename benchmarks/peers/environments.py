"""One virtual environment a peer, made when it is first needed and kept under a cache folder.

An environment is made anew when what should be in it changes: for a peer its pinned requirements, for anonrun the
content of its source, which is installed as a user would install it and not as an editable tree. What cannot be
installed is an answer (`Absent`), which stands in the table.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Absent", "Environment", "clean_environ", "install", "reason_of", "size_mb", "source_digest"]

_STAMP = "bench-environment.json"
_INSTALL_S = 900
_REASON_CHARS = 200
_FOLDERS = re.compile(r"(?:/[\w.+~-]+)+/")


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that is there.

    Attributes:
        python: its interpreter.
        version: of the package that it was made for.
        install_mb: what it holds beyond a bare environment.
    """

    python: Path
    version: str
    install_mb: float


@dataclass(frozen=True, slots=True)
class Absent:
    """An environment that could not be made, and why in a line."""

    reason: str


def clean_environ(**more: str) -> dict[str, str]:
    """Return this process's environment without what would leak its packages or settings into another."""
    hidden = ("ANONRUN_", "PYTHON", "WANDB_", "MLFLOW_", "TRACKIO_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)} | more


def source_digest(root: Path) -> str:
    """Return a hash of all files that an installation of the project at `root` comes from."""
    digest = hashlib.sha256()
    places = [root / "pyproject.toml", *sorted((root / "src").rglob("*.py"))]
    for place in places:
        digest.update(f"{place.relative_to(root)}\0".encode() + place.read_bytes())
    return digest.hexdigest()[:16]


def size_mb(folder: Path) -> float:
    """Return what the files below a folder take, in MB of 10^6 bytes; hard links count once."""
    seen: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            about = path.stat()
            seen[about.st_dev, about.st_ino] = about.st_size
    return sum(seen.values()) / 1e6


def install(folder: Path, *, package: str, requirements: Iterable[str], key: str = "") -> Environment | Absent:
    """Return the environment in `folder` with these requirements; make it where it is not, or is another.

    Args:
        folder: where it is or will be.
        package: name of the distribution whose version is told.
        requirements: as pip takes them.
        key: whatever else must be the same for the environment to be kept.
    """
    wanted = {"requirements": list(requirements), "key": key, "python": sys.version}
    stamp = folder / _STAMP
    try:
        made = json.loads(stamp.read_text())
    except (OSError, ValueError):
        made = {}
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if made.get("wanted") != wanted or not python.exists():
        try:
            made = _make(folder, python, package, wanted["requirements"]) | {"wanted": wanted}
        except subprocess.CalledProcessError as exc:
            return Absent(reason_of(exc.stderr))
        except subprocess.TimeoutExpired:
            return Absent(f"not installed within {_INSTALL_S} s")
        stamp.write_text(json.dumps(made))
    return Environment(python, made["version"], made["install_mb"])


def _make(folder: Path, python: Path, package: str, requirements: Iterable[str]) -> dict[str, object]:
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))  # pip is lent, and does not count
    bare = size_mb(folder)
    _run(
        sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check",
        "install", "--quiet", "--no-compile", *requirements,
    )  # fmt: skip
    size = size_mb(folder) - bare
    _run(str(python), "-m", "compileall", "-q", "-j", "0", str(folder), check=False)
    about = f"import importlib.metadata as m; print(m.version({package!r}))"
    return {"version": _run(str(python), "-c", about).strip(), "install_mb": size}


def _run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, env=clean_environ(), check=check, capture_output=True, text=True, timeout=_INSTALL_S)
    return done.stdout


def reason_of(stderr: str) -> str:
    """Return in a line what a process that failed says, without the folders of this machine."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
    said = next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no message")
    return _FOLDERS.sub("…/", said)[:_REASON_CHARS]
