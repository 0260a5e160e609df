"""`anonrun runs`, `show`, `export`, `share`, `publish`, `claim`, `delete`: what can be done with logged runs."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonrun.cli.output import as_json_option, command_errors, print_json, run_as_json, server_option
from anonrun.cli.table import print_table
from anonrun.core.metrics import of_training
from anonrun.core.words import counted
from anonrun.errors import UsageError

if TYPE_CHECKING:
    from anonrun.client.api import Api, ApiRun

__all__ = ["claim", "delete", "export", "publish", "runs", "share", "show"]


def _api(server: str | None) -> Api:
    from anonrun.client.api import Api

    return Api(server)


def _kept(run: ApiRun) -> str:
    from anonrun.core.retention import remaining_text

    if run.expires_at is None:
        return "kept"
    return f"{remaining_text(run.expires_at - datetime.now(timezone.utc))} left"


@click.command(epilog="Example: anonrun runs --project digits")
@click.option("--project", help="Only runs of this project.")
@server_option
@as_json_option
@command_errors
def runs(project: str | None, server: str | None, *, as_json: bool) -> None:
    """List your runs, newest first."""
    found = _api(server).runs(project)
    if as_json:
        print_json([run_as_json(run) for run in found])
        return
    if not found:
        click.echo("No runs yet.")
        return
    rows = [
        (
            f"{run.project}/{run.id}",
            run.name,
            run.state,
            f"{run.created_at.astimezone():%Y-%m-%d %H:%M}",
            f"{run.info.points:,}",
            _kept(run),
        )
        for run in found
    ]
    print_table(("RUN", "NAME", "STATE", "STARTED", "POINTS", ""), rows)


@click.command(epilog="Example: anonrun show digits/k3x9p0wz")
@click.argument("run")
@server_option
@as_json_option
@command_errors
def show(run: str, server: str | None, *, as_json: bool) -> None:
    """Show one run: its id, PROJECT/ID or UUID."""
    found = _api(server).run(run)
    if as_json:
        print_json({**run_as_json(found), "metrics": found.metrics})
        return
    error = f" ({found.info.error})" if found.info.error else ""
    click.echo(f"{found.name} ({found.project}/{found.id})  {found.state}{error}")
    click.echo(f"  page     {found.url}")
    click.echo(f"  account  {found.account}{' (anonymous)' if found.anonymous else ''}")
    click.echo(f"  started  {found.created_at.astimezone():%Y-%m-%d %H:%M:%S %Z}")
    if found.expires_at is not None:
        click.echo(f"  kept     until {found.expires_at.astimezone():%Y-%m-%d %H:%M:%S %Z} ({_kept(found)})")
    if found.info.media:
        click.echo(f"  media    {counted(found.info.media, 'item')}; see: anonrun media {found.project}/{found.id}")
    for title, entries in (("config", found.config), ("summary", of_training(found.summary))):
        if entries:
            click.echo(f"  {title}")
            for name, value in sorted(entries.items()):
                click.echo(f"    {name} = {value}")


def _html(run: ApiRun) -> bytes:
    from anonrun.notebook.html_file import html_file

    return html_file(run.info, run.rows(), saved_at=datetime.now(timezone.utc)).encode(errors="replace")


def _whole(run: ApiRun, form: str | None, output: Path | None, *, as_json: bool) -> bytes:
    suffix = "" if output is None else output.suffix[1:]
    by_name = "json" if as_json else suffix if suffix in ("json", "html") else "csv"
    return _html(run) if (form or by_name) == "html" else run.export(form or by_name)


def _reference(run: ApiRun, name: str | None, metrics: tuple[str, ...]) -> bytes:
    from anonrun.client.reference import reference_file

    return reference_file(run, name=name, metrics=metrics)


@click.command(epilog="Example: anonrun export k3x9p0wz --output run.html")
@click.argument("run")
@click.option(
    "--format", "form", type=click.Choice(["csv", "json", "html"]), help="[default: by the file's name, or csv]"
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="[default: standard output]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--reference", is_flag=True, help="Write the small file that %anonrun --reference draws behind a run.")
@click.option("--name", help="With --reference: what the run is called there.  [default: the run's name]")
@click.option("--metric", "metrics", multiple=True, help="With --reference: keep this one only; may be repeated.")
@server_option
@command_errors
def export(
    run: str,
    form: str | None,
    output: Path | None,
    server: str | None,
    *,
    as_json: bool,
    reference: bool,
    name: str | None,
    metrics: tuple[str, ...],
) -> None:
    """Write a whole run as CSV, JSON, or an HTML file that shows its charts with no server and no network.

    With --reference: its curves alone, in a small file for others to compare with.
    """
    if reference and (form or as_json):
        raise click.UsageError("--reference is a format of its own; leave out --format and --json.")
    if not reference and (name or metrics):
        raise click.UsageError("--name and --metric belong to --reference.")
    found = _api(server).run(run)
    data = _reference(found, name, metrics) if reference else _whole(found, form, output, as_json=as_json)
    if output is None:
        sys.stdout.buffer.write(data)
    else:
        output.write_bytes(data)
        click.echo(f"Wrote {len(data):,} bytes to {output}.", err=True)


def _span(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    from anonrun.core.spans import parse_span

    try:
        return None if text is None else parse_span(text)
    except UsageError as exc:
        raise click.BadParameter(str(exc)) from None


@click.command(epilog="Example: anonrun share k3x9p0wz --blind --label 'reviewers' --expires-in 60d")
@click.argument("run")
@click.option("--blind", is_flag=True, help="Leave out what tells whose run it is.")
@click.option("--label", help="Whom the link is for, as the list of links shows it.")
@click.option(
    "--expires-in", callback=_span, metavar="SPAN", help="Such as 90m, 12h, 7d.  [default: as long as the run]"
)
@server_option
@as_json_option
@command_errors
def share(
    run: str, label: str | None, expires_in: float | None, server: str | None, *, blind: bool, as_json: bool
) -> None:
    """Make a link that views a run and can do nothing else."""
    found = _api(server).run(run)
    link = found.share(blind=blind, label=label, expires_in=expires_in)
    if as_json:
        print_json({"run_id": found.run_id, "link": link, "blind": blind, "label": label, "expires_in_s": expires_in})
    else:
        click.echo(link)


@click.command(epilog="Example: anonrun publish digits/k3x9p0wz --embed")
@click.argument("run")
@click.option("--embed", is_flag=True, help="Let other sites show one of its charts, too.")
@click.option("--undo", is_flag=True, help="Take the publication back.")
@server_option
@as_json_option
@command_errors
def publish(run: str, server: str | None, *, embed: bool, undo: bool, as_json: bool) -> None:
    """Let anybody read one run of your account; the others stay as they are."""
    if embed and undo:
        raise click.UsageError("--embed and --undo exclude each other.")
    found = _api(server).run(run)
    if undo:
        found.unpublish()
    else:
        found.publish(embed=embed)
    if as_json:
        print_json({"run_id": found.run_id, "published": not undo, "embed": embed, "url": found.url})
    elif undo:
        click.echo(f"{found.name} ({found.project}/{found.id}) is no longer published.")
    else:
        click.echo(f"Anybody can read {found.name} now: {found.url}")


@click.command(epilog="Example: anonrun delete k3x9p0wz --yes")
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_option
@as_json_option
@command_errors
def delete(run: str, server: str | None, *, yes: bool, as_json: bool) -> None:
    """Delete a run, at once and for good."""
    found = _api(server).run(run)
    if not yes:
        click.confirm(
            f"Delete {found.name} ({found.project}/{found.id}) with {found.info.points:,} points?", abort=True
        )
    found.delete()
    if as_json:
        print_json({"run_id": found.run_id, "deleted": True})
    else:
        click.echo(f"Deleted {found.name} ({found.project}/{found.id}).")


@click.command(epilog="Example: anonrun claim k3x9p0wz --to https://runs.example.org")
@click.argument("names", nargs=-1, metavar="RUN...")
@click.option("--all", "every", is_flag=True, help="All anonymous runs of this machine.")
@click.option("--with-login", is_flag=True, help="Into the account that `anonrun login` saved, without a browser.")
@click.option("--to", metavar="URL", help="Into your account on another server, to which the run moves whole.")
@server_option
@as_json_option
@command_errors
def claim(
    names: tuple[str, ...], to: str | None, server: str | None, *, every: bool, with_login: bool, as_json: bool
) -> None:
    """Keep anonymous runs: move them into an account.

    Opens the claim page in the browser, or prints its link, which is secret: whoever has it can claim the run.

    With --to, a run that is over is read from its server, written to the other one, compared point by point, and only
    then removed where it was. What stops in between loses nothing: the same command goes on.
    """
    from anonrun.cli.moving import move
    from anonrun.client.claiming import claimable, claimed_with_login, offer_claim

    if bool(names) == every:
        raise click.UsageError("Name the runs to claim, or give --all.")
    if to is not None:
        if with_login:
            raise click.UsageError("--to uses the login of that server by itself; leave --with-login out.")
        move(names, to=to, server=server, as_json=as_json)
        return
    wanted = claimable(server, names)
    if with_login:
        answers = claimed_with_login(server, wanted)
    else:
        answers = [offer_claim(run, open_browser=not as_json) for run in wanted]
    if as_json:
        print_json(answers)
        return
    for answer in answers:
        if answer["claimed"]:
            click.echo(f"{answer['name']} is kept, in the account {answer['account']}.")
        elif answer["opened"]:
            click.echo(f"{answer['name']}: the claim page was opened in your browser.")
        else:
            click.echo(f"{answer['name']}: {answer['link']}")
    if not answers:
        click.echo("There is nothing to claim.")
