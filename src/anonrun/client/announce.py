"""What `init` says about where a run can be watched, and the specification's warning about its private link. Pure."""

from __future__ import annotations

from anonrun.client.links import page_link, private_link
from anonrun.client.status import ClientStatus, RunSecrets
from anonrun.core.messages import RunInfo

__all__ = ["announcement"]


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
