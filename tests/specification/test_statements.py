"""The specification's statements, one by one: each is quoted in the docstring of the test that shows it.

Where the specification says "W&B" or `wandb`, read anonrun; the example runs with `import anonrun as wandb`.
"""

from __future__ import annotations

import contextlib
import json
import re
import struct
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.jupyter import stop_embedded_server
from support.script import run_command, run_script
from support.server import Server, anonrun_server, later

_ROOT = Path(__file__).parent.parent.parent
_FOUR_LINES = (_ROOT / "examples" / "four_lines.py").read_text()
_TOKEN = re.compile(r"anr_[a-z]_[0-9A-Za-z]+")
_READ = """
import json, anonrun
runs = anonrun.Api().runs()
print(json.dumps([{"id": r.id, "state": r.state, "account": r.account, "summary": dict(r.summary),
                   "expires_at": str(r.expires_at), "values": r.series("acc").value.tolist()} for r in runs]))
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data folder of a person who never used anonrun; its embedded server is ended afterwards."""
    yield tmp_path
    stop_embedded_server(tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with anonrun_server(tmp_path / "lab") as running:
        yield running


def _runs_seen_by(home: Path, **more: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(run_script(_READ, home, **more).stdout.splitlines()[-1])
    return runs


def _private_link(printed: str) -> tuple[str, str, str]:
    """Return run id, view token and claim token of the private link that a script printed."""
    found = re.search(r"/r/([0-9a-f-]{36})#v=(anr_v_\w{36})&c=(anr_c_\w{36})", printed)
    assert found, f"no private link in:\n{printed}"
    return found.group(1), found.group(2), found.group(3)


@pytest.fixture
def browsers() -> Iterator[Callable[[str], httpx.Client]]:
    """Make clients that ask as a browser does, cookies included, of the server at an address."""
    with contextlib.ExitStack() as opened:
        yield lambda url: opened.enter_context(httpx.Client(base_url=url, headers={"Origin": url}))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_results_are_seen_without_an_account(home: Path) -> None:
    """Shows:

    > let someone run your code, see a W&B dashboard, and visualize results without needing to create a W&B account
    > first

    and the example at the end: `wandb.log({"acc": 0.91})`, then "Mark the run as finished".
    """
    done = run_script(_FOUR_LINES, home)
    run_id, view, _ = _private_link(done.stderr)
    base = re.search(r"(http://127\.0\.0\.1:\d+)/r/", done.stderr)
    assert base
    run = httpx.get(f"{base[1]}/api/v1/runs/{run_id}", headers=_bearer(view)).json()
    assert (run["state"], run["summary"]["acc"], run["anonymous"]) == ("finished", 0.91, True)
    page = httpx.get(f"{base[1]}/r/{run_id}")
    assert "text/html" in page.headers["content-type"]


def test_allow_makes_an_account_without_a_prompt_and_saves_its_key(home: Path) -> None:
    """Shows:

    > Allow results to be logged in Anonymous Mode with wandb.init(anonymous="allow")
    > W&B checks for an account that's already signed in. If there's no account, we automatically create a new
    > anonymous account and save that API key for the session.
    """
    run_script(_FOUR_LINES, home)  # standard input is empty and no terminal: a prompt would end it
    (account,) = {run["account"] for run in _runs_seen_by(home)}
    assert account.startswith("anon-")
    saved = home / "identity.json"
    assert "anr_u_" in saved.read_text()
    assert saved.stat().st_mode & 0o777 == 0o600


def test_a_script_may_be_run_again_and_again(home: Path) -> None:
    """Shows:

    > The user can run and re-run the script, and automatically see results show up in the W&B dashboard UI.
    """
    for _ in range(3):
        run_script(_FOUR_LINES, home)
    runs = _runs_seen_by(home)
    assert [run["values"] for run in runs] == [[0.91]] * 3
    assert len({run["account"] for run in runs}) == 1
    assert len({run["id"] for run in runs}) == 3


_LOGGED = struct.pack("<d", 0.91)
"""The value that the four lines log, as segments and chunks hold it."""


def test_a_run_is_available_for_seven_days_and_then_deleted(home: Path) -> None:
    """Shows:

    > These unclaimed anonymous runs will be available for 7 days.
    > If they don't claim a run, it will be deleted after 7 days.
    """
    lab = home / "lab"
    with anonrun_server(lab) as server:
        run_id, view, _ = _private_link(run_script(_FOUR_LINES, home, ANONRUN_SERVER=server.url).stderr)
        run = httpx.get(f"{server.url}/api/v1/runs/{run_id}", headers=_bearer(view)).json()
    with anonrun_server(lab, **later(timedelta(days=7, minutes=-2))) as server:
        assert httpx.get(f"{server.url}/api/v1/runs/{run_id}", headers=_bearer(view)).status_code == 200
        assert _LOGGED in b"".join(path.read_bytes() for path in (lab / "server").glob("anonrun.db*"))
    with anonrun_server(lab, **later(timedelta(days=7, seconds=2))) as server:
        gone = httpx.get(f"{server.url}/api/v1/runs/{run_id}", headers=_bearer(view))
        assert (gone.status_code, gone.json()["code"]) == (410, "run_expired")
        assert gone.json()["expired_at"] == run["expires_at"]
        assert httpx.get(f"{server.url}/api/v1/runs/{run_id}").status_code in {401, 404}
        assert httpx.get(f"{server.url}/r/{run_id}").status_code == 404
    swept = run_command("gc", "--data-dir", str(lab), "--json", data_dir=home, **later(timedelta(days=7, seconds=3)))
    assert run_id not in swept.stdout
    database = (lab / "server" / "anonrun.db").read_bytes()
    assert b"SQLite format 3" in database
    assert b"ANRS" not in database  # every segment of points begins with it
    assert _LOGGED not in database


def test_a_run_is_claimed_into_a_real_account_and_kept(home: Path, browsers: Callable[[str], httpx.Client]) -> None:
    """Shows:

    > they can easily click a button in the banner at the top of the page to save their run data to a real account
    > Users can claim anonymous run data by saving it to a real account.

    The button itself, in page and widget, is clicked in `tests/browser/test_path.py`.
    """
    lab = home / "lab"
    with anonrun_server(lab) as server:
        run_id, view, claim = _private_link(run_script(_FOUR_LINES, home, ANONRUN_SERVER=server.url).stderr)
        browser = browsers(server.url)
        signed_up = browser.post("/api/v1/session/sign-up", json={"username": "ada", "password": "a long passphrase"})
        assert signed_up.status_code == 200, signed_up.text
        assert browser.post("/api/v1/session/pending-claim", json={"token": claim}).status_code == 200
        assert browser.post("/api/v1/session/claim", json={}).status_code == 200
        run = browser.get(f"/api/v1/runs/{run_id}").json()
        assert (run["account"], run["anonymous"], run["expires_at"]) == ("ada", False, None)
        old_link = httpx.get(f"{server.url}/api/v1/runs/{run_id}", headers=_bearer(view))
        assert (old_link.status_code, old_link.json()["code"]) == (410, "run_claimed")
    with anonrun_server(lab, **later(timedelta(days=8))) as server:
        browser = browsers(server.url)
        browser.post("/api/v1/session/sign-in", json={"username": "ada", "password": "a long passphrase"})
        assert browser.get(f"/api/v1/runs/{run_id}").json()["summary"]["acc"] == 0.91


def test_the_private_link_comes_with_its_warning(home: Path) -> None:
    """Shows:

    > Anonymous run links are sensitive. These links allow anyone to view and claim the results of an experiment for
    > 7 days, so make sure to only share links with people you trust.
    """
    printed = run_script(_FOUR_LINES, home).stderr
    _private_link(printed)
    assert re.search(r"(?is)anyone.*view and claim.*7 days", printed), printed
    assert re.search(r"(?i)trust", printed), printed


def test_results_can_be_shared_without_the_right_to_claim(home: Path) -> None:
    """Shows:

    > If you're trying to share results publicly, but hide the author's identity, please contact us

    Nobody needs to be contacted: a share link views, and can neither write nor claim.
    """
    script = (
        "import anonrun\nrun = anonrun.init()\nrun.log({'acc': 0.91})\nlink = run.share()\nrun.finish()\nprint(link)"
    )
    link = run_script(script, home).stdout.split()[-1]
    found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/r/([0-9a-f-]{36})#s=(anr_s_\w{36})", link)
    assert found, link
    base, run_id, token = found.groups()
    assert httpx.get(f"{base}/api/v1/runs/{run_id}", headers=_bearer(token)).json()["summary"]["acc"] == 0.91
    assert httpx.delete(f"{base}/api/v1/runs/{run_id}", headers=_bearer(token)).status_code == 403
    claim = httpx.post(f"{base}/api/v1/session/pending-claim", json={"token": token}, headers={"Origin": base})
    assert 400 <= claim.status_code < 500


def test_who_has_an_account_gets_a_normal_run(home: Path, server: Server) -> None:
    """Shows:

    > we will check to make sure there's not an existing account first, before creating an anonymous account. This means
    > that if a W&B user finds your script and runs it, their results will be logged correctly to their account, just
    > like a normal run.
    """
    made = run_command(
        "admin", "user", "add", "grace", "--data-dir", str(server.data_dir), data_dir=home, stdin="a long passphrase\n"
    )
    key = re.search(r"anr_u_\w{36}", made.stdout)
    assert key
    done = run_script(_FOUR_LINES, home, ANONRUN_SERVER=server.url, ANONRUN_API_KEY=key[0])
    assert not _TOKEN.search(done.stdout + done.stderr)
    (run,) = _runs_seen_by(home, ANONRUN_SERVER=server.url, ANONRUN_API_KEY=key[0])
    assert (run["account"], run["expires_at"]) == ("grace", "None")


def test_an_artifact_is_refused_with_a_warning(home: Path, server: Server) -> None:
    """Shows:

    > No artifact logging: Runs will print a warning on the command line that you can't log an artifact to an anonymous
    > run.
    """
    (home / "model.bin").write_bytes(b"weights")
    script = """if True:
        import anonrun
        run = anonrun.init()
        print(run.log_artifact("model.bin"))
        run.log({"acc": 0.91})
        run.finish()
    """
    done = run_script(script, home, ANONRUN_SERVER=server.url)
    assert done.stdout.split() == ["None"]
    assert re.search(r"(?i)artifact.*anonymous run", done.stderr), done.stderr
    assert (home / "model.bin").read_bytes() == b"weights"
    assert _runs_seen_by(home, ANONRUN_SERVER=server.url)[0]["values"] == [0.91]


def test_an_anonymous_account_has_no_profile_or_settings_page(
    home: Path, server: Server, browsers: Callable[[str], httpx.Client]
) -> None:
    """Shows:

    > No profile or settings pages: Certain pages aren't available in the UI, because they're only useful for real
    > accounts.
    """
    _, view, _ = _private_link(run_script(_FOUR_LINES, home, ANONRUN_SERVER=server.url).stderr)
    browser = browsers(server.url)
    assert browser.post("/api/v1/session/exchange", json={"token": view}).status_code == 200
    assert browser.get("/settings").status_code == 403
    assert browser.get("/api/v1/account/keys").status_code in {401, 403}
    browser.post("/api/v1/session/sign-up", json={"username": "ada", "password": "a long passphrase"})
    assert browser.get("/settings").status_code == 200


def test_there_is_an_example_notebook_and_a_way_to_cite() -> None:
    """Shows:

    > Try the example notebook to see how anonymous mode works.
    > Publishing a paper? Please cite W&B

    That the notebook runs is shown by `tests/notebook`.
    """
    cells = json.loads((_ROOT / "notebooks" / "quickstart.ipynb").read_text())["cells"]
    assert any("%anonrun" in "".join(cell["source"]) for cell in cells)
    citation = (_ROOT / "CITATION.cff").read_text()
    assert {"cff-version", "title", "authors"} <= {line.partition(":")[0] for line in citation.splitlines()}
