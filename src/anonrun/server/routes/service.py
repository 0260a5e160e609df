"""The server itself: what it is, whether it lives, what it counts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from anonrun.core.messages import ServerInfo
from anonrun.server.access import core_of
from anonrun.server.routing import Operations, answer
from anonrun.store import runs
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("server", prefix="")

_DEGRADED_LAG_S = 2 * 3600


@operations.get("/api/v1/server", who="all", answers={200: ServerInfo})
async def get_server(request: Request) -> Response:
    """Read what anyone may know of this server."""
    return answer(core_of(request).server_info())


@operations.get("/healthz", who="all", answers={200: "application/json"})
async def healthz(request: Request) -> Response:
    """Say that the process lives."""
    return answer({"status": "ok", "instance": core_of(request).db.instance})


@operations.get("/readyz", who="all", answers={200: "application/json"}, codes=("store_unavailable",))
async def readyz(request: Request) -> Response:
    """Say whether the store can be read and written, and whether removal keeps up."""
    core = core_of(request)
    await core.db.write(runs.count_live)
    late = core.counters.sweep_lag_s > _DEGRADED_LAG_S or core.counters.alarm
    return answer({"status": "degraded" if late else "ok", "sweep_lag_s": round(core.counters.sweep_lag_s, 1)})


@operations.get("/metrics", who="all", answers={200: "text/plain"})
async def metrics(request: Request) -> Response:
    """Read what the server counts, in Prometheus' text format."""
    core = core_of(request)
    counters = core.counters

    worker = "" if core.worker is None else f'worker="{core.worker}"'
    one = f"{{{worker}}}" if worker else ""

    def live(tx: Tx) -> int:
        return runs.count_live(tx)

    lines = [
        "# TYPE anonrun_requests_total counter",
        *(
            f'anonrun_requests_total{{status="{kind}"{worker and "," + worker}}} {n}'
            for kind, n in sorted(counters.requests.items())
        ),
        "# TYPE anonrun_points_stored_total counter",
        f"anonrun_points_stored_total{one} {counters.points}",
        "# TYPE anonrun_segments_stored_total counter",
        f"anonrun_segments_stored_total{one} {counters.segments}",
        "# TYPE anonrun_runs_purged_total counter",
        f"anonrun_runs_purged_total{one} {counters.purged}",
        "# TYPE anonrun_runs_live gauge",
        f"anonrun_runs_live {await core.db.read(live)}",
        "# TYPE anonrun_live_readers gauge",
        f"anonrun_live_readers{one} {len(core.hub)}",
        "# TYPE anonrun_expired_unpurged gauge",
        f"anonrun_expired_unpurged {counters.unpurged}",
        "# TYPE anonrun_sweep_lag_seconds gauge",
        f"anonrun_sweep_lag_seconds {counters.sweep_lag_s:.1f}",
        "# TYPE anonrun_sweep_alarm gauge",
        f"anonrun_sweep_alarm{one} {int(counters.alarm)}",
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


@operations.get("/robots.txt", who="all", answers={200: "text/plain"})
async def robots(_request: Request) -> Response:
    """Ask crawlers to stay away."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


@operations.get("/openapi.json", who="all", answers={200: "application/json"}, listed=False)
async def openapi(request: Request) -> Response:
    """Describe the API."""
    from anonrun.server.openapi import description  # noqa: PLC0415  only who reads it pays for it

    return answer(description(request.app.state.operations))
