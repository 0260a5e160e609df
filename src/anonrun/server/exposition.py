"""Prometheus' text format: families of numbers as the lines that a scraper reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["CONTENT_TYPE", "Family", "Histogram", "exposed"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Histogram:
    """How many observations were at most so large.

    Attributes:
        bounds: the upper end of each bucket, rising; what is larger is counted by `count` only.
        counts: of each bucket alone.
        total: sum of the observations.
        count: their number.
    """

    bounds: tuple[float, ...]
    counts: list[int] = field(init=False)
    total: float = 0.0
    count: int = 0

    def __post_init__(self) -> None:
        self.counts = [0] * len(self.bounds)

    def observe(self, value: float) -> None:
        """Count one."""
        self.total += value
        self.count += 1
        for i, bound in enumerate(self.bounds):
            if value <= bound:
                self.counts[i] += 1
                break


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its numbers by label, or one histogram.

    Attributes:
        name: begins with `anonrun_` or `process_`; a counter's ends with `_total`.
        kind: `counter`, `gauge` or `histogram`.
        about: one line of help.
        samples: value by labels; the empty key is that without any.
        histogram: instead of samples.
        own: whether each worker has its own numbers; else they are those of the store, the same in every worker.
    """

    name: str
    kind: str
    about: str
    samples: Mapping[tuple[tuple[str, str], ...], float] = field(default_factory=dict)
    histogram: Histogram | None = None
    own: bool = False

    @staticmethod
    def of(name: str, kind: str, about: str, value: float, *, own: bool = False) -> Family:
        """Return a family of one number."""
        return Family(name, kind, about, {(): value}, own=own)


def exposed(families: Iterable[Family], *, worker: int | None = None) -> str:
    """Return families as text; those of a worker's own carry its number where there are several."""
    lines: list[str] = []
    for family in families:
        lines.append(f"# HELP {family.name} {family.about}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        own = (("worker", str(worker)),) if family.own and worker is not None else ()
        if family.histogram is not None:
            lines += _buckets(family.name, family.histogram, own)
        lines += (f"{family.name}{_labels((*labels, *own))} {_number(n)}" for labels, n in family.samples.items())
    return "\n".join(lines) + "\n"


def _buckets(name: str, histogram: Histogram, own: tuple[tuple[str, str], ...]) -> Iterable[str]:
    below = 0
    for bound, count in zip(histogram.bounds, histogram.counts, strict=True):
        below += count
        yield f"{name}_bucket{_labels((('le', _number(bound)), *own))} {below}"
    yield f"{name}_bucket{_labels((('le', '+Inf'), *own))} {histogram.count}"
    yield f"{name}_sum{_labels(own)} {_number(histogram.total)}"
    yield f"{name}_count{_labels(own)} {histogram.count}"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    escaped = ((name, value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")) for name, value in labels)
    inner = ",".join(f'{name}="{value}"' for name, value in escaped)
    return f"{{{inner}}}" if inner else ""


def _number(value: float) -> str:
    return repr(value)  # an integer as it is, and a float by as few digits as say which it is
