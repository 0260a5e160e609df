from __future__ import annotations

from pathlib import Path

import pytest

from anonrun.client.syncing import _deliver
from anonrun.client.transport import Request, Response
from client.fakes import MemoryServer, problem
from client.test_delivery import Case, stored


@pytest.fixture
def case(tmp_path: Path) -> Case:
    case = Case(tmp_path)
    case.log(0, 10)
    case.writer.close()
    return case


def test_sync_waits_as_long_as_it_is_asked_to_and_goes_on(case: Case) -> None:
    server, waits = MemoryServer(), list[float]()
    answers = iter([problem(429, "too_many_requests", retry_after="7"), problem(503, "busy")])

    def refuse(request: Request) -> Response | None:
        return next(answers, None) if "segments" in request.path else None

    server.refuse = refuse
    assert _deliver(case.delivery(server, live=False), final=True, sleep=waits.append) is None
    assert waits == [7.0, 0.5]
    assert stored(server).values("x") == list(range(10))


def test_sync_does_not_keep_anyone_waiting_for_minutes(case: Case) -> None:
    server, waits = MemoryServer(), list[float]()
    server.refuse = lambda _request: problem(429, "too_many_requests", retry_after="200")
    trouble = _deliver(case.delivery(server, live=False), final=True, sleep=waits.append)
    assert waits == []
    assert trouble is not None
    assert "asks to wait 200 s; run `anonrun sync` again" in trouble


def test_sync_gives_up_on_a_server_that_stays_in_trouble_and_says_why(case: Case) -> None:
    server, waits = MemoryServer(), list[float]()
    server.refuse = lambda _request: problem(503, "busy")
    trouble = _deliver(case.delivery(server, live=False), final=True, sleep=waits.append)
    assert waits == [0.25, 0.5, 1, 2, 4]
    assert trouble is not None
    assert "Because busy." in trouble
    assert case.folder.parts()
