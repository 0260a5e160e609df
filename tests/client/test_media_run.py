"""Media of real runs, by scripts as users write them: to a real server and back, and after every way to stop."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anonrun.client.media.shelf import Shelf
from anonrun.client.spool.folder import folders_in
from anonrun.client.syncing import sync_folders
from support.runs import spooled
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server

_READ = """
import json, anonrun
(run,) = anonrun.Api().runs()
print(json.dumps([[m.key, m.kind, m.step, m.index, m.content] for m in run.media()]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def media_of(home: Path, server: Server) -> list[list[Any]]:
    found: list[list[Any]] = json.loads(run_script(_READ, home, ANONRUN_SERVER=server.url).stdout.splitlines()[-1])
    return found


def waiting(home: Path) -> list[str]:
    """Return the contents of all that waits on disk."""
    return [item.load().content for folder in folders_in(home / "spool") for item in Shelf(folder).waiting()]


def test_what_is_logged_comes_back_and_becomes_files(server: Server, home: Path, tmp_path: Path) -> None:
    code = """if True:
        import anonrun, numpy as np
        run = anonrun.init(project="back", console=True)
        print("a line, and a secret:", run.secrets().claim)
        picture = np.arange(12, dtype="uint8").reshape(3, 4)
        run.log({"loss": 1.0, "seen": [anonrun.Image(picture, caption="first"), anonrun.Image(picture)]})
        run.log({"rows": anonrun.Table(["a"], [[1.5]]), "bins": anonrun.Histogram([1, 2])})
        run.finish()
        print("not kept")
        (read,) = anonrun.Api().runs()
        one, two = read.media(kind="image")
        assert (one.key, one.step, one.index, one.caption, one.type) == ("seen", 0, 0, "first", "image/png")
        import PIL.Image
        assert np.array_equal(np.asarray(PIL.Image.open(two.save("picture.png"))), picture)
        (table,) = read.media(key="rows")
        assert table.json == {"columns": ["a"], "rows": [[1.5]]}
        (printed,) = read.media("console")
        print(repr(printed.content))
    """
    done = run_script(code, home, ANONRUN_SERVER=server.url)
    assert done.stdout.splitlines()[-1] == repr("a line, and a secret: anr_*_[redacted]\n")
    assert "anr_c_" in done.stdout
    assert spooled(home) == []
    run_command(
        "media", run_id_of(home, server), "-o", str(tmp_path / "files"), data_dir=home, ANONRUN_SERVER=server.url
    )
    names = sorted(path.name.rsplit("_", 1)[0] + path.suffix for path in (tmp_path / "files").iterdir())
    assert names == ["bins_1.json", "console_2.txt", "rows_1.json", "seen_0.png", "seen_0_1.png"]
    listed = run_command("media", run_id_of(home, server), "--kind", "table", data_dir=home, ANONRUN_SERVER=server.url)
    assert listed.stdout.splitlines()[-1].split()[:3] == ["rows", "table", "1"]


def run_id_of(home: Path, server: Server) -> str:
    (run,) = json.loads(run_command("runs", "--json", data_dir=home, ANONRUN_SERVER=server.url).stdout)
    return str(run["run_id"])


def test_kill_9_loses_nothing_that_returned(home: Path) -> None:
    code = """if True:
        import mmap, os, random, signal, struct, time, json
        import anonrun
        returned = []
        for number in range(8):
            shared = mmap.mmap(-1, 8)
            pid = os.fork()
            if pid == 0:
                run = anonrun.init(id=f"r{number}", mode="offline")
                value = 0
                while True:
                    run.log({"t": anonrun.Text(f"{number} {value}" + "." * 5_000), "x": value})
                    value += 1
                    shared[:] = struct.pack("<q", value)
            while struct.unpack("<q", shared[:])[0] == 0:
                time.sleep(0.001)
            time.sleep(random.Random(number).uniform(0, 0.02))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            returned.append(struct.unpack("<q", shared[:])[0])
        print(json.dumps(returned))
    """
    returned: list[int] = json.loads(run_script(code, home).stdout.splitlines()[-1])
    kept = {text.rstrip(".") for text in waiting(home)}
    assert {f"{run} {value}" for run, values in enumerate(returned) for value in range(values)} <= kept


def test_what_was_killed_or_offline_is_delivered_by_sync(server: Server, home: Path, tmp_path: Path) -> None:
    code = """if True:
        import os, anonrun
        run = anonrun.init(project="p", mode="offline")
        for n in range(3):
            run.log({"t": anonrun.Text(str(n)), "n": n})
        if os.fork() == 0:  # a worker of the run, which never finishes it
            run.log({"t": anonrun.Text("of the child")}, step=9)
            os._exit(0)
        os.wait()
        os._exit(1)
    """
    run_script(code, home, check=False)
    assert sorted(waiting(home)) == ["0", "1", "2", "of the child"]
    doctor = run_command("doctor", data_dir=home, check=False).stdout
    assert "3 rows and 4 items of media of a run that ended wait" in doctor
    copied = shutil.copytree(home / "spool", tmp_path / "copied")
    for folder in (copied, home / "spool"):  # the same twice: nothing is doubled
        run_command("sync", str(folder), "--server", server.url, data_dir=home)
    assert spooled(home) == []
    found = [(key, step, content) for key, _, step, _, content in media_of(home, server)]
    assert found == [("t", 0, "0"), ("t", 1, "1"), ("t", 2, "2"), ("t", 9, "of the child")]


def test_a_quota_for_media_takes_what_there_is_room_for_and_every_row(home: Path, tmp_path: Path) -> None:
    code = """if True:
        import anonrun
        run = anonrun.init(mode="offline")
        for n in range(9):
            run.log({"t": anonrun.Text(str(n)), "n": n})
    """
    run_script(code, home)
    with anonrun_server(tmp_path / "narrow", ANONRUN_MEDIA_PER_RUN="5") as narrow:
        (outcome,) = sync_folders(environment(home), [home / "spool"], server=narrow.url)
        assert (outcome.rows, outcome.delivered, outcome.media) == (9, False, 4)
        assert "no more pictures" in str(outcome.trouble)
        done = run_script(
            "import anonrun\nrun = anonrun.init(project='p')\n"
            "run.log({'t': [anonrun.Text('x')] * 6, 'n': 1})\nrun.finish()",
            home,
            ANONRUN_SERVER=narrow.url,
        )
        assert "1 item of media not delivered yet" in done.stderr


def test_sync_says_what_media_are_left(home: Path) -> None:
    run_script("import anonrun\nanonrun.init(mode='offline').log({'t': anonrun.Text('x')})", home)
    environ = environment(home)
    (outcome,) = sync_folders(environ, [home / "spool"], server="http://127.0.0.1:9", sleep=lambda _: None)
    assert (outcome.delivered, outcome.media) == (False, 1)


def test_other_ranks_are_silent(home: Path) -> None:
    code = "import anonrun\nrun = anonrun.init()\nrun.log({'t': anonrun.Text('x'), 'bad': anonrun.Image(None)})"
    done = run_script(code, home, RANK="1")
    assert (done.stdout, done.stderr, spooled(home)) == ("", "", [])
