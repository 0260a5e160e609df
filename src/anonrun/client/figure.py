"""Metrics of a run as a plotly figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import plotly.graph_objects

from anonrun.core.wire import Frame
from anonrun.errors import UsageError

__all__ = ["line_figure"]


def _points(metric: str, frames: Iterable[Frame]) -> list[tuple[int, float]]:
    points = [
        point
        for frame in frames
        if metric in frame.names
        for point in zip(frame.steps, frame.columns[frame.names.index(metric)], strict=True)
    ]
    points.sort(key=lambda point: point[0])
    return points


def line_figure(metrics: Sequence[str], frames: Sequence[Frame], *, run: str) -> plotly.graph_objects.Figure:
    """Return every point of some metrics as lines over steps; points of one step stay in order of arrival.

    Args:
        metrics: their names, in the order of the lines.
        frames: the run's rows.
        run: its short id, for what is said where it lacks a metric.

    Raises:
        UsageError: the run has no such metric.
    """
    lines = {metric: _points(metric, frames) for metric in metrics}
    for metric, points in lines.items():
        if not points:
            there = ", ".join(sorted({name for frame in frames for name in frame.names}))
            raise UsageError(f"Run {run} has no metric {metric!r}; it has {there or 'none'}.")
    figure = plotly.graph_objects.Figure(
        [
            plotly.graph_objects.Scatter(
                x=[step for step, _ in points], y=[value for _, value in points], mode="lines", name=metric
            )
            for metric, points in lines.items()
        ]
    )
    title = ", ".join(lines)
    figure.update_layout(
        title=title,
        xaxis_title="step",
        yaxis_title=title if len(lines) == 1 else None,
        hovermode="x unified",
        template="plotly_white",
    )
    return figure
