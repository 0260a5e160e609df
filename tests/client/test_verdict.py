from __future__ import annotations

import re
from pathlib import Path

import pytest

from anonrun.client.remote import Refusal
from anonrun.client.verdict import Action, after_stop, backoff_s, decide


def refusal(status: int, code: str, *, retry_after_s: float | None = None, **problem: object) -> Refusal:
    return Refusal(status=status, code=code, detail="Because.", problem=problem, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("status", "code", "action"),
    [
        (401, "token_invalid", Action.STOP),
        (403, "quota_exceeded", Action.STOP),
        (403, "anonymous_disabled", Action.STOP),
        (404, "run_not_found", Action.STOP),
        (409, "segment_gap", Action.RECUT),
        (409, "run_exists", Action.STOP),
        (410, "run_expired", Action.STOP),
        (410, "run_deleted", Action.STOP),
        (410, "run_claimed", Action.STOP),
        (413, "body_too_large", Action.SMALLER),
        (422, "segment_damaged", Action.AGAIN),
        (422, "other", Action.STOP),
        (408, "timeout", Action.RETRY),
        (429, "rate_limited", Action.RETRY),
        (500, "internal_error", Action.RETRY),
        (502, "http_502", Action.RETRY),
        (503, "http_503", Action.RETRY),
        (302, "redirected", Action.STOP),
        (418, "http_418", Action.STOP),
    ],
)
def test_every_answer_has_a_decided_outcome(status: int, code: str, action: Action) -> None:
    decision = decide(refusal(status, code, next=3))
    assert decision.action is action
    if action is Action.STOP:
        assert decision.trouble is not None
        assert "stays on disk" not in decision.trouble, "where it lies is said by who knows it"


@pytest.mark.parametrize(
    ("gone_rows", "rest"), [(0, ""), (1, ", but for 1 row delivered"), (9, ", but for 9 rows delivered")]
)
def test_after_an_end_it_is_said_what_is_on_disk_and_how_another_server_can_have_it(gone_rows: int, rest: str) -> None:
    said = after_stop(Path("folder"), gone_rows=gone_rows)
    assert f"the data stays on disk{rest}" in said
    assert said.endswith(", in folder. To have it on another server, run `anonrun sync --server OTHER folder`.")


def test_the_documentation_says_what_is_decided() -> None:
    text = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
    rows = re.findall(r"^\| ([\d, …]+) \| ?(.*?) ?\| \*\*(\w+)\*\*", text, flags=re.MULTILINE)
    said = {
        (int(status), code): Action(action)
        for statuses, codes, action in rows
        for status in re.findall(r"\d+", statuses)
        for code in re.findall(r"`(\w+)`", codes) or ["any"]
    }
    assert {status for status, _ in said} >= {401, 403, 404, 408, 409, 410, 413, 422, 425, 429, 500, 599}
    for (status, code), action in said.items():
        assert decide(refusal(status, code, next=3)).action is action, (status, code)


@pytest.mark.parametrize("next_row", [None, "3", -1, True, 1.5])
def test_a_gap_without_a_place_to_go_on_from_is_an_end(next_row: object) -> None:
    assert decide(refusal(409, "segment_gap", next=next_row)).action is Action.STOP


def test_a_server_that_asks_to_wait_is_given_that_time_within_reason() -> None:
    assert decide(refusal(429, "rate_limited", retry_after_s=7)).wait_s == 7
    assert decide(refusal(429, "rate_limited", retry_after_s=86_400)).wait_s == 300
    assert decide(refusal(503, "busy")).wait_s is None


def test_waits_double_up_to_a_bound_and_are_spread() -> None:
    assert [backoff_s(n, 1.0) for n in range(1, 9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30]
    assert backoff_s(10_000, 1.0) == 30
    assert backoff_s(3, 0.0) == 0.5
