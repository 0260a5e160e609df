"""`kill -9` at random instants, of who logs and of who delivers: no call that returned is lost, none arrives twice.

ANONRUN_TEST_KILLS sets the number of rounds of each test; without it there are as many as a minute allows.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonrun.client.leftovers import run_folders
from anonrun.client.spool.reader import PartReader
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server

_ROUNDS = os.environ.get("ANONRUN_TEST_KILLS")
_ON_DISK = int(_ROUNDS or 40)
_TO_SERVER = int(_ROUNDS or 10)

# Forks rounds from one process, so that a round costs milliseconds; each child begins a run of its own.
_KILL = """if True:
    import mmap, os, random, signal, struct, sys, time
    import anonrun
    rounds, offline = int(sys.argv[1]), sys.argv[2] == "offline"
    returned = []
    for number in range(rounds):
        shared = mmap.mmap(-1, 8)
        pid = os.fork()
        if pid == 0:
            run = anonrun.init(id=f"r{number}", mode="offline" if offline else "online")
            value = 0
            while True:
                run.log({"x": value, **({"y": value} if value % 3 else {})})
                value += 1
                shared[:] = struct.pack("<q", value)
                if not offline and value % 50 == 0:
                    time.sleep(0.01)
        while struct.unpack("<q", shared[:])[0] == 0:
            time.sleep(0.001)
        time.sleep(random.Random(number).uniform(0, 0.02 if offline else 0.4))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        returned.append(struct.unpack("<q", shared[:])[0])
    import json
    print(json.dumps(returned))
"""


def _returned(home: Path, rounds: int, mode: str, **more: str) -> list[int]:
    script = f"import sys; sys.argv = ['', '{rounds}', '{mode}']\n{_KILL}"
    counts: list[int] = json.loads(run_script(script, home, timeout_s=600, **more).stdout.splitlines()[-1])
    return counts


def test_no_returned_call_is_lost_on_disk(home: Path) -> None:
    returned = _returned(home, _ON_DISK, "offline")
    kept = {}
    for folder in run_folders(home / "spool"):
        values: list[float] = []
        for part in folder.parts():
            reader = PartReader(folder.path, part)
            while not (batch := reader.read(final=True)).empty:
                values += [v for f in batch.frames for v in f.columns[f.names.index("x")]]
            assert reader.damage == []
            reader.close()
        kept[folder.load().request["id"]] = values
    assert len(kept) == _ON_DISK
    for number, count in enumerate(returned):
        values = kept[f"r{number}"]
        assert values == list(range(len(values)))
        assert count <= len(values) <= count + 1


def _sync_and_kill(home: Path, *, after_s: float) -> None:
    """Kill `anonrun sync` in the midst of it; at which instant is the point, so nothing is waited for."""
    command = [sys.executable, "-m", "anonrun", "sync"]
    process = subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with anonrun_server(tmp_path / "lab", ANONRUN_RUNS_PER_HOUR="0") as running:
        yield running


def test_every_returned_call_arrives_exactly_once(home: Path, server: Server) -> None:
    returned = _returned(home, _TO_SERVER, "online", ANONRUN_SERVER=server.url)
    chance = random.Random(len(returned))
    for _ in range(max(3, _TO_SERVER // 10)):
        _sync_and_kill(home, after_s=chance.uniform(0.3, 1.2))
    run_command("sync", data_dir=home, timeout_s=600)
    read = """if True:
        import json, anonrun
        print(json.dumps({r.id: r.series("x").value.tolist() for r in anonrun.Api().runs()}))
    """
    arrived = json.loads(run_script(read, home, timeout_s=600, ANONRUN_SERVER=server.url).stdout.splitlines()[-1])
    assert not list((home / "spool").iterdir()), "what was delivered is gone from the disk"
    for number, count in enumerate(returned):
        values = arrived[f"r{number}"]
        assert values == list(range(len(values)))
        assert count <= len(values) <= count + 1
