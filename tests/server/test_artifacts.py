"""Artifacts over HTTP, with their files in a folder and in a bucket of a real service that speaks S3."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anonrun.core.artifacts import MIN_PART_BYTES
from anonrun.core.tokens import TokenKind, mint
from anonrun.server.services.files import orphans, remove_orphans
from anonrun.server.services.retention import sweep
from anonrun.store.blobs import ABANDONED_US
from anonrun.store.objects import Listed
from support.artifacts import S3_SETTINGS, begin, bucket_service, commit, digest_of, logged, request_of, send
from support.databases import Place
from support.site import Site, bearer, code, running_site, sha

FILES = {"model.pt": b"weights" * 1000, "config/lr.json": b"{}", "empty": b""}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with bucket_service(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(params=["folder", "bucket"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, database: Place) -> Iterator[Site]:
    """A site whose files are in a folder, and one whose files are in a bucket."""
    more: dict[str, Any] = {}
    if request.param == "bucket":
        more = {**S3_SETTINGS, "s3_endpoint": request.getfixturevalue("s3")}
    with running_site(tmp_path, database, **more) as site:
        yield site


class Ada:
    """A user of a site, with a key and a run."""

    def __init__(self, site: Site, name: str = "ada") -> None:
        self.site, self.api = site, site.api
        self.browser = site.user(name)
        self.key = site.user_key(self.browser)
        self.run = site.run(self.key)

    def get(self, path: str, **headers: str) -> httpx.Response:
        answer: httpx.Response = self.api.get(f"/api/v1{path}", headers=bearer(self.key) | headers)
        return answer

    def log(self, files: dict[str, bytes], **request: Any) -> dict[str, Any]:
        return logged(self.api, self.run, files, **request)

    def download(self, info: dict[str, Any], number: int, **headers: str) -> httpx.Response:
        return self.get(f"/artifacts/{info['artifact_id']}/files/{number}", **headers)


def objects_in(site: Site) -> list[Listed]:
    async def listed() -> list[Listed]:
        return [one async for batch in site.core.objects.listed() for one in batch]

    return asyncio.run(listed())


def swept(site: Site) -> None:
    asyncio.run(sweep(site.db, objects=site.core.objects))


def test_a_version_is_there_once_it_is_whole_and_comes_back_byte_by_byte(kept: Site) -> None:
    ada = Ada(kept)
    request = request_of(FILES, aliases=["best"], metadata={"epochs": 3}, description="the first")
    begun = begin(ada.api, ada.run, request)
    assert begun.status_code == 201
    assert begun.json()["version"] is None
    assert set(begun.json()["missing"]) == {digest_of(data) for data in FILES.values()}
    artifact_id = request["artifact_id"]
    assert ada.get("/artifacts").json()["artifacts"] == []
    assert code(ada.get(f"/artifacts/{artifact_id}")) == "artifact_not_found"
    incomplete = commit(ada.api, ada.run, artifact_id)
    assert (code(incomplete), len(incomplete.json()["missing"])) == ("artifact_incomplete", 3)
    for data in FILES.values():
        assert send(ada.api, ada.run, artifact_id, digest_of(data), data).json()["stored"]
    done = commit(ada.api, ada.run, artifact_id).json()
    assert (done["version"], done["aliases"], done["metadata"]) == ("v0", ["latest", "best"], {"epochs": 3})
    assert commit(ada.api, ada.run, artifact_id).json() == done
    assert [file["path"] for file in done["files"]] == ["config/lr.json", "empty", "model.pt"]
    for number, file in enumerate(done["files"]):
        answer = ada.download(done, number)
        assert answer.content == FILES[file["path"]]
        assert answer.headers["etag"] == f'"{file["digest"]}"'
    assert ada.get(f"/runs/{ada.run.run_id}/artifacts").json()["logged"] == [done]


def test_names_lead_to_versions_and_a_number_is_never_given_again(kept: Site) -> None:
    ada = Ada(kept)
    first, second = (ada.log({"a": data}, aliases=[alias]) for data, alias in ((b"1", "good"), (b"2", "good")))
    assert (first["version"], second["version"]) == ("v0", "v1")

    def named(version: str) -> list[str]:
        found = ada.get(f"/artifacts?project=uncategorized&name=model&version={version}").json()["artifacts"]
        return [one["artifact_id"] for one in found]

    assert named("latest") == named("v1") == named("good") == [second["artifact_id"]]
    assert named("v0") == [first["artifact_id"]]
    assert named("v7") == named("bad") == []
    assert code(ada.get("/artifacts?version=latest")) == "request_invalid"
    assert ada.api.delete(f"/api/v1/artifacts/{second['artifact_id']}", headers=bearer(ada.key)).status_code == 204
    assert named("latest") == [first["artifact_id"]]
    swept(kept)
    assert ada.log({"a": b"3"})["version"] == "v2"


def test_what_the_same_run_logs_again_unchanged_is_the_same_version(site: Site) -> None:
    ada = Ada(site)
    first = ada.log(FILES)
    again = ada.log(FILES, aliases=["kept"])
    assert (again["artifact_id"], again["aliases"]) == (first["artifact_id"], ["latest", "kept"])
    assert ada.log({"other": b"x"})["version"] == "v1"
    assert ada.log(FILES)["version"] == "v2"
    differs = begin(ada.api, ada.run, request_of(FILES, type="dataset"))
    assert code(differs) == "artifact_type"


def test_the_same_request_twice_begins_one_version(site: Site) -> None:
    ada = Ada(site)
    request = request_of(FILES)
    assert [begin(ada.api, ada.run, request).status_code for _ in range(2)] == [201, 200]
    other = request | {"files": request["files"][:1]}
    assert code(begin(ada.api, ada.run, other)) == "artifact_exists"
    stranger = Ada(site, "eve")
    assert code(begin(ada.api, stranger.run, request)) == "artifact_exists"


def test_a_file_arrives_in_parts_and_goes_on_where_it_was(kept: Site) -> None:
    ada = Ada(kept)
    data = secrets.token_bytes(3 * MIN_PART_BYTES + 123)
    request = request_of({"big": data})
    begin(ada.api, ada.run, request)
    name, path = digest_of(data), f"{ada.run.path}/artifacts/{request['artifact_id']}/uploads/{digest_of(data)}"
    cut = MIN_PART_BYTES + 7
    assert send(ada.api, ada.run, request["artifact_id"], name, data[:cut]).json()["offset"] == cut
    assert ada.api.get(path, headers=bearer(ada.run.write)).json() == {
        "digest": name, "size_bytes": len(data), "offset": cut, "stored": False,
    }  # fmt: skip
    wrong = send(ada.api, ada.run, request["artifact_id"], name, data)
    assert (code(wrong), wrong.json()["offset"]) == ("upload_offset", cut)
    small = send(ada.api, ada.run, request["artifact_id"], name, data[cut : cut + 10], offset=cut)
    assert code(small) == "part_too_small"
    for offset in (cut, 2 * cut):
        send(ada.api, ada.run, request["artifact_id"], name, data[offset : offset + cut], offset=offset)
    last = send(ada.api, ada.run, request["artifact_id"], name, data[3 * cut :], offset=3 * cut)
    assert last.status_code == 200
    done = commit(ada.api, ada.run, request["artifact_id"]).json()
    assert ada.download(done, 0).content == data
    for start, end in ((0, 5), (cut - 3, cut + 3), (2 * cut + 1, len(data) - 1), (len(data) - 4, len(data) - 1)):
        answer = ada.download(done, 0, Range=f"bytes={start}-{end}")
        assert (answer.status_code, answer.content) == (206, data[start : end + 1])
        assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(data)}"
    swept(kept)
    assert sum(one.size_bytes for one in objects_in(kept)) == len(data)


def test_what_is_not_what_was_announced_is_refused_and_can_be_sent_again(kept: Site) -> None:
    ada = Ada(kept)
    data = b"right" * 1000
    request = request_of({"f": data})
    begin(ada.api, ada.run, request)
    artifact_id, name = request["artifact_id"], digest_of(data)
    assert code(send(ada.api, ada.run, artifact_id, name, b"wrong" * 1000)) == "digest_mismatch"
    assert code(commit(ada.api, ada.run, artifact_id)) == "artifact_incomplete"
    assert code(send(ada.api, ada.run, artifact_id, name, data + b"!")) == "body_too_large"
    assert send(ada.api, ada.run, artifact_id, name, data).json()["stored"]
    assert send(ada.api, ada.run, artifact_id, name, b"").json()["stored"]
    swept(kept)
    assert [one.size_bytes for one in objects_in(kept)] == [len(data)]


def test_a_download_can_be_asked_for_in_part_again_and_whether_it_has_changed(site: Site) -> None:
    ada = Ada(site)
    info = ada.log({"<script>alert(1)</script>.html": b"0123456789", "name é.txt": b""})
    whole = ada.download(info, 0)
    tag = whole.headers["etag"]
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-disposition"].startswith('attachment; filename="')
    assert "<" not in whole.headers["content-disposition"]
    assert "filename*=UTF-8''name%20%C3%A9.txt" in ada.download(info, 1).headers["content-disposition"]
    for asked, part in (("bytes=2-3", b"23"), ("bytes=8-", b"89"), ("bytes=-3", b"789"), ("bytes=0-99", whole.content)):
        assert ada.download(info, 0, Range=asked).content == part
    for asked in ("bytes=3-2", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=x-1", "bytes=" + "9" * 40 + "-"):
        assert (ada.download(info, 0, Range=asked).status_code, asked) == (200, asked)
    for asked in ("bytes=10-", "bytes=99-100", "bytes=-0"):
        refused = ada.download(info, 0, Range=asked)
        assert (code(refused), refused.headers["content-range"]) == ("range_invalid", "bytes */10")
    assert ada.download(info, 0, **{"If-None-Match": tag}).status_code == 304
    assert ada.download(info, 0, Range="bytes=1-1", **{"If-Range": '"other"'}).status_code == 200
    assert ada.download(info, 0, Range="bytes=1-1", **{"If-Range": tag}).content == b"1"
    head = ada.api.head(f"/api/v1/artifacts/{info['artifact_id']}/files/0", headers=bearer(ada.key))
    assert (head.content, head.headers["content-length"]) == (b"", "10")
    for number in ("2", "999999", "9999999", "x", "-1", "٣"):
        assert ada.download(info, number).status_code in {404, 422}  # type: ignore[arg-type]  # hostile


HOSTILE = (
    "", "/", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/.", "..", "a\\..\\b", "C:/x", "c:x", "a\0b", "a\nb",
    "x" * 1025, "é" * 200, "invoice\u202efdp.exe", "\ud800", "\u2066a",
)  # fmt: skip


def test_a_path_that_could_lead_elsewhere_is_refused(site: Site) -> None:
    ada = Ada(site)
    headers = bearer(ada.run.write) | {"Content-Type": "application/json"}
    for path in HOSTILE:
        request = request_of({"ok": b""})
        request["files"][0]["path"] = path
        answer = ada.api.post(f"{ada.run.path}/artifacts", content=json.dumps(request), headers=headers)
        assert code(answer) == "request_invalid", ascii(path)


def test_other_requests_that_cannot_be_are_refused(site: Site) -> None:
    ada = Ada(site)
    good = request_of({"a": b"1", "b/c": b"2"})
    one = good["files"][0]
    for change in (
        {"name": "../x"}, {"name": "a b"}, {"type": ""}, {"aliases": ["v3"]}, {"aliases": ["a/b"]},
        {"aliases": [f"a{n}" for n in range(21)]}, {"files": []}, {"files": [one, one]}, {"artifact_id": "x"},
        {"files": [one, one | {"path": "a/b"}]}, {"files": [one | {"size_bytes": -1}]}, {"description": "x" * 4001},
        {"files": [one, one | {"path": "z", "size_bytes": 9}]}, {"files": [one | {"digest": "0" * 63}]},
        {"metadata": {"x": "y" * 64_000}}, {"files": [one | {"path": f"{n}"} for n in range(10_001)]},
    ):  # fmt: skip
        assert code(begin(ada.api, ada.run, good | change)) == "request_invalid", change
    assert begin(ada.api, ada.run, good | {"files": [one | {"path": f"{n}"} for n in range(10_000)]}).status_code == 201


def test_an_account_learns_nothing_of_what_another_has(kept: Site) -> None:
    ada, eve = Ada(kept), Ada(kept, "eve")
    info = ada.log({"secret.bin": b"what only ada has"})
    request = request_of({"guess": b"what only ada has"})
    assert begin(eve.api, eve.run, request).json()["missing"] == [digest_of(b"what only ada has")]
    upload = f"/runs/{ada.run.run_id}/artifacts/{info['artifact_id']}/uploads/{digest_of(b'what only ada has')}"
    own = f"/runs/{eve.run.run_id}/artifacts/{info['artifact_id']}/uploads/{digest_of(b'what only ada has')}"
    for path in (f"/artifacts/{info['artifact_id']}", f"/artifacts/{info['artifact_id']}/files/0", own):
        answer = eve.get(path)
        unknown = eve.get(path.replace(info["artifact_id"], request["artifact_id"][:-4] + "0000"))
        assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content) == (404, answer.content)
    assert code(eve.get(upload)) == "run_not_found"
    assert eve.get("/artifacts").json()["artifacts"] == []
    used = {"artifact_id": info["artifact_id"]}
    refused = eve.api.post(f"{eve.run.path}/used-artifacts", json=used, headers=bearer(eve.run.write))
    assert code(refused) == "artifact_not_found"
    assert code(eve.api.delete(f"/api/v1/artifacts/{info['artifact_id']}", headers=bearer(eve.key))) == (
        "artifact_not_found"
    )


def test_within_an_account_bytes_are_sent_and_kept_once(kept: Site) -> None:
    ada = Ada(kept)
    ada.log({"a": b"same bytes", "b": b"same bytes"})
    other = kept.run(ada.key)
    begun = begin(ada.api, other, request_of({"c": b"same bytes"}, name="copy"))
    assert begun.json()["missing"] == []
    assert commit(ada.api, other, begun.json()["artifact_id"]).json()["version"] == "v0"
    assert len(objects_in(kept)) == 1
    ada.api.delete(ada.run.path, headers=bearer(ada.key))
    swept(kept)
    assert len(objects_in(kept)) == 1
    assert ada.download({"artifact_id": begun.json()["artifact_id"]}, 0).content == b"same bytes"


def test_links_that_are_blind_and_publication_tell_of_no_file(site: Site) -> None:
    ada = Ada(site)
    info = ada.log({"ada-lovelace.bin": b"x"}, name="adas-model")
    tokens = {blind: mint(TokenKind.SHARE) for blind in (True, False)}
    for blind, token in tokens.items():
        wanted = {"token_hash": sha(token), "blind": blind}
        assert ada.api.post(f"{ada.run.path}/links", json=wanted, headers=bearer(ada.key)).status_code == 201
    paths = (f"{ada.run.path}/artifacts", f"/api/v1/artifacts/{info['artifact_id']}",
             f"/api/v1/artifacts/{info['artifact_id']}/files/0")  # fmt: skip
    told = ada.api.get(ada.run.path, headers=bearer(tokens[True]))
    assert told.json()["permissions"]["files"] is False
    for path in paths:
        assert ada.api.get(path, headers=bearer(tokens[False])).status_code == 200
        refused = ada.api.get(path, headers=bearer(tokens[True]))
        assert refused.status_code in {403, 404}
        for secret in ("lovelace", "adas-model", digest_of(b"x")):
            assert secret not in refused.text + told.text
    assert ada.api.get(ada.run.path, headers=bearer(tokens[False])).json()["permissions"]["files"] is True
    link = next(one for one in ada.api.get(f"{ada.run.path}/links", headers=bearer(ada.key)).json() if one["blind"])
    ada.api.delete(f"{ada.run.path}/links/{link['link_id']}", headers=bearer(ada.key))
    assert ada.api.put(f"{ada.run.path}/publication", json={}, headers=bearer(ada.key)).status_code == 200
    assert ada.api.get(ada.run.path).json()["permissions"]["files"] is False
    for path in paths:
        assert ada.api.get(path).status_code in {403, 404}


def test_who_may_do_what_with_the_artifact_of_a_users_run(site: Site) -> None:
    """The operations that no anonymous run has: asked by everyone, of a run of a user's."""
    ada, eve = Ada(site), Ada(site, "eve")
    keys = {scope: site.user_key(ada.browser, scope=scope) for scope in ("ingest", "read")}
    share = mint(TokenKind.SHARE)
    ada.api.post(f"{ada.run.path}/links", json={"token_hash": sha(share)}, headers=bearer(ada.key))
    tokens = {
        "owner": ada.key, "ingest": keys["ingest"], "read": keys["read"], "write": ada.run.write,
        "view": ada.run.view, "share": share, "stranger": eve.key, "other run": site.run(ada.key).view,
    }  # fmt: skip
    readers = {"owner", "read", "view", "share"}
    writers = {"owner", "write"}
    kept_one = ada.log({"kept": b"kept"}, name="kept")
    for actor, token in [*tokens.items(), ("nobody", "")]:
        headers = bearer(token) if token else {}

        def asked(method: str, path: str, headers: dict[str, str] = headers, actor: str = actor, **more: Any) -> bool:
            answer = ada.api.request(method, f"/api/v1{path}", headers=headers, **more)
            assert answer.is_success or answer.status_code in {401, 403, 404}, (actor, path, answer.text)
            return bool(answer.is_success)

        run, name = f"/runs/{ada.run.run_id}", f"/artifacts/{kept_one['artifact_id']}"
        for path in (f"{run}/artifacts", name, f"{name}/files/0"):
            assert asked("GET", path) == (actor in readers), (actor, path)
        request = request_of({"new": actor.encode()})
        assert asked("POST", f"{run}/artifacts", json=request) == (actor in writers), actor
        if actor not in writers:
            begin(ada.api, ada.run, request)
        mine = f"{run}/artifacts/{request['artifact_id']}"
        upload = f"{mine}/uploads/{digest_of(actor.encode())}"
        assert asked("GET", upload) == (actor in writers), actor
        assert asked("PUT", upload, content=actor.encode()) == (actor in writers), actor
        send(ada.api, ada.run, request["artifact_id"], digest_of(actor.encode()), actor.encode())
        assert asked("POST", f"{mine}/commit") == (actor in writers), actor
        used = {"artifact_id": kept_one["artifact_id"]}
        assert asked("POST", f"{run}/used-artifacts", json=used) == (actor in writers), actor
        commit(ada.api, ada.run, request["artifact_id"])
        assert asked("DELETE", f"/artifacts/{request['artifact_id']}") == (actor in writers), actor
        assert asked("GET", "/artifacts") == (actor in {"owner", "read", "stranger"}), actor
    assert [one["name"] for one in ada.get(f"/runs/{ada.run.run_id}/artifacts").json()["used"]] == ["kept"]
    by_link = ada.api.get(f"{ada.run.path}/artifacts", headers=bearer(ada.run.view)).json()
    assert by_link["used"] == []


def test_a_browser_of_the_owners_downloads_and_one_of_another_site_uploads_nothing(site: Site) -> None:
    ada = Ada(site)
    info = ada.log({"a": b"1"})
    assert ada.browser.get(f"/api/v1/artifacts/{info['artifact_id']}/files/0").content == b"1"
    request = request_of({"b": b"2"})
    begin(ada.api, ada.run, request)
    path = f"{ada.run.path}/artifacts/{request['artifact_id']}/uploads/{digest_of(b'2')}"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Content-Type": "text/plain"}):
        assert ada.browser.put(path, content=b"2", headers=headers).status_code in {403, 415}


def test_room_is_exact_for_a_file_an_account_and_the_server(tmp_path: Path) -> None:
    limits = {"artifact_megabytes_per_file": 2, "artifact_megabytes_per_account": 3, "artifact_megabytes": 4}
    megabyte = bytes(1 << 20)
    with running_site(tmp_path, **limits) as site:
        ada, eve = Ada(site), Ada(site, "eve")

        def asked(who: Ada, megabytes: float, name: str) -> str | None:
            data = name.encode() + megabyte * int(megabytes) + bytes(int(megabytes % 1 * (1 << 20)))
            data = data[len(name) :] if megabytes == 2 else data[: int(megabytes * (1 << 20))]
            return code(begin(who.api, who.run, request_of({name: data}, name=name)))

        assert code(begin(ada.api, ada.run, request_of({"x": bytes((2 << 20) + 1)}))) == "artifact_too_large"
        assert asked(ada, 2, "a") is None
        assert code(begin(ada.api, ada.run, request_of({"b": b"b" * ((1 << 20) + 1)}))) == "artifact_quota_exceeded"
        assert code(begin(ada.api, ada.run, request_of({"c": b"c" * (1 << 20)}))) is None
        assert code(begin(eve.api, eve.run, request_of({"d": b"d" * ((1 << 20) + 1)}))) == "artifact_storage_full"
        assert code(begin(eve.api, eve.run, request_of({"e": b"e" * (1 << 20)}))) is None
        assert ada.api.delete(ada.run.path, headers=bearer(ada.key)).status_code == 204
        swept(site)
        assert code(begin(eve.api, eve.run, request_of({"f": b"f" * (1 << 20)}))) is None


@pytest.mark.parametrize("how", ["version", "run", "account"])
def test_nothing_is_left_of_what_was_deleted(kept: Site, tmp_path: Path, how: str) -> None:
    ada = Ada(kept)
    canary = b"canary-" + secrets.token_hex(16).encode()
    info = ada.log({f"{canary.decode()}.bin": canary * 50}, name="canary-name", metadata={"note": canary.decode()})
    assert len(objects_in(kept)) == 1
    path = {"version": f"/api/v1/artifacts/{info['artifact_id']}", "run": ada.run.path}.get(how)
    if path:
        assert ada.api.delete(path, headers=bearer(ada.key)).status_code == 204
    else:
        assert ada.browser.delete("/api/v1/account").status_code == 204
    assert ada.download(info, 0).status_code in {401, 404}
    for _ in range(2):
        swept(kept)
    assert objects_in(kept) == []
    rows = kept.db.read_now(
        lambda tx: [
            tx.conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in ("artifact", "artifact_file", "artifact_alias", "artifact_name", "blob", "blob_part")
        ]
    )
    assert rows == [0] * 6
    for file in tmp_path.rglob("*"):
        if file.is_file() and not file.name.endswith(".log"):
            assert canary not in file.read_bytes(), file
            assert b"canary-name" not in file.read_bytes(), file


def test_a_version_whose_bytes_never_come_goes_by_itself(kept: Site) -> None:
    ada = Ada(kept)
    data = bytes(MIN_PART_BYTES + 5)
    request = request_of({"a": data})
    begin(ada.api, ada.run, request)
    send(ada.api, ada.run, request["artifact_id"], digest_of(data), data[:MIN_PART_BYTES])
    swept(kept)
    assert len(objects_in(kept)) == 1
    kept.clock.forward(days=3.1)
    swept(kept)
    assert objects_in(kept) == []
    assert code(commit(ada.api, ada.run, request["artifact_id"])) == "artifact_not_found"


def test_objects_that_no_row_knows_are_found_and_removed_after_a_day(kept: Site) -> None:
    ada = Ada(kept)
    ada.log({"a": b"known"})

    async def stray() -> None:
        async def blocks() -> Any:
            yield b"left behind"

        await kept.core.objects.put("ab/" + hashlib.sha256(b"left behind").hexdigest() + "-0", blocks())

    asyncio.run(stray())
    assert asyncio.run(orphans(kept.db, kept.core.objects)) == ([], 0)
    kept.clock.forward(us=ABANDONED_US + 5_000_000)
    found, size = asyncio.run(orphans(kept.db, kept.core.objects))
    assert (len(found), size) == (1, len(b"left behind"))
    assert asyncio.run(remove_orphans(kept.db, kept.core.objects)) == 1
    assert len(objects_in(kept)) == 1


def test_files_that_cannot_be_reached_are_a_passing_refusal_and_no_secret_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_site(tmp_path, **S3_SETTINGS, s3_endpoint="http://127.0.0.1:9") as site:
        assert "canary-of-the-bucket" not in repr(site.core.settings)
        ada = Ada(site)
        request = request_of({"a": b"1"})
        begin(ada.api, ada.run, request)
        answer = send(ada.api, ada.run, request["artifact_id"], digest_of(b"1"), b"1")
        assert (answer.status_code, code(answer)) == (503, "files_unavailable")
        assert "retry-after" in answer.headers
        assert site.api.get("/readyz").status_code == 200
    for secret in ("canary-of-the-bucket", "AKIDFORTESTS"):
        assert secret not in caplog.text + answer.text


def test_the_folder_is_its_owners_alone(site: Site, tmp_path: Path) -> None:
    Ada(site).log(FILES)
    root = tmp_path / "server" / "files"
    found = list(root.rglob("*"))
    assert sum(path.is_file() for path in found) == 2, "an empty file needs no object"
    for path in [root, *found]:
        assert path.stat().st_mode & 0o077 == 0, path
