"""Runs: make, list, read, change, delete."""

from __future__ import annotations

import dataclasses
import uuid

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import Departure, MetricInfo, RunInfo, RunList, RunRequest, RunStatus, RunUpdate
from anonrun.server.access import address_of, admitted, core_of, read_as, read_run, write_as
from anonrun.server.actors import Actor, KeyHolder
from anonrun.server.bodies import check_plain, read_message
from anonrun.server.paging import after_of, next_of
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, Param, answer, integer, no_content
from anonrun.server.services import listing, moves
from anonrun.server.services import runs as service
from anonrun.server.services.guard import found, require
from anonrun.server.services.views import metric_info, run_info, run_status
from anonrun.store import runs, summaries
from anonrun.store.listing import Asked
from anonrun.store.records import Run
from anonrun.store.transaction import Tx

__all__ = ["infos", "operations"]

operations = Operations("runs")

_MOST_ON_A_PAGE = 200
_MOST_WORDS = 8
_MOST_SEARCHED_CHARS = 200


def infos(tx: Tx, actor: Actor, found_runs: list[Run]) -> list[RunInfo]:
    """Return runs as an actor sees them."""
    last = summaries.last_values(tx, [run.run_id for run in found_runs])
    return [run_info(run, last[run.run_id], actor, tx.now_us) for run in found_runs]


def _info(tx: Tx, actor: Actor, run: Run) -> RunInfo:
    """Return one run as an actor sees it, its highest step included."""
    return dataclasses.replace(infos(tx, actor, [run])[0], max_step=summaries.highest_step(tx, run.run_id))


@operations.post(
    "/runs",
    who="key",
    body=RunRequest,
    answers={201: RunInfo, 200: RunInfo},
    codes=("run_exists", "run_not_found", "token_exists", "anonymous_disabled", "run_claimed", "run_expired",
           "run_deleted", "run_moved", "too_many_requests", "sign_in_needed", "account_required", "key_scope"),
)  # fmt: skip
async def make_run(request: Request) -> Response:
    """Make a run, or find it again."""
    core = core_of(request)
    await read_as(request, lambda _tx, actor: require(actor, Action.CREATE_RUN))
    wish = service.wish_of(await read_message(request, RunRequest), core.settings)
    address = address_of(request)

    def create(tx: Tx, actor: Actor) -> tuple[RunInfo, bool]:
        require(actor, Action.CREATE_RUN)
        assert isinstance(actor, KeyHolder), "only a key may create runs"
        run, new = service.make(tx, actor, wish, core.settings, address=address)
        return _info(tx, actor, run), new

    info, new = await write_as(request, create)
    core.hub.publish(uuid.UUID(info.run_id))
    return answer(info, 201 if new else 200)


@operations.get(
    "/runs",
    who="key, session, local",
    answers={200: RunList},
    codes=("sign_in_needed",),
    query=(
        Param("account", "only runs of the account of this name"),
        Param("project", "only runs of this project"),
        Param("words", "only runs in whose names, project, state, tags, group, job type or notes each word occurs"),
        Param("limit", f"runs on a page, 1 … {_MOST_ON_A_PAGE}; 50 if absent", "integer"),
        Param("after", "`next` of the page before"),
    ),
)
async def list_runs(request: Request) -> Response:
    """List the account's runs and those that this browser was let in to, newest first."""
    limit = integer(request, "limit", low=1, high=_MOST_ON_A_PAGE, default=50) or 50
    given = request.query_params
    check_plain([given.get(name) for name in ("account", "project", "words")], "the query")
    asked = Asked(
        limit=limit + 1,
        account=given.get("account"),
        project=given.get("project"),
        words=_words(given.get("words", "")),
        after=after_of(request),
    )

    def page(tx: Tx, actor: Actor) -> RunList:
        listed = listing.runs(tx, actor, asked)
        shown = listed[:limit]
        more = next_of(shown[-1].created_at, shown[-1].run_id) if len(listed) > limit else None
        return RunList(runs=infos(tx, actor, shown), next=more)

    return answer(await read_as(request, page))


def _words(text: str) -> tuple[str, ...]:
    words = text.split()
    if len(text) > _MOST_SEARCHED_CHARS or len(words) > _MOST_WORDS:
        most = f"at most {_MOST_WORDS} words and {_MOST_SEARCHED_CHARS} characters"
        raise ProblemError("request_invalid", f"words may have {most}.")
    return tuple(words)


@operations.get("/runs/{run_id}", who="view", answers={200: RunInfo}, codes=("run_not_found", "forbidden"))
async def get_run(request: Request) -> Response:
    """Read a run."""
    return answer(await read_run(request, Action.READ, _info))


@operations.patch(
    "/runs/{run_id}",
    who="write",
    body=RunUpdate,
    answers={200: RunStatus},
    codes=("run_not_found", "forbidden", "run_exists"),
)
async def update_run(request: Request) -> Response:
    """Change a run; what is absent or null stays."""
    core, run_id = core_of(request), await admitted(request, Action.INGEST)
    update = await read_message(request, RunUpdate)

    def change(tx: Tx, actor: Actor) -> RunStatus:
        return run_status(service.change(tx, actor, run_id, update, core.settings), tx.now_us)

    status = await write_as(request, change)
    core.hub.publish(run_id)
    return answer(status)


@operations.delete(
    "/runs/{run_id}",
    who="write or claim token, owner, local",
    answers={204: None},
    codes=("run_not_found", "forbidden"),
)
async def delete_run(request: Request) -> Response:
    """Delete a run at once, for good."""
    core, run_id = core_of(request), await admitted(request, Action.DELETE)

    def delete(tx: Tx, actor: Actor) -> None:
        found(tx, actor, run_id, Action.DELETE)
        runs.delete(tx, run_id)

    await write_as(request, delete)
    core.hub.publish(run_id)
    return no_content()


@operations.post(
    "/runs/{run_id}/departure",
    who="owner",
    body=Departure,
    answers={204: None},
    codes=("run_not_found", "forbidden", "key_scope", "run_changed", "run_has_artifacts"),
)
async def depart_run(request: Request) -> Response:
    """Have a run go that was moved to another server, if nothing of it has changed since it was read."""
    core, run_id = core_of(request), await admitted(request, Action.DEPART)
    departure = await read_message(request, Departure)
    await write_as(request, lambda tx, actor: moves.depart(tx, actor, run_id, departure, core.settings))
    core.hub.publish(run_id)
    return no_content()


@operations.post(
    "/runs/{run_id}/heartbeat", who="write", answers={200: RunStatus}, codes=("run_not_found", "forbidden")
)
async def heartbeat(request: Request) -> Response:
    """Say that a run goes on; every 15 seconds. It goes on also where another of its processes has told the end."""
    core, run_id = core_of(request), await admitted(request, Action.INGEST)

    def beat(tx: Tx, actor: Actor) -> tuple[RunStatus, bool]:
        run, revived = service.hear(tx, actor, run_id)
        return run_status(run, tx.now_us), revived

    status, revived = await write_as(request, beat)
    if revived:
        core.hub.publish(run_id)
    return answer(status)


@operations.get("/runs/{run_id}/metrics", who="view", answers={200: [MetricInfo]}, codes=("run_not_found", "forbidden"))
async def list_metrics(request: Request) -> Response:
    """List a run's metrics in order of their first appearance."""
    return answer(
        await read_run(
            request, Action.READ, lambda tx, _actor, run: list(map(metric_info, summaries.metrics(tx, run.run_id)))
        )
    )
