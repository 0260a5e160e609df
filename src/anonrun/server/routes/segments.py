"""A run's history comes in and goes out as segments; or goes out sampled."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from anonrun.core.messages import Cursor, SampledMetric, SampledSeries
from anonrun.core.wire import CONTENT_TYPE
from anonrun.server.access import core_of, read_run, run_id_of
from anonrun.server.bodies import read_bytes
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, Param, answer, integer
from anonrun.server.services import ingest
from anonrun.server.services.core import Core
from anonrun.server.services.guard import found
from anonrun.server.services.views import number, run_status
from anonrun.store import history, sampling
from anonrun.store.ingest import next_seq
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("history")

_MOST_BUCKETS = 20_000
_METRIC = Param("metric", "name of a metric; may be repeated; all metrics if absent", many=True)
_INT64 = (1 << 63) - 1


@operations.post(
    "/runs/{run_id}/segments",
    who="write",
    body=CONTENT_TYPE,
    answers={200: Cursor},
    codes=("run_not_found", "forbidden", "segment_gap", "segment_damaged", "quota_exceeded"),
)
async def send_segments(request: Request) -> Response:
    """Deliver segments, back to back; rows that are there already are acknowledged and ignored."""
    core, run_id = core_of(request), run_id_of(request)
    actor = await read_run(request, Action.INGEST, lambda _tx, actor, _run: actor)
    body = await read_bytes(request, most=core.settings.limits.request_bytes)
    segments = await ingest.decode_body(body)

    def store(tx: Tx) -> tuple[Cursor, int]:
        found(tx, actor, run_id, Action.INGEST)
        stored = ingest.store(core, tx, run_id, segments)
        return Cursor(next=stored.next_seq, status=run_status(stored.run, tx.now_us)), stored.new

    cursor, new = await core.db.write(store)
    if new:
        core.counters.segments += new
        core.counters.points += sum(segment.header.points for segment in segments[-new:])
        core.hub.publish(run_id)
    return answer(cursor)


@operations.get(
    "/runs/{run_id}/writers/{writer}", who="write", answers={200: Cursor}, codes=("run_not_found", "forbidden")
)
async def get_writer(request: Request) -> Response:
    """Say how far a writer's stream has arrived."""
    text = request.path_params["writer"]
    if not (text.isascii() and text.isdecimal()) or len(text) > 20 or int(text) >= 1 << 64:  # noqa: PLR2004  digits of 2^64
        raise ProblemError("request_invalid", "A writer is a number from 0 to 2^64 − 1.")
    return answer(
        await read_run(
            request,
            Action.INGEST,
            lambda tx, _actor, run: Cursor(next=next_seq(tx, run.run_id, int(text)), status=run_status(run, tx.now_us)),
        )
    )


@operations.get(
    "/runs/{run_id}/series",
    who="view",
    answers={200: CONTENT_TYPE},
    codes=("run_not_found", "forbidden"),
    query=(_METRIC,),
)
async def get_series(request: Request) -> Response:
    """Read every point of some metrics, or of all, in order of arrival."""
    core, run_id = core_of(request), run_id_of(request)
    names = frozenset(request.query_params.getlist("metric"))
    last = await read_run(request, Action.READ, lambda _tx, _actor, run: run.position)
    return StreamingResponse(_segments(core, run_id, names, last), media_type=CONTENT_TYPE)


async def _segments(core: Core, run_id: uuid.UUID, names: frozenset[str], last: int) -> AsyncIterator[bytes]:
    def chosen(page: history.Page) -> Iterator[bytes]:
        return (kept for payload in page.segments if (kept := history.only(payload, names)))

    def part(tx: Tx, after: int) -> tuple[bytes, int, bool]:
        page = history.page(tx, run_id, after=after, up_to=last)
        if page is None:  # it ceased to exist meanwhile; what follows is not there any more
            return b"", last, True
        return b"".join(chosen(page) if names else page.segments), page.position, page.end

    position, end = 0, last == 0
    while not end:
        data, position, end = await core.db.read(lambda tx, after=position: part(tx, after))  # type: ignore[misc]  # the default binds the loop's value
        if data:
            yield data


@operations.get(
    "/runs/{run_id}/sampled",
    who="view",
    answers={200: SampledSeries},
    codes=("run_not_found", "forbidden"),
    query=(
        _METRIC,
        Param("points", f"buckets wanted, 1 … {_MOST_BUCKETS}; 1000 if absent", "integer"),
        Param("start", "first step", "integer"),
        Param("end", "last step", "integer"),
    ),
)
async def get_sampled(request: Request) -> Response:
    """Read series reduced to about as many buckets as there are pixels; extremes survive."""
    names = frozenset(request.query_params.getlist("metric")) or None
    buckets = integer(request, "points", low=1, high=_MOST_BUCKETS, default=1000) or 1000
    start = integer(request, "start", low=-_INT64 - 1, high=_INT64)
    end = integer(request, "end", low=-_INT64 - 1, high=_INT64)

    def read(tx: Tx, run_id: uuid.UUID) -> SampledSeries:
        gathered = sampling.gather(tx, run_id, names)
        if gathered is None:
            raise ProblemError("run_not_found")
        series, position = gathered
        samples = {
            name: _sampled(sampling.sample(points, buckets=buckets, start=start, end=end))
            for name, points in series.items()
        }
        return SampledSeries(metrics=samples, position=position)

    result = await read_run(request, Action.READ, lambda tx, _actor, run: read(tx, run.run_id))
    return await asyncio.get_running_loop().run_in_executor(None, answer, result)


def _sampled(sample: sampling.Sample) -> SampledMetric:
    def real(values: list[float]) -> list[float | str | None]:
        return [None if value != value else number(value) for value in values]  # noqa: PLR0124  the fast test for NaN

    return SampledMetric(
        total=sample.total,
        step=sample.step,
        time=sample.time_s,
        count=sample.count,
        min=real(sample.low),
        max=real(sample.high),
        first=[number(value) for value in sample.first],
        last=[number(value) for value in sample.last],
    )
