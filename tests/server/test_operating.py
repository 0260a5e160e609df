"""What an operator types: real commands beside a server that is running, and on its folder after it has ended."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from support.script import run_command
from support.site import running_site, segment


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


def damage(path: Path) -> None:
    """Change one byte of a stored segment."""
    with sqlite3.connect(path) as conn:
        ((payload,),) = conn.execute("SELECT payload FROM seg")
        conn.execute("UPDATE seg SET payload = ?", (payload[:-1] + bytes([payload[-1] ^ 1]),))
    conn.close()
