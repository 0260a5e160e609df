from __future__ import annotations

import json
from dataclasses import replace

import pytest

from anonrun.core.limits import MAX_SEGMENT_FRAMES
from anonrun.core.messages import RunState
from anonrun.core.tokens import TOKEN_PATTERN
from anonrun.core.wire import decode, decode_all
from anonrun.notebook.view import Message, Points, RunView, Schedule, SecretsMessage, Snapshot, Traits
from support.fake_run import FakeRun

TICK_S = 0.1


def watched(
    run: FakeRun, view: RunView, seconds: float, *, start: float = 0.0, log: bool = True
) -> list[tuple[float, Message]]:
    """Ask the view ten times a second, logging a row between, and return what it sent and when."""
    sent = []
    for tick in range(round(seconds / TICK_S)):
        now = start + tick * TICK_S
        if log:
            run.log({"loss": float(tick)})
        view.read()
        message = view.next(now)
        if message is not None:
            sent.append((now, message))
    return sent


def points_of(sent: list[tuple[float, Message]]) -> list[tuple[float, Points]]:
    return [(at, message) for at, message in sent if isinstance(message, Points)]


def test_at_most_one_message_a_tick_and_every_row_arrives_once_and_in_order() -> None:
    run = FakeRun()
    sent = points_of(watched(run, RunView(run, 0.0, live=True), 20.0))
    assert [message.no for _, message in sent] == list(range(len(sent)))
    values: list[float] = []
    for _, message in sent:
        rows = [value for frame in decode(message.segment).frames for value in frame.columns[0]]
        values = rows if message.reset else values + rows
        assert values == [float(i) for i in range(len(values))]
        assert message.complete
    assert len(values) >= 195


def test_everything_is_sent_again_at_1_2_4_8_16_seconds_and_then_every_30() -> None:
    run = FakeRun()
    sent = points_of(watched(run, RunView(run, 0.0, live=True), 120.0))
    full = [at for at, message in sent if message.reset]
    for due, at in zip([1, 2, 4, 8, 16, 46, 76, 106], full, strict=True):
        assert due <= at + 1e-6 <= due + 0.5


def test_rows_whose_metrics_alternate_come_in_segments_that_a_page_takes() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    for i in range(MAX_SEGMENT_FRAMES + 1):
        run.log({"train" if i % 2 else "val": float(i)})
    view.hello()
    view.read()
    (message,) = [m for m in (view.next(0.0) for _ in range(5)) if isinstance(m, Points)]
    values = [frame.columns[0][0] for segment in decode_all(message.segment) for frame in segment.frames]
    assert values == [float(i) for i in range(MAX_SEGMENT_FRAMES + 1)]


def test_secrets_are_said_once_a_second_and_stand_nowhere_else() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    first = view.first_traits()
    sent = watched(run, view, 10.0)
    secrets = [(at, message) for at, message in sent if isinstance(message, SecretsMessage)]
    assert 9 <= len(secrets) <= 11
    assert all((m.view, m.claim) == (run.tokens.view, run.tokens.claim) for _, m in secrets)
    assert not TOKEN_PATTERN.search(json.dumps(first))
    for _, message in sent:
        if isinstance(message, Traits):
            assert not TOKEN_PATTERN.search(json.dumps(message.changed))
        elif isinstance(message, Snapshot):
            assert not TOKEN_PATTERN.search(json.dumps(message.data))
        elif isinstance(message, Points):
            assert not TOKEN_PATTERN.search(message.segment.decode("latin-1"))
        else:
            assert not TOKEN_PATTERN.search(repr(message))


def test_traits_are_sent_only_when_they_change_and_at_most_once_a_second() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    view.first_traits()
    assert not [m for _, m in watched(run, view, 5.0, log=False) if isinstance(m, Traits)]
    changes = [message for _, message in watched(run, view, 10.0, start=5.0) if isinstance(message, Traits)]
    assert 8 <= len(changes) <= 11
    assert all(set(message.changed) == {"status"} for message in changes)
    run.known = replace(run.known, anonymous=False, expires_at=None)
    (claimed,) = [m for _, m in watched(run, view, 1.5, start=15.0, log=False) if isinstance(m, Traits)]
    assert claimed.changed["run"]["anonymous"] is False


def test_the_run_trait_says_where_the_server_is_and_not_whose_the_run_is() -> None:
    run = FakeRun()
    trait = RunView(run, 0.0, live=True, temporary="Binder").first_traits()["run"]
    assert trait["server"] == {"url": "http://127.0.0.1:45321/", "instance": "0192f7d0-instance", "embedded": True}
    assert trait["run_id"] == run.run_id
    assert trait["expires_at"] == "2026-11-30T22:31:00.000000Z"
    assert trait["temporary"] == "Binder"
    assert "account" not in trait
    assert "anon-3f9" not in json.dumps(trait)


def test_no_trouble_tells_the_name_that_the_home_folder_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada.lovelace")
    run = FakeRun()
    folder = "/home/ada.lovelace/.local/share/anonrun/spool/0192"
    run.current = replace(run.current, trouble=f"{folder} cannot be written to (No space left on device).")
    view = RunView(run, 0.0, live=True)
    for text in (*view.snapshot().values(), json.dumps(view.first_traits())):
        assert "lovelace" not in text
    assert "~/.local/share/anonrun/spool/0192 cannot be written to" in view.snapshot()["text/html"]


def test_a_named_server_that_has_not_answered_is_not_said_to_be_on_this_machine() -> None:
    run = FakeRun()
    run.current = replace(run.current, server=None)
    run.known = replace(run.known, expires_at=None)
    assert RunView(run, 0.0, live=False).facts.embedded, "none was named: it will be this machine's own"
    run.named_server = "http://127.0.0.1:8765/"
    assert RunView(run, 0.0, live=False).facts.embedded
    run.named_server = "https://runs.example.org/"
    view = RunView(run, 0.0, live=False, temporary="Colab")
    assert "Colab" not in view.facts.banner[1]
    assert "on the machine that ran this notebook" not in view.snapshot()["text/html"]


def test_a_page_that_says_hello_gets_secrets_and_everything_at_once() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    watched(run, view, 3.3)
    view.hello()
    first, second = view.next(3.31), view.next(3.32)
    assert isinstance(first, SecretsMessage)
    assert isinstance(second, Points)
    assert second.reset
    assert len(decode(second.segment).frames[0].steps) == 33


def test_a_loop_that_logs_very_fast_is_thinned_and_says_so() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    for _ in range(30_000):
        run.log({"loss": 1.0})
    view.read()
    message = next(m for m in (view.next(0.0) for _ in range(9)) if isinstance(m, Points))
    assert not message.complete
    assert len(message.segment) < 24 * 21_000
    for _ in range(40_000):
        run.log({"loss": 1.0})
    view.read()
    view.hello()
    everything = next(m for m in (view.next(5.0) for _ in range(9)) if isinstance(m, Points) and m.reset)
    assert not everything.complete
    assert len(everything.segment) < 24 * 2_100


def test_snapshots_follow_at_2_and_10_seconds_and_then_every_30() -> None:
    run = FakeRun()
    sent = watched(run, RunView(run, 0.0, live=True), 75.0)
    at = [round(at) for at, message in sent if isinstance(message, Snapshot)]
    assert at == [2, 10, 40, 70]


def test_without_a_widget_only_snapshots_are_sent_and_only_when_something_is_new() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=False, snapshot_every_s=2.0)
    sent = watched(run, view, 11.0)
    assert {type(message) for _, message in sent} == {Snapshot}
    assert len(sent) == 5
    assert not [m for _, m in watched(run, view, 10.0, start=20.0, log=False)][1:]


def test_the_end_brings_everything_a_page_needs_to_go_on_alone() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    view.first_traits()
    run.log({"loss": 0.5})
    run.current = replace(run.current, state=RunState.FAILED)
    secrets, points, traits, snapshot = view.final()
    assert isinstance(secrets, SecretsMessage)
    assert isinstance(points, Points)
    assert points.reset
    assert isinstance(traits, Traits)
    assert traits.changed["status"]["state"] == "failed"
    assert isinstance(snapshot, Snapshot)
    assert "failed" in snapshot.data["text/plain"]


def test_a_claim_while_the_run_lasts_changes_the_banner() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    run.known = run.claimed()
    assert view.facts.claimed
    assert "Claimed. This run is kept." in view.snapshot()["text/plain"]
    assert "ada" not in json.dumps(view.snapshot())


def test_a_schedule_does_not_catch_up_on_what_was_missed() -> None:
    schedule = Schedule(0.0, (1.0, 2.0, 4.0), 30.0)
    assert [schedule.due(at) for at in (0.5, 3.0, 3.5, 4.0, 33.0, 34.0)] == [False, True, False, True, False, True]
