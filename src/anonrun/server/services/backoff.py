"""How often one address or account may try: exponential delays after failures, and a rate for what is made.

In memory and bounded; an address is a whole IPv4 address or the /64 of an IPv6 one. Nothing is locked for
good: a delay ends by itself.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Backoff", "Rate", "address_group"]

_FREE_FAILURES = 5
_LONGEST_DELAY_S = 300.0
_FORGET_AFTER_S = 3600.0
_MOST_KEYS = 20_000
_HOUR_S = 3600.0
_ROUNDING = 1e-6


def address_group(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 network of an IPv6 one.

    Example:
        >>> address_group("2001:db8:1:2:3:4:5:6")
        '2001:db8:1:2::/64'
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Backoff:
    """Delays that double with each failure after the fifth, up to five minutes.

    Args:
        now: seconds that only go forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, *keys: str) -> float:
        """Return the seconds until any of these keys may try again; 0 for at once."""
        return max((self._wait_of(key) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        """Note a failure of each key."""
        for key in keys:
            count, _ = self._recent(key)
            self._failures[key] = (count + 1, self._now())
            self._failures.move_to_end(key)
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """Forget the failures of each key."""
        for key in keys:
            self._failures.pop(key, None)

    def _recent(self, key: str) -> tuple[int, float]:
        count, at = self._failures.get(key, (0, 0.0))
        return (0, 0.0) if self._now() - at > _FORGET_AFTER_S else (count, at)

    def _wait_of(self, key: str) -> float:
        count, at = self._recent(key)
        if count < _FREE_FAILURES:
            return 0.0
        delay = min(_LONGEST_DELAY_S, 2.0 ** (count - _FREE_FAILURES))
        return max(0.0, at + delay - self._now())


class Rate:
    """A token bucket for each key: so many an hour, and as many at once.

    Args:
        now: seconds that only go forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, per_hour: int) -> float:
        """Take one; return 0, or the seconds until there is one where there is none now."""
        level, at = self._buckets.get(key, (float(per_hour), self._now()))
        level = min(float(per_hour), level + (self._now() - at) * per_hour / _HOUR_S)
        wait_s = 0.0
        if level >= 1 - _ROUNDING:
            level = max(0.0, level - 1)
        else:
            wait_s = math.ceil((1 - level) * _HOUR_S / per_hour - _ROUNDING)
        self._buckets[key] = (level, self._now())
        self._buckets.move_to_end(key)
        while len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        return wait_s
