"""Which metrics share a chart: the same metric of training, validation and test is drawn together.

The front end follows the same rule (`js/charts/group.ts`); both are held to `tests/vectors/groups.json`.

1. A name that begins with `system/` is a system metric: a chart of its own, in the section `system`.
2. Otherwise a split word (`train`, `val`, …; letter case does not matter) is taken away where one stands:
   a path's first segment, else its last, else before the first underscore, else after the last one.
   What remains is the chart's key.
3. Metrics of one key share a chart with that title, labelled by their split words; a plain name by itself.
   Labels that would stand twice are replaced by full names. A chart of one metric has its full name as title.
4. Charts stand in order of first appearance, system metrics last; within a chart training and plain
   names come first, then validation, then test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from anonrun.core.metrics import is_of_machine

__all__ = ["Chart", "Member", "group"]

_RANKS = {
    "train": 0, "training": 0,
    "val": 1, "valid": 1, "validation": 1, "dev": 1, "eval": 1, "evaluation": 1,
    "test": 2, "testing": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """One metric of a chart: its full name and its label in the legend."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Metrics that are drawn together."""

    title: str
    section: Literal["charts", "system"]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class _Parsed:
    key: str
    label: str
    rank: int


def _parse(name: str) -> _Parsed:
    """Return what remains of a name without its split word, and that word."""
    for separator in ("/", "_"):
        head, _, rest = name.partition(separator)
        if rest and head.lower() in _RANKS:
            return _Parsed(rest, head, _RANKS[head.lower()])
        rest, _, tail = name.rpartition(separator)
        if rest and tail.lower() in _RANKS:
            return _Parsed(rest, tail, _RANKS[tail.lower()])
    return _Parsed(name, name, 0)


def _chart(key: str, members: list[tuple[str, _Parsed]]) -> Chart:
    if len(members) == 1:
        name = members[0][0]
        return Chart(name, "charts", (Member(name, name),))
    ordered = sorted(members, key=lambda member: member[1].rank)
    labels = [parsed.label for _, parsed in ordered]
    unique = len(set(labels)) == len(labels)
    return Chart(key, "charts", tuple(Member(name, parsed.label if unique else name) for name, parsed in ordered))


def group(names: Iterable[str]) -> list[Chart]:
    """Return the charts for metrics in order of their first appearance.

    Example:
        >>> [chart.title for chart in group(["train/loss", "lr", "val/loss"])]
        ['loss', 'lr']
    """
    groups: dict[str, list[tuple[str, _Parsed]]] = {}
    system = []
    for name in names:
        if is_of_machine(name):
            system.append(Chart(name, "system", (Member(name, name),)))
        else:
            parsed = _parse(name)
            groups.setdefault(parsed.key, []).append((name, parsed))
    return [_chart(key, members) for key, members in groups.items()] + system
