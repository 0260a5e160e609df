"""Bodies that only the server and browsers exchange; those that clients share are in `anonrun.core.messages`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from anonrun.core.messages import AccountInfo, MetricInfo, RunInfo, ServerInfo

__all__ = [
    "AccountExport",
    "ClaimableRun",
    "Credentials",
    "DeviceAsks",
    "DeviceDecision",
    "Exchanged",
    "ExportHead",
    "Grant",
    "HandoverRequest",
    "IdentityInfo",
    "InvitationInfo",
    "InvitationRequest",
    "KeyInfo",
    "KeyRequest",
    "KeyScope",
    "NewInvitation",
    "NewKey",
    "NewcomerInfo",
    "NewcomerName",
    "PasswordBody",
    "PasswordChange",
    "PendingClaimInfo",
    "PendingClaimRequest",
    "ProviderAnswer",
    "ProviderVisit",
    "Purpose",
    "Recovery",
    "RecoveryCodes",
    "RecoveryInfo",
    "SessionEntry",
    "SessionInfo",
    "SignUp",
    "TokenBody",
    "UserCode",
    "VisitBegun",
    "VisitEnded",
    "WaysIn",
]


KeyScope = Literal["full", "ingest", "read"]
"""What an API key may do."""

Purpose = Literal["sign-in", "link", "confirm"]
"""Why a browser is sent to a provider: to sign in or up, to add it to the account, or to prove once more who it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBody:
    """A secret, in a body and never in an address."""

    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRequest:
    """Let one browser in: the hash of a `d` token that the client made."""

    token_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Sign up or in."""

    username: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp(Credentials):
    """Make an account; `invitation` is needed where sign-up is not open to all."""

    invitation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRequest:
    """Invite somebody to sign up; `label` says whom."""

    label: str | None = None
    expires_in_days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationInfo:
    """An invitation that nobody has used; `made_by` is None for one that was made at the server's machine."""

    invitation_id: str
    label: str | None
    made_by: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvitation(InvitationInfo):
    """An invitation that was just made: what stands behind `/sign-up#i=`."""

    invitation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordBody:
    """One's password, once more."""

    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Set a new password by a recovery code."""

    username: str
    code: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodes:
    """An account's recovery codes, told this once; each counts for one time."""

    codes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryInfo:
    """How many recovery codes an account has left."""

    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCode:
    """The code that a program shows, as it was typed."""

    user_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAsks:
    """Who asks to be let in: `client` and `host` as it says itself, `address` as the server saw it."""

    user_code: str
    client: str
    host: str
    address: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDecision:
    """Let a program in, or turn it away, after it was shown who asks."""

    user_code: str
    approve: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChange:
    """Change one's password; the old one is asked for again. None where the account has none yet."""

    new: str
    current: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """Make an API key.

    Attributes:
        label: where it is used.
        scope: `full` may do what its account may with runs; `ingest` makes runs and logs to them, and reads none;
            `read` reads.
        expires_in_days: None for a key that counts until it is revoked.
    """

    label: str | None = None
    scope: KeyScope = "full"
    expires_in_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """An API key; the key itself is told once, when it is made."""

    key_id: str
    label: str | None
    scope: KeyScope
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey(KeyInfo):
    """A key that was just made."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """What a secret let this browser in to; None for a hand-over, which signs in."""

    run_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A run that this browser was let in to by a link: `view` or `claim`."""

    run_id: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingClaimRequest:
    """What to claim: by a claim token, or a run for which this browser may."""

    token: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimableRun(RunInfo):
    """A run that waits to be claimed, with the names of its metrics."""

    metrics: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingClaimInfo:
    """What this browser is about to claim, and until when it may."""

    runs: list[ClaimableRun]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEntry:
    """A browser that is signed in to an account: which one in a few words, and whether it is the one that asks."""

    session_id: str
    current: bool
    agent: str | None
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderVisit:
    """Have a provider say who this browser's user is.

    Attributes:
        provider: its name in the settings.
        purpose: what for.
        next: where to go on afterwards: a path on this server.
        invitation: needed for a new account where sign-up is not open to all.
    """

    provider: str
    purpose: Purpose = "sign-in"
    next: str = "/"
    invitation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitBegun:
    """Where to send the browser."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswer:
    """What a browser brought back from a provider, as the query had it: `code`, or `error` where it was turned away."""

    provider: str
    state: str
    code: str | None = None
    error: str | None = None
    iss: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewcomerInfo:
    """Somebody whom a provider knows and who has no account yet; `suggested_name` is free, or None."""

    provider: str
    label: str
    suggested_name: str | None
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEnded:
    """What came of a visit: `newcomer` where a user name is still to be chosen, else who is signed in."""

    purpose: Purpose
    next: str
    account: AccountInfo | None
    newcomer: NewcomerInfo | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewcomerName:
    """The user name of a new account."""

    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityInfo:
    """Who an account's user is to a provider.

    Attributes:
        identity_id: by which it is unlinked.
        provider: its name in the settings; None where it is no longer in them.
        label: what people call it.
        issuer: the provider's address.
        subject: its own name for the user.
    """

    identity_id: str
    provider: str | None
    label: str
    issuer: str
    subject: str
    created_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysIn:
    """How one signs in to an account."""

    password: bool
    identities: list[IdentityInfo]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExport:
    """What an account has beside its runs."""

    account: AccountInfo
    keys: list[KeyInfo]
    sessions: list[SessionEntry]
    recovery_codes_left: int
    identities: list[IdentityInfo]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """Who this browser is."""

    account: AccountInfo | None
    local: bool
    server: ServerInfo
    pending_claim: PendingClaimInfo | None
    grants: list[Grant]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportHead:
    """How an export as JSON begins; `history` follows, one object a row."""

    run: RunInfo
    metrics: list[MetricInfo]
