"""Claim tokens of this machine's anonymous runs, for `anonrun claim` after their process has ended.

Kept in `claims.json` (0600), beside the anonymous account's key, which can do as much; each until its run expires.
"""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from anonrun.client.notices import Notices
from anonrun.client.spool.folder import write_private
from anonrun.core.times import format_time, parse_time
from anonrun.core.tokens import TokenKind, kind_of

__all__ = ["Receipts"]


class Receipts:
    """The saved claim tokens.

    Args:
        root: the client's data folder.
        notices: where warnings go.
    """

    def __init__(self, root: Path, notices: Notices) -> None:
        self._path = root / "claims.json"
        self._notices = notices

    def keep(self, run_id: str, *, server: str, claim: str, until: datetime) -> None:
        """Save a run's claim token until it expires."""
        import filelock  # noqa: PLC0415  `import anonrun` does without it

        with contextlib.suppress(OSError, filelock.Timeout):
            with filelock.FileLock(self._path.with_suffix(".lock"), timeout=5, mode=0o600):
                runs = self._load()
                runs[run_id] = {"server": server, "claim": claim, "until": format_time(until)}
                write_private(self._path, json.dumps({"version": 1, "runs": runs}, indent=1) + "\n")
            return
        self._notices.warn_once("claims", f"{self._path} could not be written; claim the run before this process ends.")

    def claim_token(self, run_id: str, *, server: str) -> str | None:
        """Return the claim token of a run on a server, or None."""
        entry = self._load().get(run_id)
        return entry["claim"] if entry is not None and entry["server"] == server else None

    def _load(self) -> dict[str, dict[str, str]]:
        """Return what is saved and has not expired; a damaged file counts as empty and is written anew."""
        try:
            data: Any = json.loads(self._path.read_text(encoding="utf-8"))
            now = datetime.now(timezone.utc)
            return {
                run_id: entry
                for run_id, entry in data["runs"].items()
                if kind_of(entry["claim"]) is TokenKind.CLAIM and entry["server"] and parse_time(entry["until"]) > now
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
