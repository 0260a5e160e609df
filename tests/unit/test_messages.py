"""Requests and answers survive JSON."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from anonrun.core.messages import (
    Cursor,
    MetricInfo,
    RunInfo,
    RunRequest,
    RunState,
    RunStatus,
    TokenHashes,
    from_json,
    to_json,
)

_NOW = datetime(2026, 11, 24, 2, 30, 0, 123456, tzinfo=timezone.utc)
_STATUS = RunStatus(state=RunState.RUNNING, anonymous=True, expires_at=_NOW, server_time=_NOW, account="anon-1")
_RUN = RunInfo(
    run_id="x", account="a", project="p", id="i", name="n", state=RunState.FINISHED, anonymous=False,
    created_at=_NOW, server_time=_NOW, url_path="r/x", config={"lr": {"deep": [1, None]}}, summary={"loss": "NaN"},
)  # fmt: skip


@pytest.mark.parametrize(
    "message",
    [
        _STATUS,
        _RUN,
        Cursor(next=3, status=_STATUS),
        RunRequest(run_id="x", tokens=TokenHashes(write="a", view="b"), tags=["t"], resume="must"),
        MetricInfo(name="loss", n=1, last_step=0, last="NaN", min=None, max=None),
    ],
    ids=lambda m: type(m).__name__,
)
def test_a_message_survives_json(message: object) -> None:
    assert from_json(type(message), json.loads(json.dumps(to_json(message)))) == message


def test_fields_of_a_newer_server_are_ignored() -> None:
    assert from_json(RunStatus, {**to_json(_STATUS), "mood": "sunny"}) == _STATUS


@pytest.mark.parametrize("broken", [{}, {"state": "running"}, {**to_json(_STATUS), "server_time": 3}], ids=repr)
def test_an_answer_that_cannot_be_read_says_which(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"RunStatus|time"):
        from_json(RunStatus, broken)
