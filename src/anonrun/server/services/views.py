"""From the store's records to the messages that readers get."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from anonrun.core.messages import AccountInfo, LinkInfo, MetricInfo, Permissions, RunInfo, RunState, RunStatus
from anonrun.core.times import from_us
from anonrun.server.actors import Actor
from anonrun.server.policy import Action, can
from anonrun.server.services.blind import blinded, blinded_summary, sees_blind
from anonrun.store.records import Account, Link, Metric, Run, Standing

__all__ = ["account_info", "link_info", "metric_info", "number", "numbers", "run_info", "run_state", "run_status"]

_SILENT_US = 60 * 1_000_000


def number(value: float) -> float | str:
    """Return a number as JSON can carry it: NaN and ±Inf as text."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def numbers(values: list[float]) -> list[float | str]:
    """Return numbers as JSON can carry them; those of a healthy series at no cost."""
    if all(map(math.isfinite, values)):
        return values  # type: ignore[return-value]  # a list of floats, which nobody changes
    return [number(value) for value in values]


def _time(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)


def account_info(account: Account) -> AccountInfo:
    """Return an account as its owner sees it."""
    kind = "user" if account.kind == "user" else "anonymous"
    role = "operator" if account.role == "operator" else "member"
    return AccountInfo(name=account.name, kind=kind, created_at=from_us(account.created_at), role=role)  # type: ignore[arg-type]  # each one of two texts


def run_state(run: Run | Standing, now_us: int) -> RunState:
    """Return where a run stands: a running one that has been silent for a minute has crashed."""
    if run.state == "running" and run.heartbeat_at <= now_us - _SILENT_US:
        return RunState.CRASHED
    return RunState(run.state)


def run_status(run: Run | Standing, now_us: int) -> RunStatus:
    """Return what a run's writer needs to know."""
    return RunStatus(
        state=run_state(run, now_us),
        anonymous=run.anonymous,
        expires_at=_time(run.expires_at),
        server_time=from_us(now_us),
        account=run.account.name,
    )


def run_info(run: Run, last_values: Mapping[str, float], actor: Actor, now_us: int) -> RunInfo:
    """Return a run as an actor sees it.

    Args:
        run: a live run that the actor may read.
        last_values: last value of each metric; what the user set in the summary comes over it.
        actor: decides the permissions, and whether who made the run is hidden.
        now_us: by the store's clock.
    """
    blind = sees_blind(actor, run)
    name = f"run-{str(run.run_id)[-8:]}"  # tells blind runs apart, and says nothing that their addresses do not
    return RunInfo(
        run_id=str(run.run_id),
        account="" if blind else run.account.name,
        project="" if blind else run.project,
        id=name if blind else run.id,
        name=name if blind else run.name,
        state=run_state(run, now_us),
        anonymous=run.anonymous,
        created_at=from_us(run.created_at),
        server_time=from_us(now_us),
        url_path=f"r/{run.run_id}",
        expires_at=_time(run.expires_at),
        heartbeat_at=_time(run.heartbeat_at),
        finished_at=_time(run.finished_at),
        exit_code=run.exit_code,
        config=blinded(run) if blind else run.config,
        summary={metric: number(value) for metric, value in last_values.items()}
        | (blinded_summary(run, last_values) if blind else run.summary),
        tags=[] if blind else run.tags,
        notes=None if blind else run.notes,
        group=None if blind else run.group,
        job_type=None if blind else run.job_type,
        points=run.points,
        media=run.media,
        published_at=_time(run.published_at) if run.public else None,
        embed=run.public and run.embed,
        total=run.total,
        error=None if blind else run.error,
        permissions=Permissions(
            write=can(actor, Action.UPDATE, run),
            delete=can(actor, Action.DELETE, run),
            claim=can(actor, Action.CLAIM, run),
            share=can(actor, Action.SHARE, run),
            publish=can(actor, Action.PUBLISH, run),
            files=can(actor, Action.READ_FILES, run),
        ),
    )


def metric_info(metric: Metric) -> MetricInfo:
    """Return a metric as its readers see it."""
    return MetricInfo(
        name=metric.name,
        n=metric.n,
        last_step=metric.last_step,
        last=number(metric.last),
        min=None if metric.min is None else number(metric.min),
        max=None if metric.max is None else number(metric.max),
    )


def link_info(link: Link) -> LinkInfo:
    """Return a share link as the run's owner sees it."""
    return LinkInfo(
        link_id=link.link_id,
        label=link.label,
        blind=link.blind,
        created_at=from_us(link.created_at),
        expires_at=_time(link.expires_at),
        last_used_at=_time(link.last_used_at),
    )
