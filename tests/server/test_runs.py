from __future__ import annotations

import csv
import io
import json
import math
import uuid
from functools import partial

import pytest

from anonrun.core.times import format_time, from_us
from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import Frame, decode_all, encode
from anonrun.store import compaction
from support.site import MadeRun, Site, bearer, code, running_site, segment, sha


def make(site: Site, key: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    answer = site.api.post("/api/v1/runs", json=body, headers=bearer(key))
    return answer.status_code, answer.json()


def test_the_same_key_again_is_the_same_account(site: Site) -> None:
    body = {"key_hash": sha(mint(TokenKind.API_KEY))}
    first, second = (site.api.post("/api/v1/accounts/anonymous", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["name"].startswith("anon-")


def test_the_same_run_again_is_the_same_run(site: Site) -> None:
    key, run = site.anonymous_key(), site.new_run()
    (first, one), (second, two) = (make(site, key, run.request(name="n")) for _ in range(2))
    assert (first, second) == (201, 200)
    assert one == two
    assert len(site.api.get("/api/v1/runs", headers=bearer(key)).json()["runs"]) == 1


def test_a_run_id_of_someone_else_cannot_be_taken(site: Site) -> None:
    run = site.run()
    other = site.new_run().request() | {"run_id": run.run_id}
    assert make(site, site.anonymous_key(), other)[1]["code"] == "run_exists"


@pytest.mark.parametrize(("resume", "status"), [("never", 409), ("allow", 200), ("must", 200)])
def test_an_id_that_is_there_is_refused_or_resumed(site: Site, resume: str, status: int) -> None:
    key = site.anonymous_key()
    first = site.run(key, id="mine")
    site.api.patch(first.path, json={"state": "finished", "exit_code": 1}, headers=bearer(first.write))
    again = site.new_run()
    answered, info = make(site, key, again.request(id="mine", resume=resume))
    assert answered == status
    if status == 200:
        assert (info["run_id"], info["state"], info["exit_code"]) == (first.run_id, "running", None)
        for token in (first.write, again.write):
            assert site.api.post(f"{first.path}/heartbeat", headers=bearer(token)).status_code == 200
        assert site.get(first, token=again.view).status_code == 200


def test_a_resumed_run_takes_up_what_the_request_says_and_keeps_the_rest(site: Site) -> None:
    key = site.anonymous_key()
    first = site.run(key, id="mine", name="n", config={"lr": 1, "depth": 3}, tags=["a"], notes="text")
    site.clock.forward(seconds=1)
    request = {"id": "mine", "resume": "must", "config": {"lr": 2, "new": None}}
    _, info = make(site, key, site.new_run().request(**request))
    assert (info["config"], info["name"]) == ({"lr": 2, "depth": 3, "new": None}, "n")
    assert (info["tags"], info["notes"]) == (["a"], "text")
    _, info = make(site, key, site.new_run().request(**request, name="m", tags=["b"], notes="other"))
    assert (info["name"], info["tags"], info["notes"]) == ("m", ["b"], "other")
    assert site.get(first).json()["config"] == {"lr": 2, "depth": 3, "new": None}
    refused = site.new_run().request(id="mine", resume="must", config={"x": "y" * 65_530})
    status, problem = make(site, key, refused)
    assert (status, problem["code"]) == (422, "request_invalid"), "together they are too large"
    assert site.get(first).json()["config"] == {"lr": 2, "depth": 3, "new": None}


def test_a_request_that_waited_on_a_disk_while_the_run_was_made_only_adds_to_it(site: Site) -> None:
    key, older = site.anonymous_key(), site.new_run()
    site.clock.forward(seconds=1)
    run = site.run(key, id="mine", name="n", config={"lr": 2})
    more = {"id": "mine", "resume": "allow", "name": "old", "config": {"lr": 1, "depth": 3}}
    assert make(site, key, older.request(**more))[0] == 200
    info = site.get(run).json()
    assert (info["config"], info["name"]) == ({"lr": 2, "depth": 3}, "n")


def _compact(site: Site, run: MadeRun) -> None:
    while plan := site.db.read_now(lambda tx: compaction.prepare(tx, uuid.UUID(run.run_id))):
        site.db.write_now(partial(compaction.apply, plan=plan))


def test_the_highest_step_is_told_whichever_arrived_last(site: Site) -> None:
    key = site.anonymous_key()
    run = site.run(key, id="mine")
    assert site.get(run).json()["max_step"] is None
    site.send(run, segment([1.0, 2.0], first_step=100))
    site.send(run, segment([3.0], writer=2, first_step=7) + segment([4.0], writer=3, name="acc", first_step=-5))
    assert site.get(run).json()["max_step"] == 101
    _compact(site, run)
    assert site.get(run).json()["max_step"] == 101
    site.send(run, segment([5.0], writer=4, first_step=200))
    site.send(run, segment([0.3], writer=5, name="system/cpu", first_step=9_000))
    _, info = make(site, key, site.new_run().request(id="mine", resume="allow"))
    assert info["max_step"] == 200, "samples of the machine have steps of their own"
    _compact(site, run)
    assert site.get(run).json()["max_step"] == 200
    site.send(run, segment([0.5], writer=6, name="System/of my own", first_step=300))
    _compact(site, run)
    assert site.get(run).json()["max_step"] == 300


def test_two_writers_do_not_overwrite_each_others_config(site: Site) -> None:
    run = site.run(config={"lr": 1, "depth": 3})
    for update in ({"config": {"lr": 2}}, {"config": {"width": 4}}, {"config_removed": ["depth", "no such"]}):
        site.api.patch(run.path, json=update, headers=bearer(run.write)).raise_for_status()
    assert site.get(run).json()["config"] == {"lr": 2, "width": 4}
    again = {"config": {"lr": 5}, "config_removed": ["lr"]}
    site.api.patch(run.path, json=again, headers=bearer(run.write)).raise_for_status()
    assert site.get(run).json()["config"] == {"lr": 5, "width": 4}
    large = {"config": {"x": "y" * 65_530}}
    assert code(site.api.patch(run.path, json=large, headers=bearer(run.write))) == "request_invalid"


def test_a_run_of_several_processes_ends_with_the_last_of_them(site: Site) -> None:
    key = site.anonymous_key()
    first, second = site.run(key, id="mine"), site.new_run()
    make(site, key, second.request(id="mine", resume="allow"))
    end = {"state": "failed", "exit_code": 3}
    site.api.patch(first.path, json=end, headers=bearer(first.write)).raise_for_status()
    assert site.get(first).json()["state"] == "failed"
    assert site.send(first, segment([1.0]), token=second.write).json()["status"]["state"] == "failed"
    beat = site.api.post(f"{first.path}/heartbeat", headers=bearer(second.write))
    assert beat.json()["state"] == "running"
    info = site.get(first).json()
    assert (info["state"], info["exit_code"], info["finished_at"]) == ("running", None, None)
    end = {"state": "finished", "exit_code": 0}
    site.api.patch(first.path, json=end, headers=bearer(second.write)).raise_for_status()
    assert (site.get(first).json()["state"], site.get(first).json()["exit_code"]) == ("finished", 0)


def test_an_id_that_is_not_there_must_be_there_to_be_resumed(site: Site) -> None:
    body = site.new_run().request(id="none", resume="must")
    assert make(site, site.anonymous_key(), body)[1]["code"] == "run_not_found"


def test_two_accounts_and_two_projects_may_use_one_id(site: Site) -> None:
    key = site.anonymous_key()
    for owner, project in ((key, "a"), (key, "b"), (site.anonymous_key(), "a")):
        site.run(owner, id="same", project=project)


def test_a_run_is_gone_at_the_microsecond_of_its_expiry_for_everyone(site: Site) -> None:
    key = site.anonymous_key()
    run, due = site.run(key), site.clock.us + 7 * 86_400_000_000
    site.send(run, segment([1.0]))
    reads = ("", "/metrics", "/series", "/sampled", "/export?format=csv")
    site.clock.us = due - 1
    assert [site.get(run, what).status_code for what in reads] == [200] * len(reads)
    assert site.send(run, segment([2.0], seq=1)).status_code == 200
    site.clock.us = due
    for what in reads:
        answer = site.get(run, what)
        assert code(answer) == "run_expired"
        assert answer.json()["expired_at"] == format_time(from_us(due))
        assert code(site.get(run, what, token=key)) == "run_not_found"
        assert code(site.api.get(f"{run.path}{what}")) == "run_not_found"
    assert code(site.send(run, segment([3.0], seq=2))) == "run_expired"
    assert code(site.api.patch(run.path, json={"name": "x"}, headers=bearer(run.write))) == "run_expired"
    assert code(site.api.delete(run.path, headers=bearer(run.claim))) == "run_expired"
    assert site.api.get("/api/v1/runs", headers=bearer(key)).json()["runs"] == []


def test_a_run_made_again_after_it_ended_is_told_why(site: Site) -> None:
    key = site.anonymous_key()
    run, deleted = site.run(key), site.run(key)
    site.api.delete(deleted.path, headers=bearer(deleted.write))
    assert make(site, key, deleted.request())[1]["code"] == "run_deleted"
    claimed = site.run(key)
    site.claim(claimed, site.user("ada"))
    assert make(site, key, claimed.request())[1]["code"] == "run_claimed"
    site.clock.forward(days=7)
    assert make(site, key, run.request())[1]["code"] == "run_expired"


def test_a_run_that_is_silent_for_a_minute_has_crashed_until_it_is_heard(site: Site) -> None:
    run = site.run()
    site.clock.forward(seconds=60, us=-1)
    assert site.get(run).json()["state"] == "running"
    site.clock.forward(us=1)
    assert site.get(run).json()["state"] == "crashed"
    site.api.post(f"{run.path}/heartbeat", headers=bearer(run.write))
    assert site.get(run).json()["state"] == "running"
    site.api.patch(run.path, json={"state": "failed", "exit_code": 3}, headers=bearer(run.write))
    site.clock.forward(days=1)
    info = site.get(run).json()
    assert (info["state"], info["exit_code"]) == ("failed", 3)


def test_what_ended_a_run_is_told_until_it_goes_on(site: Site) -> None:
    key = site.anonymous_key()
    run = site.run(key, id="mine")
    end = {"state": "failed", "exit_code": 1, "error": "ValueError"}
    site.api.patch(run.path, json=end, headers=bearer(run.write)).raise_for_status()
    site.api.patch(run.path, json={"state": "failed"}, headers=bearer(run.write)).raise_for_status()
    assert site.get(run).json()["error"] == "ValueError"
    make(site, key, site.new_run().request(id="mine", resume="must"))
    assert (site.get(run).json()["state"], site.get(run).json()["error"]) == ("running", None)


def test_a_total_is_set_changed_and_taken_back(site: Site) -> None:
    key = site.anonymous_key()
    run = site.run(key, id="mine", total=100)
    totals = [site.get(run).json()["total"]]
    for change in ({"total": 2**53 - 1}, {"name": "n"}, {"total": 0}):
        site.api.patch(run.path, json=change, headers=bearer(run.write)).raise_for_status()
        totals.append(site.get(run).json()["total"])
    site.clock.forward(seconds=1)
    _, resumed = make(site, key, site.new_run().request(id="mine", resume="must", total=7))
    assert [*totals, resumed["total"]] == [100, 2**53 - 1, 2**53 - 1, None, 7]


@pytest.mark.parametrize("total", [-1, 2**53])
def test_a_total_that_cannot_be_is_refused(site: Site, total: int) -> None:
    run = site.run()
    answer = site.api.patch(run.path, json={"total": total}, headers=bearer(run.write))
    assert (answer.status_code, code(answer)) == (422, "request_invalid")
    status, _ = make(site, site.anonymous_key(), site.new_run().request(total=total))
    assert status == 422


def test_what_is_absent_from_a_change_stays(site: Site) -> None:
    run = site.run(name="n", config={"lr": 1}, tags=["a"], notes="text")
    for summary in ({"best": 0.5}, {"worst": "NaN"}):
        site.api.patch(run.path, json={"summary": summary}, headers=bearer(run.write))
    site.api.patch(run.path, json={"tags": []}, headers=bearer(run.write))
    info = site.get(run).json()
    assert (info["name"], info["config"], info["tags"], info["notes"]) == ("n", {"lr": 1}, [], "text")
    assert info["summary"] == {"best": 0.5, "worst": "NaN"}


def test_the_summary_is_each_metrics_last_value_under_what_the_user_set(site: Site) -> None:
    run = site.run()
    site.send(run, segment([1.0, math.inf], name="loss"))
    site.send(run, segment([math.nan], seq=2, name="acc"))
    site.api.patch(run.path, json={"summary": {"loss": 0.1}}, headers=bearer(run.write))
    assert site.get(run).json()["summary"] == {"loss": 0.1, "acc": "NaN"}
    loss, acc = site.get(run, "/metrics").json()
    assert (loss["last"], loss["min"], loss["max"], acc["last"], acc["min"]) == (
        "Infinity",
        1.0,
        "Infinity",
        "NaN",
        None,
    )


def test_series_come_back_bit_by_bit_and_chosen_by_name(site: Site) -> None:
    run = site.run()
    first, second = segment([1.0, math.nan], name="a"), segment([-0.0], seq=2, name="b")
    site.send(run, first + second)
    assert site.get(run, "/series").content == first + second
    (only,) = decode_all(site.get(run, "/series?metric=b").content)
    assert only.frames[0].names == ("b",)
    assert site.get(run, "/series?metric=none").content == b""


def test_a_gap_is_answered_with_where_to_go_on(site: Site) -> None:
    run = site.run()
    site.send(run, segment([1.0, 2.0]))
    answer = site.send(run, segment([9.0], seq=5))
    assert (code(answer), answer.json()["next"]) == ("segment_gap", 2)
    cursor = site.api.get(f"{run.path}/writers/1", headers=bearer(run.write)).json()
    assert (cursor["next"], cursor["status"]["anonymous"]) == (2, True)


def test_an_anonymous_run_holds_so_many_metrics_and_not_one_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_site(tmp_path_factory.mktemp("site"), metrics_per_run=2) as site:
        run = site.run()
        for i, name in enumerate("ab"):
            assert site.send(run, segment([1.0], seq=i, name=name)).status_code == 200
        assert code(site.send(run, segment([1.0], seq=2, name="c"))) == "quota_exceeded"
        assert site.send(run, segment([1.0], seq=2, name="a")).status_code == 200


def test_sampled_series_carry_text_for_what_is_no_number(site: Site) -> None:
    run = site.run()
    site.send(run, segment([math.nan, 1.0, math.inf, 3.0]))
    body = site.get(run, "/sampled?points=2").json()
    assert body["position"] == 1
    assert body["metrics"]["loss"] == {
        "total": 4, "step": [0, 2], "time": [0.0, 0.002], "count": [2, 2], "min": [1.0, 3.0], "max": [1.0, "Infinity"],
        "first": ["NaN", "Infinity"], "last": [1.0, 3.0], "x": [],
    }  # fmt: skip


def test_a_list_goes_on_where_the_page_before_ended(site: Site) -> None:
    key = site.anonymous_key()
    made = []
    for i in range(5):
        made.append(site.run(key, project="a" if i != 2 else "b").run_id)
        site.clock.forward(us=i // 3)  # some at the same instant
    seen, after = [], ""
    while True:
        page = site.api.get(f"/api/v1/runs?limit=2{after}", headers=bearer(key)).json()
        seen += [run["run_id"] for run in page["runs"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == sorted(made)
    assert len(seen) == 5
    only = site.api.get("/api/v1/runs?project=b", headers=bearer(key)).json()["runs"]
    assert [run["run_id"] for run in only] == [made[2]]


def test_an_export_holds_every_row(site: Site) -> None:
    run = site.run(config={"lr": 0.1})
    site.send(run, segment([0.1, math.nan], name="loss"))
    site.send(run, segment([math.inf], seq=2, name="acc"))
    table = list(csv.DictReader(io.StringIO(site.get(run, "/export?format=csv").text)))
    assert [(row["step"], row["loss"], row["acc"]) for row in table] == [
        ("0", "0.1", ""),
        ("1", "nan", ""),
        ("2", "", "inf"),
    ]
    assert table[1]["time"] == "1970-01-01T00:00:00.001000Z"
    answer = site.get(run, "/export?format=json")
    assert "attachment" in answer.headers["content-disposition"]
    whole = json.loads(answer.text)
    assert whole["run"]["config"] == {"lr": 0.1}
    assert [row["values"] for row in whole["history"]] == [{"loss": 0.1}, {"loss": "NaN"}, {"acc": "Infinity"}]


def test_an_export_of_an_empty_run_is_empty(site: Site) -> None:
    run = site.run()
    assert site.get(run, "/export?format=csv").text.strip() == "step,time"
    assert json.loads(site.get(run, "/export?format=json").text)["history"] == []


def test_times_beyond_every_calendar_are_exported_without_one(site: Site) -> None:
    run = site.run()
    assert site.send(run, encode([Frame.of(["x"], [0], [2**63 - 1], [[1.0]])], writer=1, seq=0)).status_code == 200
    assert site.get(run, "/export?format=csv").text.splitlines()[1] == "0,,1.0"
    assert site.get(run, "/sampled").status_code == 200


def test_a_server_without_anonymous_runs_makes_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_site(tmp_path_factory.mktemp("site"), allow_anonymous=False) as site:
        answer = site.api.post("/api/v1/accounts/anonymous", json={"key_hash": sha(mint(TokenKind.API_KEY))})
        assert code(answer) == "anonymous_disabled"
        assert site.api.get("/api/v1/server").json()["anonymous"] is False
