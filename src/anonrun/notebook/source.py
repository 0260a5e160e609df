"""What the notebook asks of a run: the seam to the client.

`anonrun.client` provides it; tests provide another. Nothing here may block on the network except `refresh`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from anonrun.client.address import is_loopback
from anonrun.client.home import without_home
from anonrun.client.media.recent import Recent
from anonrun.core.messages import RunInfo, RunState, to_json
from anonrun.core.wire import Frame
from anonrun.notebook.facts import Facts

__all__ = ["Feed", "Secrets", "Server", "Source", "Status", "facts_of", "run_trait", "status_trait"]


class Feed(Protocol):
    """New rows of a run, each given once."""

    def read_new(self) -> list[Frame]:
        """Return the rows that were logged since the last call."""


class Server(Protocol):
    """Where a run is, or will be."""

    @property
    def url(self) -> str:
        """Root of its pages."""

    @property
    def instance(self) -> str:
        """The random id of its database."""

    @property
    def embedded(self) -> bool:
        """Whether it is on this machine and ours alone."""


class Secrets(Protocol):
    """What lets a page read and claim the run."""

    @property
    def view(self) -> str | None:
        """The view token; None where there is none."""

    @property
    def claim(self) -> str | None:
        """The claim token; None where there is nothing to claim."""


class Status(Protocol):
    """How delivery stands."""

    @property
    def state(self) -> RunState | str:
        """Where the run stands."""

    @property
    def rows(self) -> int:
        """Rows logged."""

    @property
    def unsent_rows(self) -> int:
        """Rows that the server does not have yet."""

    @property
    def trouble(self) -> str | None:
        """A sentence for people where delivery is in trouble."""

    @property
    def server(self) -> Server | None:
        """None while no server is known."""

    @property
    def server_time_offset_s(self) -> float | None:
        """Server's clock less ours, seconds."""

    @property
    def failure(self) -> object | None:
        """What stopped the run, as text; None where nothing did, or where it went on since."""


class Source(Protocol):
    """One run, as the notebook sees it."""

    @property
    def run_id(self) -> str:
        """The UUIDv7 that never changes."""

    @property
    def url(self) -> str | None:
        """Its page, without a secret; None while no server is known."""

    @property
    def disabled(self) -> bool:
        """Whether nothing is recorded."""

    def feed(self) -> Feed:
        """Return a new reader of the run's rows, from the first on."""

    def recent_media(self) -> Recent:
        """Return the newest media that were logged here, and how many of what there were."""

    def info(self) -> RunInfo:
        """Return what is known of the run here, without asking the server."""

    def status(self) -> Status:
        """Return how delivery stands."""

    def secrets(self) -> Secrets:
        """Return the run's view and claim token."""

    def on_finish(self, callback: Callable[[], object]) -> None:
        """Have `callback` called when the run ends, before `finish` returns."""

    def note_failure(self, exc: BaseException) -> None:
        """Have `status` tell of an exception that stopped the run, until it logs again."""

    def refresh(self) -> None:
        """Ask the server how the run stands; may take as long as a request."""


_NOT_IN_TRAIT = frozenset({"account", "server_time", "heartbeat_at", "points", "max_step", "summary", "permissions"})
"""What changes all the time, and whose run it is: traits can end up in a saved notebook."""


def run_trait(source: Source, *, temporary: str | None) -> dict[str, Any]:
    """Return the widget's `run` trait: what is known of the run, and where its server is.

    Args:
        source: the run.
        temporary: see `Facts`.
    """
    server = source.status().server
    where = None if server is None else {"url": server.url, "instance": server.instance, "embedded": server.embedded}
    known = {name: value for name, value in to_json(source.info()).items() if name not in _NOT_IN_TRAIT}
    return {**known, "server": where, "temporary": temporary}


def _trouble(status: Status) -> str | None:
    return None if status.trouble is None else without_home(status.trouble)


def status_trait(source: Source) -> dict[str, Any]:
    """Return the widget's `status` trait."""
    status = source.status()
    offset_s = status.server_time_offset_s
    return {
        "state": str(getattr(status.state, "value", status.state)),
        "rows": status.rows,
        "unsent_rows": status.unsent_rows,
        "trouble": _trouble(status),
        "failure": None if status.failure is None else str(status.failure),
        "server_time_offset_ms": None if offset_s is None else round(offset_s * 1000),
    }


def _is_here(url: str | None) -> bool:
    """Return whether a server that has not answered yet is this machine's own: one that was named is elsewhere."""
    return url is None or is_loopback(url)


def facts_of(source: Source, *, was_anonymous: bool, temporary: str | None) -> Facts:
    """Return what a static view says of a run now.

    Args:
        source: the run.
        was_anonymous: whether it was anonymous when it began.
        temporary: name of the kind of machine where it is soon gone, such as `Colab`.
    """
    info, status = source.info(), source.status()
    return Facts(
        run_id=source.run_id,
        name=info.name,
        project=info.project,
        state=str(getattr(status.state, "value", status.state)),
        anonymous=info.anonymous,
        claimed=was_anonymous and not info.anonymous,
        expires_at=info.expires_at,
        url=source.url,
        embedded=_is_here(source.url) if status.server is None else status.server.embedded,
        temporary=temporary,
        trouble=_trouble(status),
        unsent_rows=status.unsent_rows,
        total=info.total,
        failure=None if status.failure is None else str(status.failure),
    )
