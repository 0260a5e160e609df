"""Which machine a process runs on, as far as its process id means anything there. It stays in the spool."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
from pathlib import Path

__all__ = ["is_alive", "this_machine"]


@functools.cache
def this_machine() -> str:
    """Return a text that processes share which can see each other's ids: a hash, so that it tells nothing else.

    Another machine that mounts the same folder, another container and the time after a restart have another.
    """
    known = [platform.node()]
    with contextlib.suppress(OSError):  # only Linux has these
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


def is_alive(pid: int) -> bool:
    """Return whether there is a process of this id on this machine."""
    import psutil  # noqa: PLC0415  only where there are other processes

    return bool(psutil.pid_exists(pid))
