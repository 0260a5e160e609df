"""Lists in pages: where a page ends, as a text by which its reader asks for what follows.

A list goes from the newest on; its ids, being of version 7, tell those of one instant apart.
"""

from __future__ import annotations

import uuid

from starlette.requests import Request

from anonrun.core.ids import parse_run_id
from anonrun.server.problems import ProblemError

__all__ = ["after_of", "next_of"]

_MOST_DIGITS = 18  # of 2^63


def next_of(created_at: int, last: uuid.UUID) -> str:
    """Return what a page gives to ask for the one after it, by its last entry's time and id."""
    return f"{created_at}.{last}"


def after_of(request: Request) -> tuple[int, uuid.UUID] | None:
    """Return behind which time and id a page is asked for; None for the first.

    Raises:
        ProblemError: `request_invalid`.
    """
    text = request.query_params.get("after")
    if text is None:
        return None
    created_at, _, last = text.partition(".")
    last_id = parse_run_id(last)
    if last_id is None or not (created_at.isascii() and created_at.isdecimal()) or len(created_at) > _MOST_DIGITS:
        raise ProblemError("request_invalid", "after must be the `next` of a page before.")
    return int(created_at), last_id
