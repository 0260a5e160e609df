"""`anonrun artifact`: files that runs of an account have logged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonrun.cli.output import as_json_option, command_errors, print_json, server_option
from anonrun.cli.table import print_table
from anonrun.core.messages import to_json

if TYPE_CHECKING:
    from anonrun.client.api import Api

__all__ = ["artifact"]


def _api(server: str | None) -> Api:
    from anonrun.client.api import Api

    return Api(server)


@click.group(epilog="Example: anonrun artifact get digits/model:latest --to ./model")
def artifact() -> None:
    """List, download and delete the artifacts of your account; a training logs them by run.log_artifact."""


@artifact.command("ls", epilog="Example: anonrun artifact ls --project digits")
@click.option("--project", help="Only artifacts of this project.")
@click.option("--name", help="Only versions of this artifact.")
@server_option
@as_json_option
@command_errors
def ls(project: str | None, name: str | None, server: str | None, *, as_json: bool) -> None:
    """List versions of artifacts, newest first."""
    found = _api(server).artifacts(project, name)
    if as_json:
        print_json([to_json(one.info) for one in found])
        return
    if not found:
        click.echo("No artifacts yet.")
        return
    rows = [
        (
            f"{one.project}/{one.name}",
            one.type,
            f"{one.info.file_count:,}",
            f"{one.size_bytes:,}",
            f"{one.created_at.astimezone():%Y-%m-%d %H:%M}",
            ", ".join(one.aliases),
        )
        for one in found
    ]
    print_table(("ARTIFACT", "TYPE", "FILES", "BYTES", "LOGGED", "ALIASES"), rows, numbers={"FILES", "BYTES"})


@artifact.command("get", epilog="Example: anonrun artifact get digits/model:v3 --to ./model")
@click.argument("name")
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), help="Folder.  [default: artifacts/NAME-VERSION]"
)
@server_option
@as_json_option
@command_errors
def get(name: str, to: Path | None, server: str | None, *, as_json: bool) -> None:
    """Download NAME, which is project/name:version, and compare each file with what was logged."""
    found = _api(server).artifact(name)
    folder = found.download(to)
    if as_json:
        print_json({"folder": str(folder), "artifact": to_json(found.info)})
    else:
        click.echo(f"{found.name}: {found.info.file_count:,} files in {folder}")


@artifact.command("delete", epilog="Example: anonrun artifact delete digits/model:v3 --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_option
@command_errors
def delete(name: str, server: str | None, *, yes: bool) -> None:
    """Delete the version that NAME, project/name:version, names: at once, for good."""
    found = _api(server).artifact(name)
    if not yes:
        click.confirm(
            f"Delete {found.project}/{found.name} with {found.info.file_count:,} files, for good?", abort=True
        )
    found.delete()
    click.echo(f"Deleted {found.project}/{found.name}.")
