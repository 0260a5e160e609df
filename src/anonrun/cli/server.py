"""`anonrun server` serves; `anonrun gc` removes what is past its time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from anonrun.errors import AnonrunError

__all__ = ["gc", "server"]


def default_data_dir() -> Path:
    """Return the platform's folder for the user's data."""
    from platformdirs import user_data_path

    return user_data_path("anonrun", appauthor=False)


class _WithSettings(click.Command):
    """A command whose help ends with the settings that the environment may give."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the settings as a list."""
        from anonrun.server.settings import settings_help

        with formatter.section("Settings from the environment; flags come before them"):
            formatter.write_dl(
                [(name, f"{about}{f'  [{default}]' if default else ''}") for name, default, about in settings_help()]
            )
        super().format_epilog(ctx, formatter)


@click.command(cls=_WithSettings, epilog="Example: anonrun server --host 0.0.0.0 --data-dir /srv/anonrun")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 chooses a free one.")
@click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder of the database and the log."
)
@click.option("--embedded", is_flag=True, default=None, help="Serve one person: remember the port, exit when idle.")
def server(**flags: object) -> None:
    """Serve runs to clients and browsers until stopped."""
    from anonrun.server.process import AlreadyRunningError, run
    from anonrun.server.settings import settings_from

    try:
        settings = settings_from(os.environ, **{"data_dir": None, **flags}, default_data_dir=default_data_dir())
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
