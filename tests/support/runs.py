"""What a person's runs hold, read back by the library as they would read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.script import run_script

_READ = """
import json, anonrun
print(json.dumps([{"id": r.id, "run_id": r.run_id, "state": r.state, "name": r.name, "config": dict(r.config),
  "summary": dict(r.summary), "tags": list(r.tags), "points": {m: r.series(m).value.tolist() for m in r.metrics},
  "steps": {m: r.series(m).step.tolist() for m in r.metrics}} for r in anonrun.Api().runs()]))
"""


def runs_of(home: Path, **more: str) -> list[dict[str, Any]]:
    """Return all runs of the account of a home, newest first."""
    found: list[dict[str, Any]] = json.loads(run_script(_READ, home, **more).stdout.splitlines()[-1])
    return found


def only_run_of(home: Path, **more: str) -> dict[str, Any]:
    """Return the one run that there is."""
    (run,) = runs_of(home, **more)
    return run


def spooled(home: Path) -> list[str]:
    """Return the names of the folders of what is not delivered."""
    return sorted(path.name for path in (home / "spool").glob("*")) if (home / "spool").exists() else []
