"""Logging in and out: which account's key is saved for a server."""

from __future__ import annotations

import getpass
import os
import sys

from anonrun.client.access import open_access, place
from anonrun.client.identity import checked_key
from anonrun.core.messages import AccountInfo
from anonrun.errors import UsageError

__all__ = ["login", "logout"]


def _ask() -> str:
    if not sys.stdin or not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask for an API key at. Give it: anonrun.login(api_key=...), "
            "`anonrun login --stdin < file`, or set ANONRUN_API_KEY."
        )
    return getpass.getpass("API key (it is not shown; make one in the server's settings): ")


def login(api_key: str | None = None, server: str | None = None) -> AccountInfo:
    """Check an account's key at the server, save it, and return whose it is.

    Args:
        api_key: None asks for it, where there is a terminal.
        server: address; None means `ANONRUN_SERVER`, or the server on this machine.

    Raises:
        AuthenticationError: the server refuses the key.
        ServerUnavailableError: the server does not answer.
        UsageError: it is not the key of an account.
    """
    key = checked_key(_ask() if api_key is None else api_key, "This")
    where = place(os.environ, server)
    account = open_access(os.environ, server=server, api_key=key).account()
    if account.kind != "user":
        raise UsageError("This key belongs to an anonymous account, which one cannot log in to; give an account's key.")
    where.store.set_login(where.name, key)
    return account


def logout(server: str | None = None) -> bool:
    """Forget the saved login for a server; return whether there was one."""
    where = place(os.environ, server)
    return where.store.set_login(where.name, None)
