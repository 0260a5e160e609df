"""A run moves from somebody's own server into an account of a lab's: two real server processes, real files, real kills.

ANONRUN_TEST_KILLS sets the number of rounds of the test that kills; without it there are few.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from anonrun.client.access import Access, open_access
from anonrun.client.api import Api
from anonrun.client.identity import IdentityStore
from anonrun.client.moving.fingerprint import Fingerprint
from anonrun.client.moving.history import fingerprint_of, in_order
from anonrun.client.moving.journal import Journal, Move
from anonrun.client.moving.media import MediaPrint, print_of
from anonrun.client.moving.moves import has_login
from anonrun.client.moving.upload import Patience, Stream
from anonrun.client.notices import Notices
from anonrun.client.remote import Refusal, Remote
from anonrun.client.transport import Request, Response
from anonrun.core.ids import new_run_id
from anonrun.core.media import MAX_CONTENT_BYTES, MediaBatch, MediaItem, MediaKind
from anonrun.core.messages import (
    Departure,
    LinkRequest,
    MetricInfo,
    PublicationRequest,
    RunInfo,
    RunRequest,
    TokenHashes,
)
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.core.wire import Frame, Segment, encode, peek
from client.fakes import MemoryServer, StoredRun, problem
from support.artifacts import logged as logged_artifact
from support.databases import Clusters, new_database
from support.jupyter import stop_embedded_server
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server
from support.site import MadeRun

_KILLS = int(os.environ.get("ANONRUN_TEST_KILLS") or 12)
_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_DEAD_BEEF))[0]
_NEGATIVE_NAN = struct.unpack("<d", struct.pack("<Q", 0xFFF0_0000_0000_0001))[0]


@dataclass(frozen=True)
class Lab:
    """A server for many, and a key of an account there."""

    server: Server
    key: str

    @property
    def url(self) -> str:
        return self.server.url


@contextlib.contextmanager
def lab_on(folder: Path, *flags: str, **more: str) -> Iterator[Lab]:
    with anonrun_server(folder, *flags, **more) as server:
        made = run_command(
            "admin", "user", "add", "ada", "--json", *flags, data_dir=folder, stdin="a long passphrase\n"
        )
        yield Lab(server, json.loads(made.stdout)["key"])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab_on(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of somebody who has a server of their own, which is ended afterwards."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("ANONRUN_SERVER", "ANONRUN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANONRUN_DATA_DIR", str(folder))
    yield folder
    stop_embedded_server(folder)


def log_in(home: Path, lab: Lab) -> None:
    IdentityStore(home / "identity.json", Notices()).set_login(lab.url, lab.key)


def own_key(home: Path) -> str:
    key = IdentityStore(home / "identity.json", Notices()).get("embedded", "anonymous")
    assert key is not None
    return key


def here(home: Path) -> Access:
    """Return access to this person's own server, by the key that owns their anonymous runs."""
    return open_access(environment(home), api_key=own_key(home))


def there(home: Path, lab: Lab) -> Access:
    return open_access(environment(home), server=lab.url, api_key=lab.key)


_LOGGED = """
import anonrun, math
with anonrun.init(project="digits", name="näme ☃ \\u202e", id="{id}", tags=["a", "ß"], notes="one\\ntwo", group="g",
                  job_type="train", config={{"lr": 0.1, "deep": {{"k": [1, 2.0, None, "ü"]}}}}) as run:
    for i in range({rows}):
        run.log({{"loss": 1 / (i + 1), "acc": i}})
    run.log({{"ü/☃ x": -0.0, "loss": math.inf}}, step=-7)
    run.log({{"late": -math.inf, "nan": math.nan}}, step=3)
    run.summary["best"] = 0.25
    run.summary["loss"] = "set by hand"
print(run.run_id)
"""


def logged(home: Path, id_: str = "first", rows: int = 500) -> str:
    """Log a run on this person's own server and return its UUID."""
    return run_script(_LOGGED.format(id=id_, rows=rows), home).stdout.splitlines()[-1]


def hand_made(home: Path, *, rows: int = 300, names: int = 3) -> str:
    """Make a run of which the rows are known bit by bit, by several writers, steps out of order; return its UUID."""
    if IdentityStore(home / "identity.json", Notices()).get("embedded", "anonymous") is None:
        logged(home, "maker", 1)  # has the server started, and the account made
    access = here(home)
    run_id = str(new_run_id(time.time_ns() // 1_000_000, os.urandom(10)))
    write = mint(TokenKind.WRITE)
    tokens = TokenHashes(write=token_hash(write).hex(), view=token_hash(mint(TokenKind.VIEW)).hex())
    access.remote.make_run(access.key, RunRequest(run_id=run_id, tokens=tokens, project="p", id=f"made-{run_id[-8:]}"))
    odd = [0.0, -0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), _NAN, _NEGATIVE_NAN]
    columns = [f"m{n}" for n in range(names)]
    for writer in (1, 7, 2**64 - 1):  # the first is the number that a moved run's stream has too
        seq = 0
        for part in range(3):
            steps = [(-1) ** i * i * 10**part for i in range(rows)]
            times = [1_700_000_000_000_000 + writer % 1_000 + i for i in range(rows)]
            values = [[odd[(i + n) % len(odd)] for i in range(rows)] for n in range(names)]
            frames = [
                Frame.of(columns, steps, times, values),
                Frame.of([columns[0], f"w{writer}"], [9], [3], [[_NAN], [1]]),
            ]
            access.remote.send_segments(write, run_id, encode(frames, writer=writer, seq=seq))
            seq += rows + 1
    for batch in _media():
        access.remote.send_media(write, run_id, MediaBatch(items=batch))
    fields = {"state": "failed", "exit_code": 3, "error": "ValueError", "total": 7, "summary": {"s": "NaN"}}
    access.remote.update(write, run_id, fields)
    return run_id


def _item(number: int, kind: MediaKind, content: str, **more: Any) -> MediaItem:
    at = datetime(2026, 12, 1, 12, 0, 0, number, tzinfo=timezone.utc)
    fields: dict[str, Any] = {"media_id": f"{number:032x}", "key": f"ü/{kind.value}", "step": number - 2**63}
    return MediaItem(kind=kind, time=at, content=content, **({"type": "text/plain"} | fields | more))


def _media() -> list[list[MediaItem]]:
    """Return batches of media: what was printed, odd texts, pictures, and what just fits into a request."""
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + os.urandom(700_000)).decode()
    edges = json.dumps({"edges": [0, 1.5, 2], "counts": [1, 0]})
    return [
        [
            _item(1, MediaKind.CONSOLE, "\r10 %|█▏ |\0\x1b[0m\n"),
            _item(2, MediaKind.TEXT, "", caption="Ä\u202e", index=255),
        ],
        [_item(3, MediaKind.HISTOGRAM, edges, type="application/json")],
        [_item(4, MediaKind.IMAGE, picture, type="image/png")],
        [_item(5, MediaKind.TEXT, "☃" * (MAX_CONTENT_BYTES // 3))],
        [_item(6, MediaKind.TEXT, "last")],
    ]


Everything = tuple[RunInfo, list[MetricInfo], Fingerprint, MediaPrint]


def all_of(access: Access, run_id: str) -> Everything:
    """Return everything that a server has of a run."""
    remote, key = access.remote, access.key
    return (
        remote.run(key, run_id),
        remote.metrics(key, run_id),
        fingerprint_of(remote, key, run_id, Patience(access.url)),
        print_of(remote, key, run_id, Patience(access.url)),
    )


def assert_same(before: Everything, access: Access, *, id_: str | None = None) -> None:
    """Insist that a server has all of a run as it was on another, bit by bit, and nothing more."""
    info, metrics, points, media = before
    now, metrics_now, points_now, media_now = all_of(access, info.run_id)
    assert media == media_now
    assert points.differences(points_now) == []
    assert metrics_now == metrics, "in the same order, with the same extremes"
    other = {"account", "anonymous", "expires_at", "server_time", "heartbeat_at", "permissions", "id"}
    for name in RunInfo.__dataclass_fields__.keys() - other:
        assert getattr(now, name) == getattr(info, name), name
    assert now.id == (id_ or info.id)
    assert (now.account, now.anonymous, now.expires_at) == ("ada", False, None)


def is_gone(access: Access, run_id: str) -> bool:
    try:
        access.remote.run(access.key, run_id)
    except Refusal as exc:
        return exc.status == 404
    return False


def claim(
    home: Path, name: str, lab: Lab, *more: str, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    return run_command("claim", name, "--to", lab.url, *more, data_dir=home, check=check, **env)


# --- it arrives, bit by bit ------------------------------------------------------------------------------------------


def test_a_run_arrives_with_everything_that_it_had_and_is_gone_where_it_was(home: Path, lab: Lab) -> None:
    run_id = logged(home)
    log_in(home, lab)
    before = all_of(here(home), run_id)
    done = claim(home, "first", lab)
    assert f"{lab.url}/r/{run_id}" in done.stdout
    assert f"All {before[0].points:,} points were compared" in done.stdout
    assert_same(before, there(home, lab))
    assert is_gone(here(home), run_id)
    assert not list((home / "moving").iterdir())


@pytest.mark.parametrize("compacted", [False, True])
def test_every_bit_of_odd_values_arrives_from_several_writers(home: Path, lab: Lab, *, compacted: bool) -> None:
    run_id = hand_made(home)
    log_in(home, lab)
    access = here(home)
    if compacted:  # segments of writer 0 are made of chunks
        deadline = time.monotonic() + 30
        while b"\0" * 8 != access.remote.series_page(access.key, run_id, after=0, most=1 << 23)[0][8:16]:
            assert time.monotonic() < deadline, "the server does not compact"
            time.sleep(0.05)
    before = all_of(access, run_id)
    done = claim(home, f"p/made-{run_id[-8:]}", lab)
    assert f"All {before[0].points:,} points and 6 items of media were compared" in done.stdout
    assert_same(before, there(home, lab))


@pytest.mark.parametrize("kind", ["postgresql-15", "postgresql-18"])
def test_a_run_arrives_on_postgresql_too(home: Path, tmp_path: Path, clusters: Clusters, kind: str) -> None:
    run_id = hand_made(home)
    with (
        new_database(kind, tmp_path, clusters, made=False) as place,
        lab_on(tmp_path / "lab", "--database-url", str(place.where)) as lab,
    ):
        log_in(home, lab)
        before = all_of(here(home), run_id)
        claim(home, run_id, lab)
        assert_same(before, there(home, lab))


def test_an_id_that_the_account_has_already_gets_a_number_as_by_a_claim(home: Path, lab: Lab) -> None:
    run_id = logged(home, "twice", 3)
    log_in(home, lab)
    run_script("import anonrun; anonrun.init(project='digits', id='twice').finish()", home,
               ANONRUN_SERVER=lab.url, ANONRUN_API_KEY=lab.key)  # fmt: skip
    before = all_of(here(home), run_id)
    claim(home, "twice", lab)
    assert_same(before, there(home, lab), id_="twice-2")


def test_a_large_run_takes_little_memory(home: Path, lab: Lab) -> None:
    run_id = hand_made(home, rows=110_000, names=3)  # three writers, three parts: a million rows, three million points
    log_in(home, lab)
    before = all_of(here(home), run_id)
    assert before[0].points > 2_900_000
    script = f"""
import os, resource
from anonrun.client.moving.moves import move_run
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
move_run(os.environ, {run_id!r}, to={lab.url!r})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    grown_kib = int(run_script(script, home, timeout_s=500).stdout.splitlines()[-1])
    assert grown_kib < 64 * 1024
    assert_same(before, there(home, lab))


def test_metrics_keep_their_order_where_chunks_have_another() -> None:
    frames = [
        Frame.of(["b", "old"], [0, 1], [7, 8], [[1, 2], [3, 4]]),
        Frame.of(["a"], [5, 6], [7, 8], [[5, 6]]),
        Frame.of(["b"], [9], [9], [[9]]),
    ]
    ordered = in_order(frames, {"old": 0, "a": 1, "b": 2}, {"old"})
    assert list(dict.fromkeys(name for frame in ordered for name in frame.names if name != "old")) == ["a", "b"]
    before, after = Fingerprint(), Fingerprint()
    for frame in frames:
        before.take(frame)
    for frame in ordered:
        after.take(frame)
    assert before.differences(after) == []
    assert in_order(frames, {"old": 0, "b": 1, "a": 2}, {"old"}) is frames


# --- it stops anywhere -----------------------------------------------------------------------------------------------


def test_after_a_kill_at_any_instant_nothing_is_lost_or_doubled_and_the_same_command_goes_on(
    home: Path, lab: Lab
) -> None:
    log_in(home, lab)
    chance = random.Random(_KILLS)
    command = [sys.executable, "-c", "import sys; from anonrun.cli.main import main; print('up', flush=True); main()"]
    kills = killed_late = 0
    while kills < _KILLS:
        run_id = hand_made(home, rows=4_000)
        before = all_of(here(home), run_id)
        for _ in range(12):
            process = subprocess.Popen(
                [*command, "claim", run_id, "--to", lab.url],
                env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.05, 1.5))  # at which instant is the point, so nothing is waited for
            process.send_signal(signal.SIGKILL)
            process.stdout.close()
            kills += process.wait() == -signal.SIGKILL
            begun = (home / "moving" / run_id / "move.json").exists()
            killed_late += begun
            if is_gone(here(home), run_id):
                assert_same(before, there(home, lab))
                break
            try:
                left = all_of(here(home), run_id)[2]
            except Refusal:  # the last request was on its way when its sender was killed
                assert is_gone(here(home), run_id)
                assert_same(before, there(home, lab))
                break
            assert left.differences(before[2]) == [], "it is whole where it was"
        if not is_gone(here(home), run_id) or (home / "moving" / run_id / "move.json").exists():
            claim(home, run_id, lab)
        assert_same(before, there(home, lab))
        assert is_gone(here(home), run_id)
    assert killed_late > _KILLS // 5, "most kills came before anything was done"


def test_the_server_that_goes_away_in_the_middle_is_found_again(home: Path, tmp_path: Path) -> None:
    run_id = hand_made(home, rows=2_000)
    folder = tmp_path / "lab"
    with lab_on(folder) as lab:
        log_in(home, lab)
        before = all_of(here(home), run_id)
        port = int(lab.url.rpartition(":")[2])
    failed = claim(home, run_id, lab, check=False)
    assert failed.returncode == 1
    assert not is_gone(here(home), run_id)
    with anonrun_server(folder, port=port):
        claim(home, run_id, lab)
        assert_same(before, there(home, lab))


def test_a_run_that_expires_while_it_is_on_its_way_arrives_from_what_was_read(home: Path, lab: Lab) -> None:
    run_id = hand_made(home)
    log_in(home, lab)
    before = all_of(here(home), run_id)
    stopped = _stopped_before(home, lab, run_id, "make_run")
    assert stopped.whole
    here(home).remote.delete(own_key(home), run_id)  # to who reads, the same as its end
    claim(home, run_id, lab)
    assert_same(before, there(home, lab))


_STOPS = """
import os, sys
from anonrun.client.remote import Remote
from anonrun.client.moving.moves import move_run
setattr(Remote, {call!r}, lambda *_args, **_more: os._exit(9))
move_run(os.environ, {run_id!r}, to={to!r})
"""


def _stopped_before(home: Path, lab: Lab, run_id: str, call: str) -> Move:
    """Have a move's process end at once before it makes a certain request; return what is noted of it."""
    done = run_script(_STOPS.format(call=call, run_id=run_id, to=lab.url), home, check=False)
    assert done.returncode == 9, done.stderr
    move = Journal(home / "moving" / run_id).load()
    assert move is not None
    return move


# --- what was there comes along in whatever way it comes -----------------------------------------------------------


def test_what_comes_after_it_was_read_comes_along(home: Path, lab: Lab) -> None:
    run_id = hand_made(home)
    log_in(home, lab)
    _stopped_before(home, lab, run_id, "depart")
    access = here(home)
    late = encode([Frame.of(["late"], [1], [2], [[_NAN]])], writer=99, seq=0)
    access.remote.send_segments(access.key, run_id, late)
    access.remote.send_media(access.key, run_id, MediaBatch(items=[_item(9, MediaKind.TEXT, "late")]))
    access.remote.update(access.key, run_id, {"config": {"a": 1}, "tags": ["new"], "notes": "n"})
    before = all_of(access, run_id)
    claim(home, run_id, lab)
    assert_same(before, there(home, lab))


def test_a_run_that_changed_a_moment_before_it_is_let_go_is_not_removed(home: Path, lab: Lab) -> None:
    run_id = hand_made(home)
    access = here(home)
    info = access.remote.run(access.key, run_id)
    assert info.heartbeat_at is not None
    access.remote.update(access.key, run_id, {"notes": "changed"})
    stale = Departure(to=lab.url, heartbeat_at=info.heartbeat_at, points=info.points, media=info.media)
    now = access.remote.run(access.key, run_id)
    assert now.heartbeat_at is not None
    without_media = Departure(to=lab.url, heartbeat_at=now.heartbeat_at, points=now.points)  # a client that knows none
    for departure in (stale, without_media):
        with pytest.raises(Refusal) as refused:
            access.remote.depart(access.key, run_id, departure)
        assert (refused.value.status, refused.value.code) == (409, "run_changed")
    assert access.remote.run(access.key, run_id).notes == "changed"


def test_rows_that_are_on_this_disk_only_are_delivered_first(home: Path, lab: Lab) -> None:
    run_id = logged(home, "halfway", 10)
    log_in(home, lab)
    script = """
import os, anonrun
run = anonrun.init(project="digits", id="halfway", resume="must")
stop = run._recording.sender
stop.stop(); stop.wait(5)
for i in range(100):
    run.log({"later": i})
print(run.run_id)
os._exit(0)
"""
    run_script(script, home)
    claim(home, "halfway", lab, check=False)  # it is taken up again, and so is going on for a minute
    access = here(home)
    access.remote.update(access.key, run_id, {"state": "finished", "exit_code": 0})
    claim(home, "halfway", lab)
    assert len(Api(lab.url, lab.key).run(run_id).series("later")) == 100


# --- what is decided when it cannot be ------------------------------------------------------------------------------


def assert_stays(home: Path, done: subprocess.CompletedProcess[str], run_id: str, words: str) -> None:
    assert done.returncode == 1
    assert re.search(words, " ".join(done.stderr.split())), done.stderr
    assert "Traceback" not in done.stderr
    assert not is_gone(here(home), run_id)


def test_nobody_is_logged_in_there(home: Path, lab: Lab) -> None:
    run_id = logged(home, rows=1)
    done = claim(home, "first", lab, check=False)
    assert_stays(home, done, run_id, f"Nobody is logged in to {lab.url}. Run `anonrun login --server {lab.url}`")


def test_a_wrong_key_and_one_that_only_reads_are_refused(home: Path, lab: Lab) -> None:
    run_id = logged(home, rows=1)
    done = claim(home, "first", lab, check=False, ANONRUN_API_KEY=mint(TokenKind.API_KEY))
    assert_stays(home, done, run_id, "refused the API key")
    browser = httpx.Client(base_url=lab.url, headers={"Sec-Fetch-Site": "same-origin"})
    with browser:
        browser.post("/api/v1/session/sign-in", json={"username": "ada", "password": "a long passphrase"})
        made = browser.post("/api/v1/account/keys", json={"label": "r", "scope": "read"}).json()
    done = claim(home, "first", lab, check=False, ANONRUN_API_KEY=made["key"])
    assert_stays(home, done, run_id, "does not take run first: This API key was made .* Nothing was removed")


class _Older(http.server.BaseHTTPRequestHandler):
    """A server of a version that knows nothing of moves."""

    def do_GET(self) -> None:
        body = {"instance": "x", "version": "0.0.9", "anonymous": True, "retention_days": 7, "embedded": False,
                "server_time": "2026-11-24T00:00:00Z"}  # fmt: skip
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_args: object) -> None:
        pass


def test_a_server_of_an_older_version_is_told_from_one_that_takes_runs(home: Path) -> None:
    run_id = logged(home, rows=1)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Older) as older:
        thread = threading.Thread(target=older.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{older.server_port}"
        key = {"ANONRUN_API_KEY": mint(TokenKind.API_KEY)}
        done = run_command("claim", "first", "--to", url, data_dir=home, check=False, **key)
        older.shutdown()
        thread.join()
    assert_stays(home, done, run_id, f"{url} runs anonrun 0.0.9, which cannot move runs between servers")


def test_a_key_for_one_server_is_not_shown_to_another(lab: Lab, tmp_path: Path) -> None:
    named = {"ANONRUN_DATA_DIR": str(tmp_path), "ANONRUN_API_KEY": lab.key, "ANONRUN_SERVER": lab.url}
    assert has_login(named, lab.url)
    assert not has_login(named, "https://other.example.org")


def test_an_anonymous_account_keeps_nothing(home: Path, lab: Lab, tmp_path: Path) -> None:
    run_id = logged(home, rows=1)
    key = mint(TokenKind.API_KEY)
    there(home, lab).remote.make_anonymous_account(token_hash(key).hex())
    done = claim(home, "first", lab, check=False, ANONRUN_API_KEY=key)
    assert_stays(home, done, run_id, "that of an anonymous account, which keeps nothing")


def test_a_run_that_is_still_going_stays_until_it_is_over(home: Path, lab: Lab) -> None:
    log_in(home, lab)
    script = f"""
import anonrun, subprocess, sys, time
run = anonrun.init(id="going")
run.log({{"x": 1}})
while run.expires_at is None:
    time.sleep(0.02)
try:
    run.claim(to={lab.url!r})
except anonrun.UsageError as exc:
    print(exc)
claim = [sys.executable, "-m", "anonrun", "claim", "going", "--to", {lab.url!r}]
done = subprocess.run(claim, capture_output=True, text=True)
print(done.returncode, done.stderr)
run.finish()
run.claim(to={lab.url!r})
run.claim(to={lab.url!r})
print(run.url, run.anonymous)
"""
    said = run_script(script, home).stdout
    assert "Run going is still going; finish it first: run.finish()." in said
    assert "Run going is still going, and a run is moved when it is over" in " ".join(said.split())
    assert said.splitlines()[-1].startswith(f"{lab.url}/r/")
    assert said.splitlines()[-1].endswith(" False"), "the widget says that it is kept"


def test_the_magic_moves_a_run_and_says_what_to_do_where_nobody_is_logged_in(home: Path, lab: Lab) -> None:
    script = f"""
from IPython.core.interactiveshell import InteractiveShell
from anonrun.client.account import login
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "anonrun")
shell.run_line_magic("anonrun", "--display static --id magic")
shell.run_cell("import anonrun; anonrun.log({{'x': 1}}); anonrun.finish()")
shell.run_cell("%anonrun claim --to {lab.url}")
login({lab.key!r}, {lab.url!r})
shell.run_cell("%anonrun claim --to {lab.url}")
"""
    done = run_script(script, home, IPYTHONDIR=str(home / "ipython"))
    assert f'anonrun.login(server="{lab.url}")' in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert f"is kept in your account on {lab.url}" in done.stdout + done.stderr
    assert lab.key not in done.stdout + done.stderr
    assert [run.account for run in Api(lab.url, lab.key).runs() if run.id == "magic"] == ["ada"]


def test_a_server_is_not_moved_to_itself(home: Path, lab: Lab) -> None:
    log_in(home, lab)
    script = "import anonrun; anonrun.init(id='at-home', anonymous='must').finish()"
    run_script(script, home, ANONRUN_SERVER=lab.url)
    done = claim(home, "at-home", lab, check=False, ANONRUN_SERVER=lab.url)
    assert done.returncode == 1
    assert f"Run at-home is on {lab.url} already; `anonrun claim at-home` claims it there." in done.stderr


def test_a_run_that_was_claimed_by_an_account_is_not_this_machines_to_move(home: Path, lab: Lab) -> None:
    run_id = logged(home, rows=1)
    log_in(home, lab)
    _stopped_before(home, lab, run_id, "depart")
    made = run_command("admin", "user", "add", "grace", "--json", data_dir=home, stdin="a long passphrase\n")
    token = json.loads((home / "claims.json").read_text())["runs"][run_id]["claim"]
    here(home).remote.claim(json.loads(made.stdout)["key"], token)
    done = claim(home, "first", lab, check=False)
    assert done.returncode == 1
    assert "was claimed into an account on http" in done.stderr
    assert "so it is not removed there" in done.stderr


def test_a_run_of_an_account_moves_without_its_publication_and_not_with_artifacts(
    lab: Lab, home: Path, tmp_path: Path
) -> None:
    with lab_on(tmp_path / "first") as first:
        log_in(home, first)
        log_in(home, lab)
        script = "import anonrun; run = anonrun.init(id={0!r}); run.log({{'x': 1}}); run.finish(); print(run.run_id)"
        plain, weights = (
            run_script(script.format(id_), home, ANONRUN_SERVER=first.url).stdout.splitlines()[-1]
            for id_ in ("plain", "weights")
        )
        api = httpx.Client(base_url=first.url, headers={"Authorization": f"Bearer {first.key}"})
        with api:
            logged_artifact(api, MadeRun(weights, write=first.key), {"w": b"1"})
            access = there(home, first)
            access.remote.publish(first.key, plain, PublicationRequest())
            before = all_of(access, plain)
            done = claim(home, "weights", lab, check=False, ANONRUN_SERVER=first.url)
            assert "has logged 1 artifact, which would not move with it" in done.stderr
            info = access.remote.run(first.key, weights)
            assert info.heartbeat_at is not None
            departure = Departure(to=lab.url, heartbeat_at=info.heartbeat_at, points=info.points)
            with pytest.raises(Refusal) as refused:
                access.remote.depart(first.key, weights, departure)
            assert refused.value.code == "run_has_artifacts"
            claim(home, "plain", lab, ANONRUN_SERVER=first.url)
        assert_same((replace(before[0], published_at=None), *before[1:]), there(home, lab))


def test_a_run_on_its_way_to_one_server_does_not_go_to_another(home: Path, lab: Lab, tmp_path: Path) -> None:
    run_id = logged(home, rows=1)
    log_in(home, lab)
    _stopped_before(home, lab, run_id, "depart")
    with lab_on(tmp_path / "other") as other:
        log_in(home, other)
        assert_stays(home, claim(home, "first", other, check=False), run_id, f"Run first is on its way to {lab.url}")
    claim(home, "first", lab)


def test_a_run_that_was_changed_there_is_not_removed_here(home: Path, lab: Lab) -> None:
    run_id = logged(home, rows=5)
    log_in(home, lab)
    _stopped_before(home, lab, run_id, "depart")
    more = encode([Frame.of(["loss"], [1], [2], [[1.0]])], writer=3, seq=0)
    there(home, lab).remote.send_segments(lab.key, run_id, more)
    folder = Journal(home / "moving" / run_id)
    move = folder.load()
    assert move is not None
    folder.save(replace(move, verified=False))
    done = claim(home, "first", lab, check=False)
    assert_stays(home, done, run_id, "not the same there: points, .*the points of 'loss'")


def test_the_same_run_is_not_made_twice_on_a_server_where_it_was_deleted(home: Path, lab: Lab) -> None:
    run_id = logged(home, rows=1)
    log_in(home, lab)
    access = there(home, lab)
    tokens = TokenHashes(write=token_hash(mint(TokenKind.WRITE)).hex(), view=token_hash(mint(TokenKind.VIEW)).hex())
    access.remote.make_run(lab.key, RunRequest(run_id=run_id, tokens=tokens))
    access.remote.delete(lab.key, run_id)
    done = claim(home, "first", lab, check=False)
    assert_stays(home, done, run_id, "it has a run of the same address already, or had one")


def test_a_server_that_takes_small_requests_only_gets_small_ones() -> None:
    server, write = MemoryServer(), mint(TokenKind.WRITE)
    server.runs["r"] = StoredRun({"tokens": {"write": token_hash(write).hex()}})

    def refuse(request: Request) -> Response | None:
        return problem(413, "body_too_large") if len(request.body or b"") > 3_000 else None

    server.refuse = refuse
    chance = random.Random(1)
    frames = [Frame.of(["a", "b"], range(700), range(700), [[chance.random() for _ in range(700)]] * 2)]
    segments = [Segment(peek(encode(frames, writer=1, seq=0)), tuple(frames))]
    stream = Stream(Remote(server), write, "r", Patience("http://there", lambda _s: None))
    stream.upload(segments)
    stream.upload(segments)
    assert server.runs["r"].values("a") == frames[0].columns[0].tolist()


# --- what is said where it was --------------------------------------------------------------------------------------


def test_an_old_link_says_to_its_holder_where_the_run_went_and_to_nobody_else(home: Path, lab: Lab) -> None:
    run_id = logged(home, rows=2)
    log_in(home, lab)
    access = here(home)
    share, blind = mint(TokenKind.SHARE), mint(TokenKind.SHARE)
    access.remote.make_link(access.key, run_id, LinkRequest(token_hash=token_hash(share).hex()))
    access.remote.make_link(access.key, run_id, LinkRequest(token_hash=token_hash(blind).hex(), blind=True))
    token = json.loads((home / "claims.json").read_text())["runs"][run_id]["claim"]
    claim(home, "first", lab)
    path = f"{access.url}/api/v1/runs/{run_id}"
    for secret in (share, token):
        told = httpx.get(path, headers={"Authorization": f"Bearer {secret}"})
        assert (told.status_code, told.json()["code"], told.json()["moved_to"]) == (410, "run_moved", lab.url)
        assert f"The run was moved to {lab.url}" in told.json()["detail"]
        assert "anr_" not in told.text
    told = httpx.get(path, headers={"Authorization": f"Bearer {blind}"})
    assert (told.status_code, told.json()["code"]) == (410, "run_moved")
    assert lab.url not in told.text, "its address would tell a reviewer whose run it is"
    for headers in ({}, {"Authorization": f"Bearer {access.key}"}):
        untold = httpx.get(path, headers=headers)
        assert (untold.status_code, untold.json()["code"]) == (404, "run_not_found")
        assert lab.url not in untold.text
    headers = {"Authorization": f"Bearer {lab.key}"}
    claimed = httpx.post(f"{lab.url}/api/v1/claims", json={"token": token}, headers=headers)
    assert claimed.status_code == 401


def test_all_runs_of_this_machine_move_but_for_what_is_still_going(home: Path, lab: Lab) -> None:
    log_in(home, lab)
    one, two = logged(home, "one", 1), logged(home, "two", 1)
    done = run_command("claim", "--all", "--to", lab.url, "--json", data_dir=home)
    assert {answer["run_id"] for answer in json.loads(done.stdout)} == {one, two}
    assert all(answer["account"] == "ada" for answer in json.loads(done.stdout))
    assert run_command("claim", "--all", "--to", lab.url, data_dir=home).stdout == "There is nothing to claim.\n"


def test_what_is_kept_of_a_move_is_its_owners_alone(home: Path, lab: Lab) -> None:
    run_id = logged(home, rows=1)
    log_in(home, lab)
    move = _stopped_before(home, lab, run_id, "depart")
    folder = home / "moving" / run_id
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert lab.key not in (folder / "move.json").read_text()
    assert own_key(home) not in (folder / "move.json").read_text()
    assert move.write not in repr(move)
    assert move.view not in repr(move)
