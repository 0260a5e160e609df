"""Projects: they are where there are runs, and so are only listed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import ProjectList
from anonrun.server.access import read_as
from anonrun.server.routing import Operations, Param, answer, integer
from anonrun.server.services import listing

__all__ = ["operations"]

operations = Operations("projects")

_MOST = 500


@operations.get(
    "/projects",
    who="key, session, local",
    answers={200: ProjectList},
    codes=("sign_in_needed",),
    query=(Param("limit", f"at most so many, 1 … {_MOST}; 100 if absent", "integer"),),
)
async def list_projects(request: Request) -> Response:
    """List the projects of the runs that are listed, that with the newest run first."""
    limit = integer(request, "limit", low=1, high=_MOST, default=100) or 100
    return answer(await read_as(request, lambda tx, actor: listing.projects(tx, actor, limit=limit)))
