from __future__ import annotations

import csv
import io
import json
import math

import pytest

from anonrun.core.limits import Limits
from anonrun.core.times import format_time, from_us
from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import Frame, decode_all, encode
from support.site import Site, bearer, code, running_site, segment, sha


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
    with running_site(tmp_path_factory.mktemp("site"), limits=Limits(metrics=2)) as site:
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


def test_a_link_is_listed_and_revoked_by_itself(site: Site) -> None:
    run, tokens = site.run(), [mint(TokenKind.SHARE) for _ in range(2)]
    for i, token in enumerate([*tokens, tokens[0]]):
        body = {"token_hash": sha(token), "label": f"link {i}"}
        site.clock.forward(us=1)
        assert site.api.post(f"{run.path}/links", json=body, headers=bearer(run.write)).status_code == 201
    links = site.api.get(f"{run.path}/links", headers=bearer(run.write)).json()
    assert [link["label"] for link in links] == ["link 0", "link 1"]
    assert all(link["expires_at"] == site.get(run).json()["expires_at"] for link in links)
    site.api.delete(f"{run.path}/links/{links[0]['link_id']}", headers=bearer(run.write))
    assert [code(site.get(run, token=token)) for token in tokens] == ["token_invalid", None]
    gone = site.api.delete(f"{run.path}/links/{links[0]['link_id']}", headers=bearer(run.write))
    assert code(gone) == "not_found"


def test_a_blind_link_does_not_say_who_made_the_run(site: Site) -> None:
    who = "grace-hopper"
    run = site.run(name=who, project=who, id=who, notes=who, tags=[who], group=who, job_type=who)
    site.send(run, segment([1.0]))
    blind = mint(TokenKind.SHARE)
    body = {"token_hash": sha(blind), "blind": True}
    site.api.post(f"{run.path}/links", json=body, headers=bearer(run.write))
    account = site.get(run).json()["account"]
    for what in ("", "/metrics", "/export?format=json", "/export?format=csv"):
        answer = site.get(run, what, token=blind)
        assert answer.status_code == 200
        assert who not in answer.text + str(answer.headers)
        assert account not in answer.text
    browser = site.browser()
    browser.post("/api/v1/session/exchange", json={"token": blind})
    assert who not in browser.get(run.path).text + browser.get("/api/v1/runs").text
    assert who in site.get(run).text


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


def test_an_address_may_make_so_many_runs_an_hour_and_not_one_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_site(tmp_path_factory.mktemp("site"), runs_per_hour=3) as site:
        key = site.anonymous_key()
        runs = [site.run(key) for _ in range(3)]
        refused = site.api.post("/api/v1/runs", json=site.new_run().request(), headers=bearer(key))
        assert code(refused) == "too_many_requests"
        assert 0 < int(refused.headers["retry-after"]) <= 1200
        assert make(site, key, runs[0].request())[0] == 200, "a repeat is not another run"
