"""`anonrun server` serves; `anonrun gc` removes what is past its time."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from anonrun.errors import AnonrunError

if TYPE_CHECKING:
    from anonrun.server.settings import Settings
    from anonrun.store.database import Database

__all__ = ["data_dir_option", "database_of", "database_url_option", "default_data_dir", "gc", "server", "settings_of"]


F = TypeVar("F", bound=Callable[..., Any])


def default_data_dir() -> Path:
    """Return the platform's folder for the user's data."""
    from platformdirs import user_data_path

    return user_data_path("anonrun", appauthor=False)


_CONFIG = "anonrun.config"
_OF_OTHERS = (
    "ANONRUN_DATABASE_URL", "ANONRUN_WORKERS", "ANONRUN_CONFIG", "ANONRUN_PROVIDERS", "ANONRUN_PASSWORDS"
)  # fmt: skip
"""What an embedded server pays no attention to: it is meant for another server."""


def _remember(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
    ctx.meta[_CONFIG] = value


_config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    expose_value=False,
    callback=_remember,
    help="TOML file of settings.  [default: ANONRUN_CONFIG]",
)
_data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of database and log.  [default: ANONRUN_DATA_DIR, or the user's data folder]",
)


def data_dir_option(function: F) -> F:
    """Add the options that say where a server keeps its data: its folder, or the file that names it."""
    return _config_option(_data_dir_option(function))


database_url_option = click.option(
    "--database-url",
    help="PostgreSQL database to use instead of SQLite. Others see a command's arguments: where a password stands in "
    "it, use ANONRUN_DATABASE_URL.",
)


def settings_of(environment: Mapping[str, str] | None = None, **flags: object) -> Settings:
    """Return the settings that a command's flags, the environment and the file give; see `settings_from`.

    Raises:
        click.UsageError: a setting cannot be read or used.
    """
    return _chosen(os.environ if environment is None else environment, flags)[0]


def _chosen(environment: Mapping[str, str], flags: Mapping[str, object]) -> tuple[Settings, dict[str, str]]:
    from anonrun.server.settings import settings_and_sources

    config = click.get_current_context().meta.get(_CONFIG)
    try:
        return settings_and_sources(environment, default_data_dir=default_data_dir(), config=config, **flags)
    except AnonrunError as exc:
        raise click.UsageError(str(exc)) from exc


def database_of(data_dir: Path | None, database_url: str | None) -> Path | str:
    """Return where the database of these flags and the environment is.

    Raises:
        click.ClickException: there is none.
    """
    where = settings_of(data_dir=data_dir, database_url=database_url).database
    if isinstance(where, Path) and not where.exists():
        raise click.ClickException(f"There is no database at {where}. Name its folder with --data-dir.")
    return where


class _WithSettings(click.Group):
    """A command whose help ends with the settings that the environment may give."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the settings as a list."""
        from anonrun.server.settings import settings_help

        rows = [(name, f"{about}{f'  [{default}]' if default else ''}") for name, default, about in settings_help()]
        with formatter.section("Settings from the environment; flags come before them, a file of settings after"):
            formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


@click.group(
    cls=_WithSettings,
    invoke_without_command=True,
    epilog="Example: anonrun server --host 0.0.0.0 --data-dir /srv/anonrun",
)
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 chooses a free one.")
@data_dir_option
@database_url_option
@click.option("--workers", type=click.IntRange(1), help="Processes that serve; more than 1 needs PostgreSQL.")
@click.option("--embedded", is_flag=True, default=None, help="Serve one person: remember the port, exit when idle.")
@click.pass_context
def server(ctx: click.Context, /, **flags: object) -> None:
    """Serve runs to clients and browsers until stopped."""
    environment = dict(os.environ)
    if flags["embedded"]:
        if flags["database_url"] or flags["workers"] or ctx.meta[_CONFIG]:
            raise click.UsageError(
                "An embedded server is one process on SQLite, with settings of its own: no --database-url, no "
                "--workers, no --config."
            )
        for name in _OF_OTHERS:
            environment.pop(name, None)
    settings, sources = _chosen(environment, flags)
    if ctx.invoked_subcommand is None:
        _serve(settings)
    ctx.obj = settings, sources


def _serve(settings: Settings) -> None:
    from anonrun.server.process import AlreadyRunningError, run

    try:
        run(settings)
    except AlreadyRunningError as exc:
        if settings.embedded:  # of several that start at once, one stays
            click.echo(str(exc), err=True)
            sys.exit(0)
        raise click.ClickException(str(exc)) from exc
    except AnonrunError as exc:
        raise click.ClickException(str(exc)) from exc


@server.command("config", epilog="Example: anonrun server --port 80 config")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_obj
def show_config(chosen: tuple[Settings, dict[str, str]], *, as_json: bool) -> None:
    """Print each setting as it would be in force, and where it comes from; secrets are not shown."""
    from anonrun.server.settings import explain

    rows = explain(*chosen)
    if as_json:
        click.echo(json.dumps({row.name: {"value": row.text, "source": row.source} for row in rows}, indent=2))
        return
    names, texts = max(len(row.name) for row in rows), max(len(row.text) for row in rows)
    for row in rows:
        click.echo(f"{row.name.ljust(names)}  {row.text.ljust(texts)}  {row.source}")


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

    from anonrun.server.services.retention import objection
    from anonrun.store import retention
    from anonrun.store.database import Database

    settings = settings_of(data_dir=data_dir, database_url=database_url)
    try:
        db = Database.open(database_of(data_dir, database_url))
        try:
            due = db.read_now(retention.due)
            seen_us = db.read_now(retention.last_seen_us)
            removed_before = db.read_now(retention.remembered)
            doubt = objection(now_us=db.clock.now_us(), seen_us=seen_us, passed_us=None, expected_us=None, due=due)
            blocked = doubt is not None and not doubt.passing
            files = strays = purged = 0
            if dry_run or not blocked:
                purged, files, strays = asyncio.run(_collect(db, settings, dry_run=dry_run))
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
        "files": files,
        "stray_files": strays,
        "removed_in_30_days": removed_before + purged,
        "objection": doubt.reason if doubt else None,
    }
    if as_json:
        click.echo(json.dumps(report))
    else:
        verb = "Would remove" if dry_run else "Removed"
        count = due.expired + due.marked if dry_run else purged
        click.echo(f"{verb} {count} run{'' if count == 1 else 's'} ({due.points} points, {due.size_bytes} bytes).")
        if files or strays:
            click.echo(f"{verb} {files + strays} stored files that nothing refers to.")
        click.echo(f"Removed in the last 30 days: {report['removed_in_30_days']}.")
        if doubt is not None:
            click.echo(f"Note: {doubt.reason}.", err=True)
    if blocked and not dry_run:
        raise click.ClickException("Nothing was removed. Set the clock right, then try again.")


async def _collect(db: Database, settings: Settings, *, dry_run: bool) -> tuple[int, int, int]:
    """Remove what is past its time; return how many runs, stored files, and files that no row knows went, or would."""
    from anonrun.server.services.files import objects_of, orphans, remove_orphans
    from anonrun.server.services.retention import sweep
    from anonrun.store.ledger import Ledger

    objects = objects_of(settings, db.instance)
    try:
        if dry_run:
            return 0, 0, len((await orphans(db, objects))[0])
        swept = await sweep(db, ledger=Ledger(settings.ledger), objects=objects)
        return swept.purged, swept.objects, await remove_orphans(db, objects)
    finally:
        await objects.close()
