"""Scripts that users write, run as users run them: a process of their own, an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """Return this environment without anything that decides where anonrun logs, and `more`."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("ANONRUN_", "JPY_", "RANK"))}
    own = {"ANONRUN_DATA_DIR": str(data_dir), "HOME": str(data_dir), "ANONRUN_SYSTEM_METRICS": "0"}
    return mine | own | {"PYTHONWARNINGS": "default", **more}


def run_script(
    source: str, data_dir: Path, *, check: bool = True, timeout_s: float = 120, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run Python source in a process of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", source],
        env=environment(data_dir, **more),
        cwd=data_dir,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"the script failed ({done.returncode}):\n{done.stdout}\n{done.stderr}")
    return done


def run_command(
    *arguments: str, data_dir: Path, stdin: str = "", check: bool = True, timeout_s: float = 120, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the `anonrun` command."""
    done = subprocess.run(
        [sys.executable, "-m", "anonrun", *arguments],
        env=environment(data_dir, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"anonrun {' '.join(arguments)} failed ({done.returncode}):\n{done.stdout}\n{done.stderr}")
    return done
