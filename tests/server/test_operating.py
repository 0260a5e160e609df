"""What an operator types: real commands beside a server that is running, and on its folder after it has ended."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

from anonrun.store.check import check
from anonrun.store.ledger import Ledger
from support.script import run_command
from support.server import later
from support.site import PASSWORD, Site, bearer, running_site, segment


def test_admin_check_reads_beside_a_running_server_and_names_what_is_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with running_site(folder) as site:
        run = site.run()
        site.send(run, segment([1.0, 2.0, 3.0]))
        done = run_command("admin", "check", "--data-dir", str(folder), data_dir=tmp_path)
        assert "Read 1 run: 3 points" in done.stdout
        assert "All is sound." in done.stdout
    damage(folder / "server" / "anonrun.db")
    done = run_command("admin", "check", "--data-dir", str(folder), data_dir=tmp_path, check=False)
    assert done.returncode == 1
    assert f"BAD run {run.run_id}, segment 1: " in done.stdout
    done = run_command("admin", "check", "--json", "--data-dir", str(folder), data_dir=tmp_path, check=False)
    (fault,) = json.loads(done.stdout)["faults"]
    assert (done.returncode, fault["run_id"], fault["place"]) == (1, run.run_id, "segment 1")


def test_doctor_reads_the_embedded_servers_database(tmp_path: Path) -> None:
    with running_site(tmp_path, embedded=True) as site:
        run = site.run()
        site.send(run, segment([1.0, 2.0, 3.0]))
        assert "is sound; runs: 1" in run_command("doctor", data_dir=tmp_path).stdout
    path = tmp_path / "server" / "anonrun.db"
    damage(path)
    done = run_command("doctor", "--json", data_dir=tmp_path, check=False)
    (finding,) = (finding for finding in json.loads(done.stdout) if finding["subject"] == "database")
    assert (done.returncode, finding["good"]) == (1, False)
    assert f"run {run.run_id}, segment 1: " in finding["text"]
    with sqlite3.connect(path) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '0001'")
    conn.close()
    assert "Starting the server upgrades it" in run_command("doctor", data_dir=tmp_path).stdout


def admin(folder: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return run_command("admin", *arguments, "--data-dir", str(folder), data_dir=folder, **more)


def test_people_are_listed_given_another_password_and_removed_beside_a_running_server(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        assert "There are no accounts" in admin(tmp_path, "user", "list").stdout
        ada, key = site.user("ada"), ""
        bob = site.user("bob")
        key = site.user_key(ada)
        run = site.run(key)
        site.send(run, segment([1.0, 2.0]), token=key)
        (first, second) = json.loads(admin(tmp_path, "user", "list", "--json").stdout)
        assert (first["name"], first["runs"], first["points"]) == ("ada", 1, 2)
        assert (second["name"], second["runs"], second["last_sent_at"]) == ("bob", 0, None)
        listed = admin(tmp_path, "user", "list").stdout.splitlines()
        assert [line.split()[0] for line in listed] == ["name", "ada", "bob"]

        weak = admin(tmp_path, "user", "password", "ada", stdin="short\n", check=False)
        assert (weak.returncode, "at least" in weak.stderr) == (1, True)
        done = admin(tmp_path, "user", "password", "ada", stdin="quite another one\n")
        assert "ended sessions: 1" in done.stdout
        assert ada.get("/api/v1/account").status_code == 401
        assert sign_in(site, "ada", PASSWORD) == 401
        assert sign_in(site, "ada", "quite another one") == 200
        assert site.api.get("/api/v1/account", headers=bearer(key)).status_code == 200

        assert admin(tmp_path, "user", "remove", "ada", stdin="n\n", check=False).returncode == 1
        assert "runs that went: 1" in admin(tmp_path, "user", "remove", "Ada", "--yes").stdout
        assert site.api.get("/api/v1/account", headers=bearer(key)).status_code == 401
        assert site.api.get(run.path, headers=bearer(key)).status_code in {401, 404}
        assert sign_in(site, "ada", "quite another one") == 401
        assert bob.get("/api/v1/account").status_code == 200
        absent = admin(tmp_path, "user", "remove", "ada", "--yes", check=False)
        assert (absent.returncode, "no account 'ada'" in absent.stderr) == (1, True)
        assert len(Ledger(site.core.settings.ledger).hashes()) == 2, "the run and the account"
    assert b"ANRS" not in (tmp_path / "server" / "anonrun.db").read_bytes()
    assert check(tmp_path / "server" / "anonrun.db").faults == []


def sign_in(site: Site, name: str, password: str) -> int:
    answer = site.browser().post("/api/v1/session/sign-in", json={"username": name, "password": password})
    return answer.status_code


def test_quotas_shows_what_everyone_keeps(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        key = site.user_key(site.user("ada"))
        mine, others = site.run(key), [site.run(), site.run()]
        site.send(mine, segment([1.0, 2.0, 3.0]), token=key)
        for run in others:
            site.send(run, segment([1.0, 2.0]))
        said = json.loads(admin(tmp_path, "quotas", "--json").stdout)
        (ada,) = said["users"]
        assert (ada["name"], ada["runs"], ada["points"]) == ("ada", 1, 3)
        assert (said["anonymous"]["accounts"], said["anonymous"]["runs"], said["anonymous"]["points"]) == (2, 2, 4)
        assert said["anonymous"]["bytes"] > 0
        assert said["an_anonymous_run_may_hold"]["points"] == site.core.settings.limits.points
        shown = admin(tmp_path, "quotas").stdout
        assert "2 anonymous" in shown
        later_on = later(timedelta(days=8))
        assert json.loads(admin(tmp_path, "quotas", "--json", **later_on).stdout)["anonymous"]["runs"] == 0


def damage(path: Path) -> None:
    """Change one byte of a stored segment."""
    with sqlite3.connect(path) as conn:
        ((payload,),) = conn.execute("SELECT payload FROM seg")
        conn.execute("UPDATE seg SET payload = ?", (payload[:-1] + bytes([payload[-1] ^ 1]),))
    conn.close()
