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
    PUBLISH = "publish"
    """Have anybody read it: its owner's alone, whatever links they gave away."""
    CLAIM = "claim"
    DEPART = "depart"
    """Have it go, since it is whole on another server: its owner's alone, since its other readers are told where."""
    ARTIFACT = "artifact"
    """Add files to it: a real account's runs only."""
    READ_FILES = "read_files"
    """The files that it logged: not by a blind link, since their names may tell who made it, and not by everybody."""

    LIST_RUNS = "list_runs"
    LIST_ARTIFACTS = "list_artifacts"
    """Those of an account, and by what names and versions they are called."""
    CREATE_RUN = "create_run"
    RESUME_RUN = "resume_run"
    """Go on with a run that another program made: its config and summary are told, and a view token is taken."""
    SEE_ACCOUNT = "see_account"
    CHANGE_ACCOUNT = "change_account"
    """Keys, password, profile: in a browser, by a real account."""
    EXPORT_ACCOUNT = "export_account"
    """Everything that a real account has."""
    RECEIVE_CLAIM = "receive_claim"
    HAND_OVER = "hand_over"
    OPERATE = "operate"
    """Look after the server: in a browser, by an operator's account."""


_BY_TOKEN: dict[tuple[str, str], frozenset[Action]] = {
    ("w", "run"): frozenset({Action.INGEST, Action.UPDATE, Action.DELETE, Action.SHARE, Action.ARTIFACT}),
    ("w", "ingest"): frozenset({Action.INGEST}),
    ("v", "run"): frozenset({Action.READ, Action.READ_FILES}),
    ("s", "run"): frozenset({Action.READ, Action.READ_FILES}),
    ("c", "run"): frozenset({Action.CLAIM, Action.DELETE}),
}
_BY_OWNER = frozenset(
    {
        Action.READ,
        Action.INGEST,
        Action.UPDATE,
        Action.DELETE,
        Action.SHARE,
        Action.PUBLISH,
        Action.CLAIM,
        Action.DEPART,
        Action.ARTIFACT,
        Action.READ_FILES,
    }
)
_BY_KEY: dict[str, frozenset[Action]] = {
    "account": _BY_OWNER,
    "ingest": frozenset({Action.INGEST}),
    "read": frozenset({Action.READ, Action.READ_FILES}),
}
"""What a key may do with a run of its account, by the key's scope."""
_GENERALLY_BY_KEY: dict[str, frozenset[Action]] = {
    "account": frozenset(
        {Action.LIST_RUNS, Action.LIST_ARTIFACTS, Action.CREATE_RUN, Action.RESUME_RUN, Action.SEE_ACCOUNT,
         Action.RECEIVE_CLAIM, Action.EXPORT_ACCOUNT, Action.HAND_OVER}
    ),
    "ingest": frozenset({Action.CREATE_RUN, Action.SEE_ACCOUNT}),
    "read": frozenset({Action.LIST_RUNS, Action.LIST_ARTIFACTS, Action.SEE_ACCOUNT}),
}  # fmt: skip
_NEVER_ANONYMOUS = frozenset({Action.PUBLISH, Action.ARTIFACT})
_BY_LOCAL = frozenset({Action.READ, Action.READ_FILES, Action.DELETE, Action.SHARE, Action.CLAIM})


def _token_grants(token: Token | None, action: Action) -> bool:
    if token is None or token.ended is not None or (token.blind and action is Action.READ_FILES):
        return False
    return action in _BY_TOKEN.get((token.kind, token.scope), ())


def _owner_may(actor: Actor) -> frozenset[Action]:
    return _BY_KEY.get(actor.scope, frozenset()) if isinstance(actor, KeyHolder) else _BY_OWNER


def can(actor: Actor, action: Action, run: Run | Standing) -> bool:
    """Whether an actor may do something with a live run."""
    if action in (_NEVER_ANONYMOUS if run.anonymous else {Action.CLAIM}):
        return False
    if action is Action.READ and isinstance(run, Run) and run.public:
        return True
    owns = actor.account is not None and actor.account.account_id == run.account.account_id
    if owns and action in _owner_may(actor):
        return True
    if actor.local and action in _BY_LOCAL:
        return True
    if isinstance(actor, Visitor):
        return any(_token_grants(token, action) for token in actor.tokens_of(run.run_id))
    return isinstance(actor, TokenHolder) and _token_grants(actor.token_of(run.run_id), action)


def may(actor: Actor, action: Action) -> bool:
    """Whether an actor may do something that is about no single run."""
    account = actor.account
    user = account is not None and account.kind == "user"
    if isinstance(actor, KeyHolder):
        granted = action in _GENERALLY_BY_KEY.get(actor.scope, ())
        return granted and (user or action not in {Action.RECEIVE_CLAIM, Action.EXPORT_ACCOUNT})
    visitor = isinstance(actor, Visitor)
    granted_to = {
        Action.LIST_RUNS: account is not None or visitor,
        Action.LIST_ARTIFACTS: account is not None or actor.local,
        Action.SEE_ACCOUNT: account is not None,
        Action.CHANGE_ACCOUNT: visitor and user,
        Action.EXPORT_ACCOUNT: visitor and user,
        Action.RECEIVE_CLAIM: user,
        Action.HAND_OVER: actor.local,
        Action.OPERATE: visitor and account is not None and user and account.role == "operator",
    }
    return granted_to.get(action, False)
