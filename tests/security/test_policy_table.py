"""Every route × every kind of actor. What is not in the table is refused; a route without a row fails the test."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anonrun.core.times import format_time, from_us
from anonrun.core.tokens import TokenKind, mint
from anonrun.server.app import OPERATIONS
from anonrun.server.providers import providers_in
from anonrun.store import runs
from support.artifacts import request_of
from support.media import media_item, send_media
from support.provider import Provider, provider
from support.site import PASSWORD, VOUCH, MadeRun, Site, bearer, code, running_site, segment, sha

ACTORS = (
    "nobody", "owner_key", "foreign_key", "user_key", "ingest_key", "read_key",
    "write", "view", "claim", "share", "foreign_write", "unknown",
    "owner_browser", "view_browser", "claim_browser", "empty_browser", "vouched", "local_browser",
    "user_browser",  # last: what it does to its own account matters to the others
)  # fmt: skip

_READ = frozenset({"owner_key", "view", "share", "owner_browser", "view_browser", "vouched", "local_browser"})
_DELETE = frozenset({"owner_key", "write", "claim", "owner_browser", "claim_browser", "vouched", "local_browser"})
_INGEST = frozenset({"owner_key", "write", "owner_browser"})
_SHARE = frozenset({"owner_key", "write", "owner_browser", "vouched", "local_browser"})
_BROWSERS = frozenset({"owner_browser", "user_browser", "view_browser", "claim_browser", "empty_browser", "vouched",
                       "local_browser"})  # fmt: skip
_LISTERS = frozenset({"owner_key", "foreign_key", "user_key", "read_key", "owner_browser", "user_browser"})
_ACCOUNTS = _LISTERS | {"ingest_key"}
_CLAIM = frozenset({"owner_browser", "claim_browser", "vouched", "local_browser"})

ALLOWED: dict[str, frozenset[str]] = {
    "get_server": frozenset(ACTORS), "healthz": frozenset(ACTORS), "readyz": frozenset(ACTORS),
    "metrics": frozenset(ACTORS), "robots": frozenset(ACTORS), "openapi": frozenset(ACTORS),
    "get_session": frozenset(ACTORS), "make_anonymous_account": frozenset(ACTORS),
    "get_account": _ACCOUNTS, "change_password": frozenset({"user_browser"}), "list_keys": frozenset({"user_browser"}),
    "make_key": frozenset({"user_browser"}), "revoke_key": frozenset({"user_browser"}),
    "make_handover": frozenset({"owner_key", "foreign_key", "user_key", "vouched", "local_browser"}),
    "exchange_token": _BROWSERS, "sign_up": _BROWSERS, "sign_in": _BROWSERS, "sign_out": _BROWSERS,
    "begin_claim": _CLAIM, "drop_claim": _BROWSERS, "confirm_claim": frozenset({"user_browser"}),
    "claim_by_token": frozenset({"user_key", "user_browser"}),
    "make_run": frozenset({"owner_key", "foreign_key", "user_key", "ingest_key"}),
    "list_runs": _LISTERS | _BROWSERS, "follow_runs": _LISTERS | _BROWSERS, "list_projects": _LISTERS | _BROWSERS,
    "get_run": _READ, "list_metrics": _READ, "get_series": _READ, "get_sampled": _READ, "follow_run": _READ,
    "list_media": _READ, "get_media": _READ, "send_media": _INGEST,
    "export_run": _READ, "update_run": _INGEST, "heartbeat": _INGEST, "send_segments": _INGEST, "get_writer": _INGEST,
    "delete_run": _DELETE, "depart_run": frozenset({"owner_key", "owner_browser"}),
    "list_links": _SHARE, "make_link": _SHARE, "update_link": _SHARE,
    "revoke_link": _SHARE, "publish_run": frozenset(), "unpublish_run": frozenset(), "log_artifact": frozenset(),
    "get_upload": frozenset(), "upload_file": frozenset(), "commit_artifact": frozenset(), "use_artifact": frozenset(),
    "list_run_artifacts": _READ, "list_artifacts": _LISTERS | {"vouched", "local_browser"},
    "get_artifact": frozenset(), "download_file": frozenset(), "delete_artifact": frozenset(),
    "get_badge": frozenset(), "report_leak": frozenset(ACTORS),
    "begin_device_login": frozenset(ACTORS), "finish_device_login": frozenset(ACTORS),
    "check_device_login": frozenset({"user_browser"}), "decide_device_login": frozenset({"user_browser"}),
    "confirm_password": frozenset({"user_browser"}), "list_sessions": frozenset({"user_browser"}),
    "count_recovery_codes": frozenset({"user_browser"}), "make_recovery_codes": frozenset({"user_browser"}),
    "list_invitations": frozenset(), "make_invitation": frozenset(), "revoke_invitation": frozenset(),
    "visit_provider": _BROWSERS, "return_from_provider": _BROWSERS, "get_newcomer": _BROWSERS,
    "sign_up_by_provider": _BROWSERS, "list_identities": frozenset({"user_browser"}),
    "unlink_identity": frozenset({"user_browser"}),
    "recover_account": _BROWSERS, "export_account": frozenset({"user_key", "user_browser"}),
    "delete_account": frozenset({"user_browser"}),
    "end_session": frozenset({"user_browser"}), "end_other_sessions": frozenset({"user_browser"}),
}  # fmt: skip
"""Who is let in. Nobody publishes an anonymous run, or adds an artifact to it, and so it has no badge and no file; what
is an operator's is for none of these. Artifacts of a user's run: `tests/server/test_artifacts.py`."""


MEDIA_ID = "0a" * 16
NO_ARTIFACT = {"artifact_id": "01890000-0000-7000-8000-00000000000a", "digest": "0" * 64, "number": "0"}
IN_PATHS = NO_ARTIFACT | {"media_id": MEDIA_ID}


class People:
    """One anonymous run, a stranger's run, and everyone who might ask for them."""

    def __init__(self, site: Site, lab: Provider) -> None:
        self.site, self.lab = site, lab
        self.owner, self.foreign = site.anonymous_key(), site.anonymous_key()
        self.user = site.user("ada")
        key = self.user.post("/api/v1/account/keys", json={}).json()
        self.key_id: str = key["key_id"]
        self.user_key: str = site.user_key(self.user)
        self.scoped = {scope: site.user_key(self.user, scope=scope) for scope in ("full", "ingest", "read")}
        self.begin_again()

    def begin_again(self) -> None:
        """Make the runs anew, so that what one actor did is nothing to the next."""
        site = self.site
        self.run, self.other = site.run(self.owner), site.run(self.foreign)
        site.send(self.run, segment([1.0]))
        send_media(site, self.run, media_item(media_id=MEDIA_ID))
        self.share = mint(TokenKind.SHARE)
        made = site.api.post(
            f"{self.run.path}/links", json={"token_hash": sha(self.share)}, headers=bearer(self.run.write)
        )
        self.link_id: str = made.json()["link_id"]
        self.tokens = {
            "owner_key": self.owner, "foreign_key": self.foreign, "user_key": self.user_key, "write": self.run.write,
            "ingest_key": self.scoped["ingest"], "read_key": self.scoped["read"],
            "view": self.run.view, "claim": self.run.claim, "share": self.share, "foreign_write": self.other.write,
            "unknown": mint(TokenKind.WRITE),
        }  # fmt: skip

    def client(self, actor: str) -> httpx.Client:
        if actor in self.tokens:
            client = httpx.Client(transport=self.site.transport, base_url=self.site.api.base_url)
            client.headers.update(bearer(self.tokens[actor]))
            return client
        if actor == "user_browser":
            if self.user.get("/api/v1/account").status_code != 200:  # it was deleted by what was asked before
                self.user = self.site.user("ada")
            return self.user
        if actor == "vouched":
            return self.site.browser(**{"X-Anonrun-Vouch": VOUCH})
        if actor == "nobody":
            return httpx.Client(transport=self.site.transport, base_url=self.site.api.base_url)
        browser = self.site.browser()
        token = {"view_browser": self.run.view, "claim_browser": self.run.claim}.get(actor)
        if actor == "owner_browser":
            token = self.handover(bearer(self.tokens["owner_key"]))
        elif actor == "local_browser":
            token = self.handover({"X-Anonrun-Vouch": VOUCH, "Sec-Fetch-Site": "same-origin"})
        elif actor == "empty_browser":
            token = self.other.view  # a session that was let in to something, but not to this run
        assert token
        assert browser.post("/api/v1/session/exchange", json={"token": token}).status_code == 200
        return browser

    def handover(self, headers: dict[str, str]) -> str:
        token = mint(TokenKind.DEVICE)
        made = self.site.api.post("/api/v1/handovers", json={"token_hash": sha(token)}, headers=headers)
        assert made.status_code == 201, made.text
        return token

    def departure(self) -> dict[str, object]:
        """Return what the run's owner says when it has moved to another server."""
        run = self.site.db.read_now(lambda tx: runs.find(tx, uuid.UUID(self.run.run_id)))
        assert run is not None
        heard = format_time(from_us(run.heartbeat_at))
        return {"to": "https://runs.example.org", "heartbeat_at": heard, "points": run.points, "media": run.media}

    def recovery_code(self) -> str:
        """Return a recovery code of someone else's."""
        grace = self.site.browser()
        credentials = {"username": "grace", "password": PASSWORD}
        if grace.post("/api/v1/session/sign-up", json=credentials).status_code != 200:
            grace.post("/api/v1/session/sign-in", json=credentials)
        return str(grace.post("/api/v1/account/recovery-codes", json={}).json()["codes"][0])

    def other_session(self) -> str:
        """Return the id of a session of the user's in another browser."""
        self.site.browser().post("/api/v1/session/sign-in", json={"username": "ada", "password": PASSWORD})
        listed = self.user.get("/api/v1/account/sessions").json()
        return next(str(entry["session_id"]) for entry in listed if not entry["current"])

    def device_login(self) -> dict[str, str]:
        """Return the codes of a program that waits to be let in."""
        self.site.clock.forward(seconds=3600)  # an address may do so twenty times an hour
        codes: dict[str, str] = self.site.api.post("/api/v1/device", json={"client": "test"}).json()
        return codes

    def shown_login(self) -> dict[str, str]:
        """Return the codes of a login of which the user was shown who asks."""
        codes = self.device_login()
        self.user.post("/api/v1/session/confirm", json={"password": PASSWORD})
        assert self.user.post("/api/v1/device/check", json={"user_code": codes["user_code"]}).status_code == 200
        return codes

    def approved_login(self) -> dict[str, str]:
        codes = self.shown_login()
        answer = self.user.post("/api/v1/device/decide", json={"user_code": codes["user_code"], "approve": True})
        assert answer.status_code == 204, answer.text
        return codes

    def visit(self, browser: httpx.Client, purpose: str = "sign-in") -> dict[str, str]:
        """Return what a browser comes back with from a provider, to which it is somebody new."""
        begun = browser.post("/api/v1/session/provider", json={"provider": "lab", "purpose": purpose})
        assert begun.status_code == 200, begun.text
        return {"provider": "lab"} | self.lab.answer(begun.json()["url"], secrets.token_hex(8))

    def identity(self) -> str:
        """Return the id of an identity of the user's."""
        self.user.post("/api/v1/session/confirm", json={"password": PASSWORD})
        ended = self.user.post("/api/v1/session/provider/return", json=self.visit(self.user, "link"))
        assert ended.status_code == 200, ended.text
        return str(self.user.get("/api/v1/account/identities").json()["identities"][0]["identity_id"])

    def ask(self, actor: str, name: str) -> httpx.Response:
        operation = next(operation for operation in OPERATIONS if operation.name == name)
        path = operation.path.format(run_id=self.run.run_id, writer="1", link_id=self.link_id, key_id=self.key_id,
                                     invitation_id="x", **IN_PATHS,
                                     identity_id=self.identity() if name == "unlink_identity" else "",
                                     session_id=self.other_session() if name == "end_session" else "")  # fmt: skip
        client = self.client(actor)
        if name == "confirm_claim" and actor == "user_browser":
            client.post("/api/v1/session/pending-claim", json={"token": self.run.claim})
        if name in {"follow_run", "follow_runs"}:
            return self.first_of_stream(client, path)
        if name == "send_segments":
            headers = {"Content-Type": "application/json" if actor.endswith("browser") or actor == "vouched" else ""}
            return client.request("POST", path, content=segment([1.0]), headers=headers)
        query = "?format=json" if name == "export_run" else ""
        body = BODIES.get(name, lambda _: {})(self) if operation.method != "GET" else None
        if name in _BACK and actor in _BROWSERS:
            brought = self.visit(client)
            if name == "return_from_provider":
                body = brought
            else:
                client.post("/api/v1/session/provider/return", json=brought)
        return client.request(operation.method, path + query, json=body)

    def first_of_stream(self, client: httpx.Client, path: str) -> httpx.Response:
        """Have the stream end by itself as soon as it has begun, which is all that is asked here."""
        self.site.core.hub.close()
        return client.get(path)


_BACK = ("return_from_provider", "get_newcomer", "sign_up_by_provider")

BODIES: dict[str, Callable[[People], object]] = {
    "make_anonymous_account": lambda _: {"key_hash": sha(mint(TokenKind.API_KEY))},
    "change_password": lambda _: {"current": PASSWORD, "new": "another passphrase"},
    "make_handover": lambda _: {"token_hash": sha(mint(TokenKind.DEVICE))},
    "exchange_token": lambda people: {"token": people.other.view},
    "sign_up": lambda _: {"username": f"new-{mint(TokenKind.VIEW)[6:20]}", "password": PASSWORD},
    "sign_in": lambda _: {"username": "ada", "password": PASSWORD},
    "begin_claim": lambda people: {"run_id": people.run.run_id},
    "claim_by_token": lambda people: {"token": people.run.claim},
    "make_run": lambda people: people.site.new_run().request(),
    "begin_device_login": lambda _: {"client": "test"},
    "finish_device_login": lambda people: {"device_code": people.approved_login()["device_code"]},
    "check_device_login": lambda people: {"user_code": people.device_login()["user_code"]},
    "decide_device_login": lambda people: {"user_code": people.shown_login()["user_code"], "approve": True},
    "recover_account": lambda people: {"username": "grace", "code": people.recovery_code(), "new": PASSWORD},
    "confirm_password": lambda _: {"password": PASSWORD},
    "visit_provider": lambda _: {"provider": "lab"},
    "return_from_provider": lambda _: {"provider": "lab", "state": "x", "code": "x"},
    "sign_up_by_provider": lambda _: {"username": f"new-{mint(TokenKind.VIEW)[6:20]}"},
    "make_link": lambda _: {"token_hash": sha(mint(TokenKind.SHARE))},
    "depart_run": lambda people: people.departure(),
    "report_leak": lambda _: {"token": mint(TokenKind.VIEW)},
    "send_media": lambda _: {"items": [media_item()]},
    "log_artifact": lambda _: request_of({"weights": b"1"}),
    "use_artifact": lambda _: {"artifact_id": NO_ARTIFACT["artifact_id"]},
}

_WITH_A_RUN = tuple(operation for operation in OPERATIONS if "{run_id}" in operation.path)


@pytest.fixture(scope="module")
def lab() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def people(tmp_path: Path, lab: Provider) -> Iterator[People]:
    """Everyone around somebody's embedded server, with Jupyter's proxy before it."""
    known = providers_in(lab.settings()["ANONRUN_PROVIDERS"], where="the test")
    with running_site(tmp_path / "own", embedded=True, providers=known) as site:
        yield People(site, lab)


def test_the_table_has_a_row_for_every_operation() -> None:
    assert ALLOWED.keys() == {operation.name for operation in OPERATIONS}


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_who_is_let_in(people: People, name: str) -> None:
    for actor in ACTORS:
        people.begin_again()
        answer = people.ask(actor, name)
        if actor in ALLOWED[name]:
            assert answer.is_success, (actor, answer.text)
        else:
            assert answer.status_code in {401, 403, 404, 415}, (actor, answer.text)
            assert code(answer), (actor, answer.text)


@pytest.mark.parametrize("name", ["list_invitations", "make_invitation", "revoke_invitation"])
def test_what_is_for_operators_is_for_a_browser_of_theirs_and_not_for_their_key(site: Site, name: str) -> None:
    olga, member = site.user("olga"), site.user("ada")
    key = site.user_key(olga)
    made = olga.post("/api/v1/invitations", json={}).json()["invitation_id"]
    operation = next(operation for operation in OPERATIONS if operation.name == name)
    path = operation.path.format(invitation_id=made)
    body = None if operation.method == "GET" else {}
    for refused in (site.api.request(operation.method, path, json=body, headers=bearer(key)),
                    member.request(operation.method, path, json=body)):  # fmt: skip
        assert code(refused) == "operator_required"
    assert code(site.browser().request(operation.method, path, json=body)) == "sign_in_needed"
    assert olga.request(operation.method, path, json=body).is_success


_BY_SCOPE: dict[str, frozenset[str]] = {
    "ingest": frozenset({"update_run", "heartbeat", "send_segments", "send_media", "get_writer"}),
    "read": frozenset(
        {"get_run", "list_metrics", "get_series", "get_sampled", "follow_run", "export_run", "list_run_artifacts"}
        | {"list_media", "get_media"}
    ),
}
_NOBODYS = frozenset({"get_upload", "upload_file", "commit_artifact", "use_artifact", "get_badge"})
"""What is refused whoever asks: it is asked for no artifact that there is, and what is not published has no badge."""
_OF_A_RUN = sorted(operation.name for operation in OPERATIONS if "{run_id}" in operation.path)


@pytest.mark.parametrize("name", _OF_A_RUN)
def test_what_a_key_may_do_with_a_run_of_its_account(people: People, name: str) -> None:
    for scope in ("ingest", "read", "full"):
        people.begin_again()
        assert people.site.claim(people.run, people.user).status_code == 200
        made = people.user.post(f"{people.run.path}/links", json={"token_hash": sha(mint(TokenKind.SHARE))})
        people.link_id = made.json()["link_id"]
        people.tokens["user_key"] = people.scoped[scope]
        answer = people.ask("user_key", name)
        if scope == "full":
            assert answer.is_success or name in _NOBODYS, answer.text
        elif name in _BY_SCOPE[scope]:
            assert answer.is_success, (scope, answer.text)
        elif name == "get_badge":
            assert answer.status_code == 404, (scope, answer.text)
        else:
            assert (answer.status_code, code(answer)) == (403, "key_scope"), (scope, answer.text)


@pytest.mark.parametrize("actor", ["nobody", "foreign_key", "foreign_write", "user_browser", "empty_browser"])
def test_a_run_of_others_looks_like_one_that_never_was(people: People, actor: str) -> None:
    client, unknown = people.client(actor), MadeRun("01890000-0000-7000-8000-000000000000")
    for operation in OPERATIONS:
        if "{run_id}" not in operation.path:
            continue
        values = {"writer": "1", "link_id": "x", "key_id": "x", "session_id": "x", **IN_PATHS}
        answers = []
        for run in (people.run, unknown):
            path = operation.path.format(run_id=run.run_id, **values)
            answer = client.request(operation.method, path, json=None if operation.method == "GET" else {})
            headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
            answers.append((answer.status_code, answer.content, headers))
        assert answers[0] == answers[1], operation.name
        assert answers[0][0] == 404


def test_after_a_claim_the_old_key_and_the_old_write_token_have_lost_the_run(people: People) -> None:
    assert people.site.claim(people.run, people.user).status_code == 200
    api, run = people.site.api, people.run
    for what in ("", "/metrics", "/links"):
        assert api.get(f"{run.path}{what}", headers=bearer(people.tokens["owner_key"])).status_code == 404
    for what in ("", "/links"):
        assert code(api.get(f"{run.path}{what}", headers=bearer(run.write))) == "forbidden"
    assert code(api.delete(run.path, headers=bearer(run.write))) == "forbidden"
    assert code(api.patch(run.path, json={"name": "mine"}, headers=bearer(run.write))) == "forbidden"
    assert people.site.send(run, segment([2.0], seq=1)).status_code == 200
    for token in (run.view, run.claim, people.share):
        assert code(api.get(run.path, headers=bearer(token))) == "run_claimed"


def _of_a_user(people: People) -> tuple[MadeRun, dict[str, dict[str, str]]]:
    """Return a kept run of a user's, and the tokens that there are of it, as headers."""
    run = people.site.run(people.user_key)
    send_media(people.site, run, media_item(media_id=MEDIA_ID))
    share = mint(TokenKind.SHARE)
    made = people.site.api.post(
        f"{run.path}/links", json={"token_hash": sha(share)}, headers=bearer(people.user_key)
    ).json()
    people.link_id = made["link_id"]
    tokens = {"owner": people.user_key, "write": run.write, "view": run.view, "share": share, "stranger": people.owner}
    return run, {name: bearer(token) for name, token in tokens.items()} | {"nobody": {}}


def _let_in(people: People, run: MadeRun, headers: dict[str, str], name: str) -> bool:
    operation = next(operation for operation in _WITH_A_RUN if operation.name == name)
    path = operation.path.format(run_id=run.run_id, writer="1", link_id=people.link_id, key_id="x", **IN_PATHS)
    if name == "follow_run":
        people.site.core.hub.close()
    query = "?format=json" if name == "export_run" else ""
    body: dict[str, object] = (
        {"json": None}
        if operation.method == "GET"
        else {"content": segment([1.0])}
        if name == "send_segments"
        else {"json": BODIES.get(name, lambda _: {})(people)}
    )
    answer = people.site.api.request(operation.method, path + query, headers=headers, **body)  # type: ignore[arg-type]  # httpx's keywords
    assert answer.is_success or answer.status_code in {401, 403, 404, 501}, (name, answer.text)
    return answer.is_success


_READERS = ("get_run", "list_metrics", "get_series", "get_sampled", "follow_run", "export_run", "list_media",
            "get_media")  # fmt: skip
_FILES = ("list_run_artifacts",)
"""What a link lets its holder read, and publishing nobody."""


@pytest.mark.parametrize("public", [False, True])
def test_publishing_lets_everybody_read_and_do_nothing_else(people: People, *, public: bool) -> None:
    for operation in _WITH_A_RUN:
        run, actors = _of_a_user(people)
        if public:
            done = people.site.api.put(f"{run.path}/publication", json={}, headers=actors["owner"])
            assert done.status_code == 200, done.text
        for actor in ("nobody", "stranger", "share", "view", "write"):
            allowed = {
                "nobody": (), "stranger": (), "share": (*_READERS, *_FILES), "view": (*_READERS, *_FILES),
                "write": ("update_run", "heartbeat", "send_segments", "send_media", "get_writer", "delete_run",
                          "list_links", "make_link", "update_link", "revoke_link", "log_artifact"),
            }[actor]  # fmt: skip
            expected = operation.name in allowed or (public and operation.name in (*_READERS, "get_badge"))
            assert _let_in(people, run, actors[actor], operation.name) == expected, (actor, operation.name)
            if actor == "write" and operation.name == "delete_run":
                break


def _as_stored(people: People) -> list[Any]:
    """Return the rows of the two runs that are there now, without what a compaction changes by itself.

    Older runs expire as the clock goes on.
    """
    mine = {uuid.UUID(run.run_id).bytes for run in (people.run, people.other)}
    rows = people.site.db.read_now(lambda tx: tx.conn.exec_driver_sql("SELECT * FROM run ORDER BY run_id").all())
    own = {"stored_bytes", "compacted", "compacted_points"}
    found = [
        {name: value for name, value in row._mapping.items() if name not in own}
        for row in rows
        if bytes(row.run_id) in mine
    ]
    assert len(found) == 2
    return found


@pytest.mark.parametrize("kind", ["view", "share"])
def test_a_view_link_can_only_view(people: People, kind: str) -> None:
    """R1: every operation that there is, with a token that was made to view."""
    reading = {
        "get_server",
        "healthz",
        "readyz",
        "metrics",
        "robots",
        "openapi",
        "get_session",
        "make_anonymous_account",
        "report_leak",
        "begin_device_login",
        "finish_device_login",
    }
    for operation in OPERATIONS:
        people.begin_again()
        before = _as_stored(people)
        allowed = people.ask(kind, operation.name).is_success
        assert allowed == (operation.name in reading or operation.name in (*_READERS, *_FILES)), operation.name
        assert _as_stored(people) == before, operation.name
