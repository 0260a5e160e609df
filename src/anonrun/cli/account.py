"""`anonrun login`, `logout`, `whoami`: whose runs they are."""

from __future__ import annotations

import os
import sys

import click

from anonrun.cli.output import as_json_option, command_errors, print_json, server_option

__all__ = ["login", "logout", "whoami"]


@click.command(epilog="Example: anonrun login --server https://runs.example.org")
@server_option
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the key from standard input; nothing is asked.")
@as_json_option
@command_errors
def login(server: str | None, *, from_stdin: bool, as_json: bool) -> None:
    """Save the API key of your account; runs go to it from now on.

    The key is asked for and not shown. It is never an argument, which everyone on the machine could read.
    """
    from anonrun.client.account import login as log_in

    key = sys.stdin.readline().strip() if from_stdin or not sys.stdin.isatty() else None
    account = log_in(key, server)
    if as_json:
        print_json({"account": account.name, "kind": account.kind})
    else:
        click.echo(f"Logged in as {account.name}. Runs go to this account from now on.")


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
