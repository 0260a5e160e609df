"""What the store says when it cannot do its work."""

from __future__ import annotations

from anonrun.errors import AnonrunError

__all__ = ["StoreError", "StoreUnavailableError"]


class StoreError(AnonrunError):
    """The database cannot be used; the message says why and what to do."""


class StoreUnavailableError(AnonrunError):
    """The database refused a transaction: it is full, locked, away or cannot be read. Nothing was acknowledged."""
