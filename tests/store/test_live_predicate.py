"""Every statement on run data says which runs it means: looked at as they are really issued."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from anonrun.core.tokens import TokenKind, mint
from anonrun.store.database import Database
from anonrun.store.live import BEYOND_LIVE
from anonrun.store.schema import CHUNK, MEDIA, RUN, SEG, metadata
from support.artifacts import logged
from support.media import media_item, send_media
from support.process import until
from support.site import SetClock, Site, bearer, segment, sha

_HISTORY = re.compile(r"\b(?:FROM|JOIN|UPDATE)\s+(seg|axis|chunk|media|metric|writer)\b")
_RUN_DATA = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(run|seg|tail|axis|chunk|media|metric|writer)\b")


class Statements:
    """Collects statements on run data.

    Attributes:
        bare: those that lack the predicate of live runs and do not say why.
        scattered: those on a run's history that do not begin with its id: a distributed database would ask every node.
        reasons: why some see other runs.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.bare: list[str] = []
        self.scattered: list[str] = []
        self.reasons: set[str] = set()

    def look(
        self, _conn: object, _cursor: object, statement: str, _params: object, context: Any, _many: object
    ) -> None:
        if not _RUN_DATA.search(statement):
            return
        self.seen += 1
        for table in set(_HISTORY.findall(statement)):
            if not re.search(rf"\b(?:run|{table})\.run_id (?:=|IN) ", statement):
                self.scattered.append(statement)
        reason = context.execution_options.get(BEYOND_LIVE) if context else None
        if reason:
            self.reasons.add(reason)
        elif statement.startswith("INSERT INTO"):
            return  # what is inserted hangs on the run's row, whose UPDATE in the same transaction has the predicate
        elif "run.deleted_at IS NULL" not in statement or "run.expires_at >" not in statement:
            self.bare.append(statement)


def everything_a_server_does(site: Site) -> None:
    key = site.anonymous_key()
    run, other, long = site.run(key), site.run(key, id="named"), site.run(key)
    site.send(run, segment([1.0, 2.0]))
    site.send(run, segment([1.0, 2.0, 3.0]))
    item = media_item("sample", "a text")
    assert send_media(site, run, item).status_code == 200
    for what in (
        "",
        "/metrics",
        "/media",
        "/media?kind=text&key=sample",
        f"/media/{item['media_id']}",
        "/series",
        "/series?metric=loss",
        "/sampled",
        "/export?format=csv",
        "/export?format=json",
    ):
        assert site.get(run, what).status_code == 200
    for token in (key, run.write):
        site.api.get("/api/v1/runs", headers=bearer(token))
    site.api.post(f"{run.path}/heartbeat", headers=bearer(run.write))
    site.api.patch(run.path, json={"summary": {"best": 1}}, headers=bearer(run.write))
    site.api.get(f"{run.path}/writers/1", headers=bearer(run.write))
    site.api.post(f"{run.path}/links", json={"token_hash": sha(mint(TokenKind.SHARE))}, headers=bearer(run.write))
    link = site.api.get(f"{run.path}/links", headers=bearer(run.write)).json()[0]["link_id"]
    site.api.patch(f"{run.path}/links/{link}", json={"label": "x"}, headers=bearer(run.write))
    browser = site.user("ada")
    browser.post("/api/v1/session/exchange", json={"token": run.view})
    browser.get("/api/v1/session")
    assert site.claim(run, browser).status_code == 200
    assert browser.put(f"{run.path}/publication", json={"embed": True}).status_code == 200
    for path in (f"/embed/{run.run_id}", f"/badge/{run.run_id}.svg?metric=loss"):
        assert site.api.get(path).status_code == 200
    assert browser.delete(f"{run.path}/publication").status_code == 204
    assert site.claim(other, site.user("eve")).status_code == 200
    third = site.run(key, id="named")
    site.api.post("/api/v1/runs", json=site.new_run().request(id="named", resume="allow"), headers=bearer(key))
    site.api.delete(third.path, headers=bearer(third.claim))
    for points in range(3):
        site.send(long, segment([1.0] * 50_000, seq=50_000 * points))
    until(lambda: site.core.compactor.points)
    for what in (
        "",
        "/metrics",
        "/series?metric=loss",
        "/sampled?points=10",
        "/sampled?x=relative",
        "/export?format=csv",
    ):
        assert site.get(long, what).status_code == 200
    site.api.delete(long.path, headers=bearer(long.write))
    mine = site.run(site.user_key(browser))
    info = logged(site.api, mine, {"a": b"1"})
    for path in (f"{mine.path}/artifacts", "/api/v1/artifacts", f"/api/v1/artifacts/{info['artifact_id']}"):
        assert browser.get(path).status_code == 200
    site.api.delete(f"/api/v1/artifacts/{info['artifact_id']}", headers=bearer(mine.write))
    logged(site.api, mine, {"b": b"2"})
    assert browser.get("/api/v1/account/export").status_code == 200
    assert browser.delete("/api/v1/account").status_code == 204
    site.api.get("/metrics")
    site.clock.forward(days=8)
    site.api.get("/api/v1/runs", headers=bearer(key))


def test_every_statement_on_run_data_means_live_runs_or_says_why_not(site: Site) -> None:
    statements = Statements()
    engine: Engine = site.db._engine
    event.listen(engine, "before_cursor_execute", statements.look)
    everything_a_server_does(site)
    assert statements.seen > 80
    assert statements.bare == []
    assert statements.scattered == []
    assert statements.reasons <= {
        "a token's holder is told what became of its run",
        "a run id is never given twice",
        "an expired run gives up its name",
        "retention removes what is no longer live",
        "who began a claim is told why it failed",
        "what is not purged yet takes room",
        "a compaction holds the run's row, which was found live",
    }


def test_every_key_of_run_data_begins_with_the_run() -> None:
    history = {name for name, table in metadata.tables.items() if "run_id" in table.primary_key.columns}
    assert {"run", "seg", "tail", "axis", "chunk", "media", "metric", "writer", "gone"} <= history
    for name in history - {"pending_claim"}:  # a browser's, of whose claims there are few
        assert next(iter(metadata.tables[name].primary_key.columns)).name == "run_id", name


@pytest.mark.parametrize("table", [RUN, SEG, CHUNK, MEDIA], ids=lambda table: table.name)
def test_a_statement_without_the_predicate_would_be_found(db: Database, clock: SetClock, table: Any) -> None:
    statements = Statements()
    event.listen(db._engine, "before_cursor_execute", statements.look)
    db.read_now(lambda tx: tx.conn.execute(select(table)).all())
    assert len(statements.bare) == 1
    assert len(statements.scattered) == int(table is not RUN)
