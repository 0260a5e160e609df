"""The server itself: what it is, whether it lives, what it counts."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from anonrun._version import __version__
from anonrun.core.messages import ServerInfo
from anonrun.server.access import core_of
from anonrun.server.exposition import CONTENT_TYPE, Family, exposed
from anonrun.server.routing import Operations, answer
from anonrun.server.services.core import Core
from anonrun.server.services.readiness import free_bytes
from anonrun.store import retention, runs, usage
from anonrun.store.compaction import TAIL_AGE_US
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("server", prefix="")


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
    """Say whether the store can be read and written, whether removal keeps up, and whether the disk has space."""
    core = core_of(request)
    ready = await core.probe.look(alarm=core.counters.alarm)
    status = "degraded" if ready.problems else "ok"
    return answer({"status": status, "problems": list(ready.problems), "sweep_lag_s": round(ready.sweep_lag_s, 1)})


@operations.get("/metrics", who="all", answers={200: "text/plain"}, codes=("store_unavailable",))
async def metrics(request: Request) -> Response:
    """Read what the server counts, in Prometheus' text format."""
    core = core_of(request)
    found = await core.db.read(_of_store)
    text = exposed([*_of_worker(core), *_as_families(found), *_of_disk(core)], worker=core.worker)
    return Response(text.encode(), headers={"Content-Type": CONTENT_TYPE})


@dataclass(frozen=True, slots=True)
class _Stored:
    live: int
    unpurged: int
    sweep_lag_s: float
    tails: int
    oldest_tail_s: float


def _of_store(tx: Tx) -> _Stored:
    due, (waiting, oldest_s) = retention.due(tx), usage.tails(tx)
    lag_s = 0.0 if due.oldest_us is None else max(0.0, (tx.now_us - due.oldest_us) / 1e6)
    return _Stored(runs.count_live(tx), due.expired + due.marked, lag_s, waiting, oldest_s)


def _as_families(stored: _Stored) -> list[Family]:
    late_s = max(0.0, stored.oldest_tail_s - TAIL_AGE_US / 1e6)
    return [
        Family.of("anonrun_runs_live", "gauge", "Runs that exist.", stored.live),
        Family.of("anonrun_expired_unpurged", "gauge", "Runs that are to be removed.", stored.unpurged),
        Family.of("anonrun_sweep_lag_seconds", "gauge", "How long the oldest of them waits.", stored.sweep_lag_s),
        Family.of("anonrun_tails", "gauge", "Runs with segments that are not in chunks yet.", stored.tails),
        Family.of("anonrun_compaction_lag_seconds", "gauge", "How long the oldest tail waits beyond its time.", late_s),
    ]


def _of_worker(core: Core) -> list[Family]:
    import psutil  # noqa: PLC0415  only who is scraped pays for it

    did = core.counters
    requests: dict[tuple[tuple[str, str], ...], float] = {
        (("status", kind),): n for kind, n in sorted(did.requests.items())
    }

    def own(name: str, kind: str, about: str, value: float) -> Family:
        return Family.of(name, kind, about, value, own=True)

    process = psutil.Process()
    return [
        Family("anonrun_build_info", "gauge", "Which anonrun this is.", {(("version", __version__),): 1}, own=True),
        Family("anonrun_requests_total", "counter", "Answers by class of status.", requests, own=True),
        Family(
            "anonrun_ingest_seconds", "histogram", "From a flush to its answer.", histogram=did.ingest_s, own=True
        ),
        own("anonrun_points_stored_total", "counter", "Points that were stored.", did.points),
        own("anonrun_segments_stored_total", "counter", "Segments that were stored.", did.segments),
        own("anonrun_media_stored_total", "counter", "Items of media that were stored.", did.media),
        own("anonrun_points_compacted_total", "counter", "Points that went from segments to chunks.",
            core.compactor.points),
        own("anonrun_runs_purged_total", "counter", "Runs that were removed for good.", did.purged),
        own("anonrun_store_errors_total", "counter", "Times that the store could not serve.", did.store_errors),
        own("anonrun_writer_queue", "gauge", "Changes that wait for the store's writer.", core.db.waiting),
        own("anonrun_live_readers", "gauge", "Open event streams.", len(core.hub)),
        own("anonrun_sweep_alarm", "gauge", "Whether removal has stopped, since the clock looks wrong.",
            int(did.alarm)),
        own("process_resident_memory_bytes", "gauge", "Memory in use.", process.memory_info().rss),
        own("process_cpu_seconds_total", "counter", "Processor time.", sum(process.cpu_times()[:2])),
        own("process_start_time_seconds", "gauge", "When the process began.", process.create_time()),
    ]  # fmt: skip


def _of_disk(core: Core) -> list[Family]:
    free = None if core.db.shared else free_bytes(core.settings.server_dir)
    if free is None:
        return []
    return [Family.of("anonrun_disk_free_bytes", "gauge", "Space on the disk of the database.", free)]


@operations.get("/robots.txt", who="all", answers={200: "text/plain"})
async def robots(_request: Request) -> Response:
    """Ask crawlers to stay away."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


@operations.get("/openapi.json", who="all", answers={200: "application/json"}, listed=False)
async def openapi(request: Request) -> Response:
    """Describe the API."""
    from anonrun.server.openapi import description  # noqa: PLC0415  only who reads it pays for it

    return answer(description(request.app.state.operations))
