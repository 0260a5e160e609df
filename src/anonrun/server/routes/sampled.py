"""A run's series as a chart wants them: reduced to about as many buckets as there are pixels."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import SampledMetric, SampledSeries
from anonrun.server.access import read_run
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routes.segments import METRIC
from anonrun.server.routing import Operations, Param, answer, integer, number
from anonrun.server.services.views import number as json_number
from anonrun.server.services.views import numbers
from anonrun.store.reading import Sampled, View, sampled
from anonrun.store.sampling import Sample

__all__ = ["operations"]

operations = Operations("history")

_MOST_BUCKETS = 20_000
_STEPS = 1 << 63
_METRIC_PREFIX = "metric:"


def _view(request: Request) -> View:
    buckets = integer(request, "points", low=1, high=_MOST_BUCKETS, default=1000) or 1000
    start, end = number(request, "start"), number(request, "end")
    x = request.query_params.get("x", "step")
    if x.startswith(_METRIC_PREFIX):
        name = x.removeprefix(_METRIC_PREFIX)
        return View(buckets=buckets, x="metric", x_metric=name, start=start, end=end)
    if x == "step" and any(abs(place) >= _STEPS for place in (start, end) if place is not None):
        raise ProblemError("request_invalid", "start and end must be steps, from −2^63 to 2^63 − 1.")
    if x not in {"step", "wall", "relative"}:
        raise ProblemError("request_invalid", "x must be step, relative, wall, or metric: and the name of one.")
    return View(buckets=buckets, x=x, start=start, end=end)  # type: ignore[arg-type]  # one of the three


@operations.get(
    "/runs/{run_id}/sampled",
    who="view",
    answers={200: SampledSeries},
    codes=("run_not_found", "forbidden"),
    query=(
        METRIC,
        Param("points", f"buckets wanted, 1 … {_MOST_BUCKETS}; 1000 if absent", "integer"),
        Param("x", "`step` (if absent), `relative` or `wall` (seconds), or `metric:NAME`"),
        Param("start", "first place on x", "number"),
        Param("end", "last place on x", "number"),
    ),
)
async def get_sampled(request: Request) -> Response:
    """Read series reduced to about as many buckets as there are pixels; extremes survive."""
    names = frozenset(request.query_params.getlist("metric")) or None
    view = _view(request)
    read = await read_run(
        request,
        Action.READ,
        lambda tx, _actor, run: sampled(tx, run.run_id, names, view),
    )
    if read is None:
        raise ProblemError("run_not_found")
    return await asyncio.get_running_loop().run_in_executor(None, _answer, read, view)


def _answer(read: Sampled, view: View) -> Response:
    metrics = {name: _metric(found, view) for name, found in read.metrics.items()}
    return answer(SampledSeries(metrics=metrics, position=read.position, damaged=read.damaged))


def _metric(found: Sample, view: View) -> SampledMetric:
    return SampledMetric(
        total=found.total,
        x=[] if view.x == "step" else numbers(found.x),
        step=found.step,
        time=found.time_s,
        count=found.count,
        min=_extremes(found.low),
        max=_extremes(found.high),
        first=numbers(found.first),
        last=numbers(found.last),
    )


def _extremes(values: list[float]) -> list[float | str | None]:
    """Return the extremes of buckets; None where a bucket has nothing but NaN."""
    return [None if value != value else json_number(value) for value in values]  # noqa: PLR0124  the fast test for NaN
