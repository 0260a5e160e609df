"""What stands before every service: may this actor do that, and is there such a run for them.

What is foreign, unknown, deleted or expired is one and the same `run_not_found`; only who holds a token of
that very run is told what became of it (R7).
"""

from __future__ import annotations

import uuid

from anonrun.core.times import format_time, from_us
from anonrun.server.actors import Actor, KeyHolder, TokenHolder
from anonrun.server.policy import Action, can, may
from anonrun.server.problems import ProblemError
from anonrun.store import runs
from anonrun.store.records import Ending, Run
from anonrun.store.transaction import Tx

__all__ = ["ended_problem", "found", "hash_of_hex", "require"]

_HASH_CHARS = 64


def hash_of_hex(text: str) -> bytes:
    """Return the 32 bytes that 64 hexadecimal characters spell.

    Raises:
        ProblemError: `request_invalid`.
    """
    if len(text) != _HASH_CHARS or not set(text) <= set("0123456789abcdef"):
        raise ProblemError("request_invalid", "A token's hash is its SHA-256 as 64 hexadecimal characters, lower case.")
    return bytes.fromhex(text)


def require(actor: Actor, action: Action) -> None:
    """Refuse what an actor may not do, where it is about no single run.

    Raises:
        ProblemError: `token_invalid` for a run's token, `sign_in_needed` for nobody, `key_scope` for a key that was
            made for less, `operator_required` for an account that is no operator's, else `account_required`.
    """
    if may(actor, action):
        return
    if isinstance(actor, TokenHolder):
        raise ProblemError("token_invalid", "A run's token cannot be used here; use an account's key.")
    if action is Action.OPERATE and actor.account is not None and actor.account.kind == "user":
        raise ProblemError("operator_required")
    if isinstance(actor, KeyHolder) and actor.scope != "account":
        raise ProblemError("key_scope")
    raise ProblemError("sign_in_needed" if actor.account is None else "account_required")


def _is_made_for_less(key: KeyHolder, run: Run) -> bool:
    return key.scope != "account" and key.account.account_id == run.account.account_id


def ended_problem(ending: Ending) -> ProblemError:
    """Return what a holder of a token is told of a run that is no more, or no more theirs."""
    if ending.reason == "expired":
        at = format_time(from_us(ending.at))
        return ProblemError("run_expired", f"The run was not claimed in time and expired at {at}.", expired_at=at)
    if ending.reason == "lapsed":
        at = format_time(from_us(ending.at))
        return ProblemError(
            "link_expired", f"This link worked until {at}. Ask whoever sent it for a new one.", expired_at=at
        )
    if ending.reason == "moved" and ending.to is not None:
        detail = f"The run was moved to {ending.to}, into an account there. Ask its owner for a link to it."
        return ProblemError("run_moved", detail, moved_to=ending.to)
    codes = {"claimed": "run_claimed", "moved": "run_moved"}
    return ProblemError(codes.get(ending.reason, "run_deleted"))


def found(tx: Tx, actor: Actor, run_id: uuid.UUID, action: Action) -> Run:
    """Return a live run with which an actor may do something.

    Raises:
        ProblemError: `run_not_found`; 410 for the holder of a token that has ended; `forbidden` for who holds a token
            of the run, or may read it, but may not do this; `key_scope` for a key of its account that was made for
            less.
    """
    run = runs.find(tx, run_id)
    if run is not None and can(actor, action, run):
        return run
    if run is not None and isinstance(actor, KeyHolder) and _is_made_for_less(actor, run):
        raise ProblemError("key_scope")
    token = actor.token_of(run_id)
    if token is not None and token.ended is not None:
        raise ended_problem(token.ended)
    if run is not None and (token is not None or can(actor, Action.READ, run)):
        if action is Action.ARTIFACT and run.anonymous:
            raise ProblemError("anonymous_artifacts_forbidden")
        if action is Action.PUBLISH and run.anonymous:
            raise ProblemError("anonymous_not_public")
        raise ProblemError("forbidden")
    raise ProblemError("run_not_found")
