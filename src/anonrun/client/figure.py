"""A run's metric as a plotly figure."""

from __future__ import annotations

from collections.abc import Iterable

import plotly.graph_objects

from anonrun.core.wire import Frame

__all__ = ["line_figure"]


def line_figure(metric: str, frames: Iterable[Frame]) -> plotly.graph_objects.Figure:
    """Return every point of `metric` as a line over steps; points of one step stay in order of arrival."""
    points = [
        point for frame in frames for point in zip(frame.steps, frame.columns[frame.names.index(metric)], strict=True)
    ]
    points.sort(key=lambda point: point[0])
    line = plotly.graph_objects.Scatter(x=[p[0] for p in points], y=[p[1] for p in points], mode="lines", name=metric)
    figure = plotly.graph_objects.Figure(line)
    figure.update_layout(title=metric, xaxis_title="step", yaxis_title=metric, template="plotly_white")
    return figure
