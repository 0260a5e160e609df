"""How results are written down: as JSON, and as Markdown for people and for the docs. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Absent, Comparison, Figure, Growth, Result, Row
from benchmarks.machine import Machine

__all__ = ["Part", "Report", "as_json", "as_markdown", "number"]

_EXACT_FROM = 100


@dataclass(frozen=True, slots=True)
class Part:
    """What one scenario found, and how long it took."""

    name: str
    title: str
    results: tuple[Result, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All of one run."""

    machine: Machine
    month: str
    quick: bool
    parts: tuple[Part, ...]


def number(value: float) -> str:
    """Return a number as a person writes it: three digits that count, thousands apart.

    Example:
        >>> number(0.01234), number(4.7), number(123.4), number(1234567.0), number(0)
        ('0.0123', '4.7', '123', '1,234,567', '0')
    """
    if value == 0:
        return "0"
    if abs(value) >= _EXACT_FROM:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1e-4 else f"{value:.1e}"  # noqa: PLR2004  below it, zeros are hard to count


def as_json(report: Report) -> dict[str, Any]:
    """Return everything as JSON's types; every result says its kind."""
    parts = [
        {
            "name": part.name,
            "title": part.title,
            "seconds": round(part.seconds, 1),
            "results": [_result_json(result) for result in part.results],
        }
        for part in report.parts
    ]
    return {"machine": dataclasses.asdict(report.machine), "month": report.month, "quick": report.quick, "parts": parts}


def _result_json(result: Result) -> dict[str, Any]:
    found = {"kind": type(result).__name__.lower(), **dataclasses.asdict(result)}
    if isinstance(result, Figure):
        found |= {"median": result.median, "kept": result.kept}
    return found


def as_markdown(report: Report) -> str:
    """Return the report's tables, each part under its title."""
    blocks = [_about(report)]
    for part in report.parts:
        blocks.append(f"## {part.title}")
        blocks += _blocks(part.results)
    return "\n\n".join(blocks) + "\n"


def _about(report: Report) -> str:
    machine = report.machine
    memory = "" if machine.memory_gb is None else f", {machine.memory_gb:g} GB"
    busy = "" if machine.busy is None else f" {machine.busy:g} processes wanted a core in the minute before it began."
    took = sum(part.seconds for part in report.parts)
    quick = " **A quick run: fewer repetitions and smaller sizes; not for publication.**" if report.quick else ""
    return (
        f"Measured in {report.month} on {machine.cpu}, {machine.cores} cores{memory}, {machine.system}; "
        f"{machine.python}, SQLite {machine.sqlite}.{busy} All of it took {took / 60:.0f} minutes.{quick}"
    )


def _blocks(results: Sequence[Result]) -> list[str]:
    """Return figures and what is absent as one table, and then each larger table."""
    lines = [result for result in results if isinstance(result, Figure | Absent)]
    blocks = [_figures(lines)] if lines else []
    for result in results:
        if isinstance(result, Comparison):
            blocks.append(_comparison(result))
        elif isinstance(result, Growth):
            blocks.append(_growth(result))
    return blocks


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figures(results: Sequence[Figure | Absent]) -> str:
    rows = []
    for result in results:
        if isinstance(result, Absent):
            rows.append([result.name, f"not measured: {result.reason}", "", "", ""])
            continue
        low, high = min(result.values), max(result.values)
        span = f"{number(low)} – {number(high)}" if len(result.values) > 1 else ""
        rows.append([result.name, f"{number(result.median)} {result.unit}", span, _budget(result), result.note])
    return _table(("what", "median", "min – max", "budget", "how"), rows)


def _budget(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    sign = "≥" if figure.at_least else "≤"
    return f"{sign} {number(figure.budget)} {figure.unit}{'' if figure.kept else ' **missed**'}"


def _comparison(result: Comparison) -> str:
    head = ["what", *(f"{name} {version}" for name, version in result.columns.items())]
    rows = [
        [f"{row.name}, {row.unit}", *(_cell(row, column, result.ours) for column in result.columns)]
        for row in result.rows
    ]
    absent = [f"- **{gone.name}**: {gone.reason}" for gone in result.absent]
    parts = [f"### {result.title}", result.note, _table(head, rows)]
    if any(row.ratio for row in result.rows):
        parts.append(f"In brackets: how many times {result.ours}'s figure, from the same run.")
    return "\n\n".join(part for part in [*parts, "\n".join(absent)] if part)


def _cell(row: Row, column: str, ours: str) -> str:
    value = row.values.get(column)
    if value is None:
        return "not measured"
    base = row.values.get(ours)
    if not row.ratio or column == ours or not base:
        return number(value)
    return f"{number(value)} ({number(value / base)}×)"


def _growth(result: Growth) -> str:
    head = [result.of, *(f"{trace.name}, {trace.unit}" for trace in result.traces)]
    rows = [
        [f"{size:,}", *("–" if trace.values[at] is None else number(trace.values[at] or 0) for trace in result.traces)]
        for at, size in enumerate(result.sizes)
    ]
    return "\n\n".join(part for part in (f"### {result.title}", result.note, _table(head, rows)) if part)
