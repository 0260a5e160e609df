"""The static form of a run, as it stands in a saved notebook: HTML, PNG and text of one instant.

Invariants:
- It needs no kernel, server, script or style sheet, and survives JupyterLab's sanitiser in a notebook
  that is not trusted: text, a table, a link, and the picture as an `<img>` with a data address.
- It holds no secret; nothing in it comes from a token.
- All forms together stay below `MOST_BYTES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from anonrun.core.summary import MetricSummary
from anonrun.core.times import format_time
from anonrun.core.words import counted
from anonrun.notebook.buffer import RunBuffer
from anonrun.notebook.facts import Facts
from anonrun.notebook.media import StillMedia, thumbnail_html
from anonrun.notebook.numbers import number_text
from anonrun.notebook.others import Difference, Other, difference, difference_text, reference_in, signed_text
from anonrun.notebook.picture import picture
from anonrun.notebook.png import to_png_text
from anonrun.notebook.svg import data_uri, to_svg

__all__ = ["MOST_BYTES", "Bundle", "bundle", "html_text", "plain_text"]

MOST_BYTES = 280_000
"""Of all forms together, so that a notebook with one run of 12 charts stays below 300 kB."""

_MOST_HTML_BYTES = 150_000
_DETAILS = (1.0, 0.5, 0.25)
_PNG_SCALES = (1.5, 1.0)
_MOST_TABLE_ROWS = 60
_MOST_LINES = 20

_BANNER = (
    "padding:8px 14px;margin:0 0 6px;max-width:932px;border-radius:8px;"
    "border:1px solid rgba(200,150,40,0.5);background-color:rgba(240,180,40,0.14)"
)
_NUMBER = "text-align:right;padding:1px 10px"

Bundle = dict[str, str]
"""A display's data by MIME type."""


def _number(value: float | None) -> str:
    return "" if value is None else number_text(value)


def _beside(buffer: RunBuffer, others: Sequence[Other]) -> dict[str, Difference]:
    """Return how far each metric is from the reference, where there is something to compare."""
    reference = reference_in(others)
    if reference is None:
        return {}
    names = [name for name in buffer.names if name in reference.metrics]
    found = {name: difference(buffer.series(name), reference.metrics[name]) for name in names}
    return {name: one for name, one in found.items() if one is not None}


def _tables(buffer: RunBuffer, others: Sequence[Other]) -> Iterator[str]:
    """Yield the metrics of the training and, apart, those of the machine."""
    yield from _table(buffer.summaries(), _beside(buffer, others), "metric")
    yield from _table(buffer.summaries(of_machine=True), {}, "system metric")


def _table(metrics: list[tuple[str, MetricSummary]], beside: dict[str, Difference], what: str) -> Iterator[str]:
    if not metrics:
        return
    heads = ("last", "min", "max", "points", *(("reference", "difference") if beside else ()))
    yield f"<details><summary>{counted(len(metrics), what)}</summary><table><thead><tr><th>metric</th>"
    yield "".join(f'<th style="{_NUMBER}">{head}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    for name, known in metrics[:_MOST_TABLE_ROWS]:
        cells = [_number(known.last), _number(known.min), _number(known.max), f"{known.n:,}"]
        if beside:
            one = beside.get(name)
            cells += ("", "") if one is None else (_reference_cell(one), signed_text(one.by, name))
        numbers = "".join(f'<td style="{_NUMBER}">{cell}</td>' for cell in cells)
        yield f'<tr><td style="text-align:left">{escape(name)}</td>{numbers}</tr>'
    yield "</tbody></table>"
    if len(metrics) > _MOST_TABLE_ROWS:
        yield f"<p>… and {counted(len(metrics) - _MOST_TABLE_ROWS, f'more {what}')}.</p>"
    yield "</details>"


def _reference_cell(found: Difference) -> str:
    ended = "" if found.ended_at is None else f" (step {found.ended_at})"
    return f"{number_text(found.reference)}{ended}"


def _footer(facts: Facts) -> Iterator[str]:
    if facts.url is not None and not facts.deleted:
        where = " (on the machine that ran this notebook)" if facts.embedded else ""
        yield f'<a href="{escape(facts.url)}" target="_blank" rel="noopener">Open the run’s page</a>{where}'
    if facts.unsent_rows and facts.state != "running":
        told = facts.trouble is not None and "anonrun sync" in facts.trouble  # where, and to which server
        rows = counted(facts.unsent_rows, "row")
        yield f"{rows} not delivered" if told else f"{rows} not yet delivered: <code>anonrun sync</code>"
    if facts.trouble:
        yield escape(facts.trouble)


def _stopped(facts: Facts) -> str:
    """Return what stopped the run; empty where nothing did."""
    if facts.failure is None:
        return ""
    return f"{'Failed' if facts.state == 'failed' else 'Last error'}: {facts.failure}"


def _alternative(facts: Facts, buffer: RunBuffer, others: Sequence[Other]) -> str:
    """Return what the picture shows, for those who cannot see it."""
    beside = _beside(buffer, others)
    shown = [
        f"{name} {difference_text(beside[name], name) if name in beside else number_text(known.last)}"
        for name, known in buffer.summaries()[:12]
    ]
    progress = None if facts.total is None else buffer.progress(facts.total)
    state = facts.state if progress is None else f"{facts.state}, {progress.text}"
    behind = f", with {' and '.join(other.name for other in others)} behind it" if others else ""
    said = ("; " if beside else ", ").join(shown) or "nothing logged"
    return f"Charts of the run {facts.name}{behind}, {state}: {said}"


_NO_MEDIA = StillMedia()


def html_text(
    facts: Facts,
    buffer: RunBuffer,
    others: Sequence[Other] = (),
    *,
    media: StillMedia = _NO_MEDIA,
    detail: float = 1.0,
) -> str:
    """Return the HTML form without the picture of `media`; `detail` is that of `picture`."""
    strong, rest = facts.banner
    expiry = f' data-expires-at="{format_time(facts.expires_at)}"' if facts.expires_at else ""
    image = data_uri(to_svg(picture(facts, buffer, others, banner=False, detail=detail)))
    return "".join(
        (
            f'<div class="anonrun-snapshot" data-run-id="{escape(facts.run_id)}"{expiry}>',
            f'<div class="anonrun-banner" style="{_BANNER}"><strong>{escape(strong)}</strong> {escape(rest)}</div>',
            f'<img alt="{escape(_alternative(facts, buffer, others))}" style="max-width:100%" src="{image}">',
            *(
                [f'<p style="margin:4px 0"><strong>{escape(stopped)}</strong></p>']
                if (stopped := _stopped(facts))
                else ()
            ),
            *_tables(buffer, others),
            *(f'<p style="margin:4px 0">{escape(line)}</p>' for line in media.lines),
            f'<p style="margin:4px 0">{" · ".join(_footer(facts))}</p></div>',
        )
    )


def plain_text(facts: Facts, buffer: RunBuffer, others: Sequence[Other] = (), *, media: StillMedia = _NO_MEDIA) -> str:
    """Return the form for terminals and for tools that show text only."""
    progress = buffer.progress(facts.total)
    step = "" if progress is None else f" · {progress.text}"
    lines = [f"anonrun: {facts.name} · {facts.state}{step}"]
    if stopped := _stopped(facts):
        lines.append(f"  {stopped}")
    metrics = buffer.summaries()
    beside = _beside(buffer, others)
    width = max((len(name) for name, _ in metrics[:_MOST_LINES]), default=0)
    for name, known in metrics[:_MOST_LINES]:
        extent = "" if known.min is None else f"  (min {_number(known.min)}, max {_number(known.max)})"
        line = f"  {name:<{width}}  {_number(known.last)}{extent}"
        lines.append(f"{line}  {difference_text(beside[name], name)}" if name in beside else line)
    if len(metrics) > _MOST_LINES:
        lines.append(f"  … and {len(metrics) - _MOST_LINES} more")
    lines += (f"  {line}" for line in media.lines)
    lines.append(" ".join(facts.banner))
    if facts.url is not None and not facts.deleted:
        lines.append(facts.url)
    return "\n".join(lines)


def bundle(
    facts: Facts,
    buffer: RunBuffer,
    others: Sequence[Other] = (),
    *,
    media: StillMedia = _NO_MEDIA,
    image: bool = True,
) -> Bundle:
    """Return all forms; where the room is short, the picture of `media` is left out, and curves and PNG become coarser.

    Args:
        facts: what is said beside the curves.
        buffer: the points.
        others: runs that are drawn behind.
        media: what is said of them.
        image: whether a PNG is wanted; it takes the most time.
    """
    html = ""
    for detail in _DETAILS:
        html = html_text(facts, buffer, others, media=media, detail=detail)
        if len(html.encode()) <= _MOST_HTML_BYTES:
            break
    made = {"text/html": html, "text/plain": plain_text(facts, buffer, others, media=media)}
    room = MOST_BYTES - sum(len(form.encode()) for form in made.values())
    scene = picture(facts, buffer, others, banner=True)
    for scale in _PNG_SCALES if image else ():
        png = to_png_text(scene, scale)
        if len(png) <= room:
            made["image/png"] = png
            room -= len(png)
            break
    thumbnail = thumbnail_html(media)
    if thumbnail and len(thumbnail.encode()) <= room:
        made["text/html"] = f"{html.removesuffix('</div>')}{thumbnail}</div>"
    return made
