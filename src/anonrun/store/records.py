"""What the store returns: rows as values. Times are microseconds since the Unix epoch."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Account",
    "Ending",
    "Identity",
    "Link",
    "Metric",
    "Newcomer",
    "Project",
    "Reach",
    "Run",
    "Session",
    "Standing",
    "Token",
    "Visit",
]


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `kind` is `anonymous` or `user`, `role` is `member` or `operator`."""

    account_id: int
    name: str
    kind: str
    created_at: int
    role: str = "member"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a run, or a secret of it, is no more.

    Attributes:
        reason: `expired`, `deleted`, `moved` or `claimed`; of a share link that had an end of its own, `lapsed`.
        at: when.
        to: of a run that was moved, the server where it is; None where that is not told.
    """

    reason: str
    at: int
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A secret, as far as the store knows it.

    Attributes:
        kind: its letter, as in `anr_<kind>_…`.
        scope: `run`, `account`, or `ingest` for a write token that outlived a claim.
        account: whose key it is, for kinds `u` and `d`; None also for a hand-over of the local actor.
        run_id: the run that it is for, for kinds `w`, `v`, `c` and `s`.
        ended: why it no longer counts although it once did, where its holder may know.
    """

    token_hash: bytes
    public_id: str
    kind: str
    scope: str
    account: Account | None
    run_id: uuid.UUID | None
    label: str | None
    blind: bool
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    ended: Ending | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A share link."""

    link_id: str
    label: str | None
    blind: bool
    created_at: int
    expires_at: int | None
    last_used_at: int | None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that was here before.

    Attributes:
        account: who signed in; None for nobody.
        local: whether it is the person whose machine the server runs on.
        grants: the tokens that let it in to single runs, those that have ended included.
        agent: which browser it is, in a few words; None where it did not say.
        confirmed_at: when its user last gave the password; None for never.
    """

    session_hash: bytes
    account: Account | None
    local: bool
    created_at: int
    seen_at: int
    grants: tuple[Token, ...] = ()
    agent: str | None = None
    confirmed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is to a provider: the issuer's own, unchanging name for them."""

    issuer: str
    subject: str
    created_at: int
    used_at: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser that was sent to a provider.

    Attributes:
        provider: the setting's name of it.
        purpose: `sign-in`, `link` or `confirm`.
        account_id: who was signed in when it left; None for nobody.
        nonce: must stand in what the provider signs; empty where it signs nothing.
        verifier: proves that whoever has the code is who asked for it (PKCE).
        redirect_uri: to where it was told to come back.
        next_path: where its user was going, on this server.
        invitation_hash: of the invitation that it came with.
    """

    provider: str
    purpose: str
    account_id: int | None
    nonce: str
    verifier: str
    redirect_uri: str
    next_path: str
    invitation_hash: bytes | None
    began_at: int


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom a provider knows and who has no account here yet.

    Attributes:
        fresh: whether they have just proven to the provider who they are.
        suggested_name: a user name that they may want; None where there is none that can be used.
    """

    provider: str
    issuer: str
    subject: str
    fresh: bool
    suggested_name: str | None
    next_path: str
    invitation_hash: bytes | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Which runs may be listed.

    Attributes:
        owners: accounts whose runs are.
        also: single runs beside those.
        everything: every account's runs.
    """

    owners: tuple[int, ...] = ()
    also: tuple[uuid.UUID, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """The live runs of one name in one account, as far as they were within reach.

    Attributes:
        account: the owner's name.
        runs: how many there are.
        active_at: when one of the newest of them was last heard.
    """

    account: str
    name: str
    runs: int
    active_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands, without what it holds. `expires_at` is None for one that is kept."""

    account: Account
    run_id: uuid.UUID
    state: str
    expires_at: int | None
    heartbeat_at: int
    position: int

    @property
    def anonymous(self) -> bool:
        """Whether nobody has claimed it."""
        return self.account.kind == "anonymous"


@dataclass(frozen=True, slots=True)
class Run:
    """A run. `expires_at` is None for one that is kept; `position` is that of its last segment.

    Attributes:
        published_at: since when anybody may read it; None for nobody but who was let in.
        embed: whether other sites may show a chart of it, while it is published.
        total: steps that it will make; None where nobody said so.
        error: type of the exception that ended it; None where none did.
        media: items of media, which is the last one's position.
        flushes_until: by when all deliveries are paid for.
    """

    run_id: uuid.UUID
    account: Account
    project: str
    id: str
    name: str
    state: str
    created_at: int
    expires_at: int | None
    heartbeat_at: int
    finished_at: int | None
    exit_code: int | None
    config: dict[str, Any]
    summary: dict[str, Any]
    tags: list[str]
    notes: str | None
    group: str | None
    job_type: str | None
    points: int
    stored_bytes: int
    position: int
    published_at: int | None = None
    embed: bool = False
    total: int | None = None
    error: str | None = None
    media: int = 0
    flushes_until: int = 0

    @property
    def anonymous(self) -> bool:
        """Whether nobody has claimed it."""
        return self.account.kind == "anonymous"

    @property
    def public(self) -> bool:
        """Whether anybody may read it; an anonymous run never (R27)."""
        return self.published_at is not None and not self.anonymous


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one run; `last` may be NaN, `min` and `max` are None where every value was."""

    name: str
    n: int
    last_step: int
    last: float
    min: float | None
    max: float | None
