"""An account's API keys: made with a scope and an end, told once, listed without themselves, revoked."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.times import from_us
from anonrun.server.access import confirmed_owner, core_of, owner, read_as
from anonrun.server.bodies import read_message
from anonrun.server.messages import KeyInfo, KeyRequest, KeyScope, NewKey
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, answer, no_content
from anonrun.server.services import accounts as service
from anonrun.store import tokens
from anonrun.store.records import Token
from anonrun.store.transaction import Tx

__all__ = ["key_info", "operations"]

operations = Operations("accounts")

_MOST_KEYS = 100
_MOST_DAYS = 3_650
_DAY_US = timedelta(days=1) // timedelta(microseconds=1)
_STORED: dict[KeyScope, str] = {"full": "account", "ingest": "ingest", "read": "read"}
_TOLD: dict[str, KeyScope] = {stored: told for told, stored in _STORED.items()}


def key_info(token: Token) -> KeyInfo:
    """Return an API key as its owner sees it in a list."""
    return KeyInfo(
        key_id=token.public_id,
        label=token.label,
        scope=_TOLD[token.scope],
        created_at=from_us(token.created_at),
        expires_at=None if token.expires_at is None else from_us(token.expires_at),
        last_used_at=None if token.last_used_at is None else from_us(token.last_used_at),
    )


@operations.get(
    "/account/keys", who="session of a user", answers={200: [KeyInfo]}, codes=("sign_in_needed", "account_required")
)
async def list_keys(request: Request) -> Response:
    """List one's API keys that count; the keys themselves are never told again."""
    return answer(await read_as(request, lambda tx, actor: list(map(key_info, tokens.keys(tx, owner(tx, actor))))))


@operations.post(
    "/account/keys",
    who="session of a user",
    body=KeyRequest,
    answers={201: NewKey},
    codes=("sign_in_needed", "account_required", "confirm_needed", "quota_exceeded"),
)
async def make_key(request: Request) -> Response:
    """Make an API key, which is told this once; asks for a password that was given lately."""
    core = core_of(request)
    account = await read_as(request, confirmed_owner)
    wanted = await read_message(request, KeyRequest)
    if wanted.label is not None and len(wanted.label) > core.settings.limits.text_chars:
        raise ProblemError("request_invalid", f"The label may have {core.settings.limits.text_chars} characters.")
    days = wanted.expires_in_days
    if days is not None and not 1 <= days <= _MOST_DAYS:
        raise ProblemError("request_invalid", f"expires_in_days must be from 1 to {_MOST_DAYS}, or absent for no end.")

    def make(tx: Tx) -> NewKey:
        if len(tokens.keys(tx, account)) >= _MOST_KEYS:
            raise ProblemError("quota_exceeded", f"An account has at most {_MOST_KEYS} keys. Revoke one first.")
        expires_at = None if days is None else tx.now_us + days * _DAY_US
        key, key_id = service.new_key(tx, account, wanted.label, scope=_STORED[wanted.scope], expires_at=expires_at)
        return NewKey(
            key_id=key_id,
            label=wanted.label,
            scope=wanted.scope,
            created_at=from_us(tx.now_us),
            expires_at=None if expires_at is None else from_us(expires_at),
            last_used_at=None,
            key=key,
        )

    return answer(await core.db.write(make), 201)


@operations.delete(
    "/account/keys/{key_id}",
    who="session of a user",
    answers={204: None},
    codes=("sign_in_needed", "account_required", "not_found"),
)
async def revoke_key(request: Request) -> Response:
    """Revoke an API key; it counts no more from the next request on."""
    account = await read_as(request, owner)
    key_id = request.path_params["key_id"]
    revoked = await core_of(request).db.write(
        lambda tx: tokens.revoke(tx, key_id, kind="u", account_id=account.account_id)
    )
    if not revoked:
        raise ProblemError("not_found", "There is no such key.")
    return no_content()
