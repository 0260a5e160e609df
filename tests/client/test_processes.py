"""One run, many processes: forked and spawned workers, ranks, and two that meet on purpose."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.process import until
from support.runs import only_run_of, runs_of, spooled
from support.script import environment, run_command, run_script
from support.server import Server


def _program(home: Path, source: str) -> Path:
    path = home.parent / "program.py"
    path.write_text(source)
    return path


def _run_program(home: Path, source: str, **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(_program(home, source))], env=environment(home, **more), cwd=home, check=False,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


_WORKERS = """
import multiprocessing, sys
import anonrun

def work(run, number):
    for value in range(200):
        run.log({f"w{number}": value})
    run.config[f"c{number}"] = number

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1] if len(sys.argv) > 1 else "spawn")
    run = anonrun.init(config={"lr": 0.1})
    run.log({"x": 1})
    workers = [context.Process(target=work, args=(run, number)) for number in range(3)]
    for worker in workers: worker.start()
    for value in range(2, 200): run.log({"x": value})
    for worker in workers: worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    run.log({"x": 200})
    run.finish()
    print(run.status().unsent_rows)
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_a_run_can_be_given_to_workers_of_every_kind(home: Path, shared_server: Server, method: str) -> None:
    source = _WORKERS.replace('sys.argv[1] if len(sys.argv) > 1 else "spawn"', repr(method))
    done = _run_program(home, source, ANONRUN_SERVER=shared_server.url, PYTHONWARNINGS="ignore::DeprecationWarning")
    assert done.stdout.strip() == "0"
    assert "warning" not in done.stderr
    assert done.stderr.count("finished:") == 1, "a worker's end is not the run's"
    run = only_run_of(home, ANONRUN_SERVER=shared_server.url)
    assert run["points"] == {
        "x": list(range(1, 201)), "w0": list(range(200)), "w1": list(range(200)), "w2": list(range(200)),
    }  # fmt: skip
    assert run["config"]["lr"] == 0.1
    assert spooled(home) == []


def test_a_pickled_run_is_itself_here_holds_no_secret_and_says_so_where_it_has_ended(
    home: Path, shared_server: Server
) -> None:
    script = """if True:
        import anonrun, pickle, re, subprocess, sys
        run = anonrun.init(api_key=None)
        packed = pickle.dumps(run)
        assert pickle.loads(packed) is run
        assert not re.search(rb"anr_[a-z]_", packed)
        run.log({"x": 1})
        run.finish()
        code = "import pickle, sys; run = pickle.loads(sys.stdin.buffer.read()); run.log({'x': 2}); print(run.disabled)"
        done = subprocess.run([sys.executable, "-c", code], input=packed, capture_output=True)
        print(done.stdout.decode(), done.stderr.decode())
    """
    done = run_script(script, home, ANONRUN_SERVER=shared_server.url)
    assert "True" in done.stdout
    assert done.stdout.count("nothing is recorded here") == 1
    assert only_run_of(home, ANONRUN_SERVER=shared_server.url)["points"]["x"] == [1]
    assert spooled(home) == []


def test_a_disabled_run_is_disabled_in_workers_too(home: Path) -> None:
    script = """if True:
        import anonrun, pickle, subprocess, sys
        packed = pickle.dumps(anonrun.init(mode="disabled"))
        code = "import pickle, sys; run = pickle.loads(sys.stdin.buffer.read()); run.log({'x': 2}); print(run.disabled)"
        print(subprocess.run([sys.executable, "-c", code], input=packed, capture_output=True, check=True))
    """
    assert "stdout=b'True\\n', stderr=b''" in run_script(script, home).stdout


def test_a_worker_that_outlives_the_run_leaves_its_rows_to_sync(home: Path, shared_server: Server) -> None:
    script = """if True:
        import anonrun, os, time
        run = anonrun.init()
        run.log({"x": 1})
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            run.log({"w": 0})
            os.read(read, 1)
            for value in range(1, 50): run.log({"w": value})
            os._exit(0)
        run.finish()
        os.write(write, b"x")
        os.waitpid(pid, 0)
    """
    run_script(script, home, ANONRUN_SERVER=shared_server.url, PYTHONWARNINGS="ignore::DeprecationWarning")
    run_command("sync", data_dir=home)
    run = only_run_of(home, ANONRUN_SERVER=shared_server.url)
    assert run["points"] == {"x": [1], "w": list(range(50))}
    assert spooled(home) == []


def test_a_forked_child_that_ends_as_programs_end_does_not_give_the_runs_folder_away(
    home: Path, shared_server: Server
) -> None:
    """Were the folder free, `sync` would take the run for ended and remove what its process still writes."""
    script = """if True:
        import anonrun, os, subprocess, sys
        run = anonrun.init(mode="offline")
        for value in range(10): run.log({"x": value})
        if os.fork() == 0:
            run.log({"w": 1})
            sys.exit(0)
        os.wait()
        sync = [sys.executable, "-m", "anonrun", "sync", "--json"]
        print(subprocess.run(sync, capture_output=True, text=True).stdout)
        for value in range(10, 20): run.log({"x": value})
    """
    done = run_script(script, home, ANONRUN_SERVER=shared_server.url, PYTHONWARNINGS="ignore::DeprecationWarning")
    (answer,) = json.loads(done.stdout)
    assert (answer["live"], answer["delivered"], answer["rows"]) == (True, False, 11)
    run_command("sync", data_dir=home)
    assert only_run_of(home, ANONRUN_SERVER=shared_server.url)["points"] == {"x": list(range(20)), "w": [1]}


_MEETING = """
import os, sys
import anonrun
me = int(os.environ.get("ME", "0"))
run = anonrun.init(id="shared", resume="allow", group="g", mode=os.environ.get("ASK"), config={"lr": 0.1})
for value in range(400):
    run.log({"all": 1000 * me + value, f"of{me}": value}, step=value)
print("logged", flush=True)
sys.stdin.readline()
run.finish(exit_code=int(os.environ.get("EXIT", "0")))
"""


def _meet(home: Path, count: int, **more: str) -> list[str]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MEETING], env=environment(home, ME=str(me), RANK=str(me), **more), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for me in range(count)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "logged\n"
    return [process.communicate("go\n", timeout=60)[1] for process in processes]


def test_processes_that_write_into_one_run_on_purpose_each_arrive_once(home: Path, shared_server: Server) -> None:
    said = _meet(home, 4, ANONRUN_SERVER=shared_server.url, ASK="online")
    # Whoever comes first begins the run; where that is not the first rank, its steps go on after those that are there.
    warnings = [line for text in said for line in text.splitlines() if "warning" in line]
    assert [line for line in warnings if "was logged after step" not in line] == []
    (run,) = runs_of(home, ANONRUN_SERVER=shared_server.url)
    assert run["id"] == "shared"
    assert sorted(run["points"]["all"]) == [1000 * me + value for me in range(4) for value in range(400)]
    for me in range(4):
        assert (run["points"][f"of{me}"], run["steps"][f"of{me}"]) == (list(range(400)), list(range(400)))
    assert (run["state"], run["config"]) == ("finished", {"lr": 0.1})
    assert spooled(home) == []


_IN_TURNS = """
import sys, anonrun
me = sys.argv[1]
run = anonrun.init(id="shared", resume="allow", config={me: 1, "last": me})
print("begun", flush=True)
for line in sys.stdin:
    what, value = line.split()
    if what == "set": run.config[value] = me
    if what == "log": run.log({me: int(value)})
    if what == "finish": run.finish(exit_code=int(value))
    print(what, flush=True)
"""


def test_a_run_of_several_programs_ends_with_the_last_of_them_and_loses_no_ones_config(
    home: Path, shared_server: Server
) -> None:
    at = {"ANONRUN_SERVER": shared_server.url}

    def tell(process: subprocess.Popen[str], what: str) -> None:
        assert process.stdin
        assert process.stdout
        process.stdin.write(what + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == what.split(maxsplit=1)[0] + "\n"

    def state() -> str:
        return str(only_run_of(home, **at)["state"])

    programs = []
    for me in ("a", "b"):
        program = subprocess.Popen(
            [sys.executable, "-c", _IN_TURNS, me], env=environment(home, **at), text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        programs.append(program)
        assert program.stdout
        assert program.stdout.readline() == "begun\n"
    a, b = programs
    tell(a, "log 1")
    tell(b, "set of_b")
    tell(a, "set of_a")
    tell(b, "finish 1")
    tell(a, "log 2")  # what a row is answered with says that the run has ended, and a is still there
    until(lambda: state() == "running", within_s=60)
    tell(a, "finish 0")
    for program in programs:
        program.communicate(timeout=60)
    run = only_run_of(home, **at)
    assert (run["state"], run["points"]["a"]) == ("finished", [1, 2])
    assert run["config"] == {"a": 1, "b": 1, "last": "b", "of_a": "a", "of_b": "b"}


def test_of_a_trainings_ranks_only_the_first_is_seen_unless_asked(home: Path, shared_server: Server) -> None:
    said = _meet(home, 3, ANONRUN_SERVER=shared_server.url)
    assert said[1:] == ["", ""]
    (run,) = runs_of(home, ANONRUN_SERVER=shared_server.url)
    assert set(run["points"]) == {"all", "of0"}


def test_the_end_of_a_shared_run_is_the_first_ranks_to_tell(home: Path, shared_server: Server) -> None:
    script = """if True:
        import anonrun, os
        os.environ["RANK"] = "0"
        first = anonrun.init(id="shared", resume="allow")
        first.log({"a": 1})
        os.environ["RANK"] = "1"
        second = anonrun.init(id="shared", resume="allow", mode="online", reinit="create_new")
        assert second.step == 0, "ranks log the same steps"
        second.log({"b": 1})
        second.finish(exit_code=1)
        print(anonrun.Api().run("shared").state)
        first.finish()
        print(anonrun.Api().run("shared").state)
    """
    done = run_script(script, home, ANONRUN_SERVER=shared_server.url)
    assert done.stdout.split() == ["running", "finished"]
    assert only_run_of(home, ANONRUN_SERVER=shared_server.url)["points"] == {"a": [1], "b": [1]}


def test_nothing_of_a_database_is_used_on_the_client_side(home: Path, shared_server: Server) -> None:
    """SQLite's locks do not hold on network file systems, where the spool may lie."""
    script = """if True:
        import sys, anonrun
        with anonrun.init() as run:
            run.log({"x": 1})
        print(sorted({"sqlite3", "_sqlite3", "sqlalchemy"} & set(sys.modules)))
    """
    assert run_script(script, home, ANONRUN_SERVER=shared_server.url).stdout.strip() == "[]"
