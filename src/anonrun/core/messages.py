"""The bodies of requests and answers under `/api/v1/`, as values.

The server builds its OpenAPI description from these, the client reads answers into them. Times are
aware datetimes here and RFC 3339 text in JSON; hashes are 64 lower-case hexadecimal characters.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar

from anonrun.core.times import format_time, parse_time

__all__ = [
    "AccountInfo",
    "AnonymousAccountRequest",
    "Cursor",
    "Departure",
    "DeviceCode",
    "DeviceCodes",
    "DeviceGrant",
    "DeviceRequest",
    "LinkInfo",
    "LinkRequest",
    "LinkUpdate",
    "MetricInfo",
    "Permissions",
    "Problem",
    "ProjectInfo",
    "ProjectList",
    "PublicationRequest",
    "RunInfo",
    "RunList",
    "RunRequest",
    "RunState",
    "RunStatus",
    "RunUpdate",
    "SampledMetric",
    "SampledSeries",
    "ServerInfo",
    "TokenHashes",
    "from_json",
    "to_json",
]

T = TypeVar("T")


class RunState(str, enum.Enum):
    """Where a run stands. `crashed` is never stored: it is a running run that has fallen silent."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """What anyone may know of a server.

    Attributes:
        instance: a random id of this server's database, the same for its whole life.
        version: of anonrun.
        anonymous: whether anonymous runs may be made.
        retention_days: how long an unclaimed run lives.
        embedded: whether it is one person's own server on their machine.
        server_time: now, by the server's clock.
        sign_up: whether anyone may make an account; else it needs an invitation.
        moves: whether it takes runs that were made on another server, with their dates, and lets its own go there.
    """

    instance: str
    version: str
    anonymous: bool
    retention_days: float
    embedded: bool
    server_time: datetime
    sign_up: bool = True
    moves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymousAccountRequest:
    """Make an anonymous account. The client makes the API key and sends its hash, so a retry is harmless."""

    key_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    """An account: `kind` is `anonymous` or `user`; an `operator` looks after the server."""

    name: str
    kind: Literal["anonymous", "user"]
    created_at: datetime
    role: Literal["member", "operator"] = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """Begin a login by device code (RFC 8628 §3.1); who approves it is shown `client` and `host`."""

    client: str
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodes:
    """What a program needs to wait for its approval (RFC 8628 §3.2).

    Attributes:
        device_code: the program's secret.
        user_code: shown to its user, who types it at `verification_uri`.
        expires_in: seconds until both end.
        interval: seconds between two questions.
    """

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """A program asks whether it was let in (RFC 8628 §3.4)."""

    device_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGrant:
    """A program was let in: `access_token` is an API key of `account`, told this once."""

    access_token: str
    token_type: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHashes:
    """SHA-256 of a run's three secrets, which the client makes; `claim` counts for anonymous runs only."""

    write: str
    view: str
    claim: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Make a run, or find it again: sending the same `run_id` twice makes one run.

    A run that is resumed takes up the config key by key, and name, tags and notes where they are given.

    Attributes:
        run_id: UUIDv7, made by the client.
        id: short name, unique within account and project; the server chooses one where None.
        name: for display; the server chooses one for a new run where None.
        resume: what to do where the account's project has the id already: `never` refuses, `allow`
            goes on with that run, `must` also refuses where there is none.
        total: steps that the run will make; None where nobody said so.
        made_at: when it was made on another server, from which it moves here into an account; None for a run that
            begins now. As with a claim, its id gets a number where the project has that id already.
    """

    run_id: str
    tokens: TokenHashes
    project: str = "uncategorized"
    id: str | None = None
    name: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    notes: str | None = None
    group: str | None = None
    job_type: str | None = None
    resume: Literal["never", "allow", "must"] = "never"
    total: int | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUpdate:
    """Change a run; what is None stays.

    Attributes:
        project: moves it; its id must be free there.
        config: adds to what was set before, key by key.
        config_removed: keys of the config to be removed, before `config` is added.
        summary: adds to what was set before, key by key.
        total: steps that the run will make; 0 takes back what was said.
        error: type of the exception that ended the run, never its text.
        finished_at: when it ended, given with the state by who tells it later; None means now.
    """

    name: str | None = None
    notes: str | None = None
    tags: list[str] | None = None
    config: dict[str, Any] | None = None
    config_removed: list[str] | None = None
    summary: dict[str, Any] | None = None
    state: Literal["running", "finished", "failed"] | None = None
    exit_code: int | None = None
    total: int | None = None
    error: str | None = None
    finished_at: datetime | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A run has moved to another server whole, and goes from this one if nothing of it has changed since it was read.

    Attributes:
        to: address of the other server; whoever still holds a token of the run is told.
        heartbeat_at: what `RunInfo` said when it was read.
        points: likewise.
        media: likewise; a client that knows of none has not taken any along.
    """

    to: str
    heartbeat_at: datetime
    points: int
    media: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What the asking actor may do with a run."""

    write: bool = False
    delete: bool = False
    claim: bool = False
    share: bool = False
    publish: bool = False
    files: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """A run as its readers see it.

    Attributes:
        account: name of the owning account.
        anonymous: whether it is unclaimed.
        expires_at: when it stops existing; None means that it is kept.
        heartbeat_at: when its client was last heard.
        summary: last value of each metric and what the user set, by name; NaN and ±Inf as text.
        points: values stored.
        media: items of media stored, those that the reader is not shown included; it is the position of the last one.
        max_step: the highest step that was logged, whichever arrived last. Told where one run is made, resumed or
            asked for; None in lists and events, and where nothing was logged.
        url_path: path of its page below the server's root, without a leading slash and without a secret.
        published_at: since when anybody may read it; None for nobody but who was let in.
        embed: whether other sites may show a chart of it, while it is published.
        total: steps that the run will make; None where nobody said so.
        error: type of the exception that ended it, such as `ValueError`; None where none did.
        server_time: now, by the server's clock.
    """

    run_id: str
    account: str
    project: str
    id: str
    name: str
    state: RunState
    anonymous: bool
    created_at: datetime
    server_time: datetime
    url_path: str
    expires_at: datetime | None = None
    heartbeat_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    notes: str | None = None
    group: str | None = None
    job_type: str | None = None
    points: int = 0
    media: int = 0
    max_step: int | None = None
    published_at: datetime | None = None
    embed: bool = False
    total: int | None = None
    error: str | None = None
    permissions: Permissions = field(default_factory=Permissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """A page of runs, newest first; `next` is given back as `after=` for the page that follows."""

    runs: list[RunInfo]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInfo:
    """A project: the runs of one name in one account.

    Attributes:
        account: name of the owning account.
        runs: how many of its runs may be seen.
        active_at: when one of the newest of them was last heard.
        url_path: path of its page below the server's root, without a leading slash.
    """

    account: str
    name: str
    runs: int
    active_at: datetime
    url_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectList:
    """Projects, that with the newest run first; `total` counts those that are left out too."""

    projects: list[ProjectInfo]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """What a writer needs to know after each delivery; also the answer to a heartbeat."""

    state: RunState
    anonymous: bool
    expires_at: datetime | None
    server_time: datetime
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a writer's stream has arrived: `next` is the index of the first row the server does not have."""

    next: int
    status: RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInfo:
    """One metric of a run; numbers that are NaN or ±Inf come as the texts `NaN`, `Infinity`, `-Infinity`."""

    name: str
    n: int
    last_step: int
    last: float | str
    min: float | str | None
    max: float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledMetric:
    """A series reduced to buckets of neighbouring points, sorted by x; each list has one entry a bucket.

    Attributes:
        total: points in the range before reduction.
        x: where each bucket begins on the x axis that was asked for; empty where that is the step.
        step: first step of each bucket.
        time: its time, seconds since the Unix epoch.
        count: points in each bucket.
        min: smallest value that is not NaN; None where there is none.
        max: largest value that is not NaN; None where there is none.
        first: first value.
        last: last value. Non-finite numbers come as text, as in `MetricInfo`.
    """

    total: int
    step: list[int]
    time: list[float]
    count: list[int]
    min: list[float | str | None]
    max: list[float | str | None]
    first: list[float | str]
    last: list[float | str]
    x: list[float | str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledSeries:
    """Answer of `/sampled`: by metric; `position` continues with `/live?after=`.

    Attributes:
        damaged: stored stretches whose checksum does not hold and which are therefore left out; 0 in health.
    """

    metrics: dict[str, SampledMetric]
    position: int
    damaged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """Make a view link. The client makes the token and sends its hash.

    Attributes:
        label: whom it is for; its readers never see it.
        blind: whether it hides whose run it is.
        expires_in_s: seconds from now for which it works, by the server's clock; None for as long as the run.
    """

    token_hash: str
    label: str | None = None
    blind: bool = False
    expires_in_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUpdate:
    """Change a view link without changing its address; what is None stays."""

    label: str | None = None
    blind: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkInfo:
    """A view link that was made for a run; the token itself is never told again.

    Attributes:
        expires_at: until when it works: its own end, or that of an anonymous run; None for as long as the run.
        last_used_at: when somebody came by it last, to ten minutes.
    """

    link_id: str
    label: str | None
    blind: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRequest:
    """Let anybody read a run; `embed` lets other sites show a chart of it too."""

    embed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as `application/problem+json` (RFC 9457); `code` is stable, the texts are for people."""

    title: str
    status: int
    code: str
    detail: str
    type: str = "about:blank"


_PLAIN = frozenset({int, float, str, bool, type(None)})


@cache
def _fields(cls: Hashable) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(typing.cast("type", cls))}


@cache
def _names(cls: Hashable) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(typing.cast("type", cls)))


def _read(hint: Any, value: Any) -> Any:  # noqa: ANN401, PLR0911  JSON has no narrower type; one return a case
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        options = [h for h in typing.get_args(hint) if h is not type(None)]
        return _read(options[0], value) if len(options) == 1 else value
    if origin is list:
        return [_read(typing.get_args(hint)[0], v) for v in value]
    if origin is dict:
        return {k: _read(typing.get_args(hint)[1], v) for k, v in value.items()}
    if hint is datetime:
        return parse_time(value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_json(hint, value)
    return value


def from_json(cls: type[T], data: dict[str, Any]) -> T:
    """Build a message from decoded JSON; fields that this version does not know are ignored.

    Raises:
        ValueError: a field is missing or a time cannot be read.
    """
    try:
        hints = _fields(typing.cast("Hashable", cls))
        return cls(**{name: _read(hint, data[name]) for name, hint in hints.items() if name in data})
    except (TypeError, AttributeError, KeyError) as exc:
        raise ValueError(f"{cls.__name__} cannot be read from this answer: {exc}") from exc


def to_json(message: Any) -> Any:  # noqa: ANN401, PLR0911  JSON has no narrower type; one return a case
    """Return what `json.dumps` takes for a message or a part of one."""
    if type(message) in _PLAIN:
        return message
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return {name: to_json(getattr(message, name)) for name in _names(type(message))}
    if isinstance(message, datetime):
        return format_time(message)
    if isinstance(message, enum.Enum):
        return message.value
    if isinstance(message, (list, tuple)):
        if _PLAIN.issuperset(map(type, message)):  # long lists of numbers
            return message
        return [to_json(v) for v in message]
    if isinstance(message, dict):
        return {k: to_json(v) for k, v in message.items()}
    return message
