"""Links with a label and an end, and publication, by the library and the command line."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

import anonrun
from anonrun.client.links import LinkWish
from support.script import run_command, run_script
from support.server import Server, user_key


def links_of(server: Server, run_id: str, key: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{server.url}/api/v1/runs/{run_id}/links", headers={"Authorization": f"Bearer {key}"})
    found: list[dict[str, Any]] = answer.json()
    return found


def test_a_link_has_the_label_and_the_end_that_were_asked_for(shared_server: Server, tmp_path: Path) -> None:
    key = user_key(shared_server, "linker")
    script = """if True:
        import anonrun, datetime
        with anonrun.init(id="shared") as run:
            run.log({"x": 1})
            print(run.id, run.share(blind=True, label="reviewers", expires_in=datetime.timedelta(days=7)))
            try: run.share(expires_in=0)
            except anonrun.UsageError as exc: print(exc)
    """
    said = run_script(script, tmp_path, ANONRUN_SERVER=shared_server.url, ANONRUN_API_KEY=key).stdout
    assert "expires_in=0 cannot be used" in said
    with contextlib.closing(anonrun.Api(shared_server.url, key)) as api:
        run = api.run("shared")
        assert f"{run.run_id}#s=anr_s_" in said
        run.share(label="Ada", expires_in=60)
    reviewers, ada = links_of(shared_server, run.run_id, key)
    assert (reviewers["label"], reviewers["blind"], ada["label"], ada["blind"]) == ("reviewers", True, "Ada", False)
    ends = [datetime.fromisoformat(link["expires_at"].replace("Z", "+00:00")) for link in (reviewers, ada)]
    now = datetime.now(timezone.utc)
    assert now + timedelta(days=6.9) < ends[0] < now + timedelta(days=7)
    assert ends[1] < now + timedelta(seconds=60)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), timedelta(0)])
def test_a_link_that_would_not_work_is_refused_at_once(wrong: float | timedelta) -> None:
    with pytest.raises(anonrun.UsageError, match="more than 0"):
        LinkWish(expires_in=wrong)


def test_a_run_of_an_account_is_published_and_taken_back_and_an_anonymous_one_is_not(
    shared_server: Server, tmp_path: Path
) -> None:
    key, url = user_key(shared_server, "publisher"), shared_server.url
    environment = {"ANONRUN_SERVER": url, "ANONRUN_API_KEY": key}
    run_script("import anonrun\nwith anonrun.init(id='pub') as r: r.log({'x': 1})", tmp_path, **environment)

    def command(*words: str) -> str:
        return run_command(*words, data_dir=tmp_path, **environment).stdout

    told = json.loads(command("publish", "pub", "--embed", "--json"))
    address = f"{url}/api/v1/runs/{told['run_id']}"
    assert told == {"run_id": told["run_id"], "published": True, "embed": True, "url": f"{url}/r/{told['run_id']}"}
    assert httpx.get(address).json()["embed"] is True
    assert "no longer published" in command("publish", "pub", "--undo")
    assert httpx.get(address).status_code == 404
    assert told["url"] in command("publish", "pub")
    with contextlib.closing(anonrun.Api(url, key)) as api:
        run = api.run("pub")
        run.unpublish()
        run.share(blind=True)
        with pytest.raises(anonrun.ServerError, match="1 blind link leads") as refused:
            run.publish()
    assert refused.value.code == "blind_links_stand"
    run_script("import anonrun\nwith anonrun.init(id='anon') as r: r.log({'x': 1})", tmp_path, ANONRUN_SERVER=url)
    no = run_command("publish", "anon", data_dir=tmp_path, check=False, ANONRUN_SERVER=url)
    assert no.returncode != 0
    assert "Claim it first" in no.stderr


@pytest.mark.parametrize(("span", "seconds"), [("90m", 5_400.0), ("12h", 43_200.0), ("7d", 604_800.0)])
def test_the_command_line_takes_spans_as_people_write_them(
    shared_server: Server, tmp_path: Path, span: str, seconds: float
) -> None:
    environment = {"ANONRUN_SERVER": shared_server.url}
    run_script("import anonrun\nwith anonrun.init(id='s') as r: r.log({'x': 1})", tmp_path, **environment)
    words = ("share", "s", "--expires-in", span, "--label", "x", "--json")
    told = json.loads(run_command(*words, data_dir=tmp_path, **environment).stdout)
    assert (told["expires_in_s"], told["label"]) == (seconds, "x")
    wrong = run_command("share", "s", "--expires-in", "soon", data_dir=tmp_path, check=False, **environment)
    assert wrong.returncode == 2
    assert "90m, 12h or 7d" in wrong.stderr
