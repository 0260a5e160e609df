"""What the server says of itself: numbers that Prometheus reads, and whether it can do its work."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sqlite3
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from anonrun.server.app import create_app
from anonrun.server.exposition import CONTENT_TYPE, Family, Histogram, exposed
from anonrun.server.logs import JsonFormatter, begin_request
from anonrun.server.services.readiness import Probe
from anonrun.server.settings import Settings
from anonrun.store import retention
from anonrun.store.database import Database, StoreUnavailableError
from support.databases import Place
from support.media import media_item, send_media
from support.process import until
from support.site import Site, code, segment

_DOC = (Path(__file__).parent.parent.parent / "docs" / "server.md").read_text()


def scraped(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Return by name what Prometheus' own parser reads, each sample by its labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        assert family.type in {"counter", "gauge", "histogram"}, family.name
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_prometheus_reads_every_number(site: Site) -> None:
    run = site.run()
    site.send(run, segment([1.0, 2.0]))
    site.send(run, segment([1.0, 2.0]))
    site.send(run, b"no segment")
    send_media(site, run, media_item(), media_item())
    answer = site.api.get("/metrics")
    assert answer.headers["content-type"] == CONTENT_TYPE
    found = scraped(answer.text)
    assert found["anonrun_points_stored_total"][()] == 2
    assert found["anonrun_segments_stored_total"][()] == 1
    assert found["anonrun_media_stored_total"][()] == 2
    assert found["anonrun_runs_live"][()] == 1
    assert found["anonrun_tails"][()] == 1
    assert found["anonrun_ingest_seconds_count"][()] == 3
    assert found["anonrun_ingest_seconds_bucket"][(("le", "+Inf"),)] == 3
    assert found["anonrun_requests_total"][(("status", "2xx"),)] >= 3
    assert found["anonrun_requests_total"][(("status", "4xx"),)] >= 1
    assert found["process_resident_memory_bytes"][()] > 1 << 20
    assert {
        "anonrun_build_info", "anonrun_compaction_lag_seconds", "anonrun_expired_unpurged", "anonrun_live_readers",
        "anonrun_points_compacted_total", "anonrun_runs_purged_total", "anonrun_store_errors_total",
        "anonrun_sweep_alarm", "anonrun_sweep_lag_seconds", "anonrun_writer_queue", "process_start_time_seconds",
    } <= found.keys()  # fmt: skip
    assert ("anonrun_disk_free_bytes" in found) == (not site.db.shared)


def test_every_number_is_in_the_docs_and_the_other_way_round(own_site: Site) -> None:
    families = {family.name for family in text_string_to_metric_families(own_site.api.get("/metrics").text)}
    documented = re.findall(r"`((?:anonrun|process)_\w+?)(?:_total)?`", _DOC)
    assert set(documented) == families


def test_lag_is_that_of_the_store_and_not_of_the_last_sweep(site: Site) -> None:
    run = site.run()
    site.send(run, segment([1.0]))
    until(lambda: site.db.read_now(retention.last_seen_us) > 0)
    site.clock.forward(seconds=1_000)
    assert scraped(site.api.get("/metrics").text)["anonrun_compaction_lag_seconds"][()] == 400
    site.clock.forward(days=8)
    found = scraped(site.api.get("/metrics").text)
    assert found["anonrun_expired_unpurged"][()] == 1
    assert found["anonrun_sweep_lag_seconds"][()] == pytest.approx(86_400 + 1_000)
    assert found["anonrun_compaction_lag_seconds"][()] == 0, "an expired run is compacted no more"


def test_a_worker_says_which_it_is_and_the_stores_numbers_are_everyones(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db")
    app = create_app(Settings(data_dir=tmp_path), db, worker=3)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            await client.get("/healthz")
            return await client.get("/metrics")

    found = scraped(asyncio.run(ask()).text)
    db.close()
    assert found["anonrun_requests_total"] == {(("status", "2xx"), ("worker", "3")): 1}
    assert found["anonrun_ingest_seconds_sum"] == {(("worker", "3"),): 0}
    assert found["anonrun_runs_live"] == {(): 0}


def test_a_histogram_counts_what_is_below_each_bound_and_what_is_above_all() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(value)
    found = scraped(exposed([Family("x_seconds", "histogram", "About.", histogram=histogram)]))
    assert found["x_seconds_bucket"] == {(("le", "0.1"),): 2, (("le", "1.0"),): 3, (("le", "+Inf"),): 4}
    assert (found["x_seconds_count"], found["x_seconds_sum"]) == ({(): 4}, {(): pytest.approx(7.65)})


def test_labels_are_escaped() -> None:
    odd = 'a "quoted" \\ and\nbroken'
    assert scraped(exposed([Family("x", "gauge", "About.", {(("name", odd),): 1})]))["x"] == {(("name", odd),): 1}


# --- readiness ------------------------------------------------------------------------------------------------------


def test_a_server_that_keeps_up_is_ready(site: Site) -> None:
    assert site.api.get("/readyz").json() == {"status": "ok", "problems": [], "sweep_lag_s": 0.0}


def test_removal_that_is_late_or_stopped_is_said(site: Site) -> None:
    site.run()
    until(lambda: site.db.read_now(retention.last_seen_us) > 0)  # the first sweep is over, the next a minute away
    site.clock.forward(days=7, seconds=3 * 3_600)
    said = site.api.get("/readyz").json()
    assert (said["status"], said["sweep_lag_s"]) == ("degraded", 3 * 3_600)
    assert "waits since 3.0 h" in said["problems"][0]
    site.core.counters.alarm = True
    assert "clock looks wrong" in site.api.get("/readyz").json()["problems"][-1]


@pytest.mark.databases("sqlite")
def test_a_database_that_another_program_holds_is_not_waited_for(site: Site, database: Place) -> None:
    with sqlite3.connect(database.where, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = site.api.get("/readyz")  # SQLite itself would wait for ten seconds
        assert (answer.status_code, code(answer)) == (503, "store_unavailable")
        other.execute("ROLLBACK")
    other.close()
    until(lambda: site.api.get("/readyz").status_code == 200)


def test_a_writer_that_hangs_is_said_and_probes_do_not_pile_up_behind_it(site: Site) -> None:
    held = threading.Event()
    site.db._writer.submit(lambda _tx: held.wait(60))
    assert site.api.get("/readyz").status_code == 503
    waiting = site.db.waiting
    assert site.api.get("/readyz").status_code == 503
    assert site.db.waiting == waiting
    until(lambda: site.api.get("/metrics").status_code == 200)  # reading goes on; a busy machine may take its time
    assert scraped(site.api.get("/metrics").text)["anonrun_store_errors_total"][()] >= 2
    held.set()
    until(lambda: site.api.get("/readyz").status_code == 200)


def test_a_store_that_has_gone_is_said(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db")
    probe = Probe(db, None)
    db.close()
    with pytest.raises(StoreUnavailableError):
        asyncio.run(probe.look(alarm=False))


def test_a_disk_that_is_nearly_full_is_said(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db")
    said = asyncio.run(Probe(db, tmp_path, little_space=1 << 62).look(alarm=False))
    assert "MiB are free on the disk" in said.problems[0]
    assert asyncio.run(Probe(db, tmp_path / "absent", little_space=1 << 62).look(alarm=False)).problems == ()
    db.close()


# --- logs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def log() -> Iterator[StringIO]:
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield text
    root.removeHandler(handler)
    root.setLevel(before)


def test_a_request_has_an_id_in_its_answer_and_in_every_line_of_the_log(site: Site, log: StringIO) -> None:
    first, second = site.api.get("/healthz"), site.api.get("/healthz")
    ids = [answer.headers["x-request-id"] for answer in (first, second)]
    assert ids[0] != ids[1]
    given = site.api.get("/nowhere", headers={"X-Request-Id": "0192f7d0-proxy-1"})
    assert given.headers["x-request-id"] == "0192f7d0-proxy-1"
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    requests = [(line["request"], line["path"]) for line in lines if line["message"] == "request"]
    assert requests == [(ids[0], "/healthz"), (ids[1], "/healthz"), ("0192f7d0-proxy-1", "/nowhere")]


def test_an_id_that_a_stranger_made_up_to_break_the_log_is_not_taken() -> None:
    for given in ("x", "a" * 65, 'a"b\nc-12345', "anr_w_" + "a" * 36, "", None):
        assert begin_request(given) != given


def test_a_refusal_of_the_store_is_logged_with_the_requests_id(site: Site, log: StringIO) -> None:
    held = threading.Event()
    site.db._writer.submit(lambda _tx: held.wait(60))
    answer = site.api.get("/readyz")
    held.set()
    assert code(answer) == "store_unavailable"
    (line,) = (json.loads(line) for line in log.getvalue().splitlines() if "the store refused" in line)
    assert line["request"] == answer.headers["x-request-id"]
