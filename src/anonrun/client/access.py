"""A server and a key for it: what reading back, sharing and the command line begin with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from anonrun.client.address import checked_url
from anonrun.client.connect import Connector
from anonrun.client.identity import EMBEDDED, IdentityStore, Source, checked_key
from anonrun.client.notices import Notices
from anonrun.client.paths import DataDir, data_dir
from anonrun.client.remote import Refusal, Remote, as_public_error
from anonrun.core.messages import AccountInfo
from anonrun.errors import AuthenticationError

__all__ = ["Access", "Place", "open_access", "place"]


@dataclass(frozen=True, slots=True)
class Place:
    """Which server is meant, and the keys that are saved for it.

    Attributes:
        url: its address; None for the embedded one.
        name: what it is called among the saved keys.
    """

    url: str | None
    data: DataDir
    store: IdentityStore

    @property
    def name(self) -> str:
        """What the server is called among the saved keys."""
        return self.url or EMBEDDED

    def saved_key(self) -> tuple[str, Source] | None:
        """Return the key of the saved login, or of this machine's anonymous account, or None."""
        login = self.store.get(self.name, "login")
        if login is not None:
            return login, "login"
        anonymous = self.store.get(self.name, "anonymous")
        return None if anonymous is None else (anonymous, "anonymous")

    def connector(self) -> Connector:
        """Return what connects to the server."""
        return Connector(self.url, self.data.server)


@dataclass(frozen=True, slots=True)
class Access:
    """A server that answers, and a key for it."""

    url: str
    key: str = field(repr=False)
    source: Source
    remote: Remote = field(repr=False)

    @contextlib.contextmanager
    def asking(self, what: str) -> Iterator[Remote]:
        """Give the server's calls, and turn refusals into the documented exceptions."""
        try:
            yield self.remote
        except Refusal as exc:
            raise as_public_error(exc, what) from None

    def account(self) -> AccountInfo:
        """Return whose key it is."""
        with self.asking("The account") as remote:
            return remote.account(self.key)


def place(environ: Mapping[str, str], server: str | None) -> Place:
    """Return the server that is meant: `server`, else `ANONRUN_SERVER`, else the embedded one."""
    named = server or environ.get("ANONRUN_SERVER") or None
    data = data_dir(environ)
    return Place(None if named is None else checked_url(named), data, IdentityStore(data.identity, Notices()))


def open_access(environ: Mapping[str, str], *, server: str | None = None, api_key: str | None = None) -> Access:
    """Return access by the key that is given, in the environment, or saved.

    Raises:
        AuthenticationError: there is none.
        UsageError: the key has not the form of one.
        ServerUnavailableError: the server does not answer.
    """
    where = place(environ, server)
    source: Source = "given"
    if api_key is not None:
        key = checked_key(api_key, "api_key")
    elif environ.get("ANONRUN_API_KEY"):
        key = checked_key(environ["ANONRUN_API_KEY"], "ANONRUN_API_KEY")
    else:
        saved = where.saved_key()
        if saved is None:
            at = "this machine's own server" if where.url is None else where.url
            raise AuthenticationError(
                f"There is no key for {at} yet: log a run there first, run `anonrun login`, or set ANONRUN_API_KEY."
            )
        key, source = saved
    try:
        connection = where.connector()()
    except Refusal as exc:
        raise as_public_error(exc, f"{where.url} cannot be used") from None
    return Access(connection.server.url, key, source, connection.remote)
