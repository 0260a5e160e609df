"""What is told of an exception: its type to the server, its text in the notebook, and of neither too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonrun.client.failure import failure_of
from anonrun.core.tokens import TokenKind, mint


@pytest.mark.parametrize(
    ("exc", "said"),
    [
        pytest.param(ValueError("lr must be > 0, got -1/2"), "ValueError: lr must be > 0, got -1/2", id="plain"),
        pytest.param(KeyboardInterrupt(), "KeyboardInterrupt", id="without a text"),
        pytest.param(OSError("/srv/ada/data/x.csv"), "OSError: …/x.csv", id="a path"),
        pytest.param(OSError(r"no C:\Users\ada\x.csv here"), r"OSError: no …\x.csv here", id="a path of Windows"),
        pytest.param(ValueError("see\n  two\nlines"), "ValueError: see two lines", id="lines"),
        pytest.param(ValueError("val/acc is 3/4"), "ValueError: val/acc is 3/4", id="what is no path"),
    ],
)
def test_an_exception_in_one_line_without_folders(exc: BaseException, said: str) -> None:
    assert str(failure_of(exc)) == said


def test_no_home_no_token_and_no_end_of_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "ada-lovelace"))
    token = mint(TokenKind.CLAIM)
    said = str(failure_of(RuntimeError(f"{tmp_path}/ada-lovelace/run with {token}")))
    assert "ada-lovelace" not in said
    assert token not in said
    assert len(failure_of(RuntimeError("x" * 10_000)).text) == 300


def test_an_exception_whose_text_cannot_be_made_has_its_type() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert str(failure_of(OddError())) == "OddError"
