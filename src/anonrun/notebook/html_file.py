"""A whole run as one HTML file: charts to work with, summary, config and how it went; no network, no server.

Invariants:
- Nothing is fetched from anywhere: the file's own policy forbids it, and allows the one script in it by its hash.
- It holds no token, no account, no address of a server; what a run holds is data there and never markup.
- Without scripts, and on paper, the same is there as a picture and tables.
- Its size is bounded: up to `MOST_POINTS` points are in it exactly, of more each stretch's smallest and largest.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from anonrun.core.messages import RunInfo, RunState, to_json
from anonrun.core.metrics import of_training
from anonrun.core.times import format_time, from_us
from anonrun.core.tokens import redact
from anonrun.core.wire import Frame, encode_all
from anonrun.notebook.buffer import RunBuffer, thinned
from anonrun.notebook.facts import Facts
from anonrun.notebook.numbers import number_text, utc_text
from anonrun.notebook.picture import picture
from anonrun.notebook.svg import data_uri, to_svg
from anonrun.notebook.widget import static_file

__all__ = ["MOST_POINTS", "html_file", "write_html"]

MOST_POINTS = 500_000
"""Points that are kept exactly: about 2 to 6 MB of file."""

_MOST_TABLE_ROWS = 2_000
_SHOWN = (
    "run_id", "project", "id", "name", "state", "anonymous", "created_at", "finished_at", "heartbeat_at", "exit_code",
    "error", "total", "config", "summary", "tags", "notes", "group", "job_type",
)  # fmt: skip
"""What of `RunInfo` is told: not the account, nor where its server is."""

_PLACES = re.compile(r"\{\{(title|still|held)\}\}")
"""What is filled in; `js/file/page.template` is the rest, and the built one has script and style in it."""


def _finite(value: object) -> object:
    """Return a value as JSON takes it: NaN and ±Inf as text, as everywhere in the API."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _as_data(value: object) -> str:
    """Return JSON that no reader of HTML takes for markup, whatever it holds."""
    text = redact(json.dumps(_finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":")))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _value(value: object) -> str:
    return escape(value if isinstance(value, str) else json.dumps(_finite(value), ensure_ascii=False))


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool) -> Iterator[str]:
    """Yield a table; cells are markup already."""
    if not rows:
        return
    look = ' class="number"' if numbers else ""
    yield f"<h2>{title}</h2><table><thead><tr>"
    yield f'<th scope="col">{heads[0]}</th>' + "".join(f'<th scope="col"{look}>{head}</th>' for head in heads[1:])
    yield "</tr></thead><tbody>"
    for first, *cells in rows[:_MOST_TABLE_ROWS]:
        yield f'<tr><th scope="row">{first}</th>' + "".join(f"<td{look}>{cell}</td>" for cell in cells) + "</tr>\n"
    yield "</tbody></table>"
    if len(rows) > _MOST_TABLE_ROWS:
        yield f"<p>… and {len(rows) - _MOST_TABLE_ROWS:,} more.</p>"


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(escape(name), _value(value)) for name, value in _flat(values)]


def _metric_rows(buffer: RunBuffer, *, of_machine: bool) -> list[tuple[str, ...]]:
    return [
        (
            escape(name),
            *("" if value is None else number_text(value) for value in (one.last, one.min, one.max)),
            f"{one.n:,}",
        )
        for name, one in buffer.summaries(of_machine=of_machine)
    ]


def _still(info: RunInfo, buffer: RunBuffer, facts: Facts, saved_at: datetime) -> Iterator[str]:
    """Yield the run as it stands without scripts."""
    progress = buffer.progress(info.total)
    said = [str(facts.state), *([] if progress is None else [progress.text]), f"saved {utc_text(saved_at)}"]
    yield f"<h1>{escape(info.name)}</h1><p>{escape(' · '.join(said))}</p>"
    place = " / ".join(part for part in (info.project, info.id, *info.tags) if part)
    yield f"<p>{escape(place)}</p>"
    for text in (facts.failure, info.notes):
        if text:
            yield f"<p>{escape(text)}</p>"
    image = data_uri(to_svg(picture(facts, buffer, banner=False)))
    yield f'<img alt="Charts of the run {escape(info.name)}; their last values are in the table" src="{image}">'
    heads = ("metric", "last", "min", "max", "points")
    yield from _table("Metrics", heads, _metric_rows(buffer, of_machine=False), numbers=True)
    yield from _table("Summary", ("name", "value"), _pairs(info.summary), numbers=False)
    yield from _table("Config", ("name", "value"), _pairs(info.config), numbers=False)
    yield from _table("System", heads, _metric_rows(buffer, of_machine=True), numbers=True)


def html_file(info: RunInfo, frames: Iterable[Frame], *, saved_at: datetime, failure: str | None = None) -> str:
    """Return a run as an HTML file.

    Args:
        info: what is known of it; its account stays out.
        frames: its rows, in order of arrival.
        saved_at: now.
        failure: what stopped it, in one line; None for what `info` says.

    Raises:
        WidgetMissingError: the file's script has not been built.
    """
    held = list(frames)
    buffer = RunBuffer()
    buffer.add(held)
    points = sum(len(frame.steps) * len(frame.names) for frame in held)
    kept = thinned(held, MOST_POINTS) or held
    last_us = max((max(frame.times_us) for frame in held), default=None)
    # What the machine did at last is no result of the run; it is among the metrics.
    info = replace(info, summary=of_training(info.summary))
    known = {name: value for name, value in to_json(info).items() if name in _SHOWN}
    if info.state is not RunState.RUNNING and info.finished_at is None and last_us is not None:
        with contextlib.suppress(OverflowError):  # a clock that is in no year that a calendar has
            known["finished_at"] = format_time(from_us(last_us))
    if failure is not None:
        known["failure"] = failure
    data = _as_data(
        {
            "run": known,
            "saved_at": format_time(saved_at),
            "points": points,
            "held_points": sum(len(frame.steps) * len(frame.names) for frame in kept),
        }
    )
    # Not part of what is redacted: base64 holds no token, and may be megabytes.
    segments = base64.b64encode(encode_all(kept, writer=0, seq=0, compress=True)).decode()
    facts = Facts(
        run_id=info.run_id, name=info.name, project=info.project, state=info.state.value, anonymous=info.anonymous,
        expires_at=info.expires_at, total=info.total, failure=failure or info.error,
    )  # fmt: skip
    parts = {
        "title": redact(escape(f"{info.name} · anonrun")),
        "still": redact("".join(_still(info, buffer, facts, saved_at))),
        "held": f'{data[:-1]},"segments":"{segments}"}}',
    }
    return _PLACES.sub(lambda place: parts[place[1]], static_file("file.txt").read_text(encoding="utf-8"))


def write_html(path: Path, text: str) -> None:
    """Write a file, complete or not at all, replacing what is there.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", errors="replace")
    part.replace(path)
