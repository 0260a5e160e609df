"""The whole run as a download, without an account: CSV for tables, JSON for everything."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from anonrun.core.messages import to_json
from anonrun.core.times import format_time, from_us
from anonrun.core.wire import decode
from anonrun.server.access import core_of, read_run
from anonrun.server.actors import Actor
from anonrun.server.messages import ExportHead
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routes.runs import infos
from anonrun.server.routing import Operations, Param
from anonrun.server.services import media
from anonrun.server.services.core import Core
from anonrun.server.services.views import metric_info, number
from anonrun.store import history, summaries
from anonrun.store.records import Run
from anonrun.store.transaction import Tx

__all__ = ["about", "csv_parts", "operations"]

operations = Operations("history")

_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def _time(us: int) -> str:
    """Return a time as text; empty where it is in no year that a calendar has."""
    try:
        return format_time(from_us(us))
    except OverflowError:
        return ""


def about(tx: Tx, actor: Actor, run: Run) -> ExportHead:
    """Return everything of a live run but its history and its media."""
    metrics = [metric_info(metric) for metric in summaries.metrics(tx, run.run_id)]
    return ExportHead(run=infos(tx, actor, [run])[0], metrics=metrics)


@operations.get(
    "/runs/{run_id}/export",
    who="view",
    answers={200: "text/csv"},
    codes=("run_not_found", "forbidden"),
    query=(Param("format", "`csv` (one row for each logged step) or `json`", required=True),),
)
async def export_run(request: Request) -> Response:
    """Download a whole run."""
    core = core_of(request)
    kind = request.query_params.get("format", "csv")
    if kind not in _TYPES:
        raise ProblemError("request_invalid", "format must be csv or json.")

    def begin(tx: Tx, actor: Actor, run: Run) -> tuple[ExportHead, Actor, Run]:
        return about(tx, actor, run), actor, run

    head, actor, run = await read_run(request, Action.READ, begin)
    names = [metric.name for metric in head.metrics]
    parts = csv_parts(core, run, names) if kind == "csv" else _json(core, actor, run, head)
    headers = {"Content-Disposition": f'attachment; filename="anonrun-{head.run.id}.{kind}"'}
    return StreamingResponse(parts, media_type=_TYPES[kind], headers=headers)


async def _pages(core: Core, run: Run) -> AsyncIterator[list[bytes]]:
    run_id, last = run.run_id, run.position
    position, end = 0, last == 0
    while not end:
        page = await core.db.read(lambda tx, after=position: history.page(tx, run_id, after=after, up_to=last))  # type: ignore[misc]  # the default binds the loop's value
        if page is None:  # it ceased to exist meanwhile
            return
        yield page.segments
        position, end = page.position, page.end


def _rows(payloads: Sequence[bytes]) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Yield step, time in microseconds and values of each row, in order of arrival."""
    for frame in (frame for payload in payloads for frame in decode(payload).frames):
        for i, (step, time_us) in enumerate(zip(frame.steps, frame.times_us, strict=True)):
            yield step, time_us, {name: column[i] for name, column in zip(frame.names, frame.columns, strict=True)}


async def csv_parts(core: Core, run: Run, names: list[str]) -> AsyncIterator[str]:
    """Yield a run's history as CSV, one row for each logged step, up to where it went when it was found."""

    def lines(rows: Sequence[Sequence[object]]) -> str:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        return text.getvalue()

    yield lines([["step", "time", *names]])
    async for payloads in _pages(core, run):
        rows = [
            [step, _time(time_us), *(repr(values[name]) if name in values else "" for name in names)]
            for step, time_us, values in _rows(payloads)
        ]
        yield lines(rows)


async def _json(core: Core, actor: Actor, run: Run, head: ExportHead) -> AsyncIterator[str]:
    yield json.dumps(to_json(head), allow_nan=False)[:-1] + ', "history": ['
    comma = ""
    async for payloads in _pages(core, run):
        rows = [
            json.dumps(
                {"step": step, "time": _time(time_us), "values": {n: number(v) for n, v in values.items()}},
                allow_nan=False,
            )
            for step, time_us, values in _rows(payloads)
        ]
        if rows:
            yield comma + ",\n".join(rows)
            comma = ",\n"
    yield '], "media": ['
    comma = ""
    async for items in media.whole_items(core.db, actor, run):
        for item in items:
            yield comma + json.dumps(to_json(media.info(actor, run, item)), allow_nan=False)
            comma = ",\n"
    yield "]}\n"
