"""A disk that is really full: a file system of a few hundred kilobytes, and a spool at its bound."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.disk import small_disk
from support.jupyter import free_port
from support.runs import only_run_of, spooled
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server

_FILLS_THE_DISK = """
import anonrun, os, sys
filler = os.path.join(os.environ["SMALL_DISK"], "filler")
early = os.environ["FULL_FROM"] == "the beginning"
def fill():
    with open(filler, "wb", buffering=0) as file:
        try:
            while True: file.write(bytes(4096))
        except OSError: pass
if early: fill()
run = anonrun.init(dir=os.environ["SMALL_DISK"], mode=os.environ.get("MODE"))
for value in range(100): run.log({"x": value})
if not early: fill()
for value in range(100, 5_000): run.log({"x": value})
assert "No space left on device" in str(run.status().trouble), run.status().trouble
print("full", flush=True)
sys.stdin.readline()
os.unlink(filler)
for value in range(5_000, 5_100): run.log({"x": value})
if os.environ.get("KILLED"):
    import time
    end = time.monotonic() + 20
    while "No space" in str(run.status().trouble) and time.monotonic() < end: time.sleep(0.02)
    os.kill(os.getpid(), 9)
run.finish(timeout=float(os.environ.get("WAIT", "30")))
print(run.status().unsent_rows)
"""


def _on_asmall_disk(home: Path, disk: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = environment(home, SMALL_DISK=str(disk), **more)
    command = [sys.executable, "-c", _FILLS_THE_DISK]
    return subprocess.run(command, env=env, cwd=home, input="go\n", capture_output=True, text=True, check=False)


@pytest.mark.parametrize("full_from", ["the beginning", "later on"])
def test_a_full_disk_loses_nothing_while_the_server_answers(
    home: Path, tmp_path: Path, shared_server: Server, full_from: str
) -> None:
    with small_disk(tmp_path / "small", 256) as disk:
        done = _on_asmall_disk(home, disk, ANONRUN_SERVER=shared_server.url, FULL_FROM=full_from)
        assert done.stdout.split() == ["full", "0"], done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("warning:") == done.stderr.count("No space left on device") == 1
    assert only_run_of(home, ANONRUN_SERVER=shared_server.url)["points"]["x"] == list(range(5_100))


@pytest.mark.parametrize("full_from", ["the beginning", "later on"])
@pytest.mark.parametrize("mode", ["offline", "online"])
def test_what_waits_for_a_full_disk_is_on_it_once_there_is_room(
    home: Path, tmp_path: Path, full_from: str, mode: str
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with small_disk(tmp_path / "small", 512) as disk:
        done = _on_asmall_disk(home, disk, ANONRUN_SERVER=url, FULL_FROM=full_from, MODE=mode, WAIT="0")
        assert done.stdout.split() == ["full", "5100"], done.stderr
        assert done.stderr.count("No space left on device") == 1
        with anonrun_server(tmp_path / "lab", port=port):
            assert "delivered, 5,100 rows" in run_command("sync", str(disk), data_dir=home).stdout
            assert only_run_of(home, ANONRUN_SERVER=url)["points"]["x"] == list(range(5_100))


def test_a_process_that_is_killed_after_the_disk_had_room_again_lost_nothing(home: Path, tmp_path: Path) -> None:
    """Its `run.json` could not be written at first; without it nobody could deliver what it left."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with small_disk(tmp_path / "small", 512) as disk:
        done = _on_asmall_disk(home, disk, ANONRUN_SERVER=url, FULL_FROM="the beginning", KILLED="1")
        assert done.returncode == -9, done.stderr
        with anonrun_server(tmp_path / "lab", port=port):
            run_command("sync", str(disk), data_dir=home)
            assert only_run_of(home, ANONRUN_SERVER=url)["points"]["x"] == list(range(5_100))


_MUCH = """
import anonrun, sys
run = anonrun.init(mode=MODE, config={"lr": 0.1})
for value in range(20_000): run.log({"x": value})
print("logged", flush=True)
sys.stdin.readline()
for value in range(20_000, 20_100): run.log({"x": value})
run.config["after"] = 1
run.finish(timeout=30)
"""


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_at_the_bound_one_message_tells_and_what_was_kept_is_delivered_exactly_once(
    home: Path, tmp_path: Path, mode: str
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-c", f"MODE = {mode!r}\n{_MUCH}"], text=True,
        env=environment(home, ANONRUN_SERVER=url, ANONRUN_SPOOL_BYTES="200000"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "logged\n"
    taken = sum(path.stat().st_size for path in (home / "spool").glob("*/*.part"))
    assert 200_000 <= taken < 230_000
    with anonrun_server(tmp_path / "lab", port=port):
        if mode == "offline":  # makes room in a run that is still going
            synced = run_command("sync", data_dir=home, ANONRUN_SPOOL_BYTES="200000")
            assert "still going" in synced.stdout
        _, said = process.communicate("go\n", timeout=60)
        run_command("sync", data_dir=home)
        run = only_run_of(home, ANONRUN_SERVER=url)
    assert said.count("has reached its bound") == 1
    assert "rows were not kept" in said
    kept = run["points"]["x"]
    assert kept == sorted(set(kept))
    before = [value for value in kept if value < 20_000]
    assert before == list(range(len(before)))
    if mode == "offline":
        assert kept[-100:] == list(range(20_000, 20_100)), "there was room again"
    assert run["steps"]["x"] == kept, "steps go on where rows are not kept"
    assert (run["config"], run["state"]) == ({"lr": 0.1, "after": 1}, "finished")
    assert spooled(home) == []


def test_a_backlog_leaves_the_disk_while_it_is_delivered_and_the_run_goes_on(home: Path, shared_server: Server) -> None:
    script = """if True:
        import anonrun, pathlib, os, time
        run = anonrun.init()
        def parts(): return len(list(pathlib.Path(os.environ["ANONRUN_DATA_DIR"]).glob("spool/*/*.part")))
        for value in range(12_000):
            run.log({"x": value})
            while value % 1_000 == 0 and run.status().unsent_rows > 4_000: time.sleep(0.02)
        end = time.monotonic() + 30
        while run.status().unsent_rows or run.status().trouble or parts() > 4:
            assert time.monotonic() < end, (run.status(), parts())
            time.sleep(0.02)
        run.log({"x": 12_000})
        run.finish()
    """
    run_script(script, home, ANONRUN_SERVER=shared_server.url, ANONRUN_SPOOL_BYTES="400000")
    kept = only_run_of(home, ANONRUN_SERVER=shared_server.url)["points"]["x"]
    assert kept == sorted(set(kept))
    assert kept[-1] == 12_000
