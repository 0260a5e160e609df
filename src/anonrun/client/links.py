"""The links of a run. What is secret stands after the `#`, which no server, log or referrer sees. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from anonrun.core.messages import LinkRequest
from anonrun.core.tokens import token_hash
from anonrun.errors import UsageError

__all__ = ["LinkWish", "claim_link", "enter_link", "page_link", "private_link", "share_link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWish:
    """What a view link is to be like.

    Attributes:
        blind: whether it leaves out whose run it is.
        label: whom it is for.
        expires_in: seconds, or a timedelta, for which it works; None for as long as the run.

    Raises:
        UsageError: it would not work at all.

    Example:
        >>> LinkWish(expires_in=timedelta(days=7)).request("anr_s_…").expires_in_s
        604800.0
    """

    blind: bool = False
    label: str | None = None
    expires_in: float | timedelta | None = None

    def __post_init__(self) -> None:
        if self._expires_in_s is not None and not (math.isfinite(self._expires_in_s) and self._expires_in_s > 0):
            raise UsageError(f"expires_in={self.expires_in!r} cannot be used: give seconds, more than 0, or None.")

    @property
    def _expires_in_s(self) -> float | None:
        after = self.expires_in
        return after.total_seconds() if isinstance(after, timedelta) else None if after is None else float(after)

    def request(self, token: str) -> LinkRequest:
        """Return the request that makes it, with the secret's hash."""
        return LinkRequest(
            token_hash=token_hash(token).hex(), label=self.label, blind=self.blind, expires_in_s=self._expires_in_s
        )


def page_link(base: str, run_id: str) -> str:
    """Return the run's page, without a secret."""
    return f"{base}/r/{run_id}"


def private_link(base: str, run_id: str, view: str, claim: str) -> str:
    """Return the link that views and claims."""
    return f"{base}/r/{run_id}#v={view}&c={claim}"


def share_link(base: str, run_id: str, token: str) -> str:
    """Return the link that views and nothing else."""
    return f"{base}/r/{run_id}#s={token}"


def claim_link(base: str, claim: str) -> str:
    """Return the link to the claim page."""
    return f"{base}/claim#c={claim}"


def enter_link(base: str, hand_over: str) -> str:
    """Return the link that signs one browser in, once."""
    return f"{base}/enter#d={hand_over}"
