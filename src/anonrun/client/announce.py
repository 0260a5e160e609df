"""What `init` says about where a run can be watched, and the specification's warning about its private link."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from anonrun.client.links import page_link, private_link
from anonrun.client.notices import Notices, in_notebook
from anonrun.client.status import ClientStatus, RunSecrets
from anonrun.core.messages import RunInfo

if TYPE_CHECKING:
    from anonrun.client.run import Run

__all__ = ["Greeting", "announcement"]


def announcement(info: RunInfo, status: ClientStatus, secrets: RunSecrets) -> tuple[str, str | None]:
    """Return what anyone may read, and what only the person at the terminal may."""
    assert status.server is not None
    base = status.server.url
    lines = [f"run {info.name} ({info.project}/{info.id}), {page_link(base, info.run_id)}"]
    if not (info.anonymous and secrets.view and secrets.claim):
        return "\n".join(lines), None
    until, days = "", "until it expires"
    if info.expires_at is not None:
        kept = info.expires_at - info.created_at
        days = f"for {round(kept.total_seconds() / 86_400, 1):g} days"
        until = f"{info.expires_at.astimezone():%Y-%m-%d %H:%M %Z}"
        lines.append(f"anonymous: kept until {until}, then deleted unless claimed")
    secret = (
        f"private link: {private_link(base, info.run_id, secrets.view, secrets.claim)}\n"
        f"Anyone who has this link can view and claim the run {days}: give it only to people you trust. "
        "run.share() makes a link that can only view."
    )
    return "\n".join(lines), secret


class Greeting:
    """Says once where a run can be watched: by `init`, or in the background if the server took longer."""

    def __init__(self, *, announce: bool, notices: Notices) -> None:
        self.run: Run | None = None
        self._wanted = announce
        self._notices = notices
        self._lock = threading.Lock()
        self._init_is_over = False

    def settled(self) -> None:
        """Note that the server has the run; called in the background."""
        with self._lock:
            late = self._init_is_over
        if late and not in_notebook():
            self.say()

    def say(self) -> None:
        """Say it, if the server has the run."""
        with self._lock:
            self._init_is_over = True
            run = self.run
            if not self._wanted or run is None:
                return
            status = run.status()
            if status.server is None or not status.connected:
                return
            self._wanted = False
        public, secret = announcement(run.info(), status, run.secrets())
        self._notices.say(public)
        if secret:
            self._notices.say_secret(secret)
