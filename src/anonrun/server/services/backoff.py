"""How often one address or account may try: exponential delays after failures.

In memory and bounded. Nothing is locked for good: a delay ends by itself.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Backoff"]

_FREE_FAILURES = 5
_LONGEST_DELAY_S = 300.0
_FORGET_AFTER_S = 3600.0
_MOST_KEYS = 20_000


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
