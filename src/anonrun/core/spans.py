"""Spans of time as people write them."""

from __future__ import annotations

import re

from anonrun.errors import UsageError

__all__ = ["parse_span"]

_SPAN = re.compile(r"(\d{1,6}(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def parse_span(text: str) -> float:
    """Return the seconds that a text names.

    Raises:
        UsageError: it names no span of time.

    Example:
        >>> parse_span("90m"), parse_span("7d")
        (5400.0, 604800.0)
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise UsageError(f"{text!r} is no span of time; write 90m, 12h or 7d.")
    return float(found[1]) * _SECONDS[found[2]]
