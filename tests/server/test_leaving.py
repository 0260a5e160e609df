from __future__ import annotations

import io
import json
import zipfile

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import func, select

from anonrun.server.services.retention import sweep
from anonrun.store.schema import ACCOUNT, RUN, SEG, SESSION, TOKEN
from support.media import PNG, media_item, picture, send_media
from support.site import PASSWORD, MadeRun, Site, bearer, code, segment


def made(site: Site, key: str, **request: object) -> MadeRun:
    run = site.new_run()
    answer = site.api.post("/api/v1/runs", json=run.request(**request), headers=bearer(key))
    assert answer.status_code == 201, answer.text
    return run


def archive(answer: httpx.Response) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    found = zipfile.ZipFile(io.BytesIO(answer.content))
    assert found.testzip() is None
    return found


def count(site: Site, table: object) -> int:
    return site.db.read_now(lambda tx: tx.conn.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]  # a table


def test_everything_that_an_account_has_is_in_its_download(site: Site) -> None:
    browser = site.user("ada")
    key = site.user_key(browser, label="laptop")
    first = made(site, key, project="mnist", id="a", config={"lr": 0.1}, notes="größer")
    second = made(site, key, project="v.1", id="b")
    site.send(first, segment([1.0, float("nan"), 3.0]))
    site.run()
    found = archive(browser.get("/api/v1/account/export"))
    folder = f"runs/mnist/a-{first.run_id}"
    other = f"runs/v.1/b-{second.run_id}"
    expected = {"account.json", *(f"{at}/{file}" for at in (folder, other) for file in ("run.json", "history.csv"))}
    assert set(found.namelist()) == expected
    account = json.loads(found.read("account.json"))
    assert (account["account"]["name"], [k["label"] for k in account["keys"]]) == ("ada", ["laptop"])
    run = json.loads(found.read(f"{folder}/run.json"))["run"]
    assert (run["config"], run["notes"], run["project"]) == ({"lr": 0.1}, "größer", "mnist")
    lines = found.read(f"{folder}/history.csv").decode().splitlines()
    assert [line.split(",")[2] for line in lines] == ["loss", "1.0", "nan", "3.0"]
    assert key.encode() not in browser.get("/api/v1/account/export").content
    assert set(archive(site.api.get("/api/v1/account/export", headers=bearer(key))).namelist()) == expected


def test_media_are_in_the_download_with_their_pictures_as_files(site: Site) -> None:
    browser = site.user("ada")
    run = made(site, site.user_key(browser), project="p", id="a")
    items = [picture(content=PNG + bytes([n])) for n in range(3)]
    send_media(site, run, media_item("t", "größe"), *items, media_item("console", "/home/ada", kind="console"))
    found = archive(browser.get("/api/v1/account/export"))
    folder = f"runs/p/a-{run.run_id}"
    told = [json.loads(line) for line in found.read(f"{folder}/media.jsonl").decode().splitlines()]
    assert [(item["position"], item["key"], item["content"]) for item in told] == [
        (1, "t", "größe"), *((n, "picture", None) for n in (2, 3, 4)), (5, "console", "/home/ada"),
    ]  # fmt: skip
    assert [found.read(f"{folder}/media/{n:06}.png") for n in (2, 3, 4)] == [PNG + bytes([n]) for n in range(3)]


def test_a_download_goes_beyond_one_page_of_runs(site: Site) -> None:
    browser = site.user("ada")
    key = site.user_key(browser)
    for _ in range(51):
        site.clock.forward(us=1)
        made(site, key)
    assert len(archive(browser.get("/api/v1/account/export")).namelist()) == 1 + 2 * 51


def test_a_deleted_account_is_gone_at_once_with_everything_it_had(site: Site) -> None:
    browser, elsewhere = site.user("ada"), site.browser()
    elsewhere.post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD})
    key, foreign = site.user_key(browser), site.run()
    run = made(site, key)
    site.send(run, segment([1.0]))
    assert browser.delete("/api/v1/account").status_code == 204
    assert code(site.api.get("/api/v1/account", headers=bearer(key))) == "token_invalid"
    for there in (browser, elsewhere):
        assert there.get("/api/v1/session").json()["account"] is None
    assert code(site.send(run, segment([2.0], seq=1))) == "run_deleted"
    assert code(site.get(run)) == "run_deleted"
    assert site.get(foreign).status_code == 200
    body = {"username": "ada", "password": PASSWORD}
    assert code(site.browser().post("/api/v1/session/sign-in", json=body)) == "sign_in_failed"
    again = site.user("ada")
    assert again.get("/api/v1/runs").json()["runs"] == [], "whoever takes the name gets nothing of it"


def test_after_the_next_sweep_nothing_of_a_deleted_account_is_left(site: Site) -> None:
    browser = site.user("ada")
    run = made(site, site.user_key(browser))
    site.send(run, segment([1.0]))
    browser.delete("/api/v1/account")
    with start_blocking_portal() as portal:
        portal.call(sweep, site.db)
    assert [count(site, table) for table in (ACCOUNT, RUN, SEG, SESSION)] == [0, 0, 0, 0]
    kinds = site.db.read_now(lambda tx: set(tx.conn.execute(select(TOKEN.c.kind)).scalars()))
    assert "u" not in kinds, "only tokens of the run are remembered, so that their holder can be told"


def test_deleting_an_account_asks_for_a_password_that_was_given_lately(site: Site) -> None:
    browser = site.user("ada")
    site.clock.forward(seconds=600)
    assert code(browser.delete("/api/v1/account")) == "confirm_needed"
    assert browser.get("/api/v1/account").status_code == 200


@pytest.mark.parametrize("scope", ["ingest", "read"])
def test_a_key_that_was_made_for_less_downloads_nothing(site: Site, scope: str) -> None:
    key = site.user_key(site.user("ada"), scope=scope)
    assert code(site.api.get("/api/v1/account/export", headers=bearer(key))) == "key_scope"


def test_an_anonymous_account_has_no_such_download(site: Site) -> None:
    answer = site.api.get("/api/v1/account/export", headers=bearer(site.anonymous_key()))
    assert code(answer) == "account_required"
