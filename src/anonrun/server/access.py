"""From a request to an actor, and to a run that this actor may see.

A request that a browser may have been made to send by another site acts for nobody: its writes are believed
only from our own pages.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from anonrun.core.ids import parse_run_id
from anonrun.core.tokens import kind_of, token_hash
from anonrun.server import security
from anonrun.server.actors import Actor
from anonrun.server.networks import address_group
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.services.core import Core
from anonrun.server.services.guard import found, require
from anonrun.server.services.identity import Credentials, identify, is_stale, note_use
from anonrun.server.services.sessions import Entry, reference_hash, require_confirmed
from anonrun.store.records import Account, Run
from anonrun.store.transaction import Tx

__all__ = [
    "actor_of",
    "address_of",
    "admitted",
    "check_origin",
    "confirmed_owner",
    "core_of",
    "credentials_of",
    "found",
    "owner",
    "place_of",
    "read_as",
    "read_run",
    "run_id_of",
    "with_cookie",
    "write_as",
]

T = TypeVar("T")

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def core_of(request: HTTPConnection) -> Core:
    """Return the parts of the server that a request came to."""
    core: Core = request.app.state.core
    return core


def address_of(request: HTTPConnection) -> str:
    """Return the address of who asks, which trusted proxies have told; empty where there is none."""
    return request.client.host if request.client else ""


def credentials_of(request: Request) -> Credentials:
    """Return what a request carries to say who asks.

    Raises:
        ProblemError: `token_invalid` for what cannot be a token.
    """
    core = core_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    # Jupyter's own Authorization header arrives through its proxy: only what looks like ours is read.
    if scheme.lower() == "bearer" and token.startswith("anr_"):
        if kind_of(token) is None:
            raise ProblemError("token_invalid", headers={"WWW-Authenticate": "Bearer"})
        return Credentials(token_hash=token_hash(token))
    reference = security.session_reference(request, core.db.instance)
    session_hash = reference_hash(reference) if reference else None
    vouch = request.headers.get("x-anonrun-vouch")
    if vouch is None or core.vouch is None:
        return Credentials(session_hash=session_hash)
    if not hmac.compare_digest(vouch.encode("latin-1", "replace"), core.vouch.encode("ascii")):
        raise ProblemError("token_invalid", "The vouching secret is not this server's; restart Jupyter's proxy.")
    return Credentials(vouched=True, session_hash=session_hash)


def check_origin(request: Request, *, strict: bool) -> None:
    """Refuse a write that a browser sends for another site (R13).

    Args:
        request: any request; reading is never refused.
        strict: whether it acts by what a browser adds by itself, or signs in: then it must be shown to come from one of
            our own pages, and be JSON, which no form can send.

    Raises:
        ProblemError: `cross_site` or `media_type`.
    """
    if request.method not in _UNSAFE:
        return
    ours = security.is_same_site(request, public_url=core_of(request).settings.public_url)
    if ours is False or (strict and ours is None):
        raise ProblemError("cross_site")
    if strict and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError("media_type")


def with_cookie(request: Request, response: Response, entry: Entry) -> Response:
    """Give the browser the reference of its session, where that has changed."""
    core = core_of(request)
    if entry.reference is not None:
        security.set_cookies(
            request,
            response,
            instance=core.db.instance,
            reference=entry.reference,
            embedded=core.settings.embedded,
        )
    return response


async def read_as(request: Request, query: Callable[[Tx, Actor], T]) -> T:
    """Find out who asks, and run a query in the same snapshot.

    Raises:
        ProblemError: `token_invalid`, `cross_site`, `media_type`, or what the query raises.
    """
    credentials = credentials_of(request)
    if credentials.token_hash is None:
        check_origin(request, strict=credentials.from_browser)

    def both(tx: Tx) -> tuple[Actor, bool, T]:
        actor = _known(tx, credentials)
        return actor, is_stale(tx, actor), query(tx, actor)

    core = core_of(request)
    actor, stale, result = await core.db.read(both)
    if stale:
        await core.db.write(lambda tx: note_use(tx, actor))
    return result


def _known(tx: Tx, credentials: Credentials) -> Actor:
    actor = identify(tx, credentials)
    if actor is None:
        raise ProblemError("token_invalid", headers={"WWW-Authenticate": "Bearer"})
    return actor


async def write_as(request: Request, change: Callable[[Tx, Actor], T]) -> T:
    """Make a change, in whose transaction it is found out anew who asks.

    What was read before the body came may have ended meanwhile: a claim that was committed in between has taken its
    rights from a write token.

    Raises:
        ProblemError: `token_invalid`, or what the change raises.
    """
    credentials = credentials_of(request)
    return await core_of(request).db.write(lambda tx: change(tx, _known(tx, credentials)))


def place_of(request: HTTPConnection) -> str:
    """Return what counts as the one place that a request comes from."""
    return address_group(address_of(request))


def owner(_tx: Tx, actor: Actor) -> Account:
    """Return the account that a browser may change, for `read_as`.

    Raises:
        ProblemError: as `require`.
    """
    require(actor, Action.CHANGE_ACCOUNT)
    assert actor.account is not None, "the policy gives this to accounts only"
    return actor.account


def confirmed_owner(tx: Tx, actor: Actor) -> Account:
    """Return the account that a browser may change, if its password was given there lately, for `read_as`.

    Raises:
        ProblemError: as `owner`, or `confirm_needed`.
    """
    account = owner(tx, actor)
    require_confirmed(tx, actor)
    return account


async def actor_of(request: Request) -> Actor:
    """Return who asks.

    Raises:
        ProblemError: `token_invalid`, `cross_site` or `media_type`.
    """
    return await read_as(request, lambda _, actor: actor)


def run_id_of(request: HTTPConnection) -> uuid.UUID:
    """Return the run id in a request's path.

    Raises:
        ProblemError: `run_not_found`, as for a run that is not there.
    """
    run_id = parse_run_id(request.path_params["run_id"])
    if run_id is None:
        raise ProblemError("run_not_found")
    return run_id


async def read_run(request: Request, action: Action, query: Callable[[Tx, Actor, Run], T]) -> T:
    """Find out who asks, find the run of the path, and run a query in the same snapshot.

    Raises:
        ProblemError: as `read_as` and `found`.
    """
    run_id = run_id_of(request)
    return await read_as(request, lambda tx, actor: query(tx, actor, found(tx, actor, run_id, action)))


async def admitted(request: Request, action: Action) -> uuid.UUID:
    """Return the run of the path, if who asks may do something with it; the change itself looks again, by `write_as`.

    So the body of who may not is never read, and no such request takes the writer's time.

    Raises:
        ProblemError: as `read_run`.
    """
    return await read_run(request, action, lambda _tx, _actor, run: run.run_id)
