"""A run that is gone on with: where its steps, config and summary continue."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.jupyter import free_port
from support.runs import only_run_of, runs_of, spooled
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server

_FIRST = """
import anonrun
with anonrun.init(id="mine", config={"lr": 0.1, "depth": 3}, tags=["a"]) as run:
    for i in range(5): run.log({"loss": i})
    run.log({"late": 1}, step=40)
    run.log({"late": 1}, step=30)
    run.summary["best"] = 0.5
"""


def test_steps_config_and_summary_go_on_where_the_run_stood(home: Path, shared_server: Server) -> None:
    at = {"ANONRUN_SERVER": shared_server.url}
    run_script(_FIRST, home, **at)
    again = """if True:
        import anonrun
        run = anonrun.init(id="mine", resume="must", config={"lr": 0.2}, name="renamed")
        assert run.step == 41, run.step
        assert dict(run.config) == {"lr": 0.2, "depth": 3}, run.config
        assert (run.summary["best"], run.summary["loss"]) == (0.5, 4), run.summary
        run.log({"loss": 9})
        assert run.summary["loss"] == 9
        run.finish()
    """
    done = run_script(again, home, **at)
    assert "warning" not in done.stderr
    run = only_run_of(home, **at)
    assert run["steps"]["loss"] == [0, 1, 2, 3, 4, 41]
    assert (run["config"], run["name"], run["tags"], run["state"]) == (
        {"lr": 0.2, "depth": 3},
        "renamed",
        ["a"],
        "finished",
    )
    assert run["summary"] == {"best": 0.5, "loss": 9, "late": 1}


def test_allow_begins_a_run_that_is_not_there_and_never_refuses_one_that_is(home: Path, shared_server: Server) -> None:
    script = """if True:
        import anonrun
        names = set()
        for value in range(3):
            with anonrun.init(id="mine", resume="allow") as run:
                run.log({"x": value})
            names.add(run.name)
        assert len(names) == 1, names
        for resume in (None, "never"):
            try:
                anonrun.init(id="mine", resume=resume)
            except anonrun.UsageError as exc:
                print(exc)
    """
    done = run_script(script, home, ANONRUN_SERVER=shared_server.url)
    assert done.stdout.count("resume='allow'") == 2
    run = only_run_of(home, ANONRUN_SERVER=shared_server.url)
    assert (run["points"]["x"], run["steps"]["x"]) == ([0, 1, 2], [0, 1, 2])
    assert spooled(home) == []


def test_rows_that_a_killed_process_left_on_disk_count_for_the_next_step(home: Path, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    killed = """if True:
        import anonrun, os
        run = anonrun.init(id="mine", resume="allow", config={"lr": 0.1})
        for i in range(30): run.log({"x": i})
        os.kill(os.getpid(), 9)
    """
    assert run_script(killed, home, check=False, ANONRUN_SERVER=url).returncode == -9
    again = """if True:
        import anonrun
        run = anonrun.init(id="mine", resume="allow")
        assert (run.step, dict(run.config)) == (30, {"lr": 0.1}), (run.step, run.config)
        run.log({"x": 30})
        run.finish(timeout=0)
    """
    done = run_script(again, home, ANONRUN_SERVER=url)
    assert "has not said yet where run 'mine' stands; steps begin at 30" in done.stderr
    with anonrun_server(tmp_path / "lab", port=port):
        run_command("sync", data_dir=home)
        run = only_run_of(home, ANONRUN_SERVER=url)
    assert run["points"]["x"] == run["steps"]["x"] == list(range(31))
    assert run["config"] == {"lr": 0.1}
    assert spooled(home) == []


def test_an_offline_run_goes_on_with_what_is_on_this_disk(home: Path, shared_server: Server) -> None:
    script = """if True:
        import anonrun
        for part in range(3):
            with anonrun.init(id="mine", resume="allow", mode="offline", config={f"c{part}": part}) as run:
                for i in range(4): run.log({"x": 4 * part + i})
    """
    done = run_script(script, home, ANONRUN_SERVER=shared_server.url)
    assert "has not said" not in done.stderr
    assert len(spooled(home)) == 3
    run_command("sync", data_dir=home)
    run = only_run_of(home, ANONRUN_SERVER=shared_server.url)
    assert run["points"]["x"] == run["steps"]["x"] == list(range(12))
    assert run["config"] == {"c0": 0, "c1": 1, "c2": 2}


def test_a_server_that_comes_after_init_still_keeps_the_older_config(home: Path, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with anonrun_server(tmp_path / "lab", port=port):
        run_script(_FIRST, home, ANONRUN_SERVER=url)
    again = """if True:
        import anonrun, sys
        run = anonrun.init(id="mine", resume="allow", config={"lr": 0.2})
        run.log({"loss": 7}, step=50)
        print("logged", flush=True)
        sys.stdin.readline()
        run.finish(timeout=30)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", again], env=environment(home, ANONRUN_SERVER=url), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "logged\n"
    with anonrun_server(tmp_path / "lab", port=port):
        _, said = process.communicate("go\n", timeout=60)
        (run,) = runs_of(home, ANONRUN_SERVER=url)
    assert "has not said yet" in said
    assert (run["config"], run["steps"]["loss"]) == ({"lr": 0.2, "depth": 3}, [0, 1, 2, 3, 4, 50])
