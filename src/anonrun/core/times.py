"""Instants as aware UTC datetimes, microsecond integers and RFC 3339 text.

Stored and sent times are integers of microseconds since the Unix epoch (exact, sortable, the same in
every database); JSON carries RFC 3339 text with `Z`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

__all__ = ["EPOCH", "format_time", "from_us", "parse_time", "to_us"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return microseconds since the epoch; exact, without a detour through floating point."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Return the aware UTC instant that is `us` microseconds after the epoch."""
    return EPOCH + timedelta(microseconds=us)


def format_time(instant: datetime) -> str:
    """Return RFC 3339 text in UTC.

    Example:
        >>> format_time(from_us(1_500_000))
        '1970-01-01T00:00:01.500000Z'
    """
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the instant that RFC 3339 `text` names.

    Raises:
        ValueError: the text is no RFC 3339 time, has no offset, or is in no year of UTC's.
    """
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if instant.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset from UTC")
    try:
        return instant.astimezone(timezone.utc)
    except OverflowError as exc:
        raise ValueError(f"time {text!r} is in no year of UTC's") from exc
