"""Whether a request has a file already, and which part of it it asks for (RFC 9110 §13 and §14). Pure."""

from __future__ import annotations

import re

__all__ = ["is_held", "requested_range"]

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def is_held(header: str | None, tag: str) -> bool:
    """Return whether who asks has what this entity tag stands for.

    Args:
        header: value of `If-None-Match`; None where there is none.
        tag: of what there is, with its quotes.

    Example:
        >>> is_held('"a", W/"b"', '"b"'), is_held("*", '"b"'), is_held(None, '"b"')
        (True, True, False)
    """
    return not {tag, "*"}.isdisjoint(one.strip().removeprefix("W/") for one in (header or "").split(","))


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last that are asked for; None where all of it is to be sent.

    What is no range of bytes, and several at once, are answered by all of it, as the standard allows.

    Args:
        header: value of `Range`; None where there is none.
        size: of the file.

    Raises:
        ValueError: it is a range, and none of its bytes is in the file.

    Example:
        >>> requested_range("bytes=2-3", 10), requested_range("bytes=-3", 10), requested_range("bytes=8-", 10)
        ((2, 4), (7, 10), (8, 10))
    """
    found = _ONE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        end = min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= end:
        raise ValueError(f"The file has {size} bytes.")
    return start, end
