"""Delivery against real servers: what passes on the wire, and what becomes of a run that its server gave up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.runs import only_run_of, runs_of, spooled
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server
from support.wire import forwarding

_BURSTS = """
import anonrun, time
run = anonrun.init()
def all_sent():
    end = time.monotonic() + 30
    while run.status().unsent_rows:
        assert time.monotonic() < end, run.status()
        time.sleep(0.01)
for burst in range(10):
    for value in range(20): run.log({"x": 20 * burst + value})
    all_sent()
for value in range(200, 60_200): run.log({"x": value})
run.finish()
"""


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="by the standard library"),
        pytest.param(
            "127.0.0.2",
            id="by requests",
            marks=pytest.mark.skipif(sys.platform == "darwin", reason="one loopback address only"),
        ),
    ],
)
def test_a_run_uses_one_connection_and_few_compressed_requests(home: Path, shared_server: Server, host: str) -> None:
    with forwarding(shared_server.url, host) as wire:
        run_script(_BURSTS, home, ANONRUN_SERVER=wire.url)
        assert only_run_of(home, ANONRUN_SERVER=shared_server.url, ANONRUN_API_KEY=_key(home, wire.url))["points"][
            "x"
        ] == list(range(60_200))
        assert wire.connections == 1
        rows = 60_200
        # They go by size and by time, so a busy machine makes more of them; by the row they would be thousands.
        assert wire.requests("/segments") <= rows // 1_000
        assert sum(map(len, wire.sent)) < 6 * rows, "a row of one metric has 24 bytes before compression"


def _key(home: Path, server: str) -> str:
    key: str = json.loads((home / "identity.json").read_text())["servers"][server]["anonymous"]
    return key


_LOSES_ITS_RUN = """
import anonrun, sys, time
run = anonrun.init(id="mine", config={"lr": 0.1})
for value in range(50): run.log({"x": value})
end = time.monotonic() + 30
while run.status().unsent_rows: assert time.monotonic() < end; time.sleep(0.01)
print("sent", flush=True)
sys.stdin.readline()
while not run.status().trouble:
    run.log({"x": run.step})
    assert time.monotonic() < end
    time.sleep(0.01)
last = run.step
for value in range(last, last + 20_000): run.log({"x": value})
run.summary["best"] = 0.5
run.finish()
print(run.step, flush=True)
"""


@pytest.mark.parametrize(("why", "settings"), [("deleted", {}), ("expired", {"ANONRUN_RETENTION_DAYS": "0.0001"})])
def test_a_run_that_its_server_gave_up_goes_on_and_can_be_had_by_another(
    home: Path, tmp_path: Path, shared_server: Server, why: str, settings: dict[str, str]
) -> None:
    with anonrun_server(tmp_path / "first", **settings) as first:
        process = subprocess.Popen(
            [sys.executable, "-c", _LOSES_ITS_RUN], env=environment(home, ANONRUN_SERVER=first.url), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "sent\n"
        if why == "deleted":
            run_command("delete", "mine", "--yes", "--server", first.url, data_dir=home)
        out, said = process.communicate("go\n", timeout=90)
        assert process.returncode == 0, said
        rows = int(out.split()[-1])
        assert said.count("warning:") == 1, said
        (folder,) = (home / "spool").iterdir()
        for words in (
            f"The run {'has expired' if why == 'expired' else 'was deleted'}",
            "the data stays on disk",
            f"~/spool/{folder.name}",
            "anonrun sync --server",
        ):
            assert words in said
        refused = run_command("sync", data_dir=home, check=False)
        assert refused.returncode == 1
        assert "NOT delivered" in refused.stdout
    moved = json.loads(run_command("sync", "--server", shared_server.url, "--json", data_dir=home).stdout)
    assert [(entry["rows"], entry["delivered"], entry["trouble"]) for entry in moved] == [(rows, True, None)]
    run = only_run_of(home, ANONRUN_SERVER=shared_server.url)
    assert run["points"]["x"] == list(range(rows))
    assert (run["id"], run["state"], run["config"]) == ("mine", "finished", {"lr": 0.1})
    assert run["summary"]["best"] == 0.5
    assert spooled(home) == []


def test_a_folder_copied_from_another_machine_in_the_midst_of_a_run_is_delivered_again_later_without_doubles(
    home: Path, tmp_path: Path, shared_server: Server
) -> None:
    script = """if True:
        import anonrun, shutil, sys, os
        run = anonrun.init(mode="offline", id="mine")
        spool = os.path.join(os.environ["ANONRUN_DATA_DIR"], "spool")
        for value in range(100): run.log({"x": value})
        shutil.copytree(spool, os.environ["FIRST_COPY"])
        for value in range(100, 300): run.log({"x": value})
        run.finish()
        shutil.copytree(spool, os.environ["LAST_COPY"])
    """
    first, last, other_home = tmp_path / "first", tmp_path / "last", tmp_path / "elsewhere"
    other_home.mkdir()
    run_script(script, home, FIRST_COPY=str(first), LAST_COPY=str(last))
    at = {"data_dir": other_home}
    for copy, rows in ((first, 100), (last, 300)):
        answer = run_command("sync", str(copy), "--server", shared_server.url, "--json", **at)
        assert [entry["rows"] for entry in json.loads(answer.stdout)] == [rows]
        (run,) = runs_of(other_home, ANONRUN_SERVER=shared_server.url)
        assert run["points"]["x"] == list(range(rows))
    assert run["state"] == "finished"
    assert not re.search(r"anr_[a-z]_\w+", answer.stdout)


def test_sync_beside_a_run_that_delivers_itself_doubles_nothing(home: Path, shared_server: Server) -> None:
    script = """if True:
        import anonrun, subprocess, sys
        run = anonrun.init()
        syncs = []
        for value in range(6_000):
            run.log({"x": value})
            if value % 2_000 == 1_000:
                sync = [sys.executable, "-m", "anonrun", "sync"]
                syncs.append(subprocess.Popen(sync, stdout=subprocess.DEVNULL))
        assert [sync.wait(60) for sync in syncs] == [0, 0, 0]
        run.finish()
        print(run.status().unsent_rows)
    """
    done = run_script(script, home, ANONRUN_SERVER=shared_server.url)
    assert done.stdout.strip() == "0"
    assert only_run_of(home, ANONRUN_SERVER=shared_server.url)["points"]["x"] == list(range(6_000))
    assert spooled(home) == []
