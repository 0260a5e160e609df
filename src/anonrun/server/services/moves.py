"""Runs that move between servers: they arrive with their dates, and go when they are whole elsewhere.

The client carries a run across (`anonrun.client.moving`). What a server does for it is small: an account may make a run
with the date that it has, and a run goes from here in one conditional statement, so that what came after it was read
is never lost.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from anonrun.core.messages import Departure, RunRequest
from anonrun.core.times import to_us
from anonrun.server.actors import Actor
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.services.guard import found
from anonrun.server.settings import Settings
from anonrun.store import artifacts, runs
from anonrun.store.records import Account
from anonrun.store.transaction import Tx

__all__ = ["check_arrival", "check_date", "depart"]

_AHEAD_US = timedelta(days=1) // timedelta(microseconds=1)
"""By so much another server's clock may be ahead of ours."""
_MOST_ADDRESS_CHARS = 200


def check_date(what: str, at: datetime, now_us: int, *, earliest_us: int = 0) -> int:
    """Return a date that a client told, in microseconds.

    Raises:
        ProblemError: `request_invalid`: it lies in the future by more than clocks differ, or before `earliest_us`.
    """
    at_us = to_us(at)
    if not earliest_us <= at_us <= now_us + _AHEAD_US:
        raise ProblemError(
            "request_invalid",
            f"{what} is no date that it can have: too early, or later than now by this server's clock.",
        )
    return at_us


def check_arrival(account: Account, request: RunRequest) -> None:
    """Refuse a run that was made elsewhere where it is not for an account to have one.

    Raises:
        ProblemError: `account_required`, since an anonymous run's date decides when it expires; `request_invalid`.
    """
    if account.kind != "user":
        raise ProblemError("account_required", "Only an account can take a run that was made elsewhere. Log in to one.")
    if request.resume != "never":
        raise ProblemError("request_invalid", "A run that was made elsewhere is made as a new one: resume is never.")


def _checked_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    plain = not (parts.query or parts.fragment or "@" in parts.netloc) and text.isascii() and text.isprintable()
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or len(text) > _MOST_ADDRESS_CHARS:
        raise ProblemError(
            "request_invalid", f"to must be a server's address of at most {_MOST_ADDRESS_CHARS} characters."
        )
    return text


def depart(tx: Tx, actor: Actor, run_id: uuid.UUID, departure: Departure, settings: Settings) -> None:
    """Have a run go that is whole on another server.

    On a server for many the address is not told of an anonymous run: nobody answers for it, and its readers are not
    to be sent anywhere by somebody who has no name.

    Raises:
        ProblemError: as `found`; `run_changed`; `run_has_artifacts`, which would go with it; `request_invalid`.
    """
    to = _checked_address(departure.to)
    run = found(tx, actor, run_id, Action.DEPART)
    if artifacts.of_run(tx, run_id):
        raise ProblemError("run_has_artifacts")
    told = settings.embedded or not run.anonymous
    at = to_us(departure.heartbeat_at)
    counts = {"points": departure.points, "media": departure.media}
    if not runs.depart(tx, run_id, heartbeat_at=at, **counts, to=to if told else None):
        raise ProblemError("run_changed")
