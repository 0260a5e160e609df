"""`anonrun doctor`: what is installed, which server is used, what works, what is damaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from anonrun.cli.output import as_json_option, print_json, server_option
from anonrun.errors import AnonrunError

if TYPE_CHECKING:
    from anonrun.client.checkup import Finding

__all__ = ["doctor"]

_CHECK_WITHIN_S = 10.0
_FAULTS_NAMED = 20


@click.command(epilog="Example: anonrun doctor --json")
@server_option
@as_json_option
def doctor(server: str | None, *, as_json: bool) -> None:
    """Check this installation, and say what to do about what is wrong. Starts nothing and changes nothing."""
    import os

    from anonrun.client.checkup import checkup

    findings = [*checkup(os.environ, server), *_database(os.environ)]
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            click.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.subject.ljust(width)}  {finding.text}")
    if not all(finding.good for finding in findings):
        raise SystemExit(1)


def _database(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is to be said of the embedded server's database, where there is one; for a while only it is read."""
    from anonrun.client.checkup import Finding
    from anonrun.client.paths import data_dir
    from anonrun.store.check import check
    from anonrun.store.inspecting import OlderSchemaError

    path = data_dir(environment).server / "anonrun.db"
    if not path.exists():
        return
    try:
        report = check(path, within_s=_CHECK_WITHIN_S)
    except OlderSchemaError as exc:
        yield Finding("database", good=True, text=str(exc))
        return
    except AnonrunError as exc:
        yield Finding("database", good=False, text=str(exc))
        return
    faults = [f"{fault}." for fault in report.faults[:_FAULTS_NAMED]]
    hidden = len(report.faults) - len(faults)
    if faults:
        more = [f"And {hidden} more: run `anonrun admin check`."] if hidden else []
        yield Finding("database", good=False, text=" ".join((f"{path}:", *faults, *more)))
        return
    what = f"{path} is sound; runs: {report.runs}"
    rest = "" if report.complete else "; there was time for no more, `anonrun admin check` reads everything"
    yield Finding("database", good=True, text=what + rest)
