"""`kill -9` at random instants of a process that stores and compacts: what it was told is stored is there, once.

ANONRUN_TEST_KILLS sets the number of rounds; without it there are as many as half a minute allows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid

import pytest
from sqlalchemy import func, select

from anonrun.store.database import Database
from anonrun.store.reading import gather
from anonrun.store.schema import CHUNK, SEG
from support.databases import Place

ROUNDS = int(os.environ.get("ANONRUN_TEST_KILLS") or 60)

# A process that has everything imported forks one child a round, so that a round costs milliseconds. Children of all
# rounds write into the same runs: each goes on from what the store says it has, as a client does.
SCRIPT = """
import json, mmap, os, random, signal, struct, sys, time, uuid
import numpy, pcodec.standalone
from anonrun.core.wire import Frame, encode, peek
from anonrun.store import accounts, compaction, runs
from anonrun.store.database import Database
from anonrun.store.ingest import Incoming, append, next_seq

where, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ids = [uuid.UUID(int=(7 << 76) | (2 << 62) | n) for n in range(3)]
shared = mmap.mmap(-1, 8 * (len(ids) + 1))

def told(n):
    return struct.unpack_from("<q", shared, 8 * n)[0]

def work(round_number):
    rng = random.Random(seed * 1000 + round_number)
    db = Database.open(where)
    ends = [db.read_now(lambda tx, r=run_id: next_seq(tx, r, 1)) for run_id in ids]
    while True:
        n = rng.randrange(len(ids))
        rows = rng.choice([1, 3, 40, 3000])
        values = [float(i) for i in range(ends[n], ends[n] + rows)]
        names = ("a", "b") if rng.random() < 0.7 else ("a",)
        steps = range(ends[n], ends[n] + rows)
        payload = encode([Frame.of(names, steps, steps, [values] * len(names))], writer=1, seq=ends[n])
        db.write_now(lambda tx: append(tx, ids[n], [Incoming(peek(payload), payload, names)], None))
        ends[n] += rows
        struct.pack_into("<q", shared, 8 * n, ends[n])
        if rng.random() < 0.5:
            plan = db.read_now(lambda tx: compaction.prepare(tx, ids[n], most_points=rng.choice([1, 50, 100_000])))
            if plan and db.write_now(lambda tx: compaction.apply(tx, plan)):
                struct.pack_into("<q", shared, 8 * len(ids), told(len(ids)) + 1)

db = Database.open(where)
account = db.write_now(lambda tx: accounts.create(tx, name="ada", kind="user", password_hash="x"))
fields = {"config": {}, "tags": [], "notes": None, "group": None, "job_type": None}
for run_id in ids:
    db.write_now(lambda tx: runs.create(tx, run_id=run_id, account=account, project="p", id_=run_id.hex, name="n",
                                        expires_at=None, fields=fields))
db.close()
rng = random.Random(seed)
for number in range(rounds):
    before = bytes(shared)
    pid = os.fork()
    if pid == 0:
        try:
            work(number)
        finally:
            os._exit(1)
    # A few steps in, and then somewhere within the next one, however quick the machine is.
    seen, left, began = before, rng.randrange(1, 8), time.perf_counter()
    while left:
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the child ended by itself"
        if bytes(shared) != seen:
            seen, left, last, began = bytes(shared), left - 1, time.perf_counter() - began, time.perf_counter()
        time.sleep(0.0002)
    time.sleep(rng.uniform(0, 2 * last))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
print(json.dumps({"told": [told(n) for n in range(len(ids))], "compactions": told(len(ids))}))
"""


def _run(n: int) -> uuid.UUID:
    return uuid.UUID(int=(7 << 76) | (2 << 62) | n)


@pytest.mark.databases("sqlite", "postgresql-15")
@pytest.mark.timeout(900)
def test_what_a_killed_store_acknowledged_is_there_once(database: Place) -> None:
    where = str(database.where)
    command = [sys.executable, "-c", SCRIPT, where, str(ROUNDS), "11"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=880, check=False)
    assert said.returncode == 0, said.stderr[-3000:]
    report = json.loads(said.stdout)
    assert report["compactions"] > ROUNDS / 4, "the kills must meet compactions too"
    db = Database.open(database.where)
    try:
        for n, told in enumerate(report["told"]):
            found = db.read_now(lambda tx, n=n: gather(tx, _run(n), None))  # type: ignore[misc]  # the default binds the loop's value
            assert found
            a, b = found[0]["a"], found[0]["b"]
            assert a.values.tolist() == [float(i) for i in range(len(a.values))], "each row once, in order"
            assert a.steps.tolist() == list(range(len(a.values)))
            assert len(a.values) >= told, "nothing acknowledged is lost"
            assert (b.values == b.steps).all()
            assert (b.values[1:] > b.values[:-1]).all()
        for table in (SEG, CHUNK):
            assert db.read_now(lambda tx, t=table: tx.conn.execute(select(func.count()).select_from(t)).scalar_one())  # type: ignore[misc]  # likewise
        if database.is_sqlite:
            check = db.read_now(lambda tx: tx.conn.exec_driver_sql("PRAGMA integrity_check").scalar())
            assert check == "ok"
    finally:
        db.close()
