"""Makes a run on a server, with an anonymous account where one is needed."""

from __future__ import annotations

from typing import Any, Protocol

from anonrun.client.identity import Credential
from anonrun.client.remote import Refusal, Remote
from anonrun.core.messages import RunInfo
from anonrun.core.tokens import token_hash

__all__ = ["Keys", "make_run"]


class Keys(Protocol):
    """Gives the API key by which a run is made."""

    def current(self) -> Credential:
        """Return the key to use."""

    def instead_of(self, refused: Credential) -> Credential | None:
        """Return another key after the server refused one, or None where there is none to try."""


def make_run(remote: Remote, keys: Keys, request: dict[str, Any]) -> RunInfo:
    """Make the run, or find it again; what was done before a lost answer is done again without harm.

    An anonymous key that the server does not know gets its account made: it is new, another process made it just now,
    or the server lost its accounts. Where that does not help either, it is replaced by another, once.

    Raises:
        Refusal: the server refuses, by a 401 where the key is an account's.
        ServerUnavailableError: there is no answer.
    """
    credential = keys.current()
    makes_account = credential.source == "anonymous" and credential.new
    while True:
        try:
            if makes_account:
                remote.make_anonymous_account(token_hash(credential.key).hex())
            return remote.make_run(credential.key, request)
        except Refusal as exc:  # noqa: PERF203  three times at most
            if exc.status != 401 or credential.source != "anonymous":  # noqa: PLR2004  HTTP's number
                raise
            other = credential if not makes_account else keys.instead_of(credential)
            if other is None:
                raise
            credential, makes_account = other, True
