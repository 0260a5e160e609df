"""`anonrun admin`: what the operator of a server does at its machine."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonrun.cli.server import data_dir_option, database_url_option, settings_of
from anonrun.cli.upkeep import backup, check, redelete, restore
from anonrun.errors import AnonrunError

if TYPE_CHECKING:
    from anonrun.server.settings import Settings

__all__ = ["admin"]


@click.group()
def admin() -> None:
    """Operate a server: its accounts, and what it has stored."""


for _command in (check, backup, restore, redelete):
    admin.add_command(_command)


@admin.group()
def user() -> None:
    """Manage the accounts of people."""


@user.command("add", epilog="Example: anonrun admin user add ada --data-dir /srv/anonrun")
@click.argument("name")
@data_dir_option
@database_url_option
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def add_user(name: str, data_dir: Path | None, database_url: str | None, *, as_json: bool) -> None:
    """Make an account and print an API key for it, once.

    The password is asked for at a terminal, and read from the first line of standard input otherwise.
    """
    password = _password()
    try:
        key = asyncio.run(_add(settings_of(data_dir=data_dir, database_url=database_url), name, password))
    except AnonrunError as exc:
        raise click.ClickException(str(exc)) from exc
    if as_json:
        click.echo(json.dumps({"name": name, "key": key}))
    else:
        click.echo(f"Made the account {name}. Its API key, which is not shown again:")
        click.echo(key)
        click.echo("Use it with: anonrun login", err=True)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


async def _add(settings: Settings, name: str, password: str) -> str:
    """Make the account, in a database that is made if there is none, and return its key.

    Raises:
        AnonrunError: the name or password cannot be used, or the database cannot.
    """
    from anonrun.server.problems import ProblemError
    from anonrun.server.services import accounts
    from anonrun.server.services.core import Core
    from anonrun.store.database import Database

    if isinstance(settings.database, Path):
        settings.server_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = Database.open(settings.database)
    core = Core(settings, db)
    try:
        account = await accounts.sign_up(core, name, password)
        key, _ = await db.write(lambda tx: accounts.new_key(tx, account, "made with the account"))
    except ProblemError as problem:
        raise AnonrunError(str(problem.body["detail"])) from None
    finally:
        core.passwords.close()
        db.close()
    return key
