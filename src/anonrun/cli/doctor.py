"""`anonrun doctor`: what is installed, which server is used, what works, what is damaged."""

from __future__ import annotations

import click

from anonrun.cli.output import as_json_option, print_json, server_option

__all__ = ["doctor"]


@click.command(epilog="Example: anonrun doctor --json")
@server_option
@as_json_option
def doctor(server: str | None, *, as_json: bool) -> None:
    """Check this installation, and say what to do about what is wrong. Starts nothing and changes nothing."""
    import os

    from anonrun.client.checkup import checkup

    findings = checkup(os.environ, server)
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            click.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.subject.ljust(width)}  {finding.text}")
    if not all(finding.good for finding in findings):
        raise SystemExit(1)
