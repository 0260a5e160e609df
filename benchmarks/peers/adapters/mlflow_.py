"""MLflow with a SQLite database, its default store."""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BATCH = 1000


class _Log:
    def __init__(self, mlflow: Any) -> None:
        self._log = mlflow.log_metrics
        self.finish = mlflow.end_run

    def log(self, row: Mapping[str, float], step: int) -> None:
        self._log(dict(row), step=step)


def _mlflow(folder: Path) -> Any:
    import logging

    import mlflow

    logging.getLogger("alembic").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    return mlflow


def prepare(_: Path) -> None:
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}


def load() -> None:
    import mlflow  # noqa: F401


def begin(folder: Path) -> _Log:
    mlflow = _mlflow(folder)
    mlflow.start_run()
    return _Log(mlflow)


def fill(folder: Path, columns: Mapping[str, array[float]]) -> None:
    mlflow = _mlflow(folder)
    from mlflow.entities import Metric

    run_id = mlflow.start_run().info.run_id
    client = mlflow.MlflowClient()
    for name, column in columns.items():
        for start in range(0, len(column), _BATCH):
            part = column[start : start + _BATCH]
            points = [Metric(name, value, start + i, start + i) for i, value in enumerate(part)]
            client.log_batch(run_id, metrics=points)
    mlflow.end_run()


def _history(folder: Path, metric: str) -> list[Any]:
    mlflow = _mlflow(folder)
    client = mlflow.MlflowClient()
    [run] = client.search_runs(["0"])
    return list(client.get_metric_history(run.info.run_id, metric))


def count(folder: Path) -> int:
    from benchmarks.curves import METRICS

    return len(_history(folder, METRICS[-1]))


def read(folder: Path, metric: str) -> int:
    return len([point.value for point in _history(folder, metric)])


def stored_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("mlflow.db*"))


def close(_: Path) -> None:
    """Nothing: what it starts ends by itself."""
