"""The `anonrun` command: finds a subcommand's module by name, so that help and start are quick."""

from __future__ import annotations

import importlib

import click

from anonrun._version import __version__

__all__ = ["main"]

_COMMANDS = {
    "admin": "anonrun.cli.admin:admin",
    "artifact": "anonrun.cli.artifact:artifact",
    "claim": "anonrun.cli.runs:claim",
    "delete": "anonrun.cli.runs:delete",
    "doctor": "anonrun.cli.doctor:doctor",
    "export": "anonrun.cli.runs:export",
    "gc": "anonrun.cli.server:gc",
    "login": "anonrun.cli.account:login",
    "logout": "anonrun.cli.account:logout",
    "media": "anonrun.cli.media:media",
    "nb": "anonrun.cli.nb:nb",
    "runs": "anonrun.cli.runs:runs",
    "server": "anonrun.cli.server:server",
    "share": "anonrun.cli.runs:share",
    "publish": "anonrun.cli.runs:publish",
    "show": "anonrun.cli.runs:show",
    "sync": "anonrun.cli.sync:sync",
    "ui": "anonrun.cli.ui:ui",
    "whoami": "anonrun.cli.account:whoami",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="anonrun")
def main() -> None:
    """Run a published notebook or script and watch its metrics live, without an account."""
