"""What `anonrun claim --to` does: moves runs into an account of another server, one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from anonrun.cli.account import say_code
from anonrun.cli.output import print_json
from anonrun.client.account import login
from anonrun.client.moving.moves import has_login, movable, move_run
from anonrun.client.notices import Notices
from anonrun.client.progress import progress
from anonrun.core.words import counted
from anonrun.errors import AnonrunError

__all__ = ["move"]


def move(names: Sequence[str], *, to: str, server: str | None, as_json: bool) -> None:
    """Move runs, and tell what became of each; those that cannot be moved do not keep the others from it.

    Args:
        names: the runs; all anonymous ones of this machine where there are none.
        to: address of the other server. At a terminal, who is not logged in there is asked to log in first.
        server: where the runs are.
        as_json: answer as JSON.

    Raises:
        AnonrunError: there is no account to move them to, or no server to move them from.
    """
    if sys.stdin.isatty() and not has_login(os.environ, to):
        click.echo(f"Nobody is logged in to {to} on this machine yet.", err=True)
        login(None, to, say=lambda codes: say_code(codes, no_open=False))
    answers: list[dict[str, Any]] = []
    for name in names or movable(os.environ, server):
        answer = _moved(name, to=to, server=server)
        answers.append(answer)
        if not as_json:
            _tell(answer)
    if as_json:
        print_json(answers)
    elif not answers:
        click.echo("There is nothing to claim.")
    if not all(answer["claimed"] for answer in answers):
        raise SystemExit(1)


def _moved(name: str, *, to: str, server: str | None) -> dict[str, Any]:
    line = progress(Notices())
    try:
        return move_run(os.environ, name, to=to, server=server, say=lambda text: line.show(f"{name}: {text}")).as_json()
    except AnonrunError as exc:
        return {"name": name, "claimed": False, "trouble": str(exc)}
    finally:
        line.close()


def _tell(answer: dict[str, Any]) -> None:
    if answer["claimed"]:
        click.echo(f"{answer['name']} is kept, in the account {answer['account']}: {answer['url']}")
        beside = f" and {counted(answer['media'], 'item')} of media" if answer["media"] else ""
        click.echo(f"All {answer['points']:,} points{beside} were compared; it was removed from {answer['from']}.")
    else:
        click.echo(f"{answer['name']}: {answer['trouble']}", err=True)
