"""The wheel, built from this checkout and installed where there is no Node.js: everything comes with one install."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_BUILT = {
    "anonrun/notebook/static/widget.js",
    "anonrun/notebook/static/widget.css",
    "anonrun/notebook/static/media.js",
    "anonrun/server/web/static/file.txt",
    "anonrun/server/web/static/dashboard.js",
    "anonrun/server/web/static/dashboard.css",
    "anonrun/server/web/static/plotly.js",
    "anonrun/server/web/static/media.js",
    "anonrun/server/web/static/plotly.css",
}
_WHOLE = """
from anonrun.notebook.widget import new_widget
new_widget(run={}, status={}, config={}).close()
import anonrun
print(anonrun.__file__)
"""


def _run(*command: str | Path, **more: str) -> str:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("ANONRUN_", "PYTHON", "JUPYTER"))}
    done = subprocess.run(command, env=mine | more, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, _ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `bin` of an environment that has the wheel, and the dependencies of the one that runs the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))  # whose own .pth files are not followed
    _run(sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet", "--no-deps", wheel)
    return folder / "bin"


def test_the_wheel_brings_the_built_front_end_and_the_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= _BUILT
    assert any(re.fullmatch(r".*\.dist-info/licenses/LICENSE", name) for name in names)
    assert not [name for name in names if name.startswith(("tests/", "js/", "docs/"))]
    assert wheel.stat().st_size < 1_500_000, "a data set or a map of sources would show here"


def test_one_install_gives_widget_command_and_server_extension_without_node(installed: Path, tmp_path: Path) -> None:
    bare = {"PATH": str(installed), "HOME": str(tmp_path), "ANONRUN_DATA_DIR": str(tmp_path)}
    where = _run(installed / "python", "-c", _WHOLE, **bare)
    assert Path(where.strip()).is_relative_to(installed.parent), "not the checkout's"
    assert "Usage: anonrun" in _run(installed / "anonrun", "--help", **bare)
    listed = _run(installed / "python", "-m", "jupyter_server.extension.serverextension", "list", **bare)
    assert re.search(r"anonrun.*enabled", listed), listed
    assert re.search(r"anonrun.*OK", listed), listed
