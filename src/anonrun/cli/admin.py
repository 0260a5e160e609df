"""`anonrun admin`: what the operator of a server does at its machine."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonrun.cli.output import as_json_option, command_errors, print_json
from anonrun.cli.server import data_dir_option, database_of, database_url_option, settings_of
from anonrun.cli.table import print_table
from anonrun.cli.upkeep import backup, check, redelete, restore
from anonrun.core.times import format_time, from_us
from anonrun.errors import AnonrunError

if TYPE_CHECKING:
    from anonrun.server.services.core import Core
    from anonrun.store.usage import Usage

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
@click.option("--operator", is_flag=True, help="Let it look after the server, in the browser.")
@as_json_option
@command_errors
def add_user(name: str, data_dir: Path | None, database_url: str | None, *, operator: bool, as_json: bool) -> None:
    """Make an account and print an API key for it, once.

    The first account of a server is its operator's in any case. The password is asked for at a terminal, and read from
    the first line of standard input otherwise.
    """
    password = _password()
    with _open(data_dir, database_url, new=True) as core:
        key, role = asyncio.run(_add(core, name, password, operator=operator))
    if as_json:
        print_json({"name": name, "role": role, "key": key})
    else:
        what = "operator's account" if role == "operator" else "account"
        click.echo(f"Made the {what} {name}. Its API key, which is not shown again:")
        click.echo(key)
        click.echo("Use it with: anonrun login", err=True)


@user.command("list", epilog="Example: anonrun admin user list --json")
@data_dir_option
@database_url_option
@as_json_option
@command_errors
def list_users(data_dir: Path | None, database_url: str | None, *, as_json: bool) -> None:
    """List the accounts of people: since when they are there, and when one of their runs last sent something."""
    from anonrun.store import usage

    with _open(data_dir, database_url) as core:
        users = core.db.read_now(usage.of_users)
    if as_json:
        print_json([_usage_as_json(one) for one in users])
    elif users:
        rows = [(str(one.name), _when(one.created_at), _when(one.active_at), f"{one.runs:,}") for one in users]
        print_table(("name", "since", "last sent", "runs"), rows, numbers={"runs"})
    else:
        click.echo("There are no accounts. Make one with: anonrun admin user add NAME")


@user.command("password", epilog="Example: anonrun admin user password ada")
@click.argument("name")
@data_dir_option
@database_url_option
@command_errors
def set_password(name: str, data_dir: Path | None, database_url: str | None) -> None:
    """Give a user another password, and sign them out everywhere. Their API keys stay.

    The password is asked for at a terminal, and read from the first line of standard input otherwise.
    """
    from anonrun.server.services.operating import reset_password

    password = _password()
    with _open(data_dir, database_url) as core:
        ended = asyncio.run(reset_password(core, name, password))
    click.echo(f"{name} has another password; ended sessions: {ended}.")


@user.command("remove", epilog="Example: anonrun admin user remove ada")
@click.argument("name")
@data_dir_option
@database_url_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@command_errors
def remove(name: str, data_dir: Path | None, database_url: str | None, *, yes: bool) -> None:
    """Remove a user with all their runs, keys and sessions, for good."""
    from anonrun.server.services.operating import remove_user

    if not yes:
        click.confirm(f"Remove {name} and every run of theirs, for good?", abort=True)
    with _open(data_dir, database_url) as core:
        runs = asyncio.run(remove_user(core, name))
    click.echo(f"Removed {name}; runs that went: {runs}.")


@admin.command(epilog="Example: anonrun admin quotas --json")
@data_dir_option
@database_url_option
@as_json_option
@command_errors
def quotas(data_dir: Path | None, database_url: str | None, *, as_json: bool) -> None:
    """Show what each account keeps, what all anonymous runs keep together, and what one of them may."""
    from anonrun.store import usage

    with _open(data_dir, database_url) as core:
        users, anonymous = core.db.read_now(lambda tx: (usage.of_users(tx), usage.of_anonymous(tx)))
        limits = core.settings.limits
    most = {"metrics": limits.metrics, "points": limits.points, "media": limits.media, "bytes": limits.stored_bytes}
    if as_json:
        all_of_them = [_usage_as_json(one) for one in users]
        print_json({"users": all_of_them, "anonymous": _usage_as_json(anonymous), "an_anonymous_run_may_hold": most})
        return
    rows = [
        (
            str(one.name or f"{anonymous.accounts:,} anonymous"),
            f"{one.runs:,}",
            f"{one.points:,}",
            f"{one.size_bytes:,}",
        )
        for one in [*users, anonymous]
    ]
    print_table(("account", "runs", "points", "bytes"), rows, numbers={"runs", "points", "bytes"})
    click.echo("An anonymous run may hold " + ", ".join(f"{count:,} {what}" for what, count in most.items()) + ".")


@user.command("invite", epilog="Example: anonrun admin user invite --label 'new student' --data-dir /srv/anonrun")
@click.option("--label", help="Whom it is for; shown to operators.")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="Days until it ends.")
@data_dir_option
@database_url_option
@as_json_option
@command_errors
def invite_user(
    label: str | None, days: int, data_dir: Path | None, database_url: str | None, *, as_json: bool
) -> None:
    """Print a link by which one person may make an account, also where sign-up is not open to all.

    Whoever has the link can use it, once. It begins with ANONRUN_PUBLIC_URL, where that is set.
    """
    from anonrun.server.services.invitations import invite

    with _open(data_dir, database_url, new=True) as core:
        settings = core.settings
        invitation = core.db.write_now(lambda tx: invite(tx, label=label, days=days, account_id=None)[0])
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    link = f"{base}/sign-up#i={invitation}"
    if as_json:
        print_json({"link": link})
    else:
        click.echo(link)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@contextlib.contextmanager
def _open(data_dir: Path | None, database_url: str | None, *, new: bool = False) -> Iterator[Core]:
    """Have the parts of a server, which serves nothing; its database is made where `new` and there is none.

    Raises:
        AnonrunError: the database cannot be used, or what was done in it was refused.
    """
    from anonrun.server.problems import ProblemError
    from anonrun.server.services.core import Core
    from anonrun.store.database import Database

    settings = settings_of(data_dir=data_dir, database_url=database_url)
    if not new:
        database_of(data_dir, database_url)  # refuses where there is none
    elif isinstance(settings.database, Path):
        settings.server_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = Database.open(settings.database)
    core = Core(settings, db)
    try:
        yield core
    except ProblemError as problem:
        raise AnonrunError(str(problem.body["detail"])) from None
    finally:
        core.passwords.close()
        db.close()


async def _add(core: Core, name: str, password: str, *, operator: bool) -> tuple[str, str]:
    """Make the account and return its key and its role."""
    from anonrun.server.services import accounts

    account = await accounts.sign_up(core, name, password, operator=operator)
    key, _ = await core.db.write(lambda tx: accounts.new_key(tx, account, "made with the account"))
    return key, account.role


def _usage_as_json(usage: Usage) -> dict[str, object]:
    counts: dict[str, object] = {"runs": usage.runs, "points": usage.points, "bytes": usage.size_bytes}
    if usage.name is None:
        return {"accounts": usage.accounts} | counts
    times = {"created_at": usage.created_at, "last_sent_at": usage.active_at}
    return {"name": usage.name} | counts | {name: _when(at) or None for name, at in times.items()}


def _when(at_us: int | None) -> str:
    return "" if at_us is None else format_time(from_us(at_us))
