"""What an actor finds without knowing an id: what its account has, and what its browser was let in to."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from urllib.parse import quote

from anonrun.core.messages import ProjectInfo, ProjectList
from anonrun.core.times import from_us
from anonrun.server.actors import Actor, Visitor
from anonrun.server.policy import Action, can
from anonrun.server.services.guard import require
from anonrun.store import listing
from anonrun.store.listing import Asked
from anonrun.store.records import Reach, Run
from anonrun.store.transaction import Tx

__all__ = ["concerns", "projects", "runs"]


def _reach(actor: Actor, *, openly: bool) -> Reach:
    """Return which runs to look among; `openly` leaves out those that are read blind.

    Raises:
        ProblemError: as `require`.
    """
    require(actor, Action.LIST_RUNS)
    grants = actor.session.grants if isinstance(actor, Visitor) and actor.session else ()
    reading = [token for token in grants if token.run_id and token.ended is None and token.kind in "vs"]
    return Reach(
        owners=(actor.account.account_id,) if actor.account else (),
        also=tuple({token.run_id for token in reading if token.run_id and not (openly and token.blind)}),
        everything=actor.local,
    )


def runs(tx: Tx, actor: Actor, asked: Asked) -> list[Run]:
    """Return the runs that an actor is shown, newest first.

    Who reads a run blind must not find out its account, project or words by asking for them: it is left out where any
    of these is asked for.

    Raises:
        ProblemError: as `require`.
    """
    openly = asked.account is not None or asked.project is not None or bool(asked.words)
    return [run for run in listing.runs(tx, _reach(actor, openly=openly), asked) if can(actor, Action.READ, run)]


def concerns(tx: Tx, actor: Actor, run_ids: Collection[uuid.UUID]) -> bool:
    """Return whether news of these runs may change what an actor is shown.

    Raises:
        ProblemError: as `require`.
    """
    return listing.concerns(tx, _reach(actor, openly=False), run_ids)


def projects(tx: Tx, actor: Actor, *, limit: int) -> ProjectList:
    """Return the projects of the runs that an actor is shown; runs that are read blind are in none.

    Raises:
        ProblemError: as `require`.
    """
    found, total = listing.projects(tx, _reach(actor, openly=True), limit=limit)
    infos = [
        ProjectInfo(
            account=project.account,
            name=project.name,
            runs=project.runs,
            active_at=from_us(project.active_at),
            url_path=f"p/{quote(project.account, safe='')}/{quote(project.name, safe='')}",
        )
        for project in found
    ]
    return ProjectList(projects=infos, total=total)
