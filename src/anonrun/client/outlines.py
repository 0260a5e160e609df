"""Curves of runs in a few points, extremes kept: for reference files, and to be drawn behind other runs.

A point is never made up: each is one that was logged, where the server gives single points; where it gives stretches,
their smallest and largest value stand at the stretch's first step.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from urllib.parse import urlsplit

from anonrun.client.address import checked_url
from anonrun.client.remote import Refusal, Remote
from anonrun.client.transport import open_transport
from anonrun.core.ids import parse_run_id
from anonrun.core.messages import MetricInfo, RunInfo, SampledMetric
from anonrun.core.metrics import is_of_machine, name_problem
from anonrun.core.reference import MOST_METRICS, Outline, Reference, shown_name
from anonrun.core.tokens import TokenKind, kind_of
from anonrun.errors import ServerUnavailableError, UsageError

__all__ = [
    "FEWEST_POINTS", "MOST_POINTS", "MOST_RUN_POINTS", "Asked", "ViewLink", "ask_outlines", "charted", "follow_link",
    "read_link", "start_of",
]  # fmt: skip

MOST_POINTS = 500
"""Of one metric."""

MOST_RUN_POINTS = 4_000
"""Of all metrics of a run."""

FEWEST_POINTS = 8
"""Of one metric, however many there are."""

_LINK = re.compile(r"(?P<base>.+)/r/(?P<run>[0-9a-f-]{36})/?")
_LINK_TIMEOUT_S = 10.0


def charted(names: Iterable[str]) -> list[str]:
    """Return the metrics that a run can be compared by, sorted: not those of the machine that it ran on."""
    return sorted(name for name in names if not is_of_machine(name))


def start_of(created_at: datetime, first_s: float) -> float:
    """Return where a run's relative time begins; a client's clock may stand before the server's."""
    return min(created_at.timestamp(), first_s)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a server says of a run's curves."""

    info: RunInfo
    start_s: float
    metrics: dict[str, Outline]


def _finite(value: float | str | None) -> float | None:
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) else None


def _points(sampled: SampledMetric, last: MetricInfo | None) -> list[tuple[int, float, float]]:
    """Return (step, time, value) of the points that stand for stretches."""
    points = []
    for i, step in enumerate(sampled.step):
        first, low, high = (_finite(column[i]) for column in (sampled.first, sampled.min, sampled.max))
        # What was logged first stands first, so that a falling curve is not made a jagged one.
        ends = [value for value in (low, high) if value is not None]
        if first is not None and low is not None and high is not None and high - first < first - low:
            ends.reverse()
        points += [(step, sampled.time[i], value) for value in dict.fromkeys(ends)]
    value = None if last is None else _finite(last.last)
    if last is None or value is None or not points:
        return points
    step, time, before = points[-1]
    return [*points, (last.last_step, time, value)] if last.last_step > step or value != before else points


def ask_outlines(remote: Remote, token: str | None, run_id: str, *, points: int = MOST_POINTS) -> Asked:
    """Return a run's curves of about `points` stretches.

    Raises:
        Refusal: the server does not tell.
        ServerUnavailableError: it does not answer.
        UsageError: what it answers makes no sense.
    """
    try:
        return _asked(remote, token, run_id, points)
    except (IndexError, OverflowError):
        raise UsageError("what its server answers cannot be read") from None


def _asked(remote: Remote, token: str | None, run_id: str, points: int) -> Asked:
    info = remote.run(token, run_id)
    lasts = {metric.name: metric for metric in remote.metrics(token, run_id)}
    names = [name for name in charted(lasts) if name_problem(name) is None][:MOST_METRICS]
    if not names:
        return Asked(info, info.created_at.timestamp(), {})
    each = max(FEWEST_POINTS, min(points, 2 * MOST_RUN_POINTS // len(names)))
    sampled = remote.sampled(token, run_id, names, points=each, start=None, end=None).metrics
    found = {name: _points(sampled[name], lasts.get(name)) for name in names if name in sampled}
    start = start_of(info.created_at, min((time for one in found.values() for _, time, _ in one), default=math.inf))
    return Asked(info, start, {
        name: Outline(
            # Steps that a stretch holds in between are not known, and never fall.
            tuple(accumulate((step for step, _, _ in one), max)),
            tuple(time - start for _, time, _ in one),
            tuple(value for _, _, value in one),
        )
        for name, one in found.items() if one
    })  # fmt: skip


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A link that views one run: the server, the run, and the token, None for a run that is published."""

    base: str
    run_id: str
    token: str | None = field(repr=False)


def read_link(link: str) -> ViewLink:
    """Return what a view link says.

    Raises:
        UsageError: it is none; no message has the link's secret in it.
    """
    address, _, fragment = link.strip().partition("#")
    found = _LINK.fullmatch(address)
    if found is None or parse_run_id(found["run"]) is None or urlsplit(address).query:
        raise UsageError("it is no link to a run, such as https://runs.example.org/r/RUN#s=TOKEN from run.share()")
    if not fragment:
        return ViewLink(checked_url(found["base"]), found["run"], None)
    token = fragment.removeprefix("s=")
    if not fragment.startswith("s=") or kind_of(token) is not TokenKind.SHARE:
        raise UsageError("it is not complete, or lets more be done than view: make a link with run.share()")
    return ViewLink(checked_url(found["base"]), found["run"], token)


def follow_link(link: str) -> Reference:
    """Return the run that a view link leads to, as its server tells it without any other credential.

    Raises:
        UsageError: it cannot be read; the message goes on after "The reference link cannot be used: ".
    """
    where = read_link(link)
    remote = Remote(open_transport(where.base), timeout_s=_LINK_TIMEOUT_S)
    try:
        asked = ask_outlines(remote, where.token, where.run_id)
    except Refusal as exc:
        raise UsageError(exc.detail.rstrip(".")) from None
    except ServerUnavailableError as exc:
        raise UsageError(str(exc).rstrip(".")) from None
    finally:
        remote.close()
    if not asked.metrics:
        raise UsageError("its run has no points")
    return Reference(shown_name(asked.info.name), asked.metrics)
