"""`anonrun media`: pictures, tables and the like that a run has logged, listed or as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from anonrun.cli.output import as_json_option, command_errors, print_json, server_option
from anonrun.cli.table import print_table
from anonrun.core.media import MediaKind
from anonrun.core.messages import to_json
from anonrun.core.words import counted

__all__ = ["media"]


@click.command(epilog="Example: anonrun media digits/k3x9p0wz --kind image -o pictures")
@click.argument("run")
@click.option("--kind", type=click.Choice([kind.value for kind in MediaKind]), help="Only one kind.")
@click.option("--key", help="Only what was logged under this key.")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Write each as a file into this folder."
)
@server_option
@as_json_option
@command_errors
def media(
    run: str, kind: str | None, key: str | None, output: Path | None, server: str | None, *, as_json: bool
) -> None:
    """List the media of RUN, its id, PROJECT/ID or UUID, in the order in which they arrived; or write them."""
    from anonrun.client.api import Api

    found = Api(server).run(run).media(kind, key)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        places = [item.save(output) for item in found]
        if as_json:
            print_json([str(place) for place in places])
        else:
            click.echo(f"{counted(len(places), 'file')} in {output}")
        return
    if as_json:
        print_json([to_json(replace(item.info, content=None)) for item in found])
        return
    rows = [
        (item.key, item.kind, f"{item.step:,}", str(item.index), f"{item.size_bytes:,}", item.caption) for item in found
    ]
    if not rows:
        click.echo("No media.")
        return
    print_table(("KEY", "KIND", "STEP", "INDEX", "BYTES", "CAPTION"), rows, numbers={"STEP", "INDEX", "BYTES"})
