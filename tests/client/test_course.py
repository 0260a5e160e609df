"""How many steps a run will make, and what stopped it: as programs say it, and as a server keeps it."""

from __future__ import annotations

import json
from pathlib import Path

from support.script import run_script
from support.server import Server


def test_a_total_reaches_the_server_and_can_be_changed_and_taken_back(home: Path, shared_server: Server) -> None:
    script = """if True:
        import json, anonrun
        api = lambda id: anonrun.Api().run(id).info.total
        said = []
        with anonrun.init(id="a", total=100) as run:
            run.log({"x": 1})
            said.append(run.total)
        said.append(api("a"))
        with anonrun.init(id="b") as run:
            said.append(run.total)
            run.total = 250.0
            run.log({"x": 1})
        said.append(api("b"))
        with anonrun.init(id="b", resume="must") as run:
            said.append(run.total)
            run.total = None
            said.append(run.total)
        said.append(api("b"))
        print(json.dumps(said))
    """
    done = run_script(script, home, ANONRUN_SERVER=shared_server.url)
    assert json.loads(done.stdout) == [100, 100, None, 250, 250, None, None]


def test_a_total_that_cannot_be_is_ignored_with_one_warning(home: Path, shared_server: Server) -> None:
    script = """if True:
        import anonrun
        for total in ("soon", -1):
            anonrun.init(total=total).finish()
        run = anonrun.init(total=10)
        run.total = 0.5
        print(run.total)
    """
    done = run_script(script, home, ANONRUN_SERVER=shared_server.url)
    warnings = [line for line in done.stderr.splitlines() if "total=" in line]
    assert [line.partition(" is no number of steps")[0] for line in warnings] == [
        "anonrun: warning: total='soon'",
        "anonrun: warning: total=0.5",
    ]
    assert done.stdout.strip() == "10"


def test_the_server_learns_of_an_exception_its_type_and_not_its_text(home: Path, shared_server: Server) -> None:
    failing = "import anonrun; run = anonrun.init(id={id!r}); run.log({{'x': 1}}); {how}"
    ways = {
        "uncaught": "raise ValueError('of Ada in /home/ada')",
        "with": "\nwith run:\n  raise ValueError('of Ada in /home/ada')",
        "code": "run.finish(exit_code=3)",
        "fine": "run.finish()",
    }
    for id_, how in ways.items():
        done = run_script(failing.format(id=id_, how=how), home, check=False, ANONRUN_SERVER=shared_server.url)
        assert (id_ in ("uncaught", "with")) == ("failed (ValueError)" in done.stderr)
    script = """if True:
        import json, anonrun
        runs = {r.id: r.info for r in anonrun.Api().runs()}
        print(json.dumps({id: [i.state.value, i.error, i.exit_code] for id, i in runs.items()}))
        assert "Ada" not in str(runs)
    """
    found = json.loads(run_script(script, home, ANONRUN_SERVER=shared_server.url).stdout)
    assert found == {
        "uncaught": ["failed", "ValueError", 1],
        "with": ["failed", "ValueError", 1],
        "code": ["failed", None, 3],
        "fine": ["finished", None, 0],
    }


def test_a_run_that_goes_on_forgets_what_had_stopped_it(home: Path) -> None:
    script = """if True:
        import json, anonrun
        said = []
        with anonrun.init(mode="offline") as run:
            run.log({"x": 1})
            run.note_failure(ValueError("first"))
            said += [str(run.status().failure), run.info().error]
            run.log({"x": 2})
            said.append(run.status().failure)
        said.append(run.status().failure)
        print(json.dumps(said))
    """
    assert json.loads(run_script(script, home).stdout) == ["ValueError: first", None, None, None]
