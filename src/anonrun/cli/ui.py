"""`anonrun ui`: the dashboard in the browser, signed in."""

from __future__ import annotations

import os

import click

from anonrun.cli.output import as_json_option, command_errors, print_json, server_option

__all__ = ["ui"]


@click.command(epilog="Example: anonrun ui")
@server_option
@click.option("--no-open", is_flag=True, help="Print the link, and open no browser.")
@as_json_option
@command_errors
def ui(server: str | None, *, no_open: bool, as_json: bool) -> None:
    """Open the dashboard; the server on this machine is started where needed.

    The link works once, in one browser, for five minutes.
    """
    from anonrun.client.browser import open_privately
    from anonrun.client.handover import handover_link
    from anonrun.client.paths import data_dir

    link = handover_link(os.environ, server)
    if as_json:
        print_json({"link": link})
    elif not no_open and open_privately(link, data_dir(os.environ).root):
        click.echo("The dashboard was opened in your browser.")
    else:
        click.echo(link)
