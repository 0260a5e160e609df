from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from anonrun.notebook.aftercare import Aftercare
from anonrun.notebook.outputs import Outputs
from anonrun.notebook.publisher import Publisher, Shown
from anonrun.notebook.snapshot import Bundle
from anonrun.notebook.view import Message, Points, RunView, Snapshot
from support.fake_run import FakeRun


class Page(Outputs):
    """Remembers what it was sent, and when."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.sent: list[tuple[float, Message]] = []
        self.trouble = trouble

    def show(self, snapshot: Bundle) -> None:
        """Nothing to do."""

    def send(self, message: Message) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.sent.append((time.monotonic(), message))

    def close(self) -> None:
        """Nothing to do."""

    def has_points(self, rows: int = 1) -> bool:
        return len([message for _, message in self.sent if isinstance(message, Points)]) >= rows


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline, tick = time.monotonic() + seconds, threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        tick.wait(0.01)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher(pause_s=0.02, name="anonrun-test")
    yield publisher
    publisher.clear()


def shown(publisher: Publisher, run: FakeRun, page: Page) -> Shown:
    one = Shown(RunView(run, publisher.clock(), live=True), page)
    publisher.add(one)
    return one


def test_one_thread_serves_all_runs_and_ends_with_the_last(publisher: Publisher) -> None:
    runs, pages = [FakeRun() for _ in range(5)], [Page() for _ in range(5)]
    all_shown = [shown(publisher, run, page) for run, page in zip(runs, pages, strict=True)]
    for run in runs:
        run.log({"loss": 1.0})
    until(lambda: all(page.has_points() for page in pages))
    assert [thread.name for thread in threading.enumerate()].count("anonrun-test") == 1
    for one in all_shown:
        publisher.remove(one)
    until(lambda: not publisher.busy)


def test_all_runs_together_send_no_more_than_one_message_each_pause(publisher: Publisher) -> None:
    runs, pages = [FakeRun() for _ in range(4)], [Page() for _ in range(4)]
    for run, page in zip(runs, pages, strict=True):
        shown(publisher, run, page)
    ticks = threading.Event()
    started = time.monotonic()
    while time.monotonic() < started + 1.0:
        for run in runs:
            run.log({"loss": 1.0})
        ticks.wait(0.005)
    at = sorted(at for page in pages for at, _ in page.sent)
    assert len(at) <= 1.0 / 0.02 + 2
    shares = [len(page.sent) for page in pages]
    assert min(shares) >= 0.5 * max(shares)


def test_nothing_is_sent_to_a_run_after_it_was_removed(publisher: Publisher) -> None:
    run, page = FakeRun(), Page()
    one = shown(publisher, run, page)
    run.log({"loss": 1.0})
    until(page.has_points)
    publisher.remove(one)
    count = len(page.sent)
    other, other_page = FakeRun(), Page()
    shown(publisher, other, other_page)
    run.log({"loss": 2.0})
    other.log({"loss": 1.0})
    until(lambda: other_page.has_points(1))
    assert len(page.sent) == count


def test_trouble_with_one_run_is_remembered_and_stops_no_other(publisher: Publisher) -> None:
    bad, good = FakeRun(), FakeRun()
    page = Page()
    broken = shown(publisher, bad, Page(trouble=RuntimeError("the comm is closed")))
    shown(publisher, good, page)
    good.log({"loss": 1.0})
    until(page.has_points)
    until(lambda: broken.trouble is not None)
    assert broken.trouble == "The live view stopped: RuntimeError: the comm is closed"


def test_an_ended_run_that_is_claimed_gets_a_new_picture() -> None:
    run, page = FakeRun(), Page()
    run.finish()
    one = Shown(RunView(run, 0.0, live=True), page)
    aftercare = Aftercare(first_pause_s=0.01)
    aftercare.add(one)
    until(lambda: run.refreshes >= 3)
    assert not page.sent
    run.after_refresh = run.claimed()
    until(lambda: bool(page.sent))
    ((_, message),) = page.sent
    assert isinstance(message, Snapshot)
    assert "Claimed. This run is kept." in message.data["text/plain"]
    until(lambda: not aftercare.busy)


def test_there_is_nothing_to_wait_for_with_a_run_of_an_account() -> None:
    run = FakeRun(anonymous=False)
    aftercare = Aftercare(first_pause_s=0.0)
    aftercare.add(Shown(RunView(run, 0.0, live=True), Page()))
    assert not aftercare.busy


def test_a_server_that_is_gone_is_asked_again_more_rarely() -> None:
    class Gone(FakeRun):
        def refresh(self) -> None:
            super().refresh()
            if self.after_refresh is None:
                raise ConnectionError("nobody there")

    run = Gone()
    one = Shown(RunView(run, 0.0, live=True), Page())
    aftercare = Aftercare(first_pause_s=0.005)
    aftercare.add(one)
    until(lambda: run.refreshes >= 3)
    assert "nobody there" in (one.trouble or "")
    run.after_refresh = run.claimed()
    until(lambda: not aftercare.busy)
