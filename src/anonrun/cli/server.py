"""`anonrun server` serves; `anonrun gc` removes what is past its time."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonrun.errors import AnonrunError

if TYPE_CHECKING:
    from anonrun.server.settings import Settings

__all__ = ["data_dir_option", "database_of", "database_url_option", "default_data_dir", "gc", "server", "settings_of"]


def default_data_dir() -> Path:
    """Return the platform's folder for the user's data."""
    from platformdirs import user_data_path

    return user_data_path("anonrun", appauthor=False)


data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of database and log.  [default: ANONRUN_DATA_DIR, or the user's data folder]",
)


database_url_option = click.option(
    "--database-url",
    help="PostgreSQL database to use instead of SQLite. Others see a command's arguments: where a password stands in "
    "it, use ANONRUN_DATABASE_URL.",
)


def settings_of(data_dir: Path | None, database_url: str | None) -> Settings:
    """Return the settings that these flags and the environment give.

    Raises:
        click.UsageError: a setting cannot be read or used.
    """
    from anonrun.server.settings import settings_from

    flags = {"data_dir": data_dir, "database_url": database_url}
    try:
        return settings_from(os.environ, default_data_dir=default_data_dir(), **flags)
    except AnonrunError as exc:
        raise click.UsageError(str(exc)) from exc


def database_of(data_dir: Path | None, database_url: str | None) -> Path | str:
    """Return where the database of these flags and the environment is.

    Raises:
        click.ClickException: there is none.
    """
    where = settings_of(data_dir, database_url).database
    if isinstance(where, Path) and not where.exists():
        raise click.ClickException(f"There is no database at {where}. Name its folder with --data-dir.")
    return where


class _WithSettings(click.Command):
    """A command whose help ends with the settings that the environment may give."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the settings as a list."""
        from anonrun.server.settings import settings_help

        rows = [(name, f"{about}{f'  [{default}]' if default else ''}") for name, default, about in settings_help()]
        with formatter.section("Settings from the environment; flags come before them"):
            formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


@click.command(cls=_WithSettings, epilog="Example: anonrun server --host 0.0.0.0 --data-dir /srv/anonrun")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 chooses a free one.")
@data_dir_option
@database_url_option
@click.option("--workers", type=click.IntRange(1), help="Processes that serve; more than 1 needs PostgreSQL.")
@click.option("--embedded", is_flag=True, default=None, help="Serve one person: remember the port, exit when idle.")
def server(**flags: object) -> None:
    """Serve runs to clients and browsers until stopped."""
    from anonrun.server.process import AlreadyRunningError, run
    from anonrun.server.settings import settings_from

    environment = dict(os.environ)
    if flags["embedded"]:
        if flags["database_url"] or flags["workers"]:
            raise click.UsageError("An embedded server is one process on SQLite: no --database-url, no --workers.")
        for name in ("ANONRUN_DATABASE_URL", "ANONRUN_WORKERS"):  # meant for another server
            environment.pop(name, None)
    try:
        settings = settings_from(environment, default_data_dir=default_data_dir(), **flags)
    except AnonrunError as exc:
        raise click.UsageError(str(exc)) from exc
    try:
        run(settings)
    except AlreadyRunningError as exc:
        if settings.embedded:  # of several that start at once, one stays
            click.echo(str(exc), err=True)
            sys.exit(0)
        raise click.ClickException(str(exc)) from exc
    except AnonrunError as exc:
        raise click.ClickException(str(exc)) from exc


@click.command(epilog="Example: anonrun gc --dry-run")
@data_dir_option
@database_url_option
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def gc(data_dir: Path | None, database_url: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Remove runs that have expired or were deleted, for good; a running server does so by itself.

    A clock that is behind the last removal stops it, since what has expired cannot be told then.
    """
    import asyncio

    from anonrun.server.services.retention import objection, sweep
    from anonrun.store import retention
    from anonrun.store.database import Database
    from anonrun.store.ledger import Ledger

    ledger = Ledger(settings_of(data_dir, database_url).ledger)
    try:
        db = Database.open(database_of(data_dir, database_url))
        try:
            due = db.read_now(retention.due)
            seen_us = db.read_now(retention.last_seen_us)
            removed_before = db.read_now(retention.remembered)
            doubt = objection(now_us=db.clock.now_us(), seen_us=seen_us, passed_us=None, expected_us=None, due=due)
            blocked = doubt is not None and not doubt.passing
            purged = 0 if dry_run or blocked else asyncio.run(sweep(db, ledger=ledger)).purged
        finally:
            db.close()
    except (AnonrunError, OSError) as exc:
        raise click.ClickException(str(exc)) from exc
    report = {
        "expired": due.expired,
        "deleted": due.marked,
        "points": due.points,
        "bytes": due.size_bytes,
        "purged": purged,
        "removed_in_30_days": removed_before + purged,
        "objection": doubt.reason if doubt else None,
    }
    if as_json:
        click.echo(json.dumps(report))
    else:
        verb = "Would remove" if dry_run else "Removed"
        count = due.expired + due.marked if dry_run else purged
        click.echo(f"{verb} {count} run{'' if count == 1 else 's'} ({due.points} points, {due.size_bytes} bytes).")
        click.echo(f"Removed in the last 30 days: {report['removed_in_30_days']}.")
        if doubt is not None:
            click.echo(f"Note: {doubt.reason}.", err=True)
    if blocked and not dry_run:
        raise click.ClickException("Nothing was removed. Set the clock right, then try again.")
