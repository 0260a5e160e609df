"""The databases that tests run on: SQLite, Debian's PostgreSQL, and a newer one from PyPI."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.postgres import Cluster

DATABASES = ("sqlite", "postgresql-15", "postgresql-18")


@dataclass(frozen=True)
class Place:
    """A new database for one test: `where` is what `Database.open` takes."""

    kind: str
    where: Path | str

    @property
    def is_sqlite(self) -> bool:
        return self.kind == "sqlite"


class Clusters:
    """The PostgreSQL servers of a test session, each started when it is first asked for."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._running: dict[str, Cluster] = {}

    def of(self, kind: str) -> Cluster:
        from support.postgres import postgres

        if kind not in self._running:
            self._running[kind] = self._stack.enter_context(postgres(int(kind.removeprefix("postgresql-"))))
        return self._running[kind]

    def close(self) -> None:
        self._stack.close()


@contextlib.contextmanager
def new_database(kind: str, folder: Path, clusters: Clusters, *, made: bool = True) -> Iterator[Place]:
    """Make a database, with our tables or (`made=False`) without, and remove it."""
    if kind == "sqlite":
        yield Place(kind, folder / "test.db")
        return
    cluster = clusters.of(kind)
    with cluster.database(cluster.template() if made else "template0") as name:
        yield Place(kind, cluster.url(name))
