"""What the client's commands share: the options for server and JSON, how answers and errors look.

Exit codes: 0 done, 1 refused or not possible now, 2 wrong usage.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from anonrun.client.transport import NoAnswerError
from anonrun.core.times import format_time
from anonrun.errors import AnonrunError, UsageError

__all__ = ["as_json_option", "command_errors", "print_json", "run_as_json", "server_option"]

F = TypeVar("F", bound=Callable[..., Any])

server_option = click.option(
    "--server", metavar="URL", help="Which server.  [default: ANONRUN_SERVER, or the one on this machine]"
)
as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")


def command_errors(function: F) -> F:
    """Turn anonrun's exceptions into the command line's: a message and an exit code."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  whatever the command takes and gives
        try:
            return function(*args, **kwargs)
        except UsageError as exc:
            raise click.UsageError(str(exc)) from exc
        except NoAnswerError as exc:
            raise click.ClickException(
                f"{exc} Check the address, and that the server runs; `anonrun doctor` looks at both."
            ) from exc
        except (AnonrunError, OSError) as exc:
            raise click.ClickException(str(exc)) from exc

    return wrapped  # type: ignore[return-value]  # the same signature as `function`


def print_json(answer: object) -> None:
    """Write an answer as JSON."""
    click.echo(json.dumps(answer, indent=2))


def run_as_json(run: Any) -> dict[str, Any]:  # noqa: ANN401  an ApiRun, which is imported only by who asks
    """Return what is said of a run in JSON."""
    info = run.info
    return {
        "run_id": info.run_id,
        "id": info.id,
        "name": info.name,
        "project": info.project,
        "account": info.account,
        "state": info.state.value,
        "exit_code": info.exit_code,
        "error": info.error,
        "total": info.total,
        "anonymous": info.anonymous,
        "created_at": format_time(info.created_at),
        "expires_at": None if info.expires_at is None else format_time(info.expires_at),
        "points": info.points,
        "config": info.config,
        "summary": info.summary,
        "tags": info.tags,
        "url": run.url,
    }
