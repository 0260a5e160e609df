from __future__ import annotations

from pathlib import Path

import pytest

from anonrun.client.home import without_home


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2 rows wait in /home/ada.lovelace/spool.", "2 rows wait in ~/spool."),
        ("[Errno 13] Permission denied: '/home/ada.lovelace'", "[Errno 13] Permission denied: '~'"),
        ("sync /home/ada.lovelace/a and /home/ada.lovelace/b", "sync ~/a and ~/b"),
        ("/home/ada.lovelaces/a is someone else's", "/home/ada.lovelaces/a is someone else's"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_a_sentence_has_a_tilde_for_the_home_folder(monkeypatch: pytest.MonkeyPatch, text: str, shown: str) -> None:
    monkeypatch.setenv("HOME", "/home/ada.lovelace")
    assert without_home(text) == shown


def test_the_folder_that_a_linked_home_leads_to_is_not_named_either(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, link = tmp_path / "lovelace", tmp_path / "home"
    real.mkdir()
    link.symlink_to(real)
    monkeypatch.setenv("HOME", str(link))
    assert without_home(f"{real}/a, {link}/b") == "~/a, ~/b"


def test_a_home_that_is_the_root_is_everywhere_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert without_home("/tmp/a") == "/tmp/a"
