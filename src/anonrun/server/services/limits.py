"""What one address, and all together, may make: decided in the transaction that makes it, so exactly.

A server that is one person's own has none of these limits. A refusal says how long to wait.
"""

from __future__ import annotations

from anonrun.core.words import counted
from anonrun.server.networks import address_group, is_in
from anonrun.server.problems import ProblemError
from anonrun.server.settings import Settings
from anonrun.store import rates
from anonrun.store.transaction import Tx

__all__ = ["admit_account", "admit_run", "admit_sign_up", "check_network", "room_of", "too_many"]

_SECOND_US = 1_000_000


def too_many(what: str, wait_us: int) -> ProblemError:
    """Return the refusal of what was too often; it says when to try again."""
    wait_s = max(1, -(-wait_us // _SECOND_US))
    return ProblemError("too_many_requests", f"{what} Wait {wait_s} s.", headers={"Retry-After": str(wait_s)})


def check_network(address: str, settings: Settings) -> None:
    """Refuse anonymous accounts and runs where they may not be made, or not from this address.

    Raises:
        ProblemError: `anonymous_disabled`.
    """
    if not settings.allow_anonymous:
        raise ProblemError("anonymous_disabled")
    if settings.anonymous_networks and not is_in(address, settings.anonymous_networks):
        raise ProblemError(
            "anonymous_disabled", "This server makes anonymous runs for some networks only. Log in to an account."
        )


def admit_account(tx: Tx, address: str, settings: Settings) -> None:
    """Count a new anonymous account: as many an hour as runs.

    Raises:
        ProblemError: `anonymous_disabled` or `too_many_requests`.
    """
    check_network(address, settings)
    most = settings.runs_per_hour
    if most and not settings.embedded and (wait_us := rates.take(tx, "accounts", address_group(address), most)):
        raise too_many(f"This address may make {counted(most, 'anonymous account')} an hour.", wait_us)


def admit_run(tx: Tx, address: str, settings: Settings) -> bytes | None:
    """Count a new anonymous run; return the mark of its address, None where nothing is counted.

    Raises:
        ProblemError: `anonymous_disabled` or `too_many_requests`.
    """
    check_network(address, settings)
    if settings.embedded:
        return None
    place = address_group(address)
    if (most := settings.runs_per_hour) and (wait_us := rates.take(tx, "runs", place, most)):
        raise too_many(f"This address may make {counted(most, 'anonymous run')} an hour.", wait_us)
    mark = None
    if most := settings.live_runs_per_address:
        rates.hold(tx, "live runs", place)  # so that two at once do not both find room for the last one
        marks = rates.marks(tx, place)
        count, first = rates.live_runs(tx, marks)
        if count >= most:
            raise too_many(
                f"This address has {counted(count, 'anonymous run')}, of {most} at a time. Claim or delete some.",
                (first or tx.now_us) - tx.now_us,
            )
        mark = marks[0]
    if (most := settings.all_runs_per_hour) and (wait_us := rates.take_of_all(tx, "all runs", most)):
        raise too_many(f"This server makes {counted(most, 'anonymous run')} an hour, and has made them.", wait_us)
    return mark


def admit_sign_up(tx: Tx, address: str, settings: Settings) -> None:
    """Count a new account of a person's.

    Raises:
        ProblemError: `too_many_requests`.
    """
    most = settings.sign_ups_per_hour
    if most and (wait_us := rates.take(tx, "sign-ups", address_group(address), most)):
        raise too_many(f"This address may make {counted(most, 'account')} an hour.", wait_us)


def room_of(settings: Settings) -> int | None:
    """Return the bytes that all anonymous runs together may take; None for no limit."""
    most = settings.anonymous_megabytes
    return most * 2**20 if most and not settings.embedded else None
