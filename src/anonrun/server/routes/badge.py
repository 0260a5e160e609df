"""A published run in a README: its state, or a metric's last value, as a picture that caches may keep for a minute.

Only what is published has one. An `<img>` can carry a secret in its path or query only, where logs, referrers and the
README itself would keep it (R5); so there is no token for pictures, and who asks makes no difference.
"""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from anonrun.server.access import core_of, run_id_of
from anonrun.server.bodies import check_plain
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, Param
from anonrun.server.services.links import published
from anonrun.server.services.views import run_state
from anonrun.server.web.badge import badge
from anonrun.store import summaries
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("links", prefix="")

_FRESH_S = {"running": 60}
_SETTLED_S = 300


@operations.get(
    "/badge/{run_id}.svg",
    who="all",
    answers={200: "image/svg+xml", 304: None},
    codes=("run_not_found",),
    query=(Param("metric", "name of a metric whose last value to show; the run's state alone if absent"),),
)
async def get_badge(request: Request) -> Response:
    """Draw how a published run stands."""
    core, run_id = core_of(request), run_id_of(request)
    metric = request.query_params.get("metric")
    check_plain(metric, "the query")

    def look(tx: Tx) -> tuple[str, str, str]:
        run = published(tx, run_id)
        if run is None:
            raise ProblemError("run_not_found")
        state = run_state(run, tx.now_us).value
        if metric is None:
            return "run", state, state
        last = summaries.last_values(tx, [run_id])[run_id].get(metric)
        return metric, "no value" if last is None else f"{last:.4g}", state

    label, value, state = await core.db.read(look)
    picture = badge(label, value, state).encode("utf-8", "replace")
    tag = f'"{hashlib.sha256(picture).hexdigest()[:32]}"'
    headers = {
        "Cache-Control": f"public, max-age={_FRESH_S.get(state, _SETTLED_S)}",
        "ETag": tag,
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Robots-Tag": "noindex",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(picture, headers=headers, media_type="image/svg+xml")
