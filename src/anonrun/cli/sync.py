"""`anonrun sync`: delivers what is on this disk and on no server yet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from anonrun.cli.output import as_json_option, command_errors, print_json, server_option
from anonrun.core.words import counted, share_that_waits

__all__ = ["sync"]


class _Folder(click.Path):
    """A folder that is there; `~` is the home folder, as messages name it, also where no shell has replaced it."""

    def __init__(self) -> None:
        super().__init__(exists=True, file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  click's signature
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111  click takes the text


@click.command(epilog="Example: anonrun sync --server https://runs.example.org")
@click.argument("folders", nargs=-1, type=_Folder())
@server_option
@as_json_option
@command_errors
def sync(folders: tuple[Path, ...], server: str | None, *, as_json: bool) -> None:
    """Deliver runs that are not delivered yet: offline, interrupted, refused or still going.

    FOLDERS are runs' folders, or folders that hold such; without any, all of this machine's. With --server they go to
    that server, whatever server they were meant for. What was delivered is removed from the disk.
    """
    from anonrun.client.syncing import sync_folders

    outcomes = []
    for outcome in sync_folders(os.environ, folders, server=server):
        outcomes.append(outcome)
        if not as_json:
            rows = counted(outcome.rows, "row")
            media = f", {counted(outcome.media, 'item')} of media" if outcome.media else ""
            state = (
                f"delivered, {rows}"
                if outcome.delivered
                else f"still going, delivered so far, {rows}"
                if outcome.live
                else f"NOT delivered, {share_that_waits(outcome.waiting, outcome.rows + outcome.waiting)}{media}"
            )
            click.echo(f"{outcome.name}: {state}{f'. {outcome.trouble}' if outcome.trouble else ''}")
    if as_json:
        print_json([outcome.as_json() for outcome in outcomes])
    elif not outcomes:
        click.echo("Everything is delivered.")
    if any(outcome.trouble for outcome in outcomes):
        raise SystemExit(1)
