"""Reading runs back: what was logged, every point, from any server that one has a key for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from anonrun.client.access import Access, open_access
from anonrun.client.api_artifact import ApiArtifact, find_artifact
from anonrun.client.links import LinkWish, page_link, share_link
from anonrun.client.outlines import Asked, ask_outlines
from anonrun.client.remote import Refusal
from anonrun.core.ids import parse_run_id
from anonrun.core.messages import MetricInfo, PublicationRequest, RunInfo
from anonrun.core.metrics import of_training
from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import Frame, decode_all
from anonrun.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects

    from anonrun.client.api_media import ApiMedia
    from anonrun.client.series import Sampled, Series

__all__ = ["Api", "ApiRun"]

_PAGE = 100


class Api:
    """Reads the runs of an account.

    Args:
        server: address; None means `ANONRUN_SERVER`, or the server on this machine, which is started if need be.
        api_key: None takes the key that `anonrun.init` would take: `ANONRUN_API_KEY`, the saved login, or the anonymous
            account of this machine.

    Raises:
        AuthenticationError: there is no key, or (at the first request) the server refuses it.
        ServerUnavailableError: the server does not answer.
    """

    def __init__(self, server: str | None = None, api_key: str | None = None) -> None:
        self._access = open_access(os.environ, server=server, api_key=api_key)

    @property
    def server(self) -> str:
        """The server's address."""
        return self._access.url

    def close(self) -> None:
        """Let go of connections."""
        self._access.remote.close()

    def runs(self, project: str | None = None) -> list[ApiRun]:
        """Return the account's runs, newest first.

        Args:
            project: only those of this project; None for all.
        """
        return [ApiRun(self._access, info) for info in self._pages(project)]

    def run(self, id: str) -> ApiRun:  # noqa: A002  the name is fixed by the documentation
        """Return one run.

        Args:
            id: its short id, `project/id`, or its UUID.

        Raises:
            NotFoundError: there is none.
            UsageError: several projects have a run of that id.
        """
        if parse_run_id(id) is not None:
            with self._access.asking(f"Run {id}") as remote:
                return ApiRun(self._access, remote.run(self._access.key, id))
        *project, short = id.rsplit("/", 2)[-2:]
        found = [info for info in self._pages(project[0] if project else None) if info.id == short]
        if not found:
            raise NotFoundError(
                f"There is no run {id!r} for this key on {self.server}: unknown, expired, or not yours."
            )
        if len(found) > 1:
            places = ", ".join(f"{info.project}/{info.id}" for info in found)
            raise UsageError(f"Several runs have the id {id!r}: {places}. Name one with its project.")
        return ApiRun(self._access, found[0])

    def artifact(self, name: str) -> ApiArtifact:
        """Return one version of an artifact.

        Args:
            name: `project/name:version`; the version is `v3`, an alias, or `latest` where it is left out.

        Raises:
            NotFoundError: there is none.
            UsageError: the project is missing.
        """
        return find_artifact(self._access, name)

    def artifacts(self, project: str | None = None, name: str | None = None) -> list[ApiArtifact]:
        """Return the versions of the account's artifacts, newest first.

        Args:
            project: only those of this project; None for all.
            name: only versions of this artifact; None for all.
        """
        found: list[ApiArtifact] = []
        after: str | None = None
        while True:
            with self._access.asking("Artifacts") as remote:
                page = remote.artifacts(self._access.key, project=project, name=name, after=after)
            found += (ApiArtifact(self._access, info) for info in page.artifacts)
            after = page.next
            if after is None:
                return found

    def _pages(self, project: str | None) -> Iterator[RunInfo]:
        after: str | None = None
        while True:
            with self._access.asking("Runs") as remote:
                page = remote.runs(self._access.key, project=project, limit=_PAGE, after=after)
            yield from page.runs
            after = page.next
            if after is None:
                return

    def __repr__(self) -> str:
        return f"<anonrun.Api {self.server}>"


class ApiRun:
    """A run as the server has it. Attributes are of the moment when it was asked for; `refresh` asks again."""

    def __init__(self, access: Access, info: RunInfo) -> None:
        self._access = access
        self._info = info

    @property
    def info(self) -> RunInfo:
        """All that the server says of the run."""
        return self._info

    @property
    def run_id(self) -> str:
        """The UUIDv7 that never changes."""
        return self._info.run_id

    @property
    def id(self) -> str:
        """The short name, unique in the account's project."""
        return self._info.id

    @property
    def name(self) -> str:
        """The name for display."""
        return self._info.name

    @property
    def project(self) -> str:
        """The project."""
        return self._info.project

    @property
    def account(self) -> str:
        """The owning account's name."""
        return self._info.account

    @property
    def anonymous(self) -> bool:
        """Whether the run is unclaimed."""
        return self._info.anonymous

    @property
    def state(self) -> str:
        """One of `running`, `finished`, `failed`, `crashed`."""
        return self._info.state.value

    @property
    def config(self) -> Mapping[str, Any]:
        """Inputs."""
        return self._info.config

    @property
    def summary(self) -> Mapping[str, Any]:
        """One value per metric; those of the machine are in `info.summary`."""
        return of_training(self._info.summary)

    @property
    def tags(self) -> Sequence[str]:
        """Tags."""
        return tuple(self._info.tags)

    @property
    def created_at(self) -> datetime:
        """When it began, UTC."""
        return self._info.created_at

    @property
    def expires_at(self) -> datetime | None:
        """When it stops existing, UTC; None where it is kept."""
        return self._info.expires_at

    @property
    def url(self) -> str:
        """Its page, without a secret."""
        return page_link(self._access.url, self.run_id)

    @property
    def metrics(self) -> list[str]:
        """Names of its metrics, sorted; asks the server."""
        with self._access.asking(f"Run {self.id}") as remote:
            return sorted(metric.name for metric in remote.metrics(self._access.key, self.run_id))

    def metric_info(self, metric: str) -> MetricInfo:
        """Return what the server keeps of one metric, all numbers as floats; asks the server.

        Raises:
            NotFoundError: the run has no such metric.
        """
        with self._access.asking(f"Run {self.id}") as remote:
            found = [info for info in remote.metrics(self._access.key, self.run_id) if info.name == metric]
        if not found:
            raise NotFoundError(self._no_metric(metric))
        (info,) = found
        low, high = (None if value is None else float(value) for value in (info.min, info.max))
        return replace(info, last=float(info.last), min=low, max=high)

    def refresh(self) -> ApiRun:
        """Ask again, and return this run."""
        with self._access.asking(f"Run {self.id}") as remote:
            self._info = remote.run(self._access.key, self.run_id)
        return self

    def series(self, metric: str) -> Series:
        """Return every point of a metric as numpy arrays.

        Raises:
            NotFoundError: the run has no such metric.
        """
        from anonrun.client.series import series_of  # noqa: PLC0415  numpy is imported when first asked for

        series = series_of(metric, self._frames([metric]))
        if not len(series):
            raise NotFoundError(self._no_metric(metric))
        return series

    def sampled(
        self,
        metric: str,
        points: int = 1000,
        start: float | None = None,
        end: float | None = None,
        *,
        x: str = "step",
    ) -> Sampled:
        """Return a metric reduced to at most `points` buckets; extremes survive.

        Args:
            metric: its name.
            points: buckets, at most 20,000.
            start: first place on x, included; None for the first there is.
            end: last place on x, included; None for the last there is.
            x: what the buckets divide: `step`; `relative`, seconds since the run's earliest row; `wall`, seconds since
                the Unix epoch; or `metric:NAME`, another metric's value at the same step.

        Raises:
            NotFoundError: the run has no such metric.
        """
        from anonrun.client.series import sampled_of  # noqa: PLC0415  numpy is imported when first asked for

        with self._access.asking(f"Run {self.id}") as remote:
            answer = remote.sampled(self._access.key, self.run_id, [metric], points=points, start=start, end=end, x=x)
        if metric not in answer.metrics:
            raise NotFoundError(self._no_metric(metric))
        return sampled_of(answer.metrics[metric])

    def outlines(self) -> Asked:
        """Return all metrics but those of the machine in a few hundred points each, extremes kept; asks the server."""
        with self._access.asking(f"Run {self.id}") as remote:
            return ask_outlines(remote, self._access.key, self.run_id)

    def history(self) -> list[dict[str, float]]:
        """Return one dict a step: `_step`, `_time` (seconds since the epoch) and the metrics logged there.

        Metrics of the machine have steps of their own and are not among them; `series("system/cpu")` returns one.
        """
        from anonrun.client.series import rows_of  # noqa: PLC0415  numpy is imported when first asked for

        return rows_of(self._frames([]))

    def to_pandas(self) -> pd.DataFrame:
        """Return the history as a data frame: index `step`, columns `_time` and the metrics; NaN where not logged."""
        import pandas as pd  # noqa: PLC0415  optional, and large

        frame = pd.DataFrame(self.history() or {"_step": [], "_time": []})
        return frame.set_index("_step").rename_axis("step")

    def figure(self, metric: str, *more: str) -> plotly.graph_objects.Figure:
        """Return a chart of every point of one metric, or of several in one chart; see `Run.figure`.

        Raises:
            UsageError: the run has no such metric.
        """
        from anonrun.client.figure import line_figure  # noqa: PLC0415  plotly is large

        return line_figure((metric, *more), self.rows([metric, *more]), run=self.id)

    def rows(self, metrics: Sequence[str] = ()) -> list[Frame]:
        """Return every row in order of arrival, as frames of rows that hold the same metrics; see `docs/wire.md`.

        Args:
            metrics: only these; all where none is named.
        """
        return self._frames(list(metrics))

    def media(self, kind: str | None = None, key: str | None = None) -> Iterator[ApiMedia]:
        """Return pictures, histograms, tables, texts, charts and printed lines, in the order in which they arrived.

        Args:
            kind: only one: `image`, `histogram`, `table`, `text`, `confusion_matrix`, `curves`, `figure` or `console`.
            key: only what was logged under this key.

        Raises:
            UsageError: there is no such kind.
        """
        from anonrun.client.api_media import media_of  # noqa: PLC0415  most runs have numbers only

        return media_of(self._access, self._info, kind, key)

    def export(self, form: str = "csv") -> bytes:
        """Return the whole run as one file, `csv` or `json`."""
        if form not in ("csv", "json"):
            raise UsageError(f"form={form!r} is not known; use 'csv' or 'json'.")
        with self._access.asking(f"Run {self.id}") as remote:
            return remote.export(self._access.key, self.run_id, form)

    def share(
        self, blind: bool = False, *, label: str | None = None, expires_in: float | timedelta | None = None
    ) -> str:
        """Make a view link; whoever has it can view the run, and nothing else. See `Run.share`."""
        wish = LinkWish(blind=blind, label=label, expires_in=expires_in)
        token = mint(TokenKind.SHARE)
        with self._access.asking(f"Run {self.id} cannot be shared") as remote:
            remote.make_link(self._access.key, self.run_id, wish.request(token))
        return share_link(self._access.url, self.run_id, token)

    def publish(self, *, embed: bool = False) -> str:
        """Let anybody read the run, without a link of theirs; return the address of its page.

        Args:
            embed: also let other sites show one of its charts in a frame.

        Raises:
            ServerError: the run is anonymous, or blind links to it stand.
        """
        with self._access.asking(f"Run {self.id} cannot be published") as remote:
            remote.publish(self._access.key, self.run_id, PublicationRequest(embed=embed))
        return self.url

    def unpublish(self) -> None:
        """Take a publication back: only who was let in may read the run then."""
        with self._access.asking(f"Run {self.id}") as remote:
            remote.unpublish(self._access.key, self.run_id)

    def cite(self) -> str:
        """Return BibTeX entries of the run and of anonrun; see `Run.cite`."""
        from anonrun.client.citing import citation  # noqa: PLC0415  few runs are cited

        return citation(self._info, self.url, datetime.now(timezone.utc).date())

    def delete(self) -> None:
        """Delete the run at once."""
        with self._access.asking(f"Run {self.id} cannot be deleted") as remote:
            remote.delete(self._access.key, self.run_id)

    def _frames(self, metrics: list[str]) -> list[Frame]:
        with self._access.asking(f"Run {self.id}") as remote:
            try:
                data = remote.series(self._access.key, self.run_id, metrics)
            except Refusal as exc:
                if metrics and exc.code == "metric_not_found":
                    return []
                raise
        return [frame for segment in decode_all(data) for frame in segment.frames]

    def _no_metric(self, metric: str) -> str:
        return f"Run {self.id} has no metric {metric!r}; it has {', '.join(self.metrics) or 'none'}."

    def __repr__(self) -> str:
        return f"<anonrun.ApiRun {self.name} ({self.project}/{self.id}) {self.state}>"
