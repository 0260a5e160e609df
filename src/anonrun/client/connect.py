"""Finds the server that a run goes to: the one that was named, or the embedded one, started where needed."""

from __future__ import annotations

from pathlib import Path

from anonrun.client import embedded
from anonrun.client.delivery import Connection
from anonrun.client.remote import Remote
from anonrun.client.status import ServerRef
from anonrun.client.transport import open_transport

__all__ = ["Connector"]

_FIRST_TIMEOUT_S = 5.0


class Connector:
    """Connects to one server again and again.

    Args:
        url: its address; None for the embedded one.
        server_folder: the embedded server's folder.
    """

    def __init__(self, url: str | None, server_folder: Path) -> None:
        self._url = url
        self._folder = server_folder

    def __call__(self) -> Connection:
        """Return a connection to a server that answered just now.

        Raises:
            ServerUnavailableError: it does not answer, or the embedded one does not come up.
            Refusal: what answers is no anonrun server.
        """
        if self._url is None:
            found = embedded.ensure_running(self._folder)
            return Connection(ServerRef(found.url, found.instance, embedded=True), Remote(open_transport(found.url)))
        remote = Remote(open_transport(self._url))
        info = remote.server(timeout_s=_FIRST_TIMEOUT_S)
        return Connection(ServerRef(self._url, info.instance, info.embedded), remote)

    def known_url(self) -> str | None:
        """Return the server's address without asking anyone; None where it is not known yet."""
        if self._url is not None:
            return self._url
        state = embedded.read_state(self._folder)
        return None if state is None else state.url
