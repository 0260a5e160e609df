"""Who may do what: the only place that decides, and it denies by default.

Pure: an actor, an action, a run; no database and no request. That a run is live, and that a token has not
ended, is established before.
"""

from __future__ import annotations

import enum

from anonrun.server.actors import Actor, KeyHolder, TokenHolder, Visitor
from anonrun.store.records import Run, Standing, Token

__all__ = ["Action", "can", "may"]


class Action(enum.Enum):
    """What may be asked for; the first group is about one run."""

    READ = "read"
    INGEST = "ingest"
    """Segments, heartbeats, and how the run ends."""
    UPDATE = "update"
    """Everything else that can be changed of a run."""
    DELETE = "delete"
    SHARE = "share"
    CLAIM = "claim"
    ARTIFACT = "artifact"

    LIST_RUNS = "list_runs"
    CREATE_RUN = "create_run"
    SEE_ACCOUNT = "see_account"
    CHANGE_ACCOUNT = "change_account"
    """Keys, password, profile: in a browser, by a real account."""
    RECEIVE_CLAIM = "receive_claim"
    HAND_OVER = "hand_over"


_BY_TOKEN: dict[tuple[str, str], frozenset[Action]] = {
    ("w", "run"): frozenset({Action.INGEST, Action.UPDATE, Action.DELETE, Action.SHARE, Action.ARTIFACT}),
    ("w", "ingest"): frozenset({Action.INGEST}),
    ("v", "run"): frozenset({Action.READ}),
    ("s", "run"): frozenset({Action.READ}),
    ("c", "run"): frozenset({Action.CLAIM, Action.DELETE}),
}
_BY_OWNER = frozenset(
    {Action.READ, Action.INGEST, Action.UPDATE, Action.DELETE, Action.SHARE, Action.CLAIM, Action.ARTIFACT}
)
_BY_LOCAL = frozenset({Action.READ, Action.DELETE, Action.SHARE, Action.CLAIM})


def _token_grants(token: Token | None, action: Action) -> bool:
    return token is not None and token.ended is None and action in _BY_TOKEN.get((token.kind, token.scope), ())


def can(actor: Actor, action: Action, run: Run | Standing) -> bool:
    """Whether an actor may do something with a live run."""
    if action is Action.CLAIM and not run.anonymous:
        return False
    if actor.account is not None and actor.account.account_id == run.account.account_id and action in _BY_OWNER:
        return True
    if actor.local and action in _BY_LOCAL:
        return True
    if isinstance(actor, TokenHolder):
        return _token_grants(actor.token_of(run.run_id), action)
    if isinstance(actor, Visitor):
        return any(_token_grants(token, action) for token in actor.tokens_of(run.run_id))
    return False


def may(actor: Actor, action: Action) -> bool:
    """Whether an actor may do something that is about no single run."""
    account = actor.account
    key = isinstance(actor, KeyHolder)
    if action is Action.LIST_RUNS:
        return account is not None or isinstance(actor, Visitor)
    if action is Action.CREATE_RUN:
        return key
    if action is Action.SEE_ACCOUNT:
        return account is not None
    if action is Action.CHANGE_ACCOUNT:
        return isinstance(actor, Visitor) and account is not None and account.kind == "user"
    if action is Action.RECEIVE_CLAIM:
        return account is not None and account.kind == "user"
    return action is Action.HAND_OVER and (key or actor.local)
