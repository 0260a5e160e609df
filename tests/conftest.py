"""What tests of every folder may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.chromium import chromium
from support.databases import DATABASES, Clusters, Place, new_database

os.environ["ANONRUN_SYSTEM_METRICS"] = "0"  # tests wait for what they log, and not for samples of the machine

_EVERYWHERE = ("store",)
"""Folders whose tests run on every database; others leave out the newest, since only the store knows which it is."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--databases",
        default=None,
        help=f"on which databases to run what needs one, of {', '.join(DATABASES)}; the newest runs tests/store only "
        "where nothing is said",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a database on each of them, or on those that `@pytest.mark.databases("sqlite")` names."""
    asked = [name for name in ("database", "empty") if name in metafunc.fixturenames]
    if not asked:
        return
    said = metafunc.config.getoption("databases")
    folder = Path(metafunc.definition.path).parent.name
    chosen = said.split(",") if said else DATABASES if folder in _EVERYWHERE else DATABASES[:2]
    unknown = set(chosen) - set(DATABASES)
    if unknown:
        raise pytest.UsageError(f"--databases: {', '.join(sorted(unknown))} is none of {', '.join(DATABASES)}")
    mark = metafunc.definition.get_closest_marker("databases")
    names = [name for name in chosen if mark is None or name in mark.args]
    metafunc.parametrize(asked[0], names, indirect=True)


@pytest.fixture(scope="session")
def clusters() -> Iterator[Clusters]:
    """The PostgreSQL servers of this session."""
    running = Clusters()
    yield running
    running.close()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, clusters: Clusters) -> Iterator[Place]:
    """A new database of each kind in turn."""
    with new_database(request.param, tmp_path, clusters) as place:
        yield place


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path, clusters: Clusters) -> Iterator[Place]:
    """A new database of each kind in turn, without our tables."""
    with new_database(request.param, tmp_path, clusters, made=False) as place:
        yield place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of one file: while it is open, this thread can run no other event loop."""
    with chromium() as running:
        yield running
