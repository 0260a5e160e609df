from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from anonrun.client.identity import EMBEDDED, Anonymous, Credential, IdentityStore, choose
from anonrun.client.keys import KeyRing
from anonrun.client.notices import Notices
from anonrun.client.paths import data_dir
from anonrun.client.receipts import Receipts
from anonrun.core.times import from_us
from anonrun.core.tokens import TokenKind, mint
from anonrun.errors import AccountRequiredError, UsageError

GIVEN, NAMED, LOGIN, ANONYMOUS = (mint(TokenKind.API_KEY) for _ in range(4))
LAB = "https://lab.test"


@pytest.fixture
def store(tmp_path: Path) -> IdentityStore:
    return IdentityStore(tmp_path / "identity.json", Notices())


def fill(tmp_path: Path, **keys: str) -> None:
    (tmp_path / "identity.json").write_text(json.dumps({"version": 1, "servers": {LAB: keys}}))


_SOURCES = [
    pytest.param(GIVEN, NAMED, True, True, id="given, environment, login, anonymous"),
    pytest.param(None, NAMED, True, True, id="environment, login, anonymous"),
    pytest.param(None, None, True, True, id="login, anonymous"),
    pytest.param(None, None, False, True, id="anonymous"),
    pytest.param(None, None, False, False, id="nothing"),
]


@pytest.mark.parametrize("anonymous", ["allow", "must", "never"])
@pytest.mark.parametrize(("given", "named", "login", "saved"), _SOURCES)
def test_the_first_key_that_there_is_counts(
    tmp_path: Path,
    store: IdentityStore,
    anonymous: Anonymous,
    given: str | None,
    named: str | None,
    login: bool,
    saved: bool,
) -> None:
    fill(tmp_path, **({"login": LOGIN} if login else {}), **({"anonymous": ANONYMOUS} if saved else {}))
    environ = {"ANONRUN_API_KEY": named} if named else {}

    def chosen() -> Credential:
        return choose(store, LAB, anonymous=anonymous, api_key=given, environ=environ)

    expected = next((key for key in (given, named, LOGIN if login else None) if key), None)
    if anonymous == "must" or (expected is None and anonymous == "allow"):
        credential = chosen()
        assert credential.source == "anonymous"
        assert (credential.key == ANONYMOUS) is saved
        assert credential.new is not saved
        assert chosen() == Credential(credential.key, "anonymous"), "it is saved and used again"
    elif expected is None:
        with pytest.raises(AccountRequiredError) as caught:
            chosen()
        assert "anonrun login" in str(caught.value)
        assert 'anonymous="allow"' in str(caught.value)
    else:
        assert chosen().key == expected
        assert chosen().source == ("login" if expected == LOGIN else "given")


def test_keys_of_different_servers_are_apart(store: IdentityStore) -> None:
    assert store.anonymous(EMBEDDED).key != store.anonymous(LAB).key
    store.set_login(LAB, LOGIN)
    assert store.get(EMBEDDED, "login") is None
    assert store.set_login(LAB, None) is True
    assert store.set_login(LAB, None) is False


def test_the_file_is_the_owners_alone_and_a_key_is_in_no_repr(tmp_path: Path, store: IdentityStore) -> None:
    credential = store.anonymous(LAB)
    assert (tmp_path / "identity.json").stat().st_mode & 0o777 == 0o600
    assert credential.key not in repr(credential)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"servers": 3}', '{"servers": {"x": 3}}', "\x00\xff"])
def test_a_damaged_file_is_moved_aside_with_a_warning(
    tmp_path: Path, store: IdentityStore, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "identity.json"
    path.write_text(text)
    assert store.anonymous(LAB).new
    assert (tmp_path / "identity.json.damaged").read_text() == text
    assert LAB in json.loads(path.read_text())["servers"]
    printed = capsys.readouterr().err
    assert str(path) in printed
    assert "anonrun login" in printed


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"),
        pytest.param("secret", id="some word"),
        pytest.param(GIVEN[:-1], id="cut off"),
        pytest.param(GIVEN[:-1] + "_", id="one character wrong"),
        pytest.param(mint(TokenKind.VIEW), id="another kind"),
    ],
)
@pytest.mark.parametrize("origin", ["api_key", "ANONRUN_API_KEY"])
def test_a_key_that_is_mistyped_is_refused_without_repeating_it(store: IdentityStore, key: str, origin: str) -> None:
    environ = {} if origin == "api_key" else {"ANONRUN_API_KEY": key or " "}
    with pytest.raises(UsageError, match=origin) as caught:
        choose(store, LAB, anonymous="allow", api_key=key if origin == "api_key" else None, environ=environ)
    assert not key or key not in str(caught.value)


def test_threads_that_come_at_once_get_one_anonymous_key(tmp_path: Path) -> None:
    found: list[str] = []

    def work() -> None:
        found.append(IdentityStore(tmp_path / "identity.json", Notices()).anonymous(LAB).key)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_a_refused_anonymous_key_is_replaced_once(store: IdentityStore) -> None:
    old = store.anonymous(LAB)
    saved = Credential(old.key, "anonymous")
    ring = KeyRing(store, LAB, saved)
    new = ring.instead_of(saved)
    assert new is not None
    assert new.key != old.key
    assert store.anonymous(LAB).key == new.key
    assert ring.instead_of(new) is None
    assert KeyRing(store, LAB, Credential(LOGIN, "login")).instead_of(Credential(LOGIN, "login")) is None


def test_a_home_that_cannot_be_written_to_is_replaced_and_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = data_dir({"ANONRUN_DATA_DIR": str(tmp_path / "file" / "home")})
    assert found.root.is_dir()
    assert os.access(found.root, os.W_OK)
    assert found.problem is not None
    assert "ANONRUN_DATA_DIR" in found.problem


def test_a_claim_token_is_kept_until_the_run_expires(tmp_path: Path) -> None:
    claim = mint(TokenKind.CLAIM)
    receipts = Receipts(tmp_path, Notices())
    receipts.keep("live", server=LAB, claim=claim, until=from_us(10**16))
    receipts.keep("over", server=LAB, claim=claim, until=from_us(1))
    assert receipts.claim_token("live", server=LAB) == claim
    assert receipts.claim_token("live", server=EMBEDDED) is None
    assert receipts.claim_token("over", server=LAB) is None
    assert (tmp_path / "claims.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "claims.json").write_text("{")
    assert receipts.claim_token("live", server=LAB) is None
