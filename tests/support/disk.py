"""Disks that are really full, or really read-only: small file systems in memory, which only root may mount."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["make_read_only", "small_disk"]


@contextlib.contextmanager
def small_disk(at: Path, size_kb: int) -> Iterator[Path]:
    """Mount a file system of a few hundred kilobytes."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount; RLIMIT_FSIZE stands for a full disk in test_spool and test_session")
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(at)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine does not let root mount: {done.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)  # a test that failed may have left files open


def make_read_only(at: Path) -> None:
    """Make a mounted file system read-only; nothing on it may be open for writing."""
    subprocess.run(["mount", "-o", "remount,ro", str(at)], check=True)
