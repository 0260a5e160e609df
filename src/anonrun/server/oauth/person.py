"""What passes between us and a provider, whatever its kind: a browser departs, and comes back as a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from anonrun.store.records import Visit

__all__ = ["Departure", "Person", "ProviderError", "Way"]


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser is sent, and what it must come back with; `nonce` is empty where nothing is signed."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is to a provider.

    Attributes:
        issuer: the provider.
        subject: its own, unchanging name for them.
        name: what they are called there, if it says so; never an address of e-mail.
        proven_at_s: when they last proved to it who they are, by its clock; None where it does not say.
    """

    issuer: str
    subject: str
    name: str | None = None
    proven_at_s: float | None = None


class ProviderError(Exception):
    """A provider did not answer, or not so that it can be believed.

    Attributes:
        down: whether it did not answer at all.
    """

    def __init__(self, why: str, *, down: bool) -> None:
        super().__init__(why)
        self.down = down


class Way(Protocol):
    """One provider, as the services see it."""

    async def depart(self, redirect_uri: str, *, anew: bool) -> Departure:
        """Return where to send a browser.

        Args:
            redirect_uri: to where it is to come back.
            anew: whether its user is to prove again who they are.

        Raises:
            ProviderError: the provider does not answer, or not as it should.
        """
        ...

    async def meet(self, visit: Visit, code: str, issuer: str | None) -> Person:
        """Return as whom a browser is back.

        Args:
            visit: from which it is back.
            code: what it brought.
            issuer: who sent it, as it says itself (RFC 9207); None where it does not say.

        Raises:
            ProviderError: the provider does not answer, or what it says cannot be believed.
        """
        ...
