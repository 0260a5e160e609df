from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.jupyter import stop_embedded_server
from support.server import Server, anonrun_server


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data folder of a person who never used anonrun; its embedded server is ended afterwards."""
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    stop_embedded_server(folder)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with anonrun_server(tmp_path / "lab") as running:
        yield running


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests of one file; each test has its own account, since it has its own home."""
    with anonrun_server(tmp_path_factory.mktemp("shared")) as running:
        yield running
