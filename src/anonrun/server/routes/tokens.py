"""Secrets that somebody found where they do not belong."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.tokens import kind_of, token_hash
from anonrun.server.access import check_origin, core_of
from anonrun.server.bodies import read_message
from anonrun.server.messages import TokenBody
from anonrun.server.routing import Operations, no_content
from anonrun.store import audit, tokens
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("tokens")


@operations.post("/tokens/report-leak", who="all", body=TokenBody, answers={204: None})
async def report_leak(request: Request) -> Response:
    """Revoke a secret that was found in public; the answer is the same for one that is none."""
    core = core_of(request)
    check_origin(request, strict=False)
    text = (await read_message(request, TokenBody)).token
    if kind_of(text) is None:
        return no_content()

    def revoke(tx: Tx) -> uuid.UUID | None:
        token = tokens.find(tx, token_hash(text))
        if token is None or not tokens.end_leaked(tx, token.token_hash):
            return None
        audit.note(tx, "leaked", run_id=token.run_id, reason=token.kind)
        return token.run_id

    run_id = await core.db.write(revoke)
    if run_id is not None:
        core.hub.publish(run_id)  # who reads by it is told at once
    return no_content()
