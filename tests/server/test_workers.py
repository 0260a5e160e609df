"""Several processes that serve from one PostgreSQL: whatever one of them is told, all of them know."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from sqlalchemy import update

from anonrun.core.ids import new_run_id
from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import decode_all
from anonrun.store import accounts
from anonrun.store import runs as store_runs
from anonrun.store.database import Database
from anonrun.store.schema import RUN
from anonrun.store.transaction import Tx
from support.databases import Place
from support.postgres import Cluster, postgres
from support.process import embedded_server, until
from support.script import environment, run_command
from support.server import Server, anonrun_server
from support.site import PASSWORD, MadeRun, bearer, segment, sha

postgres_only = pytest.mark.databases("postgresql-15", "postgresql-18")
SWEEP_S = 0.2


@contextlib.contextmanager
def serving(database: Place, folder: Path, *, workers: int = 2, **more: str) -> Iterator[Server]:
    settings = {"ANONRUN_DATABASE_URL": str(database.where), "ANONRUN_SWEEP_INTERVAL_S": str(SWEEP_S), **more}
    with anonrun_server(folder, "--workers", str(workers), **settings) as server:
        yield server


@contextlib.contextmanager
def client_of(server: Server, worker: int) -> Iterator[httpx.Client]:
    """Yield a client whose one connection is to a certain worker."""
    deadline = time.monotonic() + 30
    while True:
        with httpx.Client(base_url=server.url, limits=httpx.Limits(max_connections=1), timeout=30) as client:
            if f'anonrun_live_readers{{worker="{worker}"}}' in client.get("/metrics").text:
                yield client
                return
        assert time.monotonic() < deadline, "that worker takes no connection"


def workers_of(server: Server) -> list[psutil.Process]:
    return [child for child in psutil.Process(server.pid).children() if child.status() != psutil.STATUS_ZOMBIE]


def made_run(client: httpx.Client) -> MadeRun:
    key = mint(TokenKind.API_KEY)
    client.post("/api/v1/accounts/anonymous", json={"key_hash": sha(key)}).raise_for_status()
    run = MadeRun(str(new_run_id(time.time_ns() // 1_000_000, random.randbytes(10))))
    client.post("/api/v1/runs", json=run.request(), headers=bearer(key)).raise_for_status()
    return run


def series(url: str, run: MadeRun) -> list[float]:
    answer = httpx.get(f"{url}{run.path}/series", headers=bearer(run.view), timeout=30).raise_for_status()
    return [value for s in decode_all(answer.content) for frame in s.frames for value in frame.columns[0]]


@postgres_only
def test_a_reader_at_one_worker_sees_what_a_writer_sends_to_another(database: Place, tmp_path: Path) -> None:
    with serving(database, tmp_path) as server, client_of(server, 0) as writer, client_of(server, 1) as reader:
        run = made_run(writer)
        body = segment([1.0, 2.0])
        seen: list[str] = []

        def follow() -> None:
            with reader.stream("GET", f"{run.path}/live", headers=bearer(run.view)) as stream:
                seen.extend(stream.iter_lines())

        thread = threading.Thread(target=follow)
        thread.start()
        until(lambda: "event: run" in seen)
        began_s = time.monotonic()
        writer.post(f"{run.path}/segments", content=body, headers=bearer(run.write)).raise_for_status()
        until(lambda: f"data: {base64.b64encode(body).decode()}" in seen, within_s=10)
        assert time.monotonic() - began_s < 10, "a reader looks by itself after 15 s, which would prove nothing"
        writer.delete(run.path, headers=bearer(run.write)).raise_for_status()
        until(lambda: "event: gone" in seen, within_s=10)
        thread.join(20)
        assert not thread.is_alive()


@postgres_only
def test_of_many_that_begin_one_run_at_once_one_makes_it_and_all_write_it(database: Place, tmp_path: Path) -> None:
    with serving(database, tmp_path) as server, client_of(server, 0) as one, client_of(server, 1) as other:
        key = mint(TokenKind.API_KEY)
        one.post("/api/v1/accounts/anonymous", json={"key_hash": sha(key)}).raise_for_status()
        for number in range(20):
            wishes = [MadeRun(str(new_run_id(time.time_ns() // 1_000_000, random.randbytes(10)))) for _ in range(2)]
            together = threading.Barrier(2)
            answers: dict[int, httpx.Response] = {}

            def begin(me: int, client: httpx.Client, number: int = number) -> None:
                request = wishes[me].request(id=f"shared-{number}", resume="allow", config={f"c{me}": me})  # noqa: B023
                together.wait(30)  # noqa: B023  the threads end within the turn of the loop
                answers[me] = client.post("/api/v1/runs", json=request, headers=bearer(key))  # noqa: B023

            threads = [threading.Thread(target=begin, args=(me, client)) for me, client in enumerate((one, other))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert sorted(answer.status_code for answer in answers.values()) == [200, 201]
            (run_id,) = {answer.json()["run_id"] for answer in answers.values()}
            for me, client in enumerate((one, other)):
                sent = client.post(
                    f"/api/v1/runs/{run_id}/segments",
                    content=segment([1.0], writer=me),
                    headers=bearer(wishes[me].write),
                )
                assert sent.json()["next"] == 1
            info = one.get(f"/api/v1/runs/{run_id}", headers=bearer(wishes[1].view)).json()
            assert (info["config"], info["points"]) == ({"c0": 0, "c1": 1}, 2)
        assert len(one.get("/api/v1/runs", headers=bearer(key)).json()["runs"]) == 20


@contextlib.contextmanager
def logging(url: str, runs: list[MadeRun]) -> Iterator[dict[str, int]]:
    """Send rows to each run from a thread of its own; yield how many were acknowledged, and stop."""
    acknowledged = dict.fromkeys((run.run_id for run in runs), 0)
    stop = threading.Event()

    def send(run: MadeRun) -> None:
        at = 0
        with httpx.Client(base_url=url, headers=bearer(run.write), timeout=30) as client:
            while not stop.is_set():
                with contextlib.suppress(httpx.TransportError):
                    answer = client.post(
                        f"{run.path}/segments", content=segment([float(at + i) for i in range(5)], seq=at)
                    )
                    if answer.status_code == 200:
                        at = answer.json()["next"]
                        acknowledged[run.run_id] = at
                    elif answer.status_code == 409:
                        at = answer.json()["next"]

    threads = [threading.Thread(target=send, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


@postgres_only
def test_kills_of_workers_under_load_lose_nothing_that_was_acknowledged(database: Place, tmp_path: Path) -> None:
    with serving(database, tmp_path) as server:
        with httpx.Client(base_url=server.url) as client:
            runs = [made_run(client) for _ in range(6)]
        with logging(server.url, runs) as acknowledged:
            for _ in range(4):
                before = dict(acknowledged)
                until(lambda before=before: all(acknowledged[name] > n for name, n in before.items()), within_s=60)
                victim = random.choice(workers_of(server))
                victim.kill()
                until(
                    lambda gone=victim.pid: (
                        gone not in {w.pid for w in workers_of(server)} and len(workers_of(server)) == 2
                    )
                )
        for run in runs:
            values = series(server.url, run)
            assert values == [float(i) for i in range(len(values))]
            assert len(values) >= acknowledged[run.run_id] > 0


@postgres_only
def test_a_stop_loses_nothing_that_was_acknowledged_and_leaves_no_process(database: Place, tmp_path: Path) -> None:
    with serving(database, tmp_path) as server:
        with httpx.Client(base_url=server.url) as client:
            runs = [made_run(client) for _ in range(4)]
        workers = workers_of(server)
        with logging(server.url, runs) as acknowledged:
            until(lambda: all(acknowledged.values()))
            os.kill(server.pid, signal.SIGTERM)
            until(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))
    with serving(database, tmp_path, workers=1) as server:
        for run in runs:
            assert len(series(server.url, run)) >= acknowledged[run.run_id] > 0


@postgres_only
def test_workers_end_when_the_process_that_watches_them_is_killed(database: Place, tmp_path: Path) -> None:
    with serving(database, tmp_path) as server:
        workers = workers_of(server)
        assert len(workers) == 2
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))


def holder(database: Place) -> str | None:
    with psycopg.connect(str(database.where)) as conn:
        row = conn.execute("SELECT holder FROM lease WHERE name = 'sweep'").fetchone()
    return row[0] if row else None


@postgres_only
def test_the_lease_goes_to_another_worker_when_its_holder_is_killed(database: Place, tmp_path: Path) -> None:
    """Two servers of one worker each, so that nobody replaces the one that dies."""
    with serving(database, tmp_path / "a", workers=1) as first:
        until(lambda: holder(database))
        before = holder(database)
        with serving(database, tmp_path / "b", workers=1, ANONRUN_RETENTION_DAYS=str(1 / 86_400)) as second:
            with httpx.Client(base_url=second.url) as client:
                assert holder(database) == before
                os.kill(first.pid, signal.SIGKILL)
                made_run(client)
            until(lambda: holder(database) not in (None, before))
            until(lambda: "anonrun_runs_purged_total 1" in httpx.get(f"{second.url}/metrics").text)


@postgres_only
def test_a_clean_end_gives_the_lease_back(database: Place, tmp_path: Path) -> None:
    with serving(database, tmp_path):
        until(lambda: holder(database))
    assert holder(database) is None


RACER = """
import json, sys, uuid
from anonrun.store import claims, retention, runs
from anonrun.store.database import Database
from anonrun.store.records import Account
url, what, seed = sys.argv[1:4]
run_ids = [uuid.UUID(int=i + 1) for i in range(int(sys.argv[4]))]
import random
random.Random(seed).shuffle(run_ids)
db = Database.open(url, readers=1)
user = Account(int(sys.argv[5]), "user", "user", 0)
print("ready", flush=True)
sys.stdin.readline()
won = []
if what == "sweep":
    while True:
        won += db.write_now(lambda tx: retention.tombstone_some(tx, 5))
        left = db.read_now(retention.due)
        if not left.anonymous_live and not left.expired:
            break
else:
    def delete(tx, run_id):
        run = runs.find(tx, run_id)
        return run is not None and run.anonymous and runs.delete(tx, run_id)
    for run_id in run_ids:
        act = (lambda tx: claims.claim(tx, run_id, user, None)) if what == "claim" else (lambda tx: delete(tx, run_id))
        if db.write_now(act):
            won.append(run_id)
db.close()
print(json.dumps([str(run_id) for run_id in won]))
"""


@postgres_only
def test_of_processes_that_claim_sweep_and_delete_at_once_exactly_one_wins_each_run(
    database: Place, tmp_path: Path
) -> None:
    """The runs expire one after another while all of them are at it (R11)."""
    count = 200
    db = Database.open(database.where)
    owner = db.write_now(lambda tx: accounts.create(tx, name="anon-a", kind="anonymous"))
    user = db.write_now(lambda tx: accounts.create(tx, name="ada", kind="user"))
    assert owner
    assert user
    acts = ["claim", "claim", "claim", "delete", "sweep", "sweep"]
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(database.where), act, str(n), str(count), str(user.account_id)],
            env=environment(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n, act in enumerate(acts)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"

    def make(tx: Tx) -> None:
        for i in range(count):
            run_id = uuid.UUID(int=i + 1)
            store_runs.create(
                tx, run_id=run_id, account=owner, project="p", id_=run_id.hex, name="n",
                expires_at=tx.now_us + 3_600_000_000,
                fields={"config": {}, "tags": [], "notes": None, "group": None, "job_type": None},
            )  # fmt: skip

    def begin(tx: Tx) -> None:
        for i in range(count):
            mine = RUN.c.run_id == uuid.UUID(int=i + 1)
            tx.conn.execute(update(RUN).where(mine).values(expires_at=tx.now_us + 500_000 + i * 10_000))

    db.write_now(make)
    db.write_now(begin)
    wins: list[tuple[str, uuid.UUID]] = []
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for act, racer in zip(acts, racers, strict=True):
        out, _ = racer.communicate(timeout=120)
        assert racer.returncode == 0
        wins += [(act, uuid.UUID(text)) for text in json.loads(out)]
    assert len({run_id for _, run_id in wins}) == len(wins), "nobody won what another one had"
    with psycopg.connect(str(database.where)) as conn:
        rows = conn.execute("SELECT run_id, expires_at, deleted_by FROM run").fetchall()
    db.close()
    assert len(rows) == count
    ended = {
        uuid.UUID(bytes=bytes(run_id)): "claim"
        if expires_at is None
        else {"user": "delete", "expired": "sweep"}.get(by)
        for run_id, expires_at, by in rows
    }
    assert {run_id: act for act, run_id in wins} == {run_id: act for run_id, act in ended.items() if act}
    assert len({act for act, _ in wins}) > 1, "the race was none"


@pytest.fixture(scope="module")
def away() -> Iterator[Cluster]:
    """A server that may be stopped and started, and keeps what it has."""
    with postgres(15, durable=True) as cluster:
        yield cluster


def test_a_server_lives_on_while_its_database_is_away_and_loses_nothing(away: Cluster, tmp_path: Path) -> None:
    with away.database() as name, serving(Place("postgresql-15", away.url(name)), tmp_path) as server:
        with httpx.Client(base_url=server.url) as client:
            runs = [made_run(client) for _ in range(3)]
        pids = {worker.pid for worker in workers_of(server)}
        with logging(server.url, runs) as acknowledged:
            until(lambda: all(acknowledged.values()))
            away.stop(signal.SIGQUIT)
            answer = httpx.get(f"{server.url}/readyz", timeout=30)
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            away.start()
            before = dict(acknowledged)
            until(lambda: all(acknowledged[name] > n for name, n in before.items()), within_s=60)
        assert {worker.pid for worker in workers_of(server)} == pids
        for run in runs:
            values = series(server.url, run)
            assert values == [float(i) for i in range(len(values))]
            assert len(values) >= acknowledged[run.run_id]


@postgres_only
def test_limits_by_address_hold_for_all_workers_together(database: Place, tmp_path: Path) -> None:
    with serving(database, tmp_path, ANONRUN_RUNS_PER_HOUR="4") as server:
        answers = []
        for worker in (0, 1):
            with client_of(server, worker) as client:
                key_hashes = [sha(mint(TokenKind.API_KEY)) for _ in range(4)]
                answers += [
                    client.post("/api/v1/accounts/anonymous", json={"key_hash": each}).status_code
                    for each in key_hashes
                ]
    assert answers == [201] * 4 + [429] * 4


@postgres_only
def test_the_operator_s_commands_use_the_same_database(database: Place, tmp_path: Path) -> None:
    url = str(database.where)
    made = run_command("admin", "user", "add", "ada", "--database-url", url, data_dir=tmp_path, stdin=PASSWORD + "\n")
    assert "anr_u_" in made.stdout
    report = run_command("gc", "--dry-run", "--json", data_dir=tmp_path, ANONRUN_DATABASE_URL=url)
    assert json.loads(report.stdout)["expired"] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "more", "message"),
    [
        pytest.param(("--workers", "2"), {}, "cannot share SQLite", id="SQLite"),
        pytest.param(("--workers", "0"), {}, "--workers", id="none"),
        pytest.param((), {"ANONRUN_WORKERS": "2"}, "cannot share SQLite", id="SQLite by the environment"),
        pytest.param(("--embedded", "--workers", "2"), {}, "one process on SQLite", id="embedded"),
        pytest.param((), {"ANONRUN_DATABASE_URL": "mysql://u:hunter2@h/x"}, "postgresql://", id="another kind"),
        pytest.param((), {"ANONRUN_READERS": "0"}, "ANONRUN_READERS", id="no readers"),
        pytest.param(
            (),
            {"ANONRUN_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x"},
            "Check that the server runs",
            id="away",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(
    tmp_path: Path, flags: tuple[str, ...], more: dict[str, str], message: str
) -> None:
    done = run_command("server", "--port", "0", *flags, data_dir=tmp_path, check=False, **more)
    assert done.returncode != 0
    assert message in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_an_embedded_server_pays_no_attention_to_a_database_meant_for_another(tmp_path: Path) -> None:
    with embedded_server(
        tmp_path, ANONRUN_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/x", ANONRUN_WORKERS="3"
    ) as own:
        assert own.base()
        assert (tmp_path / "server" / "anonrun.db").exists()


@postgres_only
def test_the_password_is_in_no_argument_log_or_description_of_the_settings(database: Place, tmp_path: Path) -> None:
    secret = "hunter2-canary"
    url = str(database.where).replace("@", f":{secret}@", 1)
    with serving(Place(database.kind, url), tmp_path, ANONRUN_LOG_LEVEL="debug") as server:
        watcher = psutil.Process(server.pid)
        for process in (watcher, *workers_of(server)):
            assert secret not in " ".join(process.cmdline())
        httpx.get(f"{server.url}/readyz")
    assert secret not in (tmp_path / "server-process.log").read_text()
