"""Claims: begun in a browser, confirmed by whoever signed in there, decided by the store.

A claim is begun by a claim token, or for a run that the browser may claim anyway, and is then bound to that
browser for ten minutes, so that signing in or up in between cannot lose it (R17). Confirming is the only thing
that moves a run (R10).
"""

from __future__ import annotations

import dataclasses
import uuid

from anonrun.core.ids import parse_run_id
from anonrun.core.times import from_us
from anonrun.server.actors import Actor
from anonrun.server.messages import ClaimableRun, PendingClaimInfo, PendingClaimRequest
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.services import sessions
from anonrun.server.services.guard import ended_problem, found
from anonrun.server.services.views import run_info
from anonrun.store import claims, runs, summaries
from anonrun.store.records import Account, Ending, Run
from anonrun.store.transaction import Tx

__all__ = ["begin", "by_token", "confirm", "pending"]


def _failure(ending: Ending | None) -> ProblemError:
    if ending is None:
        return ProblemError("claim_not_found")
    return ProblemError("already_claimed") if ending.reason == "claimed" else ended_problem(ending)


def _claim_token(tx: Tx, text: str) -> tuple[bytes, uuid.UUID]:
    """Return hash and run of a claim token that was sent in a body.

    Raises:
        ProblemError: `token_invalid`, `already_claimed`, or 410.
    """
    try:
        token = sessions.presented(tx, text, "c")
    except ProblemError as problem:
        if problem.code == "run_claimed":
            raise ProblemError("already_claimed") from None
        raise
    if token.run_id is None:
        raise ProblemError("token_invalid")
    return token.token_hash, token.run_id


def _asked_for(tx: Tx, actor: Actor, request: PendingClaimRequest) -> tuple[bytes | None, uuid.UUID]:
    if (request.token is None) == (request.run_id is None):
        raise ProblemError("request_invalid", "Give either a claim token or a run_id.")
    if request.token is not None:
        return _claim_token(tx, request.token)
    run_id = parse_run_id(request.run_id or "")
    if run_id is None:
        raise ProblemError("run_not_found")
    try:
        found(tx, actor, run_id, Action.CLAIM)
    except ProblemError as problem:
        run = runs.find(tx, run_id)
        if problem.code in {"forbidden", "run_claimed"} and run is not None and not run.anonymous:
            raise ProblemError("already_claimed") from None
        raise
    token = actor.token_of(run_id)
    by_token = token is not None and token.kind == "c" and token.ended is None
    return (token.token_hash if token is not None and by_token else None), run_id


def begin(tx: Tx, actor: Actor, request: PendingClaimRequest) -> tuple[sessions.Entry, PendingClaimInfo]:
    """Begin a claim in a browser; a run that is about to expire gets its extension.

    Raises:
        ProblemError: `token_invalid`, `run_not_found`, `forbidden`, `already_claimed`, `request_invalid`, or 410.
    """
    token_hash, run_id = _asked_for(tx, actor, request)
    entry = sessions.ensure(tx, actor)
    if not claims.hold(tx, entry.session_hash, [run_id], token_hash):
        raise _failure(claims.what_became_of(tx, run_id))
    info = pending(tx, entry.session_hash, actor)
    if info is None:
        raise ProblemError("claim_not_found")
    return entry, info


def pending(tx: Tx, session_hash: bytes, actor: Actor) -> PendingClaimInfo | None:
    """Return what a browser is about to claim, as far as it is still there; None for nothing."""
    held = claims.pending(tx, session_hash)
    if held is None:
        return None
    there = [run for run_id, _ in held.runs if (run := runs.find(tx, run_id))]
    if not there:
        return None
    return PendingClaimInfo(runs=[_claimable(tx, run, actor) for run in there], expires_at=from_us(held.expires_at))


def _claimable(tx: Tx, run: Run, actor: Actor) -> ClaimableRun:
    metrics = summaries.metrics(tx, run.run_id)
    info = run_info(run, {metric.name: metric.last for metric in metrics}, actor, tx.now_us)
    known = {f.name: getattr(info, f.name) for f in dataclasses.fields(info)}
    return ClaimableRun(**known, metrics=[metric.name for metric in metrics])


def confirm(tx: Tx, session_hash: bytes, owner: Account) -> list[Run]:
    """Move what a browser is about to claim to its account; return the runs that were won.

    Raises:
        ProblemError: `claim_not_found`; where none was won, `already_claimed` or 410.
    """
    held = claims.pending(tx, session_hash)
    if held is None:
        raise ProblemError("claim_not_found")
    won = [run_id for run_id, token_hash in held.runs if claims.claim(tx, run_id, owner, token_hash)]
    if not won:
        raise _failure(claims.what_became_of(tx, held.runs[0][0]))
    claims.drop_pending(tx, session_hash)
    return [run for run_id in won if (run := runs.find(tx, run_id))]


def by_token(tx: Tx, owner: Account, text: str) -> list[Run]:
    """Move the run of a claim token to an account, without a browser.

    Raises:
        ProblemError: `token_invalid`, `already_claimed`, or 410.
    """
    token_hash, run_id = _claim_token(tx, text)
    if not claims.claim(tx, run_id, owner, token_hash):
        raise _failure(claims.what_became_of(tx, run_id))
    run = runs.find(tx, run_id)
    return [run] if run else []
