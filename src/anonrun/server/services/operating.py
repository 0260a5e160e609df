"""What an operator does to accounts at the server's machine, beside a running server or without one."""

from __future__ import annotations

from anonrun.errors import AnonrunError
from anonrun.server.services.core import Core
from anonrun.server.services.passwords import password_problem
from anonrun.server.services.retention import sweep
from anonrun.store import accounts, leaving, sessions
from anonrun.store.ledger import Ledger
from anonrun.store.records import Account
from anonrun.store.transaction import Tx

__all__ = ["remove_user", "reset_password"]


async def _user(core: Core, name: str) -> Account:
    found = await core.db.read(lambda tx: accounts.user_named(tx, name))
    if found is None:
        raise AnonrunError(f"There is no account {name!r}. `anonrun admin user list` names those there are.")
    return found[0]


async def reset_password(core: Core, name: str, password: str) -> int:
    """Give a user another password and sign them out everywhere; return how many sessions ended. Keys stay.

    Raises:
        AnonrunError: there is no such user, or the password cannot be used.
    """
    account = await _user(core, name)
    problem = password_problem(password, username=account.name)
    if problem is not None:
        raise AnonrunError(problem)
    hashed = await core.passwords.hash(password)

    def change(tx: Tx) -> int:
        accounts.set_password(tx, account.account_id, hashed)
        return sessions.end_others(tx, account.account_id, but=None)

    return await core.db.write(change)


async def remove_user(core: Core, name: str) -> int:
    """Remove a user with all their runs, keys and sessions, for good; return how many runs went.

    Raises:
        AnonrunError: there is no such user.
    """
    account = await _user(core, name)
    runs = await core.db.write(lambda tx: leaving.delete_account(tx, account))
    await sweep(core.db, ledger=Ledger(core.settings.ledger), objects=core.objects)
    return len(runs)
