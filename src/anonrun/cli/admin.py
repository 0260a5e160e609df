"""`anonrun admin`: what the operator of a server does at its machine."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonrun.cli.output import as_json_option, command_errors, print_json
from anonrun.cli.server import data_dir_option, database_of, database_url_option, default_data_dir
from anonrun.errors import AnonrunError

if TYPE_CHECKING:
    from anonrun.server.settings import Settings
    from anonrun.store.findings import Fault, Report

__all__ = ["admin"]


@click.group()
def admin() -> None:
    """Operate a server: its accounts, and what it has stored."""


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
        key = asyncio.run(_add(_settings(data_dir, database_url), name, password))
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


def _settings(data_dir: Path | None, database_url: str | None) -> Settings:
    from anonrun.server.settings import settings_from

    flags = {"data_dir": data_dir, "database_url": database_url}
    return settings_from(os.environ, default_data_dir=default_data_dir(), **flags)


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


@admin.command(epilog="Example: anonrun admin check --data-dir /srv/anonrun")
@data_dir_option
@database_url_option
@as_json_option
@command_errors
def check(data_dir: Path | None, database_url: str | None, *, as_json: bool) -> None:
    """Read through everything that is stored, and name what is damaged.

    Changes nothing, and a server may go on serving meanwhile. Exits with 1 where something is wrong.
    """
    from anonrun.store.check import check as look_through

    report = look_through(database_of(data_dir, database_url))
    if as_json:
        print_json(_report_as_json(report))
    else:
        _say(report)
    if report.faults:
        raise SystemExit(1)


def _say(report: Report) -> None:
    for fault in report.faults:
        click.echo(f"BAD {fault}")
    click.echo(
        f"Read {_many(report.runs, 'run')}: {_many(report.points, 'point')} in {_many(report.chunks, 'chunk')} and "
        f"{_many(report.segments, 'segment')}, {_many(report.size_bytes, 'byte')}."
    )
    if report.removing:
        click.echo(f"Passed over {_many(report.removing, 'deleted run')} not removed yet.")
    click.echo(f"{_many(len(report.faults), 'fault')}; the rest can be read." if report.faults else "All is sound.")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _report_as_json(report: Report) -> dict[str, object]:
    counts = ("runs", "removing", "segments", "axes", "chunks", "points", "size_bytes")
    return {name: getattr(report, name) for name in counts} | {"faults": [_fault_as_json(f) for f in report.faults]}


def _fault_as_json(fault: Fault) -> dict[str, str | None]:
    return {
        "run_id": None if fault.run_id is None else str(fault.run_id),
        "metric": fault.metric,
        "place": fault.place,
        "problem": fault.problem,
    }
