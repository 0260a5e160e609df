"""`anonrun admin check|backup|restore|redelete`: is what is stored sound, and how does it come back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonrun.cli.output import as_json_option, command_errors, print_json
from anonrun.cli.server import data_dir_option, database_of, database_url_option, settings_of

if TYPE_CHECKING:
    from anonrun.store.findings import Fault, Report

__all__ = ["backup", "check", "redelete", "restore"]


@click.command(epilog="Example: anonrun admin check --data-dir /srv/anonrun")
@data_dir_option
@database_url_option
@click.option("--read-files", is_flag=True, help="Read the files of artifacts too, and compare each with its digest.")
@as_json_option
@command_errors
def check(data_dir: Path | None, database_url: str | None, *, read_files: bool, as_json: bool) -> None:
    """Read through everything that is stored, and name what is damaged.

    Of the files of artifacts it looks whether each is in its folder or bucket, with its size. Changes nothing, and a
    server may go on serving meanwhile. Exits with 1 where something is wrong.
    """
    import asyncio

    from anonrun.server.services.files import check_files
    from anonrun.store.check import check as look_through

    report = look_through(database_of(data_dir, database_url))
    settings = settings_of(data_dir=data_dir, database_url=database_url)
    asyncio.run(check_files(settings, report, read=read_files))
    if as_json:
        print_json(_report_as_json(report))
    else:
        _say(report)
    if report.faults:
        raise SystemExit(1)


def _say_faults(report: Report) -> None:
    for fault in report.faults:
        click.echo(f"BAD {fault}")


def _say(report: Report) -> None:
    _say_faults(report)
    click.echo(
        f"Read {_many(report.runs, 'run')}: {_many(report.points, 'point')} in {_many(report.chunks, 'chunk')} and "
        f"{_many(report.segments, 'segment')}, {_many(report.size_bytes, 'byte')}."
    )
    if report.media:
        click.echo(f"Media: {_many(report.media, 'item')}.")
    if report.files:
        looked = "" if report.objects is None else f", {_many(report.objects, 'object')} looked for"
        click.echo(f"Artifacts: {_many(report.files, 'file')}{looked}.")
    if report.removing:
        click.echo(f"Passed over {_many(report.removing, 'deleted run')} not removed yet.")
    click.echo(f"{_many(len(report.faults), 'fault')}; the rest can be read." if report.faults else "All is sound.")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _report_as_json(report: Report) -> dict[str, object]:
    counts = ("runs", "removing", "segments", "axes", "chunks", "points", "media", "size_bytes", "files", "objects")
    return {name: getattr(report, name) for name in counts} | {"faults": [_fault_as_json(f) for f in report.faults]}


def _fault_as_json(fault: Fault) -> dict[str, str | None]:
    return {
        "run_id": None if fault.run_id is None else str(fault.run_id),
        "metric": fault.metric,
        "place": fault.place,
        "problem": fault.problem,
    }


@click.command(epilog="Example: anonrun admin backup /mnt/backups/anonrun.db --data-dir /srv/anonrun")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_dir_option
@click.option("--replace", is_flag=True, help="Replace FILE where it is there already, once the new one is complete.")
@as_json_option
@command_errors
def backup(file: Path, data_dir: Path | None, *, replace: bool, as_json: bool) -> None:
    """Write a verified copy of the SQLite database to FILE, while the server goes on.

    The files of artifacts are not in it: copy their folder or bucket after it, as docs/deploy.md says.

    Copy the ledger of deletions, deleted.ledger beside the database, more often than this, and keep it apart from the
    backups: with it no restore brings back what someone has deleted. PostgreSQL has backups of its own; see
    docs/deploy.md. Exits with 1 where the copy is damaged as the database is.
    """
    from anonrun.server.services.backups import DamagedBackupError, back_up
    from anonrun.server.services.files import files_place

    source = database_of(data_dir, None)
    if not isinstance(source, Path):
        raise click.ClickException(
            "This server keeps its runs in PostgreSQL: back it up by pg_dump; see docs/deploy.md."
        )
    try:
        report = back_up(source, file, replace=replace)
    except DamagedBackupError as exc:
        _say_faults(exc.report)
        raise
    if as_json:
        print_json({"file": str(file), "bytes": file.stat().st_size} | _report_as_json(report))
    else:
        click.echo(f"Wrote {file} ({_many(file.stat().st_size, 'byte')}).")
        _say(report)
        if report.files:
            where = files_place(settings_of(data_dir=data_dir), file)
            click.echo(f"The files of artifacts are not in it. Copy them now, after it: {where}", err=True)


ledger_option = click.option(
    "--ledger",
    "ledgers",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A further ledger of deletions, such as a copy from a disk that was lost; may be given more than once.",
)


@click.command(epilog="Example: anonrun admin restore /mnt/backups/anonrun.db --data-dir /srv/anonrun")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_dir_option
@ledger_option
@click.option("--damaged-too", is_flag=True, help="Restore even what is damaged in part.")
@as_json_option
@command_errors
def restore(file: Path, data_dir: Path | None, ledgers: tuple[Path, ...], *, damaged_too: bool, as_json: bool) -> None:
    """Put the backup FILE in the place of the SQLite database. The server must not be running.

    What expired or was deleted since the backup is removed again before anything is served, and every browser is signed
    out. The database that was there is kept beside, with another name.
    """
    from anonrun.server.services.backups import DamagedBackupError
    from anonrun.server.services.backups import restore as put_back

    try:
        done = put_back(settings_of(data_dir=data_dir), file, ledgers=ledgers, damaged_too=damaged_too)
    except DamagedBackupError as exc:
        _say_faults(exc.report)
        raise
    if as_json:
        more = {"deleted_again": done.deleted_again, "removed": done.removed}
        print_json(_report_as_json(done.report) | more | {"aside": None if done.aside is None else str(done.aside)})
        return
    click.echo(f"Restored {file}.")
    click.echo(
        f"Deleted again, as since the backup: {_many(done.deleted_again, 'run')}. Removed for good: {done.removed}."
    )
    _say(done.report)
    if done.aside is not None:
        click.echo(f"What was there is {done.aside}. It may hold what people have deleted: remove it soon.", err=True)


@click.command(epilog="Example: anonrun admin redelete --database-url postgresql:///anonrun --ledger deleted.ledger")
@data_dir_option
@database_url_option
@ledger_option
@as_json_option
@command_errors
def redelete(data_dir: Path | None, database_url: str | None, ledgers: tuple[Path, ...], *, as_json: bool) -> None:
    """Remove what expired or was deleted since a backup, after PostgreSQL's own tools have restored it.

    Do so before any server is started: see docs/deploy.md. Every browser is signed out.
    """
    from anonrun.server.services.backups import known_deletions, remove_again
    from anonrun.store.database import Database
    from anonrun.store.ledger import Ledger

    settings = settings_of(data_dir=data_dir, database_url=database_url)
    hashes = known_deletions([settings.ledger, *ledgers])
    db = Database.open(database_of(data_dir, database_url))
    try:
        again, removed = remove_again(db, hashes, Ledger(settings.ledger))
    finally:
        db.close()
    if as_json:
        print_json({"deleted_again": again, "removed": removed})
    else:
        click.echo(f"Deleted again: {_many(again, 'run')}. Removed for good: {_many(removed, 'run')}.")
