"""Recovery codes: what is left to who forgets a password, since no e-mail is asked for (R21).

A code has 120 random bits, so that its plain hash is enough (R4). A wrong code and an unknown name take as long as a
right one and are told the same (R20): the new password is hashed before anything is looked up.
"""

from __future__ import annotations

import hashlib
import secrets

from anonrun.server.actors import Actor
from anonrun.server.problems import ProblemError
from anonrun.server.services.accounts import check_password, failures_of, require_passwords, wait_after_failures
from anonrun.server.services.core import Core
from anonrun.server.services.sessions import Entry, sign_in, sign_out_elsewhere
from anonrun.store import accounts, recovery
from anonrun.store.records import Account
from anonrun.store.transaction import Tx

__all__ = ["CODES", "new_codes", "recover"]

CODES = 10
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_MEANT = str.maketrans("ILO", "110")
_GROUPS = 4
_GROUP_CHARS = 6


def _hash(text: str) -> bytes:
    meant = "".join(char for char in text.upper().translate(_MEANT) if char in _ALPHABET)
    return hashlib.sha256(b"recovery" + meant.encode()).digest()


def new_codes(tx: Tx, account: Account) -> list[str]:
    """Make an account's recovery codes, in place of those that it had. They are not told again."""
    codes = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS))
        for _ in range(CODES)
    ]
    recovery.replace(tx, account.account_id, map(_hash, codes))
    return codes


async def recover(
    core: Core, actor: Actor, username: str, code: str, new: str, *, place: str, agent: str | None
) -> tuple[Account, Entry]:
    """Set a new password by a recovery code, which is spent; every browser is signed out, and this one in.

    Raises:
        ProblemError: `recovery_failed`, the same for an unknown name and a wrong code; `password_weak`, which spends
            nothing; `too_many_requests`; or `passwords_off`.
    """
    require_passwords(core.settings)
    keys = failures_of(username, place)
    wait_after_failures(core, keys)
    check_password(new, username)
    hashed = await core.passwords.hash(new)

    def change(tx: Tx) -> tuple[Account, Entry] | None:
        known = accounts.user_named(tx, username)
        if known is None or not recovery.use(tx, known[0].account_id, _hash(code)):
            return None
        account = known[0]
        accounts.set_password(tx, account.account_id, hashed)
        sign_out_elsewhere(tx, account, but=None)
        return account, sign_in(tx, actor, account, agent=agent, confirmed=True)

    done = await core.db.write(change)
    if done is None:
        core.backoff.failed(*keys)
        raise ProblemError("recovery_failed")
    core.backoff.succeeded(*keys)
    return done
