"""The API key by which one run is made, with its replacement where the server refuses a saved anonymous one."""

from __future__ import annotations

from anonrun.client.identity import Credential, IdentityStore

__all__ = ["KeyRing"]


class KeyRing:
    """Implements `delivery.Keys` by the saved identity.

    Args:
        store: the saved keys.
        server: the server's name there.
        credential: the key to begin with.
    """

    def __init__(self, store: IdentityStore, server: str, credential: Credential) -> None:
        self._store = store
        self._server = server
        self._credential = credential

    def current(self) -> Credential:
        """Return the key to use."""
        return self._credential

    def instead_of(self, refused: Credential) -> Credential | None:
        """Return a new anonymous key for one that was refused; None for an account's, or the second time."""
        if refused.source != "anonymous" or refused.new:
            return None
        other = self._store.anonymous(self._server, instead_of=refused.key)
        self._credential = other
        return Credential(other.key, other.source, new=True)
