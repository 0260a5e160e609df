from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonrun.core.ids import new_run_id
from anonrun.store import accounts, runs, tokens
from anonrun.store.database import Database
from anonrun.store.records import Account
from anonrun.store.transaction import Tx
from support.databases import Place
from support.site import SetClock, Site, running_site
from support.stored import MakeRun, hash_of

WEEK_US = 7 * 86_400 * 1_000_000


@pytest.fixture
def clock() -> SetClock:
    return SetClock(1_800_000_000_000_000)


@pytest.fixture
def db(database: Place, clock: SetClock) -> Iterator[Database]:
    opened = Database.open(database.where, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def site(tmp_path: Path, database: Place) -> Iterator[Site]:
    """A public server with a new database."""
    with running_site(tmp_path / "site", database) as running:
        yield running


@pytest.fixture
def anonymous(db: Database) -> Account:
    account = db.write_now(lambda tx: accounts.create(tx, name="anon-test", kind="anonymous"))
    assert account
    return account


@pytest.fixture
def user(db: Database) -> Account:
    account = db.write_now(lambda tx: accounts.create(tx, name="ada", kind="user", password_hash="x"))
    assert account
    return account


@pytest.fixture
def make_run(db: Database, anonymous: Account) -> MakeRun:
    """Make a run with its three tokens, in one transaction; anonymous and for a week where nothing else is said."""

    def make(id_: str | None = None, *, owner: Account = anonymous, keep_us: int | None = WEEK_US) -> uuid.UUID:
        run_id = new_run_id(db.clock.now_us() // 1000, secrets.token_bytes(10))

        def change(tx: Tx) -> None:
            runs.create(
                tx, run_id=run_id, account=owner, project="p", id_=id_ or run_id.hex, name="n",
                expires_at=None if keep_us is None else tx.now_us + keep_us,
                fields={"config": {}, "tags": [], "notes": None, "group": None, "job_type": None},
            )  # fmt: skip
            for kind in "wvc":
                assert tokens.add(tx, token_hash=hash_of(run_id, kind), kind=kind, scope="run", run_id=run_id)

        db.write_now(change)
        return run_id

    return make
