"""A link that signs one browser in: as the person of this machine, or as the account whose key is saved."""

from __future__ import annotations

from collections.abc import Mapping

from anonrun.client.access import open_access, place
from anonrun.client.embedded import ensure_running, read_state
from anonrun.client.links import enter_link
from anonrun.client.remote import Refusal, Remote, as_public_error
from anonrun.client.transport import open_transport
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.errors import ServerUnavailableError

__all__ = ["handover_link"]


def handover_link(environ: Mapping[str, str], server: str | None) -> str:
    """Return a link that works once, for five minutes.

    Raises:
        AuthenticationError: a named server, and no key for it.
        ServerUnavailableError: the server does not answer.
    """
    where = place(environ, server)
    token = mint(TokenKind.DEVICE)
    hashed = token_hash(token).hex()
    if where.url is not None:
        access = open_access(environ, server=server)
        with access.asking("The dashboard cannot be entered") as remote:
            remote.hand_over(hashed, key=access.key)
        return enter_link(access.url, token)
    found = ensure_running(where.data.server)
    state = read_state(where.data.server)
    if state is None:
        raise ServerUnavailableError("The server on this machine has just ended; try again.")
    remote = Remote(open_transport(found.url))
    try:
        remote.hand_over(hashed, vouch=state.vouch)
    except Refusal as exc:
        raise as_public_error(exc, "The dashboard cannot be entered") from None
    finally:
        remote.close()
    return enter_link(found.url, token)
