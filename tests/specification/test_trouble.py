"""Bad input and trouble: every row of docs/trouble.md happens here for real, and says what the docs promise."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from support.jupyter import free_port, stop_embedded_server
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server

_PAGE = Path(__file__).parents[2] / "docs" / "trouble.md"
_IN_THE_BROWSER = {
    "a page reloaded in mid-run",
    "a page reloaded in mid-run, and the run ends before the cell does",
}
"""Shown by tests/browser/test_path.py."""
_SHOWN: set[str] = set()
_READ = """
import json, anonrun
print(json.dumps([{"state": r.state, "account": r.account,
  "points": {m: r.series(m).value.tolist() for m in r.metrics}} for r in anonrun.Api().runs()]))
"""


def _promises() -> dict[str, str]:
    """Return what each trouble of the docs says, by what happened."""
    rows = [re.split(r"(?<!\\) \| ", line.strip("| \n") + " ") for line in _PAGE.read_text().splitlines()]
    cells = [row for row in rows if len(row) in (2, 3) and row[0] != "what happened"]
    return {row[0]: row[2].strip().strip("`") if len(row) == 3 else "" for row in cells}


_PROMISES = _promises()


def shows(trouble: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Note that a test shows a row of the docs."""
    _SHOWN.add(trouble)
    return lambda test: test


def assert_says(trouble: str, said: str) -> None:
    """Insist that `said` holds what the docs promise for this trouble."""
    promised = _PROMISES[trouble]
    assert promised, f"the docs promise no words for {trouble!r}"
    pattern = ".*?".join(re.escape(part) for part in promised.split("…"))
    assert re.search(pattern, said, re.DOTALL), f"promised:\n{promised}\nsaid:\n{said}"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    stop_embedded_server(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("lab")) as running:
        yield running


def runs_of(home: Path, **more: str) -> list[dict[str, Any]]:
    """Return this home's runs as the server has them, the newest first."""
    found: list[dict[str, Any]] = json.loads(run_script(_READ, home, **more).stdout.splitlines()[-1])
    return found


def logged(home: Path, server: Server, *calls: str) -> tuple[str, dict[str, list[float]]]:
    """Make the calls on a run; return what was said, and the points that arrived."""
    lines = "".join(f"    {call}\n" for call in calls)
    done = run_script(f"import anonrun, math\nwith anonrun.init() as run:\n{lines}", home, ANONRUN_SERVER=server.url)
    (run,) = runs_of(home, ANONRUN_SERVER=server.url)
    points: dict[str, list[float]] = run["points"]
    return done.stderr, points


def test_every_row_of_the_docs_is_shown() -> None:
    assert len(_PROMISES) > 30
    assert _PROMISES.keys() == _SHOWN | _IN_THE_BROWSER


# --- what you log ---------------------------------------------------------------------------------------------------


@shows("a value that is no number")
@shows("an array of several numbers")
@shows("a name with a line break")
@shows("no dict at all")
@shows("a step that goes backwards")
@shows("a step that is no integer")
@pytest.mark.parametrize(
    ("trouble", "calls", "points"),
    [
        ("a value that is no number", ["run.log({'a': 'x', 'b': 1})"] * 2, {"b": [1, 1]}),
        (
            "an array of several numbers",
            ["import numpy", "run.log({'a': numpy.zeros((2, 3)), 'b': 1})"],
            {"b": [1]},
        ),
        ("a name with a line break", [r"run.log({'a\nb': 1, 'c': 2})"], {"c": [2]}),
        ("no dict at all", ["run.log(3)", "run.log({'a': 1})"], {"a": [1]}),
        ("a step that goes backwards", ["run.log({'a': 1}, step=5)", "run.log({'a': 2}, step=2)"], {"a": [2, 1]}),
        ("a step that is no integer", ["run.log({'a': 1}, step='x')"], {"a": [1]}),
    ],
)
def test_what_cannot_be_logged_as_it_is_costs_one_warning(
    home: Path, server: Server, trouble: str, calls: list[str], points: dict[str, list[float]]
) -> None:
    said, arrived = logged(home, server, *calls)
    assert_says(trouble, said)
    assert said.count("warning:") == 1
    assert arrived == points


@shows("a nested dict")
@shows("a NumPy, PyTorch or JAX scalar")
@shows("NaN or ±Inf")
@shows("a key that is not text")
def test_what_can_be_logged_is_logged_without_a_word(home: Path, server: Server) -> None:
    said, arrived = logged(
        home,
        server,
        "import numpy",
        "tensor = type('Tensor', (), {'item': lambda self: 0.5})()  # as PyTorch's: a number only by `.item()`",
        "run.log({'train': {'loss': 1}, 'scalar': numpy.float32(0.25), 'tensor': tensor, 7: 8})",
        "run.log({'odd': math.nan}); run.log({'odd': math.inf}); run.log({'odd': -math.inf})",
    )
    assert "warning" not in said
    assert str(arrived.pop("odd")) == "[nan, inf, -inf]"
    assert arrived == {"train/loss": [1], "scalar": [0.25], "tensor": [0.5], "7": [8]}


# --- beginning and end ----------------------------------------------------------------------------------------------


@shows("`log` before `init`")
@shows("`log` after `finish`")
@shows("a second `init`")
def test_calls_in_an_odd_order_are_answered_and_training_goes_on(home: Path, server: Server) -> None:
    script = """if True:
        import anonrun
        anonrun.log({"a": 0})
        anonrun.init(); anonrun.log({"a": 1})
        run = anonrun.init(); run.log({"a": 2}); run.finish()
        run.log({"a": 3})
    """
    said = run_script(script, home, ANONRUN_SERVER=server.url).stderr
    for trouble in ("`log` before `init`", "a second `init`", "`log` after `finish`"):
        assert_says(trouble, said)
    assert [run["points"]["a"] for run in runs_of(home, ANONRUN_SERVER=server.url)] == [[2], [1]]


@shows("an argument that does not exist")
@shows("an id that the project has already")
@shows("the key that you gave is cut off")
@shows("the key that you gave is refused")
@shows('no account, and `anonymous="never"`')
@pytest.mark.parametrize(
    ("trouble", "error", "arguments"),
    [
        ("an argument that does not exist", "TypeError", "nmae='x'"),
        ("an id that the project has already", "UsageError", "'digits', id='mine'"),
        ("the key that you gave is cut off", "UsageError", "api_key='anr_u_short'"),
        ("the key that you gave is refused", "AuthenticationError", "api_key=mint(TokenKind.API_KEY)"),
        ('no account, and `anonymous="never"`', "AccountRequiredError", "anonymous='never'"),
    ],
)
def test_what_is_wrong_with_init_itself_is_an_error_there(
    home: Path, server: Server, trouble: str, error: str, arguments: str
) -> None:
    script = f"""if True:
        import anonrun
        from anonrun.core.tokens import TokenKind, mint
        anonrun.init("digits", id="mine").finish()
        anonrun.init({arguments})
    """
    done = run_script(script, home, check=False, ANONRUN_SERVER=server.url)
    assert done.returncode == 1
    last = done.stderr[done.stderr.rindex(error) :]
    assert_says(trouble, last)
    assert done.stderr.count("Traceback") == 1


@shows("an exception in your code")
def test_an_exception_stays_the_users_own(home: Path, server: Server) -> None:
    script = "import anonrun\nanonrun.init()\nanonrun.log({'a': 1})\nraise ZeroDivisionError('mine')"
    done = run_script(script, home, check=False, ANONRUN_SERVER=server.url)
    assert "ZeroDivisionError: mine" in done.stderr
    assert [run["state"] for run in runs_of(home, ANONRUN_SERVER=server.url)] == ["failed"]


@shows("an artifact in an anonymous run")
def test_an_artifact_stays_where_it_is(home: Path, server: Server) -> None:
    (home / "model.bin").write_bytes(b"weights")
    said, _ = logged(home, server, "assert run.log_artifact('model.bin') is None", "run.log({'a': 1})")
    assert_says("an artifact in an anonymous run", said)
    assert (home / "model.bin").read_bytes() == b"weights"


# --- this machine ---------------------------------------------------------------------------------------------------


@shows("a full disk")
def test_on_a_full_disk_nothing_is_lost(home: Path, server: Server) -> None:
    said, arrived = logged(
        home,
        server,
        "import resource, signal",
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)",
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))",
        "for i in range(500): run.log({'a': i})",
    )
    assert_says("a full disk", said)
    assert said.count("warning:") == 1
    assert arrived == {"a": list(range(500))}


@shows("an unwritable home")
def test_an_unwritable_home_is_replaced(home: Path, server: Server) -> None:
    (home / "file").write_text("in the way")
    more = {"ANONRUN_DATA_DIR": str(home / "file" / "data"), "TMPDIR": str(home), "ANONRUN_SERVER": server.url}
    script = "import anonrun\nwith anonrun.init() as run: run.log({'a': 1})"
    assert_says("an unwritable home", run_script(script, home, **more).stderr)
    assert [run["points"] for run in runs_of(home, **more)] == [{"a": [1]}]


@shows("a damaged file of keys")
@shows("a damaged state file of the server")
def test_damaged_files_cost_no_run(home: Path) -> None:
    (home / "server").mkdir()
    (home / "server" / "state.json").write_text("{{{")
    (home / "identity.json").write_text("???")
    script = "import anonrun\nwith anonrun.init() as run: run.log({'a': 1})"
    assert_says("a damaged file of keys", run_script(script, home).stderr)
    assert (home / "identity.json.damaged").read_text() == "???"
    assert [run["points"] for run in runs_of(home)] == [{"a": [1]}]


@shows("the server's port in use")
@shows("a port in use that you named")
def test_a_port_in_use_is_avoided_or_named(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        script = "import anonrun\nwith anonrun.init() as run: run.log({'a': 1})"
        run_script(script, home, ANONRUN_PORT=port)
        assert [run["points"] for run in runs_of(home)] == [{"a": [1]}]
        assert json.loads((home / "server" / "state.json").read_text())["port"] != int(port)
        refused = run_command("server", "--port", port, "--data-dir", str(home / "lab"), data_dir=home, check=False)
    assert refused.returncode != 0
    assert_says("a port in use that you named", refused.stderr)


# --- the server -----------------------------------------------------------------------------------------------------


_UNTIL_WARNED = """
import io, sys, time
sys.stderr = said = io.StringIO()
end = time.monotonic() + 60
while time.monotonic() < end and "warning" not in said.getvalue():
    run.log({"a": 2})
    time.sleep(0.1)
sys.stderr = sys.__stderr__
sys.stderr.write(said.getvalue())
"""


@shows("no answer")
@shows("no answer until the end")
def test_a_server_that_does_not_answer_holds_nothing_up(home: Path) -> None:
    script = (
        f"import anonrun\nrun = anonrun.init()\nrun.log({{'a': 1}})\n{_UNTIL_WARNED}\nrun.log({{'a': 2}})\nrun.finish()"
    )
    port = free_port()
    said = run_script(script, home, ANONRUN_SERVER=f"http://127.0.0.1:{port}").stderr
    assert_says("no answer", said[: said.index("is not delivered in full")])
    assert_says("no answer until the end", said)
    with anonrun_server(home / "lab", port=port) as late:
        run_command("sync", data_dir=home)
        (run,) = runs_of(home, ANONRUN_SERVER=late.url)
    points = run["points"]["a"]
    assert points == [1, *[2] * (len(points) - 1)]
    assert f" {len(points)} of {len(points)} rows wait in" in said


@shows("this machine's anonymous key is refused")
def test_an_anonymous_key_of_a_database_that_is_gone_is_replaced(home: Path, tmp_path: Path) -> None:
    port, script = free_port(), "import anonrun\nwith anonrun.init() as run: run.log({'a': 1})"
    accounts = set()
    for lab in ("first", "second"):
        with anonrun_server(tmp_path / lab, port=port) as running:
            said = run_script(script, home, ANONRUN_SERVER=running.url).stderr
            assert "warning" not in said
            (run,) = runs_of(home, ANONRUN_SERVER=running.url)
            assert run["points"] == {"a": [1]}
            accounts.add(run["account"])
    assert len(accounts) == 2


@shows("a server without anonymous runs")
@shows("too many runs in an hour")
@pytest.mark.parametrize(
    ("trouble", "setting"),
    [
        ("a server without anonymous runs", {"ANONRUN_ALLOW_ANONYMOUS": "false"}),
        ("too many runs in an hour", {"ANONRUN_RUNS_PER_HOUR": "1"}),
    ],
)
def test_a_server_that_refuses_a_run_loses_none_of_it(
    home: Path, tmp_path: Path, trouble: str, setting: dict[str, str]
) -> None:
    port, lab = free_port(), tmp_path / "lab"
    script = """if True:
        import anonrun
        for value in (1, 2):
            run = anonrun.init(); run.log({"a": value}); run.finish(timeout=2)
    """
    with anonrun_server(lab, port=port, **setting) as refusing:
        said = run_script(script, home, ANONRUN_SERVER=refusing.url).stderr
    assert_says(trouble, said)
    assert "1 anonymous runs" not in said
    with anonrun_server(lab, port=port, ANONRUN_RUNS_PER_HOUR="0") as willing:  # nothing counts that was made before
        run_command("sync", data_dir=home, ANONRUN_SERVER=willing.url)
        points = [run["points"]["a"] for run in runs_of(home, ANONRUN_SERVER=willing.url)]
    assert sorted(points) == [[1], [2]]


@shows("the run was deleted")
@shows("the run expired")
@pytest.mark.parametrize(
    ("trouble", "what", "setting"),
    [
        ("the run was deleted", "anonrun.Api().run(run.id).delete()", {}),
        ("the run expired", "pass", {"ANONRUN_RETENTION_DAYS": "0.00005"}),
    ],
)
def test_a_run_that_is_no_more_stops_delivery_and_not_training(
    home: Path, tmp_path: Path, trouble: str, what: str, setting: dict[str, str]
) -> None:
    script = (
        f"import anonrun\nrun = anonrun.init()\n{what}\n{_UNTIL_WARNED}\nrun.log({{'a': 3}})\nprint('training ended')"
    )
    with anonrun_server(tmp_path / "lab", **setting) as running:
        done = run_script(script, home, ANONRUN_SERVER=running.url)
        synced = run_command("sync", data_dir=home, check=False)
    assert done.stdout == "training ended\n"
    assert_says(trouble, done.stderr)
    assert done.stderr.count("on the server.") == 1, "it is said once"
    assert done.stderr.count("anonrun sync") == done.stderr.count("anonrun sync --server OTHER ~/spool/") == 1
    assert re.search(r"run \S+ finished: \d+ of \d+ rows did not reach the server", done.stderr)
    assert synced.returncode == 1
    assert re.search(
        r"NOT delivered, \d+ of \d+ rows? waits?\. .* Nothing more is sent; the data stays on disk, in ", synced.stdout
    )


# --- claiming into another server -----------------------------------------------------------------------------------

_LOGGED = "import anonrun\nwith anonrun.init(id='mine') as run: run.log({'a': 1})"


def log_in(home: Path, server: Server) -> None:
    made = run_command("admin", "user", "add", "ada", "--json", data_dir=server.data_dir, stdin="a long passphrase\n")
    run_command("login", "--key", "--server", server.url, data_dir=home, stdin=json.loads(made.stdout)["key"] + "\n")


@shows("nobody is logged in to the server it is to go to")
def test_a_run_does_not_move_to_nobody(home: Path, server: Server) -> None:
    run_script(_LOGGED, home)
    done = run_command("claim", "mine", "--to", server.url, data_dir=home, check=False)
    assert_says("nobody is logged in to the server it is to go to", done.stderr)
    assert [run["points"] for run in runs_of(home)] == [{"a": [1]}]


@shows("a run that is to move is still going")
@shows("the server that it goes to ends in the middle")
def test_a_run_that_cannot_move_now_stays_and_moves_later(home: Path, tmp_path: Path) -> None:
    going = """if True:
        import anonrun, os, time
        from anonrun.client.moving.moves import move_run
        run = anonrun.init(id="mine")
        run.log({"a": 1})
        while run.expires_at is None:  # the server does not have it yet
            time.sleep(0.02)
        try:
            move_run(os.environ, "mine", to=os.environ["LAB"])
        except anonrun.UsageError as exc:
            print(exc)
        run.finish()
    """
    moving = """if True:
        import anonrun, os, signal
        from anonrun.client.moving.moves import move_run
        def say(what):
            if what.startswith("sending"):
                os.kill(int(os.environ["LAB_PID"]), signal.SIGKILL)
        try:
            move_run(os.environ, "mine", to=os.environ["LAB"], say=say)
        except anonrun.ServerUnavailableError as exc:
            print(exc)
    """
    with anonrun_server(tmp_path / "lab") as lab:
        log_in(home, lab)
        at = {"LAB": lab.url, "LAB_PID": str(lab.pid)}
        assert_says("a run that is to move is still going", run_script(going, home, **at).stdout)
        assert_says("the server that it goes to ends in the middle", run_script(moving, home, **at).stdout)
    assert [run["points"] for run in runs_of(home)] == [{"a": [1]}]
    with anonrun_server(tmp_path / "lab", port=int(lab.url.rpartition(":")[2])):
        run_command("claim", "mine", "--to", lab.url, data_dir=home)
        assert [run["account"] for run in runs_of(home, ANONRUN_SERVER=lab.url)] == ["ada"]


# --- the notebook ---------------------------------------------------------------------------------------------------


def _started(*cells: str) -> str:
    return "\n".join(("import anonrun, os, signal, threading", *cells))


_INTERRUPT = "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start(); threading.Event().wait(60)"


@shows("an interrupted cell")
@shows("an interrupted cell of `%%anonrun`")
@pytest.mark.parametrize(
    ("trouble", "cells", "state", "points"),
    [
        (
            "an interrupted cell",
            ["%anonrun", _started("anonrun.log({'a': 1})", _INTERRUPT), "anonrun.log({'a': 2}); anonrun.finish()"],
            "finished",
            [1, 2],
        ),
        (
            "an interrupted cell of `%%anonrun`",
            ["%%anonrun\n" + _started("anonrun.log({'a': 1})", _INTERRUPT)],
            "failed",
            [1],
        ),
    ],
)
def test_an_interrupted_cell_loses_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, trouble: str, cells: list[str], state: str, points: list[float]
) -> None:
    for name, value in (environment(home) | {"IPYTHONDIR": str(home / "ipython")}).items():
        monkeypatch.setenv(name, value)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in ("%load_ext anonrun", *cells)])
    NotebookClient(book, timeout=120, kernel_name="python3", allow_errors=True).execute()
    errors = [output.ename for cell in book.cells for output in cell.outputs if output.output_type == "error"]
    assert errors == ["KeyboardInterrupt"]
    assert [(run["state"], run["points"]["a"]) for run in runs_of(home)] == [(state, points)]


@shows("a kernel that restarts in mid-run")
def test_a_kernel_that_restarts_leaves_its_points_to_the_next_run(home: Path) -> None:
    offline = {"ANONRUN_SERVER": f"http://127.0.0.1:{free_port()}"}  # nobody there: the points must come from disk
    with _kernel(home, **offline) as (manager, run_cell):
        run_cell(
            "%load_ext anonrun\n%anonrun --display static\nimport anonrun\nfor i in range(9): anonrun.log({'a': i})"
        )
        manager.restart_kernel(now=True)
    with anonrun_server(home / "lab", port=int(offline["ANONRUN_SERVER"].rpartition(":")[2])) as late:
        with _kernel(home, ANONRUN_SERVER=late.url) as (_, run_cell):
            run_cell("%load_ext anonrun\n%anonrun --display static\nimport anonrun\nanonrun.log({'b': 1})")
            run_cell("import time\nend = time.monotonic() + 30")
            run_cell("while time.monotonic() < end and len(anonrun.Api().runs()) < 2: time.sleep(0.1)")
            run_cell("anonrun.finish()")
        points = [run["points"] for run in runs_of(home, **offline)]
    assert {"a": list(range(9))} in points
    assert {"b": [1]} in points


@contextlib.contextmanager
def _kernel(home: Path, **more: str) -> Iterator[tuple[Any, Callable[[str], None]]]:
    manager, client = start_new_kernel(
        kernel_name="python3", env=environment(home, **more) | {"IPYTHONDIR": str(home / "ipython")}
    )

    def run_cell(source: str) -> None:
        reply = client.execute_interactive(source, timeout=120, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]

    try:
        yield manager, run_cell
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
