from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from anonrun.cli.main import main
from support.script import environment, run_command, run_script
from support.server import Server, anonrun_server

_LOG = "import anonrun\nwith anonrun.init('p', id={id!r}, config={{'lr': 0.1}}) as r: r.log({{'x': 1}})"
_MINE = ["runs", "show", "export", "share", "claim", "delete", "sync", "login", "logout", "whoami", "ui", "doctor"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with anonrun_server(tmp_path_factory.mktemp("lab")) as running:
        yield running


class Person:
    """Someone at a terminal, with a data folder and a server of choice."""

    def __init__(self, home: Path, server: Server) -> None:
        self.home = home
        self.server = server

    def log(self, id: str, **more: str) -> None:  # noqa: A002  as in `init`
        run_script(_LOG.format(id=id), self.home, ANONRUN_SERVER=self.server.url, **more)

    def run(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        place = () if arguments[0] == "sync" else ("--server", self.server.url)
        return run_command(*arguments, *place, data_dir=self.home, stdin=stdin, check=check)

    def json(self, *arguments: str, stdin: str = "") -> Any:
        return json.loads(self.run(*arguments, "--json", stdin=stdin).stdout)

    def json_of_failure(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json", check=False)
        assert done.returncode == 1
        return json.loads(done.stdout)

    def key(self) -> str:
        saved = json.loads((self.home / "identity.json").read_text())["servers"]
        return str(saved[self.server.url]["anonymous"])

    def account(self, name: str) -> str:
        place = ("--data-dir", str(self.server.data_dir))
        made = run_command("admin", "user", "add", name, *place, data_dir=self.home, stdin="a long passphrase\n")
        return next(word for word in made.stdout.split() if word.startswith("anr_u_"))


@pytest.fixture
def person(home: Path, lab: Server) -> Person:
    return Person(home, lab)


@pytest.mark.parametrize("command", _MINE)
def test_every_command_has_help_with_an_example_and_answers_in_json(command: str) -> None:
    answer = CliRunner().invoke(main, [command, "--help"])
    assert answer.exit_code == 0
    assert f"Example: anonrun {command}" in " ".join(answer.output.split())
    assert "--json" in answer.output


def test_runs_are_listed_shown_shared_and_deleted(person: Person) -> None:
    assert "No runs yet" in person.run("runs", check=False).stdout or "no key" in person.run("runs", check=False).stderr
    person.log("a")
    person.log("b")
    assert [run["id"] for run in person.json("runs")] == ["b", "a"]
    listed = person.run("runs", "--project", "p").stdout
    assert re.search(r"p/a +\S+ +finished .* 1 +6 d 23 h left", listed)
    shown = person.json("show", "p/a")
    assert (shown["config"], shown["summary"], shown["metrics"]) == ({"lr": 0.1}, {"x": 1.0}, ["x"])
    assert "lr = 0.1" in person.run("show", "a").stdout
    link = person.run("share", "a").stdout.strip()
    token = link.partition("#s=")[2]
    answer = httpx.get(
        f"{person.server.url}/api/v1/runs/{shown['run_id']}", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.json()["summary"] == {"x": 1.0}
    assert person.run("delete", "a", stdin="n\n", check=False).returncode == 1
    assert person.json("delete", "a", "--yes")["deleted"]
    assert [run["id"] for run in person.json("runs")] == ["b"]


def test_errors_have_exit_codes_and_no_traceback(person: Person) -> None:
    person.log("a")
    for arguments, code in (
        (("show", "nothing"), 1),
        (("show",), 2),
        (("export", "a", "--format", "xml"), 2),
        (("claim",), 2),
    ):
        done = person.run(*arguments, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr
    bad = run_command("runs", "--server", "nonsense", data_dir=person.home, check=False)
    assert bad.returncode == 2
    gone = run_command(
        "whoami", "--server", "http://127.0.0.1:9", data_dir=person.home, check=False, ANONRUN_API_KEY=person.key()
    )
    assert gone.returncode == 1
    assert gone.stderr == (
        "Error: No answer from http://127.0.0.1:9: Connection refused. Check the address, and that the server runs; "
        "`anonrun doctor` looks at both.\n"
    )


def test_export_writes_to_standard_output_or_a_file(person: Person, tmp_path: Path) -> None:
    person.log("a")
    assert person.run("export", "a").stdout.splitlines()[0].startswith("step,time,x")
    target = tmp_path / "run.json"
    person.run("export", "a", "-o", str(target))
    assert "x" in target.read_text()
    json.loads(target.read_text())


def test_export_writes_a_whole_run_as_a_page_that_needs_no_server(person: Person, tmp_path: Path) -> None:
    person.log("a")
    target = tmp_path / "run.html"
    person.run("export", "a", "-o", str(target))
    page = target.read_text()
    assert page.startswith("<!doctype html>")
    assert person.run("export", "a", "--format", "html").stdout.startswith("<!doctype html>")
    held = json.loads(page.partition('id="held">')[2].partition("</script>")[0])
    assert (held["run"]["id"], held["run"]["state"], held["points"], held["held_points"]) == ("a", "finished", 1, 1)
    assert "account" not in held["run"]


def test_login_whoami_logout(person: Person) -> None:
    key = person.account("ada-of-login")
    assert person.json("login", stdin=key + "\n") == {"account": "ada-of-login", "kind": "user"}
    assert person.json("whoami")["key_from"] == "login"
    person.log("mine")
    run = person.json("show", "p/mine")
    assert (run["account"], run["anonymous"], run["expires_at"]) == ("ada-of-login", False, None)
    assert person.json("logout") == {"was_logged_in": True}
    assert person.json("logout") == {"was_logged_in": False}
    assert key not in (person.home / "identity.json").read_text()
    assert not (person.home / "claims.json").exists()


def test_a_login_that_is_revoked_or_mistyped_is_refused(person: Person) -> None:
    for key, code in (("anr_u_short", 2), ("anr_u_" + "0" * 36, 2)):
        done = person.run("login", stdin=key + "\n", check=False)
        assert done.returncode == code
        assert key not in done.stderr
    person.log("anonymous")
    done = person.run("login", stdin=person.key() + "\n", check=False)
    assert done.returncode == 2
    assert "anonymous account" in done.stderr


def test_claim_gives_its_link_or_moves_the_run_into_the_login(person: Person) -> None:
    person.log("first")
    person.log("second")
    (offered,) = person.json("claim", "first")
    assert re.fullmatch(rf"{person.server.url}/claim#c=anr_c_\w{{36}}", offered["link"])
    refused = person.run("claim", "--all", "--with-login", check=False)
    assert refused.returncode == 1
    assert "anonrun login" in refused.stderr
    person.run("login", stdin=person.account("ada-of-claim") + "\n")
    claimed = person.json("claim", "--all", "--with-login")
    assert {(c["account"], c["claimed"]) for c in claimed} == {("ada-of-claim", True)}
    assert len(claimed) == 2
    assert {(run["id"], run["expires_at"]) for run in person.json("runs")} == {("first", None), ("second", None)}
    assert person.json("claim", "--all") == []


def test_ui_gives_a_link_that_lets_one_browser_in_once(person: Person) -> None:
    person.log("a")
    link = person.run("ui", "--no-open").stdout.strip()
    token = link.partition("/enter#d=")[2]
    headers = {"Origin": person.server.url}
    with httpx.Client(base_url=person.server.url, headers=headers) as browser:
        assert browser.post("/api/v1/session/exchange", json={"token": token}).status_code == 200
        assert [run["id"] for run in browser.get("/api/v1/runs").json()["runs"]] == ["a"]
    again = httpx.post(f"{person.server.url}/api/v1/session/exchange", json={"token": token}, headers=headers)
    assert again.status_code >= 400


def test_ui_starts_the_server_of_this_machine_and_lets_its_person_in(home: Path) -> None:
    run_script(_LOG.format(id="a"), home)
    link = json.loads(run_command("ui", "--json", data_dir=home).stdout)["link"]
    base, _, token = link.partition("/enter#d=")
    with httpx.Client(base_url=base, headers={"Origin": base}) as browser:
        assert browser.post("/api/v1/session/exchange", json={"token": token}).status_code == 200
        assert [run["id"] for run in browser.get("/api/v1/runs").json()["runs"]] == ["a"]


def test_doctor_finds_what_is_wrong(person: Person) -> None:
    healthy = person.json("doctor")
    assert all(finding["good"] for finding in healthy)
    run_script(
        "import anonrun\nwith anonrun.init(mode='offline') as r:\n  for i in range(9): r.log({'x': i})", person.home
    )
    (part,) = (person.home / "spool").glob("*/*.part")
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    (person.home / "identity.json").write_text('{"version": 1, "servers": {}}')
    (person.home / "identity.json").chmod(0o644)
    done = person.run("doctor", check=False)
    assert done.returncode == 1
    assert "chmod 600" in done.stdout
    assert str(part) in done.stdout
    assert "8 rows of a run that ended wait in" in done.stdout


def test_doctor_names_every_damaged_file_of_the_spool_and_changes_nothing(person: Person) -> None:
    log = "import anonrun\nfor name in 'abc':\n  with anonrun.init(mode='offline', id=name) as r: r.log({'x': 1})"
    run_script(log, person.home)
    spool = person.home / "spool"
    damaged, without, whole = sorted(spool.iterdir())
    (part,) = damaged.glob("*.part")
    part.write_bytes(part.read_bytes()[:-3] + b"???")
    (without / "run.json").unlink()
    before = {path: path.read_bytes() for path in spool.rglob("*") if path.is_file()}
    findings = [finding for finding in person.json_of_failure("doctor") if finding["subject"] == "spool"]
    assert [finding["good"] for finding in findings] == [False, False, True]
    assert str(part) in findings[0]["text"]
    assert str(without / "run.json") in findings[1]["text"]
    assert str(whole) in findings[2]["text"]
    assert {path: path.read_bytes() for path in spool.rglob("*") if path.is_file() and path.name != "lock"} == {
        path: data for path, data in before.items() if path.name != "lock"
    }
    synced = person.run("sync", check=False)
    assert synced.returncode == 1
    assert str(part) in synced.stdout
    assert sorted(spool.iterdir()) == [without], "the rest is delivered"


def test_doctor_names_rows_that_were_set_aside(person: Person) -> None:
    person.log("a")
    path = person.home / "spool" / "0192.aside.jsonl"
    path.write_text('{"writer": "1", "row": 3}\n')
    (finding,) = [finding for finding in person.json_of_failure("doctor") if finding["subject"] == "rows set aside"]
    assert f"1 row that a server did not take: {path}." in finding["text"]


def test_doctor_says_which_run_is_still_going(person: Person) -> None:
    script = """if True:
        import anonrun, subprocess, sys
        run = anonrun.init(mode="offline")
        run.log({"x": 1})
        print(subprocess.run([sys.executable, "-m", "anonrun", "doctor"], capture_output=True, text=True).stdout)
    """
    done = run_script(script, person.home, ANONRUN_SERVER=person.server.url)
    assert "1 row of a run that is still going waits in" in done.stdout


def test_sync_takes_a_folder_as_messages_name_it(person: Person) -> None:
    log = "import anonrun\nwith anonrun.init(mode='offline') as r: r.log({'x': 1})"
    said = run_script(log, person.home, ANONRUN_SERVER=person.server.url).stderr
    (folder,) = re.findall(r"is kept in (~/\S+);", said)
    assert "delivered" in person.run("sync", folder).stdout


def test_sync_says_how_many_rows_wait_where_no_server_answers(person: Person) -> None:
    log = "import anonrun\nwith anonrun.init('p', id='a', mode='offline') as r: r.log({'x': 1})"
    said = run_script(log, person.home, ANONRUN_SERVER="http://127.0.0.1:9").stderr
    assert "p/a: NOT delivered, 1 of 1 row waits. No answer from" in person.run("sync", check=False).stdout
    (folder,) = (person.home / "spool").iterdir()
    answer = json.loads(person.run("sync", str(folder), "--json", check=False).stdout)
    assert [(entry["rows"], entry["waiting"], entry["delivered"]) for entry in answer] == [(0, 1, False)]
    assert folder.name in said


def test_sync_says_what_it_could_not_read(person: Person) -> None:
    run_script("import anonrun\nwith anonrun.init(mode='offline') as r: r.log({'x': 1})", person.home)
    (file,) = (person.home / "spool").glob("*/run.json")
    file.write_text("{")
    done = person.run("sync", check=False)
    assert done.returncode == 1
    assert "run.json" in done.stdout


@contextlib.contextmanager
def signed_up(server: Server, name: str) -> Iterator[httpx.Client]:
    """Give the browser of someone who has just signed up."""
    with httpx.Client(base_url=f"{server.url}/api/v1/", headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        browser.post("session/sign-up", json={"username": name, "password": "a long passphrase"}).raise_for_status()
        yield browser


def test_a_login_is_approved_in_a_browser(person: Person) -> None:
    with signed_up(person.server, "ada-of-device") as browser:
        waiting = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "anonrun",
                "login",
                "--device",
                "--no-open",
                "--json",
                "--server",
                person.server.url,
            ],
            env=environment(person.home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert waiting.stdout is not None
        assert waiting.stderr is not None
        said = waiting.stderr.readline() + waiting.stderr.readline()
        assert f"open {person.server.url}/device" in said
        (user_code,) = re.findall(r"enter the code (\w{4}-\w{4})", said)
        asks = browser.post("device/check", json={"user_code": user_code}).json()
        assert asks["client"].startswith("anonrun ")
        decided = browser.post("device/decide", json={"user_code": user_code, "approve": True})
        assert decided.status_code == 204
        assert json.loads(waiting.stdout.read()) == {"account": "ada-of-device", "kind": "user"}
        assert waiting.wait(30) == 0
        waiting.stderr.close()
        waiting.stdout.close()
    assert person.json("whoami")["key_from"] == "login"
    saved = person.home / "identity.json"
    assert saved.stat().st_mode & 0o777 == 0o600


def test_a_login_without_terminal_code_or_key_says_what_to_do(person: Person) -> None:
    done = person.run("login", check=False)
    assert done.returncode == 2
    assert "--device" in done.stderr
    assert person.run("login", "--key", "--device", check=False).returncode == 2
