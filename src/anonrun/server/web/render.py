"""Pages from templates. Knows the prefix and the assets; not what a page is about. Its headers come from the envelope.

Invariant: a page carries no secret and no inline script or style, and every link in it is made with the prefix.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from anonrun.server import security
from anonrun.server.access import core_of
from anonrun.server.actors import NOBODY, Actor

__all__ = ["STATIC", "Way", "error_page", "page"]

STATIC = Path(__file__).parent / "static"
_VERSION_CHARS = 10
_HOUR_DAYS = 1 / 24


@dataclass(frozen=True, slots=True)
class Way:
    """A way on from a page that says no: `path` is below the prefix."""

    label: str
    path: str


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("anonrun.server.web"), autoescape=True, undefined=StrictUndefined)


@cache
def _version(name: str, changed_ns: int) -> str:  # noqa: ARG001  a file that changed is hashed again
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:_VERSION_CHARS]


def _asset(prefix: str, name: str) -> str:
    """Return the address of a file in `static/`, which changes with what the file holds."""
    try:
        version = _version(name, (STATIC / name).stat().st_mtime_ns)
    except FileNotFoundError:
        return f"{prefix}/static/{name}"
    return f"{prefix}/static/{name}?v={version}"


def _span(days: float) -> str:
    """Return a retention as people say it.

    Example:
        >>> _span(7.0), _span(1.0), _span(0.5)
        ('7 days', '1 day', '12 hours')
    """
    units = ((1.0, "day"), (_HOUR_DAYS, "hour"), (_HOUR_DAYS / 60, "minute"))
    size, name = next((unit for unit in units if days >= unit[0]), units[-1])
    number = f"{days / size:.3g}"
    return f"{number} {name}" if number == "1" else f"{number} {name}s"


def page(
    request: Request, template: str, *, name: str, title: str, actor: Actor = NOBODY, status: int = 200, **more: object
) -> HTMLResponse:
    """Return a page.

    Args:
        request: what asked for it.
        template: file in `templates/`.
        name: what the script calls the page.
        title: of the window; must say nothing that its reader may not know.
        actor: who asks; a page's navigation depends on it.
        status: of the answer.
        more: what the template needs beside that.
    """
    core = core_of(request)
    prefix = security.path_prefix(request.headers)
    context: dict[str, object] = {
        "page": name,
        "title": title,
        "status": status,
        "prefix": prefix,
        "path": request.url.path,
        "server": core.server_info(),
        "retention": _span(core.settings.retention_days),
        "account": actor.account,
        "local": actor.local,
        "asset": lambda file: _asset(prefix, file),
        "run_id": None,
        "owner": None,
        "project": None,
        "problem": None,
        "provider": None,
        "providers": [[provider.name, provider.label] for provider in core.settings.providers],
        "passwords": core.settings.passwords,
        **more,
    }
    text = _templates().get_template(template).render(context)
    return HTMLResponse(text, status)


def error_page(
    request: Request,
    status: int,
    heading: str,
    detail: str,
    *,
    actor: Actor = NOBODY,
    actions: tuple[Way, ...] = (Way("Your runs", "/"),),
) -> HTMLResponse:
    """Return a page that says what went wrong and what to do next."""
    return page(
        request,
        "error.html",
        name="error",
        title=heading,
        actor=actor,
        status=status,
        heading=heading,
        detail=detail,
        actions=actions,
    )
