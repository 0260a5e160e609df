"""`anonrun nb clean` on files, as a shell runs it."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from anonrun.cli.main import main
from anonrun.cli.nb import _replace
from anonrun.errors import UsageError

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


def broken() -> str:
    shown = {VIEW: {"model_id": "a"}, "text/plain": "é"}
    output = nbformat.v4.new_output("display_data", data=shown)
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output], id="c")])
    made.metadata["widgets"] = {STATE: {"a": {"state": {}}}}
    return nbformat.writes(made) + "\n"


def whole() -> str:
    output = nbformat.v4.new_output("display_data", data={"text/plain": "é"})
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output], id="c")])
    return nbformat.writes(made) + "\n"


def run(*arguments: object, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ["nb", "clean", *map(str, arguments)], input=stdin)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "paper.ipynb"
    path.write_text(broken())
    return path


def test_a_file_is_cleaned_in_its_place_once(file: Path) -> None:
    done = run(file)
    assert (done.exit_code, done.output) == (
        0,
        f"{file}: removed broken widget metadata and 1 widget view without a model.\n",
    )
    assert file.read_text() == whole()
    before = file.stat()
    assert run(file).output == f"{file}: nothing to remove.\n"
    assert file.stat().st_mtime_ns == before.st_mtime_ns, "what needs no cleaning is not written"
    assert list(file.parent.iterdir()) == [file]


def test_check_changes_nothing_and_says_by_its_exit_code_whether_there_is_something(file: Path) -> None:
    done = run("--check", file)
    assert done.exit_code == 1
    assert f"remove it with: anonrun nb clean {file}" in done.output
    assert file.read_text() == broken()
    run(file)
    assert run("--check", file).exit_code == 0


def test_one_file_that_is_no_notebook_keeps_no_other_from_being_cleaned(file: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("print()\n")
    latin = tmp_path / "latin.ipynb"
    latin.write_bytes(b'{"nbformat": 4, "x": "\xe9"}')
    done = run(script, tmp_path / "none.ipynb", tmp_path, latin, file)
    assert done.exit_code == 1
    assert f"{script}: This is no notebook: it is not JSON" in done.stderr
    assert f"{tmp_path / 'none.ipynb'}: No such file or directory." in done.stderr
    assert f"{tmp_path}: This is no file; name notebooks." in done.stderr
    assert f"{latin}: This is no notebook: byte 22 is not UTF-8." in done.stderr
    assert file.read_text() == whole()
    assert script.read_text() == "print()\n"


def test_a_link_goes_on_pointing_to_the_file_and_its_mode_stays(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder" / "link.ipynb"
    link.symlink_to(Path("..") / file.name)
    assert run(link).exit_code == 0
    assert link.is_symlink()
    assert file.read_text() == whole()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_what_someone_else_saved_meanwhile_is_not_lost(file: Path, tmp_path: Path) -> None:
    seen = file.stat()
    file.write_text(broken() + " ")
    with pytest.raises(UsageError, match="changed by someone else just now; run the command again"):
        _replace(file, b"{}", seen)
    assert file.read_text() == broken() + " "
    assert list(tmp_path.iterdir()) == [file]


def test_standard_input_and_output_carry_the_notebook_and_nothing_else() -> None:
    command = [sys.executable, "-m", "anonrun", "nb", "clean", "-"]
    done = subprocess.run(command, input=broken().encode(), capture_output=True, check=True)
    assert done.stdout.decode() == whole()
    assert done.stderr.decode().startswith("standard input: removed broken widget metadata")
    refused = subprocess.run(command, input=b"no", capture_output=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, b"")
    checked = subprocess.run([*command, "--check"], input=broken().encode(), capture_output=True, check=False)
    assert (checked.returncode, checked.stdout) == (1, b"")


def test_the_answer_comes_as_json_too(file: Path) -> None:
    assert json.loads(run("--json", file).stdout) == [
        {"file": str(file), "changed": True, "widget_metadata": True, "widget_views": 1, "outputs": 0, "error": None}
    ]
    (refused,) = json.loads(run("--json", file.parent).stdout)
    assert "name notebooks" in refused["error"]
    done = run("--json", "-", stdin=broken())
    assert done.exit_code == 2
    assert "leave --json away" in done.output
