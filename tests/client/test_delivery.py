from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonrun.client.delivery import Delivery
from anonrun.client.notices import Notices
from anonrun.client.recorder import Recorder
from anonrun.client.remote import Refusal
from anonrun.client.spool.folder import RunFile, RunFolder
from anonrun.client.spool.records import HEADER, head_at, pack_json
from anonrun.client.spool.writer import PartName, SpoolWriter
from anonrun.client.transport import Request, Response
from anonrun.core.messages import RunRequest, TokenHashes, to_json
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.core.wire import decode_all
from anonrun.errors import ServerUnavailableError
from client.fakes import FaultyNetwork, MemoryKeys, MemoryServer, StoredRun, connecting, problem


class Case:
    """One run in a folder, and what brings it to a server."""

    def __init__(self, folder: Path, *, part_bytes: int = 8 * 2**20) -> None:
        write, view = mint(TokenKind.WRITE), mint(TokenKind.VIEW)
        tokens = TokenHashes(write=token_hash(write).hex(), view=token_hash(view).hex())
        request = RunRequest(run_id="run", tokens=tokens, id="short", project="p")
        self.folder = RunFolder(folder / "run")
        self.file = RunFile("run", None, "anonymous", to_json(request), write, view)
        self.folder.save(self.file)
        self.writer = SpoolWriter(self.folder.path, part_bytes=part_bytes)
        self.recorder = Recorder(self.writer, Notices(silent=True))
        self.keys = MemoryKeys()

    def log(self, start: int, stop: int) -> None:
        for value in range(start, stop):
            self.recorder.log({"x": value})

    def delivery(self, server: MemoryServer, network: Any = None, *, live: bool = True) -> Delivery:
        return Delivery(
            self.folder,
            self.folder.load(),
            connect=connecting(server, network),
            keys=self.keys,
            writer=self.writer if live else None,
        )


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def drain(delivery: Delivery, *, final: bool = False) -> None:
    """Advance until all is delivered, trying again after each lost request."""
    for _ in range(10_000):
        try:
            if not delivery.advance(final=final):
                return
        except ServerUnavailableError:  # noqa: PERF203  that is what is tested
            delivery.disconnect()
    raise AssertionError("delivery does not come to an end")


def stored(server: MemoryServer) -> StoredRun:
    (run,) = server.runs.values()
    return run


def test_rows_and_changes_arrive_once_and_in_order(case: Case) -> None:
    server = MemoryServer()
    delivery = case.delivery(server)
    case.log(0, 10)
    case.recorder.change({"config": {"lr": 1}})
    drain(delivery)
    case.log(10, 20)
    case.recorder.change({"summary": {"a": 1}})
    case.recorder.change({"summary": {"b": 2}, "state": "finished", "exit_code": 0})
    drain(delivery)
    run = stored(server)
    assert run.rows == [(step, {"x": float(step)}) for step in range(20)]
    assert run.changes == {"config": {"lr": 1}, "summary": {"a": 1, "b": 2}, "state": "finished", "exit_code": 0}
    assert delivery.sent_rows(own=True) == 20
    assert delivery.drained


def test_the_end_is_told_after_the_last_row(case: Case) -> None:
    server = MemoryServer()
    case.log(0, 3)
    case.recorder.change({"state": "finished"})
    drain(case.delivery(server))
    order = [request.split("/")[-1] for request in server.requests]
    assert order.index("segments") < order.index("run")
    assert server.requests[-1] == "PATCH /api/v1/runs/run"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(st.sampled_from([None, "lost", "unheard"]), max_size=40),
    portions=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    restarts=st.sets(st.integers(0, 5)),
)
def test_whatever_the_network_loses_each_row_arrives_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, faults: list[str | None], portions: list[int], restarts: set[int]
) -> None:
    case = Case(tmp_path_factory.mktemp("run"), part_bytes=700)
    server = MemoryServer()
    network = FaultyNetwork(server, faults)
    delivery = case.delivery(server, network)
    logged = 0
    for number, portion in enumerate(portions):
        case.log(logged, logged + portion)
        logged += portion
        case.recorder.change({"summary": {"n": logged}})
        if number in restarts:
            delivery.close()
            delivery = case.delivery(server, network)
        drain(delivery)
    assert stored(server).values("x") == list(range(logged))
    assert stored(server).changes["summary"] == {"n": logged}


def test_a_restarted_process_goes_on_where_the_server_is(case: Case) -> None:
    server = MemoryServer()
    case.log(0, 100)
    drain(case.delivery(server))
    case.log(100, 150)
    drain(case.delivery(server, live=False), final=True)
    assert stored(server).values("x") == list(range(150))


def test_a_server_that_lost_rows_gets_them_again(case: Case) -> None:
    server = MemoryServer()
    delivery = case.delivery(server)
    case.log(0, 100)
    drain(delivery)
    (rows,) = stored(server).writers.values()
    del rows[40:]
    case.log(100, 110)
    drain(delivery)
    assert stored(server).values("x") == list(range(110))


def test_another_database_under_the_same_address_gets_the_whole_run(case: Case) -> None:
    server = MemoryServer("one")
    delivery = case.delivery(server)
    case.log(0, 10)
    drain(delivery)
    server.instance, server.runs, server.keys = "two", {}, set()
    case.log(10, 20)
    with pytest.raises(Refusal):
        drain(delivery)
    assert delivery.make_anew()
    drain(delivery)
    assert stored(server).values("x") == list(range(20))


def test_a_refused_token_on_the_same_database_is_final(case: Case) -> None:
    server = MemoryServer()
    delivery = case.delivery(server)
    drain(delivery)
    server.runs.clear()
    case.log(0, 1)
    with pytest.raises(Refusal):
        delivery.advance()
    assert not delivery.make_anew()


def _refusing_first(count: int, response: Response, where: str = "segments") -> Callable[[Request], Response | None]:
    left: Iterator[int] = iter(range(count))
    return lambda request: response if where in request.path and next(left, None) is not None else None


def test_a_body_that_is_too_large_is_cut_in_halves(case: Case) -> None:
    server = MemoryServer()
    sizes: list[int] = []

    def refuse(request: Request) -> Response | None:
        if "segments" not in request.path:
            return None
        sizes.append(len(request.body or b""))
        return problem(413, "body_too_large") if sizes[-1] > 400 else None

    server.refuse = refuse
    case.log(0, 500)
    drain(case.delivery(server))
    assert stored(server).values("x") == list(range(500))


def _refusing_rows(values: set[float], response: Response) -> Callable[[Request], Response | None]:
    def refuse(request: Request) -> Response | None:
        if "segments" not in request.path:
            return None
        rows = [v for s in decode_all(request.body or b"") for f in s.frames for v in f.columns[0]]
        return response if values & set(rows) else None

    return refuse


def _set_aside(case: Case) -> list[dict[str, Any]]:
    path = case.folder.path.with_name("run.aside.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("status", [413, 422])
@pytest.mark.parametrize("bad", [{0}, {57}, {99}, {0, 1, 2}, {10, 11, 40}, {5, 20, 60, 80, 98}])
@pytest.mark.parametrize("live", [True, False])
def test_rows_that_the_server_takes_in_no_way_are_set_aside_and_the_rest_arrives_once(
    case: Case, status: int, bad: set[float], live: bool
) -> None:
    server = MemoryServer()
    server.refuse = _refusing_rows(bad, problem(status, "body_too_large" if status == 413 else "segment_damaged"))
    case.log(0, 50)
    case.recorder.change({"summary": {"a": 1}})
    case.log(50, 100)
    case.recorder.change({"state": "finished"})
    for _ in range(3):  # whoever delivers it again leaves out the same rows
        delivery = case.delivery(server, live=live)
        drain(delivery, final=not live)
        assert stored(server).values("x") == [value for value in range(100) if value not in bad]
        assert stored(server).changes == {"summary": {"a": 1}, "state": "finished"}
        aside = _set_aside(case)
        assert [row["values"]["x"] for row in aside] == sorted(bad)
        assert [row["step"] for row in aside] == sorted(bad)
    assert all("Because" in row["why"] for row in aside)


def test_what_is_said_of_a_row_set_aside_names_it_and_its_file(case: Case) -> None:
    server = MemoryServer()
    server.refuse = _refusing_rows({3, 7}, problem(413, "body_too_large"))
    case.log(0, 10)
    delivery = case.delivery(server)
    drain(delivery)
    assert delivery.aside is not None
    assert "the row of step 3: Because body_too_large." in delivery.aside
    assert f"set aside in {case.folder.path}.aside.jsonl" in delivery.aside


def test_where_row_after_row_is_refused_it_is_not_the_rows_and_delivery_stops(case: Case) -> None:
    server = MemoryServer()
    server.refuse = _refusing_first(9_999, problem(413, "body_too_large"))
    case.log(0, 10)
    for _ in range(3):
        with pytest.raises(Refusal, match="body_too_large"):
            drain(case.delivery(server))
        assert [row["step"] for row in _set_aside(case)] == [0, 1, 2], "not three more at each attempt"
    server.refuse = lambda _request: None
    drain(case.delivery(server))
    assert stored(server).values("x") == list(range(3, 10))


def test_a_line_of_the_file_that_was_cut_off_takes_no_other_with_it(case: Case) -> None:
    path = case.folder.path.with_name("run.aside.jsonl")
    path.write_text('{"writer": "1", "ro')
    server = MemoryServer()
    server.refuse = _refusing_rows({3}, problem(413, "body_too_large"))
    case.log(0, 10)
    for _ in range(2):
        drain(case.delivery(server))
        assert [json.loads(line)["step"] for line in path.read_text().splitlines()[1:]] == [3]


def test_a_row_stays_on_disk_where_it_cannot_be_set_aside(case: Case) -> None:
    case.folder.path.with_name("run.aside.jsonl").mkdir()
    server = MemoryServer()
    server.refuse = _refusing_rows({3}, problem(413, "body_too_large"))
    case.log(0, 10)
    with pytest.raises(IsADirectoryError):
        drain(case.delivery(server))
    server.refuse = lambda _request: None
    drain(case.delivery(server))
    assert stored(server).values("x") == list(range(10))


def test_a_segment_damaged_on_its_way_is_sent_again_twice(case: Case) -> None:
    server = MemoryServer()
    server.refuse = _refusing_first(2, problem(422, "segment_damaged"))
    case.log(0, 4)
    drain(case.delivery(server))
    assert stored(server).values("x") == [0, 1, 2, 3]
    assert _set_aside(case) == []
    server.refuse = _refusing_first(3, problem(422, "segment_damaged"))
    case.log(4, 8)
    drain(case.delivery(server))
    assert sorted(stored(server).values("x")) == list(range(8)), "in halves it is not damaged"
    assert _set_aside(case) == []


def test_a_config_that_is_refused_does_not_hold_up_points_or_the_end(case: Case) -> None:
    server = MemoryServer()
    server.refuse = lambda request: (
        problem(422, "config_too_large") if request.method == "PATCH" and b"config" in (request.body or b"") else None
    )
    delivery = case.delivery(server)
    case.log(0, 2)
    case.recorder.change({"config": {"x": "y"}})
    case.recorder.change({"state": "finished", "exit_code": 0})
    drain(delivery)
    assert stored(server).values("x") == [0, 1]
    assert stored(server).changes == {"state": "finished", "exit_code": 0}
    assert delivery.complaint is not None
    assert "config" in delivery.complaint


def test_delivered_parts_are_removed_and_unsent_ones_stay(tmp_path: Path) -> None:
    case = Case(tmp_path, part_bytes=700)
    server = MemoryServer()
    delivery = case.delivery(server)
    case.log(0, 100)
    assert len(case.folder.parts()) > 3
    drain(delivery)
    assert case.folder.parts() == [case.writer.part]
    assert 0 < delivery.removed_rows() < 100
    assert delivery.unsent_rows() == 0
    server.refuse = lambda request: problem(503, "busy") if "segments" in request.path else None
    case.log(100, 200)
    waiting = len(case.folder.parts())
    assert waiting > 3
    with pytest.raises(Refusal):
        drain(delivery)
    assert len(case.folder.parts()) == waiting
    assert delivery.sent_rows(own=True) == 100
    assert delivery.unsent_rows() == 100


def test_parts_that_a_worker_has_left_are_removed_while_the_run_goes_on(tmp_path: Path) -> None:
    """Of a worker that lives, all but the last; of one that is gone, all."""
    case = Case(tmp_path)
    script = f"""if True:
        import os, sys
        from pathlib import Path
        from anonrun.client.notices import Notices
        from anonrun.client.recorder import Recorder
        from anonrun.client.spool.writer import SpoolWriter
        recorder = Recorder(SpoolWriter(Path({str(case.folder.path)!r}), part_bytes=700), Notices())
        for value in range(100): recorder.log({{"w": value}})
        print("logged", flush=True)
        sys.stdin.readline()
    """
    worker = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "logged\n"
    server = MemoryServer()
    delivery = case.delivery(server)
    case.log(0, 3)
    delivery.look_for_parts()
    drain(delivery)
    delivery.look_for_parts()
    drain(delivery)
    assert len(case.folder.parts()) == 2, "the worker's last, and ours"
    worker.communicate("go\n", timeout=30)
    for _ in range(2):
        delivery.look_for_parts()
        drain(delivery)
    assert case.folder.parts() == [case.writer.part]
    assert sorted(stored(server).values("w")) == list(range(100))


def test_a_part_of_another_machines_process_is_not_taken_for_left(tmp_path: Path) -> None:
    """Its id means nothing here: only a later part of the same process shows that it writes this one no more."""
    case = Case(tmp_path)
    case.log(0, 100)
    part = case.writer.part
    path = case.folder.path / part.file_name
    whole = path.read_bytes()
    first = head_at(whole, 0)[0]
    content = {"version": 1, "writer": str(part.writer), "pid": 2**22 + 1, "process": "p", "machine": "elsewhere"}
    path.write_bytes(pack_json(HEADER, content) + whole[first:])
    server = MemoryServer()
    delivery = Delivery(
        case.folder,
        case.folder.load(),
        connect=connecting(server),
        keys=case.keys,
        tidy=True,
    )
    for _ in range(2):
        drain(delivery)
    assert case.folder.parts() == [part]
    later = PartName(part.no + 1, part.writer + 1)
    (case.folder.path / later.file_name).write_bytes(pack_json(HEADER, content))
    for _ in range(3):
        drain(delivery)
    assert case.folder.parts() == [later]
    assert stored(server).values("x") == list(range(100))


def test_a_backlog_is_removed_part_by_part_and_the_end_is_told_last(tmp_path: Path) -> None:
    case = Case(tmp_path, part_bytes=700)
    server = MemoryServer()
    delivery = case.delivery(server)
    for start in range(0, 300, 100):
        case.log(start, start + 100)
        case.recorder.change({"summary": {"n": start}})
    most = len(case.folder.parts())
    left = []
    while delivery.advance():
        left.append(len(case.folder.parts()))
    assert left == sorted(left, reverse=True)
    assert min(left) < most // 2
    case.log(300, 303)
    case.recorder.change({"state": "finished"})
    drain(delivery)
    assert server.requests[-1] == "PATCH /api/v1/runs/run"
    assert stored(server).values("x") == list(range(303))
    assert stored(server).changes == {"summary": {"n": 200}, "state": "finished"}


def test_many_small_parts_do_not_gather(case: Case) -> None:
    server = MemoryServer()
    delivery = Delivery(
        case.folder,
        case.folder.load(),
        connect=connecting(server),
        keys=case.keys,
        writer=case.writer,
        keep_bytes=10**9,
    )
    for value in range(300):
        case.log(value, value + 1)
        with case.writer.lock:
            case.writer.begin_part()
    drain(delivery)
    assert len(case.folder.parts()) == 101
    assert stored(server).values("x") == list(range(300))


def test_parts_of_another_process_are_delivered_too(case: Case) -> None:
    server = MemoryServer()
    delivery = case.delivery(server)
    case.log(0, 3)
    other = Recorder(SpoolWriter(case.folder.path), Notices(silent=True))
    for value in range(100, 103):
        other.log({"x": value})
    delivery.look_for_parts()
    drain(delivery)
    assert sorted(stored(server).values("x")) == [0, 1, 2, 100, 101, 102]
    assert (delivery.sent_rows(own=True), delivery.sent_rows(own=False)) == (3, 3)


def test_damage_on_disk_costs_only_what_is_damaged(case: Case) -> None:
    case.log(0, 50)
    path = case.folder.path / case.writer.part.file_name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    server = MemoryServer()
    for _ in range(2):  # a second delivery finds everything there
        delivery = case.delivery(server, live=False)
        drain(delivery, final=True)
        assert len(delivery.damage) == 1
        values = stored(server).values("x")
        assert len(values) == 49
        assert values == sorted(set(values))


def test_a_server_that_has_fewer_rows_behind_a_damage_gets_those_again_and_no_other(case: Case) -> None:
    case.log(0, 50)
    path = case.folder.path / case.writer.part.file_name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    server = MemoryServer()
    delivery = case.delivery(server)
    drain(delivery)
    behind = list(stored(server).writers.values())[1]
    before = len(behind)
    del behind[5:]
    case.log(50, 53)
    drain(delivery)
    assert len(behind) == before + 3


def test_a_saved_anonymous_key_that_the_server_lost_makes_its_account_again(case: Case) -> None:
    server = MemoryServer()
    known = case.keys.credential
    case.keys.credential = type(known)(known.key, "anonymous", new=False)
    drain(case.delivery(server))
    assert [r for r in server.requests if "segments" not in r] == [
        "POST /api/v1/runs",
        "POST /api/v1/accounts/anonymous",
        "POST /api/v1/runs",
    ]


def test_an_accounts_key_that_is_refused_is_not_replaced(case: Case) -> None:
    server = MemoryServer()
    known = case.keys.credential
    case.keys.credential = type(known)(known.key, "login")
    with pytest.raises(Refusal) as caught:
        case.delivery(server).advance()
    assert caught.value.status == 401
    assert server.keys == set()
