"""What to do about a refusal, and how long to wait.

Pure. Every refusal has one of the outcomes of `Action`; none of them stops a training or removes anything from disk.
Which answer has which stands in docs/client.md, and a test holds the two together.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from anonrun.client.remote import Refusal
from anonrun.core.words import counted

__all__ = ["Action", "Decision", "after_stop", "backoff_s", "decide"]

_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 30.0
_LONGEST_ASKED_S = 300.0
_TRANSIENT = frozenset({408, 425, 429})
_SERVER_ERRORS = range(500, 600)

_STOP_TEXTS = {
    "token_invalid": "The server no longer accepts this run's key.",
    "quota_exceeded": "The run has reached what this server keeps of one run.",
    "run_not_found": "The server does not have this run any more.",
    "run_expired": "The run has expired and was deleted on the server.",
    "run_deleted": "The run was deleted on the server.",
    "run_moved": "The run was moved to another server.",
    "run_claimed": "The run was claimed, and its claim has ended what this process may do with it.",
    "anonymous_disabled": "This server takes no anonymous runs; run `anonrun login` to log with an account.",
    "run_exists": "The account's project has a run with this id already; use another id, or resume='allow'.",
}


class Action(enum.Enum):
    """What to do next."""

    RETRY = "retry"
    RECUT = "recut"
    SMALLER = "smaller"
    AGAIN = "again"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a refusal.

    Attributes:
        trouble: why, for people; None where there is nothing to tell.
        wait_s: how long to wait at least; None leaves it to `backoff_s`.
        next_row: for RECUT, the row that the server wants next.
    """

    action: Action
    trouble: str | None = None
    wait_s: float | None = None
    next_row: int | None = None


def decide(refusal: Refusal) -> Decision:
    """Return what to do about a refusal."""
    if refusal.status in _TRANSIENT or refusal.status in _SERVER_ERRORS:
        wait_s = None if refusal.retry_after_s is None else min(refusal.retry_after_s, _LONGEST_ASKED_S)
        why = "asks to wait" if refusal.status == 429 else "is in trouble itself"  # noqa: PLR2004  HTTP's number
        return Decision(Action.RETRY, f"The server {why}: {refusal.detail} Points wait on disk.", wait_s)
    if refusal.status == 409 and refusal.code == "segment_gap":  # noqa: PLR2004
        next_row = refusal.problem.get("next")
        if isinstance(next_row, int) and not isinstance(next_row, bool) and next_row >= 0:
            return Decision(Action.RECUT, next_row=next_row)
    if refusal.status == 413:  # noqa: PLR2004
        return Decision(Action.SMALLER)
    if refusal.status == 422 and refusal.code == "segment_damaged":  # noqa: PLR2004
        return Decision(Action.AGAIN)
    known = _STOP_TEXTS.get(refusal.code)
    said = f"{known} {refusal.detail}" if known and refusal.detail not in known else refusal.detail
    return Decision(Action.STOP, said)


def after_stop(folder: Path, *, gone_rows: int) -> str:
    """Return what to say, after the reason, where delivery has ended for good.

    Args:
        folder: where the run lies.
        gone_rows: rows that are no longer in it, since they were delivered to a run that is no more.
    """
    rest = f", but for {counted(gone_rows, 'row')} delivered and removed before" if gone_rows else ""
    return (
        f"Nothing more is sent; the data stays on disk{rest}, in {folder}. To have it on another server, run "
        f"`anonrun sync --server OTHER {folder}`."
    )


def backoff_s(failures: int, random: float) -> float:
    """Return how long to wait after so many failures in a row.

    Args:
        failures: at least 1.
        random: 0 … 1; spreads clients that failed together over half the time.
    """
    longest = min(_FIRST_WAIT_S * 2.0 ** min(failures - 1, 20), _LONGEST_WAIT_S)
    return longest * (0.5 + 0.5 * random)
