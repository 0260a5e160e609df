"""The pages. What they show is fetched by their script through the API; here is decided which page it is.

Reading a page changes nothing (R10), sets no cookie, and the secrets of a link never arrive here, since they
stand in its fragment.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.ids import parse_run_id
from anonrun.server.access import actor_of, found, read_as
from anonrun.server.actors import Actor, Visitor
from anonrun.server.errors import ProblemError
from anonrun.server.policy import Action, may
from anonrun.server.web import render
from anonrun.store.transaction import Tx

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_GONE = 410


def _sees_runs(actor: Actor) -> bool:
    if actor.account is not None or actor.local:
        return True
    return isinstance(actor, Visitor) and actor.session is not None and bool(actor.session.grants)


async def _runs(request: Request) -> Response:
    actor = await actor_of(request)
    template = "app.html" if _sees_runs(actor) else "no_runs.html"
    return render.page(request, template, name="runs", title="Runs", actor=actor)


async def _run(request: Request) -> Response:
    run_id = parse_run_id(request.path_params["run_id"])

    def look(tx: Tx, actor: Actor) -> tuple[Actor, int | None]:
        if run_id is None:
            return actor, 404
        try:
            found(tx, actor, run_id, Action.READ)
        except ProblemError as refusal:
            return actor, refusal.status
        return actor, None

    actor, refused = await read_as(request, look)
    if refused is None or refused == _GONE:
        # Of a run that is gone, the script tells what this browser may know.
        return render.page(
            request, "app.html", name="run", title="Run", actor=actor, status=refused or 200, run_id=run_id
        )
    return render.page(
        request,
        "no_access.html",
        name="run",
        title="No run to show",
        actor=actor,
        status=404,
        # Nothing of what was asked for is echoed but a well-formed id, which the script needs for a link's fragment.
        run_id=run_id,
        problem="no_access",
    )


async def _claim(request: Request) -> Response:
    return render.page(request, "app.html", name="claim", title="Claim", actor=await actor_of(request))


async def _enter(request: Request) -> Response:
    return render.page(request, "app.html", name="enter", title="Enter", actor=await actor_of(request))


async def _sign_in(request: Request) -> Response:
    return render.page(request, "app.html", name="sign-in", title="Sign in", actor=await actor_of(request))


async def _sign_up(request: Request) -> Response:
    return render.page(request, "app.html", name="sign-up", title="Sign up", actor=await actor_of(request))


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
            render.Action("Sign in", "/sign-in"),
            render.Action("Sign up", "/sign-up"),
            render.Action("Your runs", "/"),
        ),
    )


# Starlette's routes answer HEAD too, and pages are no part of the API's description.
router.add_route("/", _runs)
router.add_route("/r/{run_id}", _run)
router.add_route("/claim", _claim)
router.add_route("/enter", _enter)
router.add_route("/sign-in", _sign_in)
router.add_route("/sign-up", _sign_up)
router.add_route("/settings", _settings)
