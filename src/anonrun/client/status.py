"""What a run can say about itself and its delivery, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from anonrun.client.failure import Failure
from anonrun.core.messages import RunState

__all__ = ["ClientStatus", "RunSecrets", "ServerRef", "Standing"]


@dataclass(frozen=True, slots=True)
class ServerRef:
    """A server that was found.

    Attributes:
        url: its address without trailing slash.
        instance: the random id of its database.
        embedded: whether it is this person's own server on this machine.
    """

    url: str
    instance: str
    embedded: bool


@dataclass(frozen=True, slots=True)
class RunSecrets:
    """A run's view and claim tokens, None where there is none or nothing to claim. Not shown in its repr."""

    view: str | None = field(repr=False)
    claim: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStatus:
    """How a run and its delivery stand.

    Attributes:
        state: where the run stands, as far as is known here.
        rows: rows that this run logged.
        unsent_rows: those of them that the server does not have yet.
        trouble: a sentence for people; None while all is well.
        connected: whether the server has the run and answered last time.
        server: None while none was found.
        server_time_offset_s: the server's clock less ours; None while the server has not been heard.
        anonymous: whether the run is unclaimed.
        expires_at: when it stops existing; None where it is kept, or the server has not said yet.
        failure: what stopped it; None where nothing did, or where it went on since.
        unsent_media: pictures, tables and the like that the server does not have yet.
    """

    state: RunState
    rows: int
    unsent_rows: int
    trouble: str | None
    connected: bool
    server: ServerRef | None
    server_time_offset_s: float | None
    anonymous: bool
    expires_at: datetime | None
    failure: Failure | None = None
    unsent_media: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run that is resumed had come.

    Attributes:
        next_step: one more than the highest step there is; 0 where there is none.
        config: its config.
        summary: its summary.
    """

    next_step: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
