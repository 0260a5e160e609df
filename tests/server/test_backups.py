"""A backup is made beside a writer and is whole; a restore brings nothing back that has expired or was deleted."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import threading
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from anonrun.server.services.backups import DamagedBackupError, back_up, known_deletions, remove_again, restore
from anonrun.server.services.retention import sweep
from anonrun.server.settings import Settings
from anonrun.store import retention
from anonrun.store.audit import run_hash
from anonrun.store.backup import copy_database
from anonrun.store.check import check
from anonrun.store.database import Database
from anonrun.store.errors import StoreError
from anonrun.store.ledger import Ledger
from support.databases import Clusters, Place
from support.script import run_command
from support.server import anonrun_server, later
from support.site import PASSWORD, MadeRun, Site, bearer, code, running_site, segment


def settings_of(folder: Path) -> Settings:
    return Settings(data_dir=folder)


def test_a_backup_beside_a_busy_writer_is_one_moment_and_sound(tmp_path: Path) -> None:
    with running_site(tmp_path / "lab") as site:
        run = site.run()
        enough, stop = threading.Event(), threading.Event()

        def write() -> None:
            seq = 0
            while not stop.is_set():
                assert site.send(run, segment([float(seq), 1.0], seq=seq)).status_code == 200
                seq += 2
                if seq >= 40:
                    enough.set()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert enough.wait(60)
            for i in range(5):
                report = back_up(site.core.settings.server_dir / "anonrun.db", tmp_path / f"{i}.db")
                assert report.faults == []
                assert report.points >= 40
        finally:
            stop.set()
            writer.join()
    sizes = [check(tmp_path / f"{i}.db").points for i in range(5)]
    assert sizes == sorted(sizes)
    assert (tmp_path / "0.db").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.db", "1.db", "2.db", "3.db", "4.db", "lab"]


def test_what_was_deleted_or_has_expired_since_the_backup_does_not_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with running_site(folder) as site:
        kept, deleted, late = site.run(), site.run(), site.run()
        for run in (kept, deleted, late):
            site.send(run, segment([1.0, 2.0, 3.0]))
        ada = site.user("ada")
        assert site.claim(kept, ada).status_code == 200
        back_up(folder / "server" / "anonrun.db", tmp_path / "b.db")
        assert deleted.run_id.replace("-", "") in hex_of(tmp_path / "b.db")
        for run in (deleted, late):
            assert site.api.delete(run.path, headers=bearer(run.write)).status_code == 204
            if run is deleted:
                asyncio.run(sweep(site.db, ledger=Ledger(site.core.settings.ledger)))
    done = restore(settings_of(folder), tmp_path / "b.db")
    assert (done.deleted_again, done.removed) == (2, 2), "the second one waited to be removed, and was in no ledger yet"
    assert done.report.faults == []
    assert done.aside == folder / "server" / "anonrun.db.replaced"
    stored = hex_of(folder / "server" / "anonrun.db")
    assert kept.run_id.replace("-", "") in stored
    with running_site(folder) as site:
        assert ada_reads(site, kept) == 200
        for run in (deleted, late):
            assert code(site.get(run)) == "run_deleted"
        assert site.db.read_now(retention.due).marked == 0


@pytest.mark.parametrize("swept", [True, False], ids=["noted", "not noted yet"])
def test_an_account_that_was_deleted_since_the_backup_does_not_come_back(tmp_path: Path, *, swept: bool) -> None:
    folder = tmp_path / "lab"
    with running_site(folder) as site:
        hopper, run = site.user("hopper"), site.run()
        assert site.claim(run, hopper).status_code == 200
        back_up(folder / "server" / "anonrun.db", tmp_path / "b.db")
        assert hopper.delete("/api/v1/account").status_code == 204
        site.user("grace")  # who may have been given the number that was hers
        if swept:
            asyncio.run(sweep(site.db, ledger=Ledger(site.core.settings.ledger)))
    back_up(folder / "server" / "anonrun.db", tmp_path / "later.db")
    assert restore(settings_of(folder), tmp_path / "b.db").deleted_again == 1
    for name in ("anonrun.db", "deleted.ledger"):
        assert b"hopper" not in (folder / "server" / name).read_bytes()
    with running_site(folder) as site:
        hopper = {"username": "hopper", "password": PASSWORD}
        assert site.browser().post("/api/v1/session/sign-in", json=hopper).status_code == 401
        assert site.browser().post("/api/v1/session/sign-up", json=hopper).status_code == 200
    restore(settings_of(folder), tmp_path / "later.db")
    with running_site(folder) as site:
        grace = {"username": "grace", "password": PASSWORD}
        assert site.browser().post("/api/v1/session/sign-in", json=grace).status_code == 200


def ada_reads(site: Site, run: MadeRun) -> int:
    browser = site.browser()
    signed_in = browser.post("/api/v1/session/sign-in", json={"username": "ada", "password": "a long passphrase"})
    assert signed_in.status_code == 200
    return browser.get(run.path).status_code


def hex_of(path: Path) -> str:
    return path.read_bytes().hex()


def test_a_browser_that_was_signed_in_at_the_backup_is_signed_out_by_a_restore(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with running_site(folder) as site:
        ada = site.user("ada")
        back_up(folder / "server" / "anonrun.db", tmp_path / "b.db")
    restore(settings_of(folder), tmp_path / "b.db")
    with running_site(folder) as site:
        again = site.browser()
        again.cookies.update(ada.cookies)
        assert again.get("/api/v1/account").status_code == 401


def test_real_commands_back_up_restore_and_refuse_a_running_server(tmp_path: Path) -> None:
    folder, backup = tmp_path / "lab", tmp_path / "b.db"
    flags = ["--data-dir", str(folder)]
    with anonrun_server(folder) as server:
        assert "All is sound." in run_command("admin", "backup", str(backup), *flags, data_dir=tmp_path).stdout
        again = run_command("admin", "backup", str(backup), *flags, data_dir=tmp_path, check=False)
        assert (again.returncode, "is there already" in again.stderr) == (1, True)
        run_command("admin", "backup", str(backup), "--replace", *flags, data_dir=tmp_path)
        refused = run_command("admin", "restore", str(backup), *flags, data_dir=tmp_path, check=False)
        assert refused.returncode == 1
        assert "A server is running on" in refused.stderr
        assert server.data_dir == folder
    done = run_command("admin", "restore", str(backup), "--json", *flags, data_dir=tmp_path)
    assert json.loads(done.stdout)["faults"] == []
    with anonrun_server(folder):
        pass


def test_a_week_later_a_backups_anonymous_runs_are_removed_before_anything_is_served(tmp_path: Path) -> None:
    folder, backup = tmp_path / "lab", tmp_path / "b.db"
    with running_site(folder) as site:
        run = site.run()
        site.send(run, segment([1.0, 2.0]))
        back_up(folder / "server" / "anonrun.db", backup)
    week = later(timedelta(days=7, minutes=1))
    said = run_command("admin", "restore", str(backup), "--data-dir", str(folder), "--json", data_dir=tmp_path, **week)
    assert json.loads(said.stdout)["removed"] == 1
    assert b"ANRS" not in (folder / "server" / "anonrun.db").read_bytes()


def test_a_clock_that_is_behind_the_backup_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    folder, backup = tmp_path / "lab", tmp_path / "b.db"
    with running_site(folder) as site:
        site.clock.forward(days=3)
        site.db.write_now(retention.note_seen)
        back_up(folder / "server" / "anonrun.db", backup)
    before = (folder / "server" / "anonrun.db").read_bytes()
    with pytest.raises(StoreError, match="clock went back"):
        restore(settings_of(folder), backup)
    assert (folder / "server" / "anonrun.db").read_bytes() == before
    assert sorted(path.name for path in (folder / "server").iterdir()) == ["anonrun.db", "server.lock"]


def test_a_damaged_backup_is_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    folder, backup = tmp_path / "lab", tmp_path / "b.db"
    with running_site(folder) as site:
        run = site.run()
        site.send(run, segment([1.0, 2.0]))
        back_up(folder / "server" / "anonrun.db", backup)
    with sqlite3.connect(backup) as conn:
        conn.execute("UPDATE seg SET payload = substr(payload, 1, length(payload) - 1)")
    conn.close()
    with pytest.raises(DamagedBackupError, match="nothing was changed") as caught:
        restore(settings_of(folder), backup)
    assert caught.value.report.faults[0].place == "segment 1"
    assert restore(settings_of(folder), backup, damaged_too=True).report.faults
    with pytest.raises(DamagedBackupError, match="was written"):
        back_up(folder / "server" / "anonrun.db", tmp_path / "again.db")
    (tmp_path / "text.db").write_bytes(b"no database" * 1_000)
    with pytest.raises(StoreError, match="cannot be copied"):
        restore(settings_of(folder), tmp_path / "text.db")


def test_a_ledger_survives_a_line_that_was_cut_off(tmp_path: Path) -> None:
    first, second, third = (uuid.UUID(int=i) for i in range(3))
    ledger = Ledger(tmp_path / "new" / "deleted.ledger")
    assert ledger.hashes() == set()
    ledger.note([run_hash(first)], now_us=1)
    ledger.note([], now_us=1)
    with ledger.path.open("ab") as file:
        file.write(b"1970-01-01T00:00:00Z " + run_hash(second).hex().encode()[:-5])
    ledger.note([run_hash(third)], now_us=2)
    assert ledger.hashes() == {run_hash(first), run_hash(third)}
    assert ledger.path.stat().st_mode & 0o777 == 0o600
    assert known_deletions([ledger.path]) == ledger.hashes()
    with pytest.raises(StoreError, match="no ledger at"):
        known_deletions([ledger.path, tmp_path / "absent"])


def test_bytes_stay_while_the_ledger_cannot_be_written(site: Site, tmp_path: Path) -> None:
    run = site.run()
    site.send(run, segment([1.0]))
    site.api.delete(run.path, headers=bearer(run.write))
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        asyncio.run(sweep(site.db, ledger=Ledger(tmp_path / "folder")))
    assert site.db.read_now(retention.due).marked == 1
    ledger = Ledger(tmp_path / "ledger")
    assert asyncio.run(sweep(site.db, ledger=ledger)).purged == 1
    assert len(ledger.hashes()) == 1


def test_what_was_deleted_is_deleted_again_on_every_database(site: Site, database: Place, tmp_path: Path) -> None:
    kept, gone = site.run(), site.run()
    for run in (kept, gone):
        site.send(run, segment([1.0]))
    ledger = Ledger(tmp_path / "ledger")
    ledger.note([run_hash(uuid.UUID(gone.run_id))], now_us=1)
    db = Database.open(database.where, clock=site.clock)
    assert remove_again(db, ledger.hashes(), ledger) == (1, 1)
    db.close()
    assert site.get(kept).status_code == 200
    assert code(site.get(gone)) == "run_deleted"


@pytest.mark.databases("postgresql-15")
def test_the_documented_way_with_postgresqls_own_tools(
    site: Site, clusters: Clusters, database: Place, tmp_path: Path
) -> None:
    cluster = clusters.of(database.kind)
    programs = Path(cluster.command[0]).parent
    kept, gone = site.run(), site.run()
    for run in (kept, gone):
        site.send(run, segment([1.0, 2.0]))
    dump = tmp_path / "anonrun.dump"
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", str(database.where)], check=True)
    site.api.delete(gone.path, headers=bearer(gone.write))
    ledger = site.core.settings.ledger
    asyncio.run(sweep(site.db, ledger=Ledger(ledger)))
    with cluster.database() as name:
        url = cluster.url(name)
        subprocess.run([programs / "pg_restore", f"--dbname={url}", "--exit-on-error", dump], check=True)
        more = {"data_dir": tmp_path / "elsewhere", "ANONRUN_DATABASE_URL": url}
        (tmp_path / "elsewhere").mkdir()
        said = run_command("admin", "redelete", "--ledger", str(ledger), "--json", **more)
        assert json.loads(said.stdout) == {"deleted_again": 1, "removed": 1}
        checked = json.loads(run_command("admin", "check", "--json", **more).stdout)
        assert (checked["runs"], checked["points"], checked["faults"]) == (1, 2, [])
        refused = run_command("admin", "backup", str(tmp_path / "b.db"), check=False, **more)
        assert (refused.returncode, "pg_dump" in refused.stderr) == (1, True)


def test_a_copy_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database at"):
        copy_database(tmp_path / "absent.db", tmp_path / "b.db")
    with running_site(tmp_path / "lab"), pytest.raises(StoreError, match="cannot be written"):
        back_up(tmp_path / "lab" / "server" / "anonrun.db", tmp_path / "absent" / "b.db")
