"""The machine that figures are of: what matters for speed, and nothing that says whose it is."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Machine", "this_machine"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What figures depend on.

    Attributes:
        busy: mean number of processes that wanted a core in the minute before; None where it is not known.
    """

    cpu: str
    cores: int
    memory_gb: float | None
    system: str
    python: str
    sqlite: str
    busy: float | None


def this_machine() -> Machine:
    """Describe the machine that this runs on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(
        cpu=_field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        cores=cores,
        memory_gb=_memory_gb(),
        system=_system(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        sqlite=sqlite3.sqlite_version,
        busy=round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    )


def _field(file: str, name: str) -> str | None:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)


def _memory_gb() -> float | None:
    text = _field("/proc/meminfo", "MemTotal")
    return None if text is None else round(int(text.split()[0]) / 1e6, 1)


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}"
