"""The links of a run. What is secret stands after the `#`, which no server, log or referrer sees. Pure."""

from __future__ import annotations

__all__ = ["claim_link", "enter_link", "page_link", "private_link", "share_link"]


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
