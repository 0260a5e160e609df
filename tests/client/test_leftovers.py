from __future__ import annotations

from pathlib import Path

import pytest

from anonrun.client import leftovers
from anonrun.client.leftovers import deliver_leftovers, owned, run_folders
from anonrun.client.spool.folder import RunFolder, folders_in
from client.fakes import MemoryKeys, MemoryServer, connecting
from client.test_delivery import Case, stored


@pytest.fixture
def case(tmp_path: Path) -> Case:
    case = Case(tmp_path)
    case.log(0, 10)
    case.writer.close()
    return case


def _deliver(spool: Path, server: MemoryServer) -> None:
    keys = MemoryKeys()
    for _ in deliver_leftovers(spool, server=None, connect=connecting(server), keys_for=lambda _file: keys):
        pass


def test_what_a_killed_process_left_is_delivered_by_the_next(case: Case) -> None:
    server = MemoryServer()
    _deliver(case.folder.path.parent, server)
    assert stored(server).values("x") == list(range(10))
    assert list(case.folder.path.parent.iterdir()) == []


def test_a_removal_that_was_cut_short_leaves_no_run_and_is_ended_by_the_next(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = case.folder.path.parent
    with monkeypatch.context() as killed:
        killed.setattr("anonrun.client.spool.folder.shutil.rmtree", lambda *_args, **_options: None)
        case.folder.remove()
    (remains,) = spool.iterdir()
    assert {path.name for path in remains.iterdir()} >= {"run.json"}, "all of it is there, under another name"
    assert folders_in(spool) == run_folders(spool) == []
    server = MemoryServer()
    _deliver(spool, server)
    assert server.runs == {}
    assert list(spool.iterdir()) == []


def test_a_run_that_another_process_delivers_meanwhile_leaves_nothing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = case.folder.path.parent
    seen = run_folders(spool)
    case.folder.remove()  # between the look at the spool and the lock, which makes the folder again
    monkeypatch.setattr(leftovers, "run_folders", lambda _spool: seen)
    server = MemoryServer()
    _deliver(spool, server)
    assert server.runs == {}
    assert list(spool.iterdir()) == []


def test_a_new_folder_is_owned_with_nothing_in_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with owned(folder, new=True) as mine:
        assert mine
        assert folder.path.is_dir()


def test_what_lies_in_a_folder_without_a_run_file_is_kept(case: Case) -> None:
    (case.folder.path / "run.json").unlink()
    with owned(case.folder) as mine:
        assert mine
    assert case.folder.parts()
