"""Where the client keeps what it must remember.

Everything is below one folder. Where that cannot be written to, a temporary folder takes its place,
and `DataDir.problem` says so: a run goes on, but its data lives as long as that folder does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DataDir", "data_dir", "wanted_data_dir"]


@dataclass(frozen=True, slots=True)
class DataDir:
    """The client's folder.

    Attributes:
        root: an existing folder that can be written to.
        problem: a sentence where `root` is not the folder that was wanted; else None.
    """

    root: Path
    problem: str | None = None

    @property
    def identity(self) -> Path:
        """File of the saved keys."""
        return self.root / "identity.json"

    @property
    def spool(self) -> Path:
        """Folder of what is not yet delivered, one folder a run."""
        return self.root / "spool"

    @property
    def server(self) -> Path:
        """Folder of the embedded server."""
        return self.root / "server"


def wanted_data_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder that `ANONRUN_DATA_DIR` names, or the system's place for a user's data."""
    named = environ.get("ANONRUN_DATA_DIR")
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs  # noqa: PLC0415  most imports of anonrun never need it

    return Path(platformdirs.user_data_dir("anonrun", appauthor=False))


def data_dir(environ: Mapping[str, str]) -> DataDir:
    """Return the folder to use, made where it does not exist yet."""
    import tempfile  # noqa: PLC0415  `import anonrun` does without it

    wanted = wanted_data_dir(environ)
    try:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=wanted):
            return DataDir(wanted)
    except OSError as exc:
        reason = exc.strerror or str(exc)
    temporary = Path(tempfile.gettempdir()) / f"anonrun-{os.getuid() if hasattr(os, 'getuid') else os.getlogin()}"
    try:
        temporary.mkdir(exist_ok=True, mode=0o700)
        if hasattr(os, "getuid") and temporary.stat().st_uid != os.getuid():
            raise PermissionError("owned by someone else")
        with tempfile.TemporaryFile(dir=temporary):
            pass
    except OSError:
        temporary = Path(tempfile.mkdtemp(prefix="anonrun-"))
    return DataDir(
        temporary,
        f"The folder {wanted} cannot be written to ({reason}). Data goes to {temporary}, which the system may "
        "remove; set ANONRUN_DATA_DIR to a folder that you can write to.",
    )
