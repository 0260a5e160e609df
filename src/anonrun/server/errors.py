"""Refusals and failures as answers: `application/problem+json` for every one, whatever raised it."""

from __future__ import annotations

import json
import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from anonrun.server.problems import ProblemError
from anonrun.store.database import StoreUnavailableError
from anonrun.store.objects import ObjectsError, ObjectsFullError

__all__ = ["HANDLERS", "problem_response"]

_log = logging.getLogger("anonrun.server")
_BY_STATUS = {404: "not_found", 405: "method_not_allowed"}


def problem_response(problem: ProblemError) -> Response:
    """Return the answer that carries a refusal."""
    return Response(
        json.dumps(problem.body, ensure_ascii=False).encode("utf-8", "replace"),
        problem.status,
        problem.headers,
        media_type="application/problem+json",
    )


async def _refused(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ProblemError), "registered for this type"
    return problem_response(exc)


async def _http(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException), "registered for this type"
    headers = dict(exc.headers or {})
    return problem_response(ProblemError(_BY_STATUS.get(exc.status_code, "request_invalid"), headers=headers))


async def _unavailable(request: Request, exc: Exception) -> Response:
    request.app.state.core.counters.store_errors += 1
    _log.error("the store refused: %s", exc)
    return problem_response(ProblemError("store_unavailable", headers={"Retry-After": "5"}))


async def _no_files(request: Request, exc: Exception) -> Response:
    request.app.state.core.counters.store_errors += 1
    _log.error("the files refused: %s", exc)
    if isinstance(exc, ObjectsFullError):
        return problem_response(ProblemError("artifact_storage_full"))
    return problem_response(ProblemError("files_unavailable", headers={"Retry-After": "5"}))


async def _failed(_request: Request, _exc: Exception) -> Response:
    return problem_response(ProblemError("internal"))


HANDLERS = {
    ProblemError: _refused,
    HTTPException: _http,
    StoreUnavailableError: _unavailable,
    ObjectsError: _no_files,
    Exception: _failed,
}
"""What answers each kind of exception; the last one's exception also reaches the log."""
