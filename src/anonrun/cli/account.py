"""`anonrun login`, `logout`, `whoami`: whose runs they are."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from anonrun.cli.output import as_json_option, command_errors, print_json, server_option

if TYPE_CHECKING:
    from anonrun.core.messages import DeviceCodes

__all__ = ["login", "logout", "say_code", "whoami"]


@click.command(epilog="Example: anonrun login --server https://runs.example.org")
@server_option
@click.option("--key", "--stdin", "by_key", is_flag=True, help="Log in by an API key: asked for, or piped in.")
@click.option("--device", "by_code", is_flag=True, help="Log in by a code, also where there is no terminal.")
@click.option("--no-open", is_flag=True, help="Open no browser; the address is printed in any case.")
@as_json_option
@command_errors
def login(server: str | None, *, by_key: bool, by_code: bool, no_open: bool, as_json: bool) -> None:
    """Log in to your account; runs go to it from now on.

    You approve it in a browser, on this machine or another: a code is shown here, which you enter there. With --key,
    or where a key is piped in, that API key is saved instead. A key is never an argument, which everyone on the
    machine could read.
    """
    from anonrun.client.account import login as log_in

    if by_key and by_code:
        raise click.UsageError("Log in by --key or by --device, not by both.")
    terminal = sys.stdin.isatty()
    key = None
    if by_key or not (terminal or by_code):
        key = click.prompt("API key (not shown)", hide_input=True, err=True) if terminal else sys.stdin.readline()
        if not key.strip():
            raise click.UsageError("No key came in. Pipe one in, or log in by a code with --device.")
    account = log_in(key, server, say=lambda codes: say_code(codes, no_open=no_open))
    if as_json:
        print_json({"account": account.name, "kind": account.kind})
    else:
        click.echo(f"Logged in as {account.name}. Runs go to this account from now on.")


def say_code(codes: DeviceCodes, *, no_open: bool) -> None:
    """Show the code of a login and where it is entered, and open that page unless `no_open`."""
    from anonrun.client.browser import open_privately
    from anonrun.client.paths import data_dir

    click.echo(f"To log in, open {codes.verification_uri}", err=True)
    click.echo(f"and enter the code {codes.user_code}", err=True)
    click.echo(f"Waiting for up to {codes.expires_in // 60} minutes; Ctrl+C gives up.", err=True)
    if not no_open:
        open_privately(codes.verification_uri, data_dir(os.environ).root)


@click.command(epilog="Example: anonrun logout")
@server_option
@as_json_option
@command_errors
def logout(server: str | None, *, as_json: bool) -> None:
    """Forget the saved key of your account; it stays valid until it is revoked in the settings."""
    from anonrun.client.account import logout as log_out

    was_there = log_out(server)
    if as_json:
        print_json({"was_logged_in": was_there})
    else:
        click.echo("Logged out." if was_there else "Nobody was logged in.")


@click.command(epilog="Example: anonrun whoami --json")
@server_option
@as_json_option
@command_errors
def whoami(server: str | None, *, as_json: bool) -> None:
    """Tell whose account a run would go to now."""
    from anonrun.client.access import open_access

    access = open_access(os.environ, server=server)
    account = access.account()
    if as_json:
        print_json({"account": account.name, "kind": account.kind, "server": access.url, "key_from": access.source})
    else:
        kind = "an anonymous account" if account.kind == "anonymous" else "an account"
        click.echo(f"{account.name}, {kind} on {access.url} (key: {access.source})")
