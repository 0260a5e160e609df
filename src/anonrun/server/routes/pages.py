"""The pages. What they show is fetched by their script through the API; here is decided which page it is.

Reading a page changes nothing (R10), sets no cookie, and the secrets of a link never arrive here, since they
stand in its fragment.
"""

from __future__ import annotations

import functools

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route, Router
from starlette.types import Scope

from anonrun.core.ids import parse_run_id
from anonrun.server.access import actor_of, core_of, read_as
from anonrun.server.actors import Actor, Visitor
from anonrun.server.bodies import check_plain
from anonrun.server.policy import Action, may
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Handler
from anonrun.server.services import listing
from anonrun.server.services.guard import found
from anonrun.server.services.links import published
from anonrun.server.web import render
from anonrun.store.database import StoreUnavailableError
from anonrun.store.listing import Asked
from anonrun.store.transaction import Tx

__all__ = ["router"]

_NOT_FOUND = 404
_GONE = 410
_NO_PAGES = ("/api/", "/static/")


def _page(handler: Handler) -> Handler:
    """Have a page's refusals and failures told as a page."""

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ProblemError as refusal:
            body = refusal.body
            return render.error_page(request, refusal.status, str(body["title"]), str(body["detail"]))
        except StoreUnavailableError:
            busy = ProblemError("store_unavailable").body
            return render.error_page(request, 503, "The server cannot read its store now", str(busy["detail"]))

    return answer


def _sees_runs(actor: Actor) -> bool:
    if actor.account is not None or actor.local:
        return True
    return isinstance(actor, Visitor) and actor.session is not None and bool(actor.session.grants)


@_page
async def _runs(request: Request) -> Response:
    actor = await actor_of(request)
    template = "app.html" if _sees_runs(actor) else "no_runs.html"
    return render.page(request, template, name="runs", title="Runs", actor=actor)


@_page
async def _run(request: Request) -> Response:
    run_id = parse_run_id(request.path_params["run_id"])

    def look(tx: Tx, actor: Actor) -> tuple[Actor, int | None]:
        if run_id is None:
            return actor, _NOT_FOUND
        try:
            found(tx, actor, run_id, Action.READ)
        except ProblemError as refusal:
            return actor, refusal.status
        return actor, None

    actor, refused = await read_as(request, look)
    if refused in (None, _GONE):
        # Of a run that is gone, the script tells what this browser may know. The title says nothing that a blind link
        # hides.
        shown = refused or 200
        return render.page(request, "app.html", name="run", title="Run", actor=actor, status=shown, run_id=run_id)
    return render.page(
        request,
        "no_access.html",
        name="run",
        title="No run to show",
        actor=actor,
        status=_NOT_FOUND,
        # The script needs a well-formed id where a link's fragment, which does not arrive here, lets the browser in.
        run_id=run_id,
        problem="no_access",
    )


@_page
async def _project(request: Request) -> Response:
    """Show a project to who may read a run of it; to all others it is one that there is not."""
    account, project = request.path_params["account"], request.path_params["project"]

    def look(tx: Tx, actor: Actor) -> tuple[Actor, bool]:
        try:
            check_plain([account, project], "the address")
            return actor, bool(listing.runs(tx, actor, Asked(limit=1, account=account, project=project)))
        except ProblemError:
            return actor, False

    actor, there = await read_as(request, look)
    if there:
        names = {"owner": account, "project": project}
        return render.page(request, "app.html", name="project", title="Project", actor=actor, **names)
    return render.page(
        request, "no_project.html", name="error", title="No project to show", actor=actor, status=_NOT_FOUND
    )


@_page
async def _embed(request: Request) -> Response:
    """Show one chart in a frame on another site, of a run whose owner has said so; who looks makes no difference."""
    core = core_of(request)
    run_id = parse_run_id(request.path_params["run_id"])
    run = None if run_id is None else await core.db.read(lambda tx: published(tx, run_id))
    if run is None or not run.embed or not core.settings.framed_by:
        return render.error_page(
            request,
            _NOT_FOUND,
            "There is no chart to show here",
            "Its run is not published, or its owner does not let other sites show it.",
        )
    request.state.framed_by = core.settings.framed_by
    return render.page(request, "embed.html", name="embed", title="Chart", run_id=run.run_id)


def _drawn(path: str, name: str, title: str) -> Route:
    """Return the route of a page that is the same for everyone."""

    @_page
    async def show(request: Request) -> Response:
        return render.page(request, "app.html", name=name, title=title, actor=await actor_of(request))

    return Route(path, show, name=name)


@_page
async def _settings(request: Request) -> Response:
    actor = await actor_of(request)
    if may(actor, Action.CHANGE_ACCOUNT):
        return render.page(request, "app.html", name="settings", title="Settings", actor=actor)
    return render.error_page(
        request,
        403,
        "Settings are for accounts",
        "An anonymous run needs no account, and so there is no profile and nothing to set. Sign in to an account to "
        "have both, or make one; your runs can be claimed into it.",
        actor=actor,
        actions=(
            render.Way("Sign in", "/sign-in"),
            render.Way("Sign up", "/sign-up"),
            render.Way("Your runs", "/"),
        ),
    )


@_page
async def _return(request: Request) -> Response:
    """Show the page to which a provider sends browsers back; its script sends on what they bring."""
    provider = core_of(request).settings.provider(request.path_params["provider"])
    if provider is None:
        return render.error_page(
            request,
            _NOT_FOUND,
            "There is no such way to sign in",
            "This server does not know the provider that this address names. The operator may have taken it out.",
            actions=(render.Way("Sign in", "/sign-in"), render.Way("Your runs", "/")),
        )
    actor = await actor_of(request)
    return render.page(request, "app.html", name="return", title="Sign in", actor=actor, provider=provider.name)


class _Elsewhere(Route):
    """Every other address that a browser may be sent to; the API and the assets have refusals of their own."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope.get("path", "").startswith(_NO_PAGES):
            return Match.NONE, {}
        return super().matches(scope)


async def _nothing(request: Request) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        raise HTTPException(_NOT_FOUND)
    return render.error_page(
        request,
        _NOT_FOUND,
        "There is nothing here",
        "This address has no page. Perhaps a link was cut off on its way.",
    )


router = Router(
    [
        Route("/", _runs, name="runs"),
        Route("/r/{run_id}", _run, name="run"),
        Route("/p/{account}/{project}", _project, name="project"),
        _drawn("/compare", "compare", "Compare"),
        Route("/embed/{run_id}", _embed, name="embed"),
        _drawn("/claim", "claim", "Claim"),
        _drawn("/enter", "enter", "Enter"),
        _drawn("/device", "device", "Approve a login"),
        _drawn("/recover", "recover", "Recover an account"),
        _drawn("/sign-in", "sign-in", "Sign in"),
        _drawn("/sign-up", "sign-up", "Sign up"),
        Route("/sign-in/{provider}/return", _return, name="return"),
        Route("/settings", _settings, name="settings"),
        _Elsewhere("/{path:path}", _nothing, name="elsewhere"),
    ]
)
