"""What users can set and type is documented, and what is documented exists."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

import anonrun
from anonrun.cli.main import main

_ROOT = Path(__file__).parent.parent.parent
_DOCS = {path.name: path.read_text() for path in (_ROOT / "docs").glob("*.md")}
_VARIABLE = re.compile(r"\bANONRUN_[A-Z_]*[A-Z]\b")


def _help(*arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--help"])
    assert done.exit_code == 0, done.output
    return done.output


def test_every_server_setting_that_help_lists_is_in_the_docs_and_the_other_way_round() -> None:
    assert set(_VARIABLE.findall(_help("server"))) == set(_VARIABLE.findall(_DOCS["server.md"])) - {"ANONRUN_SERVER"}


def test_every_variable_that_the_code_reads_is_documented() -> None:
    documented = set(_VARIABLE.findall("".join(_DOCS.values())))
    source = (_ROOT / "src" / "anonrun").rglob("*.py")
    assert set(_VARIABLE.findall("".join(path.read_text() for path in source))) <= documented


def test_every_command_has_help_with_an_example() -> None:
    commands = re.findall(r"^  (\w+)  ", _help(), re.MULTILINE)
    assert {"server", "ui", "login", "runs", "export", "share", "claim", "delete", "sync", "gc", "doctor"} <= set(
        commands
    )
    for command in commands:
        assert "anonrun " + command in _help(command).partition("\n")[2] or command == "admin", command


def test_every_public_name_exists_and_has_a_docstring() -> None:
    for name in anonrun.__all__:
        assert getattr(anonrun, name).__doc__ or name == "__version__", name
