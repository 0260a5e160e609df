"""Logging in and out: which account's key is saved for a server."""

from __future__ import annotations

import os
from collections.abc import Callable

from anonrun.client import device
from anonrun.client.access import open_access, place
from anonrun.client.identity import checked_key
from anonrun.client.remote import Refusal, as_public_error
from anonrun.core.messages import AccountInfo, DeviceCodes
from anonrun.errors import UsageError

__all__ = ["login", "logout"]


def _say(codes: DeviceCodes) -> None:
    print(  # noqa: T201  the user must see it, in a terminal as in a notebook
        f"To log in, open {codes.verification_uri} in a browser and enter the code {codes.user_code}\n"
        f"Waiting; the code counts for {codes.expires_in // 60} minutes.",
        flush=True,
    )


def login(
    api_key: str | None = None, server: str | None = None, *, say: Callable[[DeviceCodes], None] = _say
) -> AccountInfo:
    """Check an account's key at the server, save it, and return whose it is.

    Args:
        api_key: None has the login approved in a browser, and waits for it up to ten minutes.
        server: address; None means `ANONRUN_SERVER`, or the server on this machine.
        say: shows the user the code and where it is entered.

    Raises:
        AuthenticationError: the server refuses the key, or nobody approved the login.
        ServerUnavailableError: the server does not answer.
        UsageError: it is not the key of an account.
    """
    where = place(os.environ, server)
    key = checked_key(_approved(server, say) if api_key is None else api_key, "This")
    account = open_access(os.environ, server=server, api_key=key).account()
    if account.kind != "user":
        raise UsageError("This key belongs to an anonymous account, which one cannot log in to; give an account's key.")
    where.store.set_login(where.name, key)
    return account


def _approved(server: str | None, say: Callable[[DeviceCodes], None]) -> str:
    try:
        connection = place(os.environ, server).connector()()
    except Refusal as exc:
        raise as_public_error(exc, "The login cannot begin") from exc
    codes = device.begin(connection.remote)
    say(codes)
    return device.wait(connection.remote, codes)


def logout(server: str | None = None) -> bool:
    """Forget the saved login for a server; return whether there was one."""
    where = place(os.environ, server)
    return where.store.set_login(where.name, None)
