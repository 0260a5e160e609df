"""One module a scenario: `run` yields what it measured. `SCENARIOS` names them in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.figures import Result
from benchmarks.peers.side_by_side import compare
from benchmarks.scenarios import client, fleet, growth, ingest, notebook, reading, server, storage, visible
from benchmarks.setup import Setup

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that is measured.

    Attributes:
        name: for `--only`.
        title: heads its part of the report.
        quick: whether a quick run measures it too.
    """

    name: str
    title: str
    run: Callable[[Setup], Iterator[Result]]
    quick: bool = True


SCENARIOS = (
    Scenario("client", "In the training's process", client.run),
    Scenario("server", "The server", server.run),
    Scenario("visible", "From `log()` to the server", visible.run),
    Scenario("ingest", "Coming in", ingest.run),
    Scenario("storage", "On disk", storage.run),
    Scenario("reading", "Going out", reading.run),
    Scenario("fleet", "Many at once", fleet.run),
    Scenario("notebook", "In the notebook", notebook.run, quick=False),
    Scenario("growth", "As it grows", growth.run),
    Scenario("peers", "Beside others", compare, quick=False),
)
