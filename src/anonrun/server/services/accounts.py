"""Accounts: the anonymous ones that make themselves, and those that people sign up for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from anonrun.core.ids import new_id
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.server.actors import Actor
from anonrun.server.problems import ProblemError
from anonrun.server.services.core import Core
from anonrun.server.services.invitations import use_invitation
from anonrun.server.services.passwords import password_problem
from anonrun.server.services.sessions import Entry, require_confirmed, session_of, sign_out_elsewhere
from anonrun.server.services.sessions import sign_in as start_session
from anonrun.server.settings import Settings
from anonrun.store import accounts, tokens
from anonrun.store.records import Account
from anonrun.store.transaction import Tx

__all__ = [
    "anonymous_account",
    "change_password",
    "check_credentials",
    "check_password",
    "check_username",
    "failures_of",
    "new_key",
    "new_user",
    "require_passwords",
    "sign_in",
    "sign_up",
    "wait_after_failures",
]

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,38}")
_RESERVED = frozenset(
    {"admin", "anonrun", "anonymous", "api", "me", "operator", "root", "settings", "static", "system"}
)


def check_username(name: str) -> str:
    """Return a user name that can be used.

    Raises:
        ProblemError: `username_invalid`.
    """
    if not _USERNAME.fullmatch(name):
        rule = "Use 2 to 39 letters, digits or . _ -, and begin with a letter or digit."
        raise ProblemError("username_invalid", rule)
    if name.casefold() in _RESERVED or name.casefold().startswith("anon-"):
        raise ProblemError("username_invalid", "This name is reserved. Choose another one.")
    return name


def anonymous_account(tx: Tx, key_hash: bytes, admit: Callable[[], None]) -> tuple[Account, bool]:
    """Return the anonymous account with this key, and whether it was made just now.

    Args:
        tx: a writer's transaction.
        key_hash: of the key, which the client has made.
        admit: refuses, by an exception, where none may be made now.

    Raises:
        ProblemError: `token_exists` where the hash is that of another secret, or what `admit` raises.
    """
    token = tokens.find(tx, key_hash)
    if token is not None and token.account is not None and token.account.kind == "anonymous":
        return token.account, False
    admit()
    account = None
    while account is None:
        account = accounts.create(tx, name=f"anon-{new_id(secrets.choice)}", kind="anonymous")
    if tokens.add(tx, token_hash=key_hash, kind="u", scope="account", account_id=account.account_id) is None:
        raise ProblemError("token_exists")
    return account, True


def check_password(password: str, username: str) -> None:
    """Refuse a password that is not good enough.

    Raises:
        ProblemError: `password_weak`.
    """
    problem = password_problem(password, username=username)
    if problem is not None:
        raise ProblemError("password_weak", problem)


def check_credentials(username: str, password: str) -> None:
    """Refuse a user name or password that cannot be used.

    Raises:
        ProblemError: `username_invalid` or `password_weak`.
    """
    check_username(username)
    check_password(password, username)


def failures_of(username: str, place: str) -> tuple[str, str]:
    """Return by what failures to sign in are counted: the name that was given, and the place."""
    return f"user:{username.casefold()[:64]}", f"place:{place}"


def wait_after_failures(core: Core, keys: tuple[str, ...]) -> None:
    """Refuse a try that comes too soon after others that failed.

    Raises:
        ProblemError: `too_many_requests`.
    """
    wait_s = core.backoff.wait_s(*keys)
    if wait_s > 0:
        raise ProblemError(
            "too_many_requests",
            f"After several failures there is a delay. Wait {wait_s:.0f} s.",
            headers={"Retry-After": f"{max(1, round(wait_s))}"},
        )


async def sign_up(
    core: Core, username: str, password: str, *, invitation: bytes | None = None, operator: bool = False
) -> Account:
    """Make a user's account; the first one of a server for many is its operator's.

    Args:
        core: the server's parts.
        username: as it was typed.
        password: as it was typed.
        invitation: hash of the invitation that is used up with it; None where none is needed.
        operator: whether the account is to be an operator's in any case.

    Raises:
        ProblemError: `username_invalid`, `password_weak`, `username_taken`, or `invitation_invalid`. A refusal uses no
            invitation up.
    """
    check_credentials(username, password)
    hashed = await core.passwords.hash(password)
    return await core.db.write(
        lambda tx: new_user(tx, core.settings, username, password_hash=hashed, invitation=invitation, operator=operator)
    )


def new_user(
    tx: Tx,
    settings: Settings,
    username: str,
    *,
    password_hash: str | None,
    invitation: bytes | None,
    operator: bool = False,
) -> Account:
    """Make a user's account, whose name was checked; as `sign_up`.

    Raises:
        ProblemError: `username_taken`, or `invitation_invalid`.
    """
    if invitation is not None and not use_invitation(tx, invitation):
        raise ProblemError("invitation_invalid")
    first = not settings.embedded and accounts.is_first_user(tx)
    role = "operator" if first or operator else "member"
    account = accounts.create(tx, name=username, kind="user", password_hash=password_hash, role=role)
    if account is None:
        raise ProblemError("username_taken")
    return account


def require_passwords(settings: Settings) -> None:
    """Refuse what is done by a password, where nobody has one.

    Raises:
        ProblemError: `passwords_off`.
    """
    if not settings.passwords:
        raise ProblemError("passwords_off")


async def sign_in(core: Core, username: str, password: str, *, place: str) -> Account:
    """Return the account that a name and password are right for.

    Args:
        core: the server's parts.
        username: as it was typed.
        password: as it was typed.
        place: the address it comes from; it and the name are slowed down by failures.

    Raises:
        ProblemError: `sign_in_failed`, the same for an unknown name and a wrong password, or `too_many_requests`.
    """
    keys = failures_of(username, place)
    wait_after_failures(core, keys)
    known = await core.db.read(lambda tx: accounts.user_named(tx, username)) if _USERNAME.fullmatch(username) else None
    account, stored = known or (None, None)
    if not await core.passwords.verify(stored, password) or account is None or stored is None:
        core.backoff.failed(*keys)
        raise ProblemError("sign_in_failed")
    core.backoff.succeeded(*keys)
    if await core.passwords.outdated(stored):
        renewed = await core.passwords.hash(password)
        await core.db.write(lambda tx: accounts.set_password(tx, account.account_id, renewed))
    return account


async def change_password(
    core: Core, actor: Actor, account: Account, current: str | None, new: str, *, agent: str | None
) -> Entry:
    """Change a user's password; every other session ends, and this browser gets a new reference.

    Args:
        core: the server's parts.
        actor: who asks, in a browser.
        account: whose password it is.
        current: the one before; None where there is none, which is then proven by `require_confirmed`.
        new: as it was typed.
        agent: which browser it is, in a few words.

    Raises:
        ProblemError: `sign_in_failed` where the current one is wrong, `too_many_requests`, `password_weak`, or
            `confirm_needed`.
    """
    if current is not None:
        await sign_in(core, account.name, current, place=f"account:{account.account_id}")
    check_password(new, account.name)
    hashed = await core.passwords.hash(new)

    def change(tx: Tx) -> Entry:
        session = session_of(actor)
        if current is None:
            if accounts.password_hash(tx, account.account_id) is not None:
                raise ProblemError("sign_in_failed")
            require_confirmed(tx, actor)
        accounts.set_password(tx, account.account_id, hashed)
        sign_out_elsewhere(tx, account, but=session.session_hash if session else None)
        return start_session(tx, actor, account, agent=agent, confirmed=True)

    return await core.db.write(change)


def new_key(
    tx: Tx, account: Account, label: str | None, *, scope: str = "account", expires_at: int | None = None
) -> tuple[str, str]:
    """Make an API key for an account; return it and the id by which it is listed. It is not told again.

    Args:
        tx: a writer's transaction.
        account: whose it is.
        label: where it is used.
        scope: as in `actors.KeyHolder`.
        expires_at: None for a key that counts until it is revoked.
    """
    while True:
        key = mint(TokenKind.API_KEY)
        key_id = tokens.add(
            tx,
            token_hash=token_hash(key),
            kind="u",
            scope=scope,
            account_id=account.account_id,
            label=label,
            expires_at=expires_at,
        )
        if key_id is not None:
            return key, key_id
