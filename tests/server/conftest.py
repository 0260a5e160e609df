from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import Place
from support.site import Site, running_site

# schemathesis wants a newer Python than anonrun does.
collect_ignore = [] if sys.version_info >= (3, 11) else ["test_schema.py"]


@pytest.fixture
def site(tmp_path: Path, database: Place) -> Iterator[Site]:
    """A public server with a new database."""
    with running_site(tmp_path, database) as running:
        yield running


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """Somebody's embedded server, with Jupyter's proxy before it."""
    with running_site(tmp_path / "own", embedded=True) as running:
        yield running
