"""Whole programs, run as users run them, against real servers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.jupyter import free_port, stop_embedded_server
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server

_READ = """
import json, anonrun
print(json.dumps([{"id": r.id, "state": r.state, "name": r.name, "config": dict(r.config), "summary": dict(r.summary),
  "anonymous": r.anonymous, "points": {m: r.series(m).value.tolist() for m in r.metrics},
  "steps": {m: r.series(m).step.tolist() for m in r.metrics}} for r in anonrun.Api().runs()]))
"""
_TOKEN = re.compile(r"anr_[a-z]_\w+")


def runs_of(home: Path, **more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run_script(_READ, home, **more).stdout.splitlines()[-1])
    return found


def only_run_of(home: Path, **more: str) -> dict[str, Any]:
    (run,) = runs_of(home, **more)
    return run


def wait_for(condition: Callable[[], bool], what: str, deadline_s: float = 30) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def spooled(home: Path) -> list[str]:
    return sorted(p.name for p in (home / "spool").glob("*")) if (home / "spool").exists() else []


def test_import_is_light(home: Path) -> None:
    heavy = {"numpy", "pandas", "plotly", "requests", "sqlalchemy", "fastapi", "starlette", "uvicorn", "anywidget",
             "ipywidgets", "IPython", "jupyter_server", "psutil", "filelock", "anonrun.server"}  # fmt: skip
    done = run_script(f"import sys, anonrun; print(sorted({heavy!r} & set(sys.modules)))", home)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_a_run_does_without_requests_on_its_own_server(home: Path) -> None:
    script = """if True:
        import sys, anonrun
        with anonrun.init() as run:
            run.log({"x": 1})
        print(sorted({"requests", "numpy", "plotly", "sqlalchemy"} & set(sys.modules)))
    """
    assert run_script(script, home).stdout.strip() == "[]"


def test_everything_that_is_given_arrives(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun, math
        given = {"tags": ["a"], "notes": "n", "group": "g", "job_type": "train"}
        run = anonrun.init("digits", "first", {"lr": 0.1}, id="mine", **given)
        run.config["epochs"] = 3
        for i in range(3):
            run.log({"loss": 1 / (i + 1), "deep": {"er": i}})
        run.log({"odd": math.nan})
        run.summary["best"] = 0.25
        run.finish()
        assert run.expires_at.tzinfo is not None
        assert "anr_" not in repr(run) + repr(run.secrets()) + run.url + repr(run.status())
        info = anonrun.Api().run("digits/mine").info
        assert (info.tags, info.notes, info.group, info.job_type) == (["a"], "n", "g", "train")
    """
    run_script(script, home, ANONRUN_SERVER=server.url)
    run = only_run_of(home, ANONRUN_SERVER=server.url)
    assert (run["id"], run["name"], run["state"], run["config"]) == (
        "mine",
        "first",
        "finished",
        {"lr": 0.1, "epochs": 3},
    )
    assert run["summary"]["best"] == 0.25
    assert run["points"]["loss"] == [1.0, 0.5, 1 / 3]
    assert run["steps"]["deep/er"] == [0, 1, 2]
    assert run["steps"]["odd"] == [3]
    assert spooled(home) == []


def test_the_end_of_a_program_finishes_its_run(home: Path, server: Server) -> None:
    run_script("import anonrun; anonrun.init(id='a'); anonrun.log({'x': 1})", home, ANONRUN_SERVER=server.url)
    failing = "import anonrun; anonrun.init(id='b'); anonrun.log({'x': 1}); raise RuntimeError('mine')"
    done = run_script(failing, home, check=False, ANONRUN_SERVER=server.url)
    assert "RuntimeError: mine" in done.stderr
    states = {run["id"]: run["state"] for run in runs_of(home, ANONRUN_SERVER=server.url)}
    assert states == {"a": "finished", "b": "failed"}


def test_a_with_block_that_raises_marks_the_run_failed(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        try:
            with anonrun.init() as run:
                run.log({"x": 1})
                raise KeyError("mine")
        except KeyError:
            pass
    """
    run_script(script, home, ANONRUN_SERVER=server.url)
    assert only_run_of(home, ANONRUN_SERVER=server.url)["state"] == "failed"


def test_log_before_init_and_after_finish_warn_once_and_raise_nothing(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        anonrun.log({"x": 1}); anonrun.log({"x": 2}); anonrun.finish()
        run = anonrun.init()
        run.log({"x": 3})
        run.finish(); run.finish()
        run.log({"x": 4}); run.log({"x": 5}); run.config["late"] = 1
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert done.stderr.count("before init()") == 1
    assert done.stderr.count("The run is finished") == 1
    assert only_run_of(home, ANONRUN_SERVER=server.url)["points"] == {"x": [3.0]}


@pytest.mark.parametrize(
    ("reinit", "values"), [("'finish_previous'", [[1, 3], [2, 3]]), ("'create_new'", [[1, 3], [2]])]
)
def test_a_second_init_finishes_the_first_run_or_keeps_both(
    home: Path, server: Server, reinit: str, values: list[list[int]]
) -> None:
    script = f"""if True:
        import anonrun
        first = anonrun.init(id="a"); first.log({{"x": 1}})
        second = anonrun.init(id="b", reinit={reinit}); anonrun.log({{"x": 2}})
        first.log({{"x": 3}})
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    points = {run["id"]: run["points"]["x"] for run in runs_of(home, ANONRUN_SERVER=server.url)}
    if reinit == "'create_new'":
        assert points == {"a": [1, 3], "b": [2]}
    else:
        assert points == {"a": [1], "b": [2]}
        assert "finished first" in done.stderr


def test_two_processes_at_once_share_the_server_and_the_account(home: Path) -> None:
    # Where nothing is said, the end waits seconds for a server; on a busy machine one takes longer to start.
    script = "import anonrun\nrun = anonrun.init()\n[run.log({'x': i}) for i in range(50)]\nrun.finish(timeout=60)"
    command = [sys.executable, "-c", script]
    processes = [subprocess.Popen(command, env=environment(home), stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        assert process.communicate(timeout=120)[1] is not None
        assert process.returncode == 0
    runs = runs_of(home)
    assert [run["points"]["x"] for run in runs] == [list(range(50))] * 3
    assert spooled(home) == []


def test_offline_keeps_everything_for_sync(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        run = anonrun.init(mode="offline", config={"a": 1})
        run.log({"x": 1}); run.log({"x": 2})
        run.finish()
        assert run.status().unsent_rows == 2
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert "anonrun sync" in done.stderr
    assert len(spooled(home)) == 1
    run_script("import anonrun; anonrun.init().finish()", home, ANONRUN_SERVER=server.url)
    assert len(spooled(home)) == 1, "the next run does not send what was meant to stay"
    answer = json.loads(run_command("sync", "--json", data_dir=home).stdout)
    assert [(a["rows"], a["delivered"], a["trouble"]) for a in answer] == [(2, True, None)]
    synced = [run for run in runs_of(home, ANONRUN_SERVER=server.url) if run["points"]]
    assert [(run["points"]["x"], run["config"], run["state"]) for run in synced] == [([1, 2], {"a": 1}, "finished")]
    assert spooled(home) == []
    assert "Everything is delivered" in run_command("sync", data_dir=home).stdout


def test_disabled_writes_nothing_and_says_nothing(home: Path) -> None:
    script = """if True:
        import anonrun
        run = anonrun.init(config={"a": 1})
        run.log({"x": 1}); run.config["b"] = 2; run.summary["c"] = 3; run.log_artifact("f")
        assert (dict(run.config), dict(run.summary)) == ({"a": 1, "b": 2}, {"c": 3})
        assert run.url is None and run.feed().read_new() == [] and run.status().rows == 0
        run.finish()
    """
    for more in ({"ANONRUN_MODE": "disabled"}, {"RANK": "1"}):
        done = run_script(script, home, **more)
        assert (done.stdout, done.stderr) == ("", "")
    assert list(home.iterdir()) == []


def test_a_server_that_comes_late_gets_everything_once(home: Path, tmp_path: Path) -> None:
    port = free_port()
    script = """if True:
        import anonrun, sys, time
        start = time.perf_counter()
        run = anonrun.init()
        print("init", time.perf_counter() - start, flush=True)
        for i in range(200):
            run.log({"x": i})
        assert run.status().trouble and not run.status().connected
        print("logged", flush=True)
        sys.stdin.readline()
        run.finish()
        print("done", run.status().unsent_rows)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment(home, ANONRUN_SERVER=f"http://127.0.0.1:{port}"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert float(process.stdout.readline().split()[1]) < 5
    assert process.stdout.readline() == "logged\n"
    with anonrun_server(tmp_path / "lab", port=port) as server:
        out, _ = process.communicate("go\n", timeout=60)
        assert "done 0" in out
        assert only_run_of(home, ANONRUN_SERVER=server.url)["points"]["x"] == list(range(200))


def test_a_server_that_is_killed_and_comes_back_gets_each_point_once(home: Path, tmp_path: Path) -> None:
    port = free_port()
    script = """if True:
        import anonrun, sys
        run = anonrun.init()
        for part in range(4):
            for i in range(100):
                run.log({"x": part * 100 + i})
            print("part", flush=True)
            sys.stdin.readline()
        run.finish()
        print("unsent", run.status().unsent_rows)
    """
    lab = tmp_path / "lab"
    process = None
    for number in range(4):
        with anonrun_server(lab, port=port) as server:
            if process is None:
                process = subprocess.Popen(
                    [sys.executable, "-c", script], env=environment(home, ANONRUN_SERVER=server.url),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "part\n"
            if number < 3:
                os.kill(server.pid, signal.SIGKILL)
                process.stdin.write("go\n")
                process.stdin.flush()
            else:
                out, _ = process.communicate("go\n", timeout=60)
                assert "unsent 0" in out
                assert only_run_of(home, ANONRUN_SERVER=server.url)["points"]["x"] == list(range(400))


def test_a_server_that_is_gone_leaves_everything_on_disk_and_says_where(home: Path, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    script = """if True:
        import anonrun, time
        run = anonrun.init(); run.log({"x": 1}); run.log({"x": 2})
        start = time.perf_counter()
        run.finish(timeout=0.5)
        assert time.perf_counter() - start < 4
    """
    done = run_script(script, home, ANONRUN_SERVER=url)
    (folder,) = spooled(home)
    assert "2 of 2 rows wait in" in done.stderr
    assert folder in done.stderr
    assert "anonrun sync" in done.stderr
    assert "wait" in run_command("doctor", data_dir=home).stdout
    with anonrun_server(tmp_path / "lab", port=port):
        assert "delivered, 2 rows" in run_command("sync", data_dir=home).stdout
        assert only_run_of(home, ANONRUN_SERVER=url)["points"]["x"] == [1, 2]
    assert spooled(home) == []


def test_a_silent_server_holds_init_up_for_two_seconds_at_most(home: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        script = """if True:
            import anonrun, time
            start = time.perf_counter()
            run = anonrun.init()
            run.log({"x": 1})
            print(time.perf_counter() - start)
            run.finish(timeout=0)
        """
        done = run_script(script, home, ANONRUN_SERVER=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert float(done.stdout) < 4  # 2 s where the machine is not busy
    assert len(spooled(home)) == 1


def test_what_a_killed_process_left_is_delivered_by_the_next_run(home: Path, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    script = """if True:
        import anonrun, os
        run = anonrun.init(id="lost")
        for i in range(30): run.log({"x": i})
        os.kill(os.getpid(), 9)
    """
    assert run_script(script, home, check=False, ANONRUN_SERVER=url).returncode == -9
    assert len(spooled(home)) == 1
    with anonrun_server(tmp_path / "lab", port=port):
        later = """if True:
            import anonrun, pathlib, os, time
            run = anonrun.init(id="next")
            end = time.monotonic() + 20
            spool = pathlib.Path(os.environ["ANONRUN_DATA_DIR"]) / "spool"
            while len(os.listdir(spool)) > 1 and time.monotonic() < end:
                time.sleep(0.05)
        """
        run_script(later, home, ANONRUN_SERVER=url)
        points = {run["id"]: run["points"] for run in runs_of(home, ANONRUN_SERVER=url)}
        assert points == {"lost": {"x": list(range(30))}, "next": {}}
    assert spooled(home) == []


def test_sync_delivers_a_run_that_is_still_going(home: Path, tmp_path: Path, server: Server) -> None:
    script = """if True:
        import anonrun, sys
        run = anonrun.init(mode="offline")
        for i in range(10): run.log({"x": i})
        print("logged", flush=True)
        sys.stdin.readline()
        for i in range(10, 20): run.log({"x": i})
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=environment(home, ANONRUN_SERVER=server.url),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "logged\n"
    (first,) = json.loads(run_command("sync", "--json", data_dir=home).stdout)
    assert (first["rows"], first["live"], first["delivered"], first["trouble"]) == (10, True, False, None)
    process.communicate("go\n", timeout=30)
    (second,) = json.loads(run_command("sync", "--json", data_dir=home).stdout)
    assert (second["live"], second["delivered"]) == (False, True)
    assert only_run_of(home, ANONRUN_SERVER=server.url)["points"]["x"] == list(range(20))


def test_a_copied_folder_can_be_synced_to_another_server(home: Path, tmp_path: Path, server: Server) -> None:
    run_script("import anonrun\nwith anonrun.init(mode='offline') as r: r.log({'x': 1})", home)
    copy, other_home = tmp_path / "copy", tmp_path / "other"
    other_home.mkdir()
    (home / "spool").rename(copy)
    answer = run_command("sync", str(copy), "--server", server.url, "--json", data_dir=other_home)
    assert json.loads(answer.stdout)[0]["delivered"]
    assert only_run_of(other_home, ANONRUN_SERVER=server.url)["points"]["x"] == [1]


def test_a_forked_child_logs_into_the_same_run_and_its_end_is_not_the_runs(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun, os
        run = anonrun.init()
        run.log({"x": 1})
        pid = os.fork()
        if pid == 0:
            for i in range(100, 120): run.log({"child": i})
            run.finish()
            os._exit(0)
        os.waitpid(pid, 0)
        run.log({"x": 2})
        run.finish()
    """
    run_script(script, home, ANONRUN_SERVER=server.url)
    run = only_run_of(home, ANONRUN_SERVER=server.url)
    assert run["points"] == {"x": [1, 2], "child": list(range(100, 120))}
    assert (run["state"], run["steps"]["child"][0]) == ("finished", 1)
    assert spooled(home) == []


def test_forked_children_that_leave_by_exit_end_nothing(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun, multiprocessing, sys
        def work(n):
            anonrun.log({f"w{n}": n})
        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            run = anonrun.init()
            children = [context.Process(target=work, args=(n,)) for n in range(3)]
            [c.start() for c in children]; [c.join() for c in children]
            assert run.status().state.value == "running"
            run.finish()
    """
    run_script(script, home, ANONRUN_SERVER=server.url, PYTHONWARNINGS="ignore::DeprecationWarning")
    run = only_run_of(home, ANONRUN_SERVER=server.url)
    assert run["points"] == {"w0": [0], "w1": [1], "w2": [2]}
    assert run["state"] == "finished"


def test_a_full_disk_loses_nothing_while_the_server_is_up(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun, resource, signal
        run = anonrun.init()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
        for i in range(500):
            run.log({"x": i})
        run.finish()
    """
    run_script(script, home, ANONRUN_SERVER=server.url)
    assert only_run_of(home, ANONRUN_SERVER=server.url)["points"]["x"] == list(range(500))


def test_an_unwritable_home_is_replaced_by_a_temporary_folder(home: Path, tmp_path: Path, server: Server) -> None:
    (tmp_path / "file").write_text("in the way")
    script = "import anonrun\nwith anonrun.init() as run: run.log({'x': 1})\nprint(run.status().unsent_rows)"
    more = {"ANONRUN_DATA_DIR": str(tmp_path / "file" / "home"), "ANONRUN_SERVER": server.url, "TMPDIR": str(tmp_path)}
    done = run_script(script, home, **more)
    assert done.stdout.strip() == "0"
    assert "cannot be written to" in done.stderr
    assert "ANONRUN_DATA_DIR" in done.stderr


@pytest.mark.parametrize("text", ["{", '{"pid": 1, "port": 1, "instance": "other", "vouch": "x"}'])
def test_a_damaged_state_file_does_not_hold_a_run_up(home: Path, text: str) -> None:
    (home / "server").mkdir()
    (home / "server" / "state.json").write_text(text)
    run_script("import anonrun\nwith anonrun.init() as run: run.log({'x': 1})", home)
    assert only_run_of(home)["points"] == {"x": [1]}


def test_a_port_in_use_is_replaced_by_another(home: Path) -> None:
    script = "import anonrun\nwith anonrun.init() as run: run.log({'x': 1})"
    run_script(script, home)
    state = json.loads((home / "server" / "state.json").read_text())
    stop_embedded_server(home)
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def bound() -> bool:
        try:
            taken.bind(("127.0.0.1", state["port"]))
        except OSError:
            return False
        return True

    wait_for(bound, "the server's port does not become free")
    taken.listen(1)
    try:
        run_script(script, home)
        assert json.loads((home / "server" / "state.json").read_text())["port"] != state["port"]
        assert [run["points"] for run in runs_of(home)] == [{"x": [1]}] * 2
    finally:
        taken.close()


def test_the_embedded_server_that_is_killed_in_mid_run_is_started_again(home: Path) -> None:
    script = """if True:
        import anonrun, json, os, pathlib, signal, time
        run = anonrun.init()
        run.log({"x": 1})
        end = time.monotonic() + 30
        while run.status().unsent_rows and time.monotonic() < end: time.sleep(0.02)
        state = json.loads((pathlib.Path(os.environ["ANONRUN_DATA_DIR"]) / "server" / "state.json").read_text())
        os.kill(state["pid"], signal.SIGKILL)
        run.log({"x": 2})
        run.finish(timeout=30)
        print(run.status().unsent_rows)
    """
    assert run_script(script, home).stdout.strip() == "0"
    assert only_run_of(home)["points"]["x"] == [1, 2]


def test_a_refused_key_is_an_error_at_init(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        from anonrun.core.tokens import TokenKind, mint
        key = mint(TokenKind.API_KEY)
        try:
            anonrun.init(api_key=key)
        except anonrun.AuthenticationError as exc:
            assert key not in str(exc) and "anonrun login" in str(exc)
            print("refused")
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert done.stdout.strip() == "refused"
    assert spooled(home) == []


def test_a_saved_anonymous_key_that_is_refused_is_replaced_without_a_word(home: Path, server: Server) -> None:
    script = "import anonrun\nwith anonrun.init() as run: run.log({'x': 1})\nprint(run.status().unsent_rows)"
    run_script(script, home, ANONRUN_SERVER=server.url)
    saved = json.loads((home / "identity.json").read_text())
    other = "anr_u_" + "0" * 36
    from anonrun.core.tokens import TokenKind, mint

    other = mint(TokenKind.API_KEY)
    saved["servers"][server.url]["anonymous"] = other
    (home / "identity.json").write_text(json.dumps(saved))
    assert run_script(script, home, ANONRUN_SERVER=server.url).stdout.strip() == "0"
    assert len(runs_of(home, ANONRUN_SERVER=server.url)) == 1


def test_never_without_an_account_is_an_error_that_names_the_ways_on(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        try:
            anonrun.init(anonymous="never")
        except anonrun.AccountRequiredError as exc:
            print(exc)
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert "anonrun login" in done.stdout
    assert 'anonymous="allow"' in done.stdout
    assert spooled(home) == []


def test_an_id_that_is_taken_is_an_error_and_resume_goes_on(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        with anonrun.init(id="mine") as run: run.log({"x": 1})
        try:
            anonrun.init(id="mine")
        except anonrun.UsageError as exc:
            print("taken")
        with anonrun.init(id="mine", resume="allow") as again: again.log({"x": 2}, step=1)
        assert again.run_id == run.run_id
        with anonrun.init(id="mine", resume="must") as again: again.log({"x": 3}, step=2)
        try:
            anonrun.init(id="other", resume="must")
        except anonrun.NotFoundError as exc:
            print("nothing there")
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert done.stdout.split("\n")[:2] == ["taken", "nothing there"]
    assert only_run_of(home, ANONRUN_SERVER=server.url)["points"]["x"] == [1, 2, 3]


def test_a_run_that_is_deleted_in_mid_run_warns_once_and_training_goes_on(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun, time
        run = anonrun.init()
        run.log({"x": 1})
        end = time.monotonic() + 30
        while run.status().unsent_rows and time.monotonic() < end: time.sleep(0.02)
        anonrun.Api().run(run.run_id).delete()
        for i in range(3):
            run.log({"x": i})
        while not run.status().trouble and time.monotonic() < end: time.sleep(0.02)
        run.log({"x": 9})
        run.finish()
        print(run.status().trouble)
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert "deleted on the server" in done.stdout
    assert done.stderr.count("warning: The run was deleted") == 1
    assert len(spooled(home)) == 1, "the data stays on disk"


def test_a_claim_in_mid_run_is_learned_and_does_not_break_the_run(home: Path, server: Server) -> None:
    made = run_command(
        "admin", "user", "add", "ada", "--data-dir", str(server.data_dir), data_dir=home, stdin="a long passphrase\n"
    )
    key = next(word for word in made.stdout.split() if word.startswith("anr_u_"))
    script = f"""if True:
        import anonrun, time
        from anonrun.client.remote import Remote
        from anonrun.client.transport import open_transport
        run = anonrun.init()
        run.log({{"x": 1}})
        end = time.monotonic() + 30
        while run.status().unsent_rows and time.monotonic() < end: time.sleep(0.02)
        assert run.anonymous and run.expires_at
        remote = Remote(open_transport({server.url!r}))
        remote.claim({key!r}, run.secrets().claim)
        run.refresh()
        assert not run.anonymous and run.expires_at is None and run.secrets().claim is None
        run.log({{"x": 2}})
        run.finish()
        print(run.status().unsent_rows, run.status().trouble)
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert done.stdout.strip() == "0 None"
    run = only_run_of(home, ANONRUN_SERVER=server.url, ANONRUN_API_KEY=key)
    assert (run["points"]["x"], run["state"], run["anonymous"]) == ([1, 2], "finished", False)


def test_the_feed_gives_every_row_once_before_and_after_the_end(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        def values(frames): return [v for f in frames for v in f.columns[0]]
        run = anonrun.init()
        run.log({"x": 1})
        feed = run.feed()
        assert values(feed.read_new()) == [1]
        assert feed.read_new() == []
        run.log({"x": 2}); run.log({"x": 3})
        assert values(feed.read_new()) == [2, 3]
        assert values(run.feed().read_new()) == [1, 2, 3]
        run.log({"x": 4})
        seen = []
        run.on_finish(lambda: seen.extend(values(feed.read_new())))
        figure = run.figure("x")
        run.finish()
        assert seen == [4], seen
        assert feed.read_new() == []
        assert values(run.feed().read_new()) == [1, 2, 3, 4]
        assert list(figure.data[0].y) == [1, 2, 3, 4]
        try:
            run.figure("x", "y")
        except anonrun.UsageError as exc:
            print(exc)
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert "has no metric 'y'; it has x" in done.stdout


def test_a_figure_has_a_line_for_each_metric_by_rising_steps(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun, math
        with anonrun.init(id="f") as run:
            run.log({"a": 1, "b": 10}, step=5)
            run.log({"a": math.nan}, step=7)
            run.log({"b": 20}, step=3)
            figures = [run.figure("b", "a")]
        figures.append(anonrun.Api().run("f").figure("b", "a"))
        for figure in figures:
            b, a = figure.data
            assert (b.name, list(b.x), list(b.y)) == ("b", [3, 5], [20, 10])
            assert (a.name, list(a.x), a.y[0], math.isnan(a.y[1])) == ("a", [5, 7], 1, True)
            assert figure.layout.title.text == "b, a"
        assert run.figure("a").layout.yaxis.title.text == "a"
    """
    run_script(script, home, ANONRUN_SERVER=server.url)


def test_in_a_notebook_nothing_secret_is_printed(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        run = anonrun.init()
        run.log({"x": 1})
        run.claim()
        run.finish()
    """
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(script)])
    for name, value in {"ANONRUN_SERVER": server.url, "ANONRUN_DATA_DIR": str(home), "ANONRUN_NO_BROWSER": "1"}.items():
        book.cells[0].source = f"import os; os.environ[{name!r}] = {value!r}\n" + book.cells[0].source
    book.cells[0].source = book.cells[0].source.replace("if True:\n", "").replace("\n        ", "\n")
    book.cells[0].source = "\n".join(line.strip() for line in book.cells[0].source.splitlines())
    NotebookClient(book, timeout=60).execute()
    saved = nbformat.writes(book)
    assert not _TOKEN.search(saved)
    assert "Use the Claim button" in saved


def test_what_means_nothing_here_is_ignored_and_what_is_mistyped_is_not(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun as wandb
        run = wandb.init(project="p", entity="me", config={"a": 1})
        assert wandb.run is run and wandb.config.a == 1
        wandb.summary["best"] = 2
        wandb.finish()
        try:
            wandb.init(projekt="p")
        except TypeError as exc:
            print(exc)
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert "entity" in done.stderr
    assert "'project'" in done.stdout
