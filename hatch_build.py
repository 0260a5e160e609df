"""Builds the JavaScript that ships in the package, when a build from a git checkout finds it missing.

An sdist and a wheel carry the built files, so that installing them needs no Node.js. A checkout needs
Node.js with npm; where the machine has none, PyPI's is asked for as a dependency of the build.
`ANONRUN_SKIP_JS=1` leaves the files out, for work on the Python side alone.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = (
    "src/anonrun/notebook/static/widget.js",
    "src/anonrun/notebook/static/widget.css",
    "src/anonrun/notebook/static/media.js",
    "src/anonrun/server/web/static/file.txt",
    "src/anonrun/server/web/static/dashboard.js",
    "src/anonrun/server/web/static/dashboard.css",
    "src/anonrun/server/web/static/media.js",
    "src/anonrun/server/web/static/plotly.js",
    "src/anonrun/server/web/static/plotly.css",
)


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # not generic in older releases
    """Called by hatchling for each wheel (also an editable one) and sdist."""

    def dependencies(self) -> list[str]:
        """Return what this build needs beyond hatchling."""
        front_end = self._front_end()
        return [front_end.NODE_REQUIREMENT] if self._missing() and front_end.needs_node_from_pypi() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling's signature
        """Build what is missing."""
        missing = self._missing()
        if not missing:
            return
        front_end = self._front_end()
        self.app.display_info(f"Building the front end, since {missing[0]} is missing")
        try:
            front_end.run("build", tools=False)
        except front_end.FrontEndError as error:
            raise SystemExit(
                f"\n{error}\nTo install without notebook widget and dashboard, set ANONRUN_SKIP_JS=1."
            ) from None
        if still := self._missing():
            raise SystemExit(f"The front end was built, but {still[0]} did not come of it.")

    def _missing(self) -> list[str]:
        if os.environ.get("ANONRUN_SKIP_JS") == "1":
            return []
        return [path for path in BUILT if not Path(self.root, path).exists()]

    def _front_end(self) -> ModuleType:
        """Return `js/run.py` as a module."""
        spec = importlib.util.spec_from_file_location("anonrun_front_end", Path(self.root, "js", "run.py"))
        if spec is None or spec.loader is None:
            raise SystemExit("js/run.py is missing: this is no whole source tree of anonrun.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
