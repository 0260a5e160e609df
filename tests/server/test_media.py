"""Media over HTTP: what is taken and what is refused, who is shown what, and what becomes of it with its run."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from anonrun.core.limits import DEFAULT_LIMITS
from anonrun.core.media import MAX_BATCH_ITEMS, MAX_CAPTION_CHARS, MAX_CONTENT_BYTES
from anonrun.core.tokens import TokenKind, mint
from anonrun.server.bodies import parse_json
from anonrun.server.problems import ProblemError
from support.databases import Place
from support.media import PNG, media_item, picture, send_media
from support.process import until
from support.site import MadeRun, Site, bearer, code, running_site, segment, sha


def items_of(site: Site, run: MadeRun, query: str = "", token: str | None = None) -> list[dict[str, Any]]:
    answer = site.get(run, f"/media{query}", token)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def raw(site: Site, run: MadeRun, body: bytes, kind: str = "application/json") -> httpx.Response:
    headers = {"Content-Type": kind, **bearer(run.write)}
    return site.api.post(f"{run.path}/media", content=body, headers=headers)


def blind_link(site: Site, run: MadeRun, token: str | None = None) -> str:
    secret = mint(TokenKind.SHARE)
    body = {"token_hash": sha(secret), "blind": True}
    made = site.api.post(f"{run.path}/links", json=body, headers=bearer(token or run.write))
    assert made.status_code == 201, made.text
    return secret


# What comes in goes out


def test_items_come_back_as_they_were_sent(site: Site) -> None:
    run = site.run()
    text = media_item("größe/☃", "zwölf\0\x1b[31m\u2028 </script>", caption='a "caption"', index=7, step=-(2**63))
    table = media_item(
        "t", json.dumps({"columns": ["a"], "rows": [[1], [None]]}), kind="table", type="application/json"
    )
    image = picture(step=2**63 - 1)
    sent = send_media(site, run, text, table, image)
    assert (sent.status_code, sent.json()) == (200, {"stored": 3, "position": 3})
    assert send_media(site, run, image, text).json() == {"stored": 0, "position": 3}
    found = items_of(site, run)
    for position, (item, back) in enumerate(zip((text, table, image), found, strict=True), start=1):
        content = item["content"] if item is not image else None
        size = len(PNG) if item is image else len(item["content"].encode())
        expected = {"caption": "", "index": 0} | item | {"position": position, "size_bytes": size, "content": content}
        assert back == expected | {"time": "2026-12-01T12:00:00.000000Z"}
    assert site.get(run).json()["media"] == 3
    assert [item["key"] for item in items_of(site, run, "?kind=image&kind=table")] == ["t", "picture"]
    assert [item["key"] for item in items_of(site, run, "?key=t&key=none")] == ["t"]
    assert items_of(site, run, "?after=3") == []


def test_all_of_them_are_in_a_run_that_is_downloaded(site: Site) -> None:
    run = site.run()
    assert json.loads(site.get(run, "/export?format=json").text)["media"] == []
    send_media(site, run, media_item("a", "b\0"), picture())
    found = json.loads(site.get(run, "/export?format=json").text)["media"]
    image = base64.b64encode(PNG).decode()
    assert [(item["position"], item["key"], item["content"]) for item in found] == [
        (1, "a", "b\0"),
        (2, "picture", image),
    ]


def test_one_item_is_read_as_its_bytes_and_can_do_nothing_in_a_browser(site: Site) -> None:
    run = site.run()
    image, text = picture(), media_item(content="<script>alert(1)</script>ü")
    send_media(site, run, image, text)
    for item, content, kind in (
        (image, PNG, "image/png"),
        (text, text["content"].encode(), "text/plain; charset=utf-8"),
    ):
        answer = site.get(run, f"/media/{item['media_id']}")
        assert (answer.status_code, answer.content) == (200, content)
        assert {name: answer.headers[name] for name in ("content-type", "x-content-type-options", "cache-control")} == {
            "content-type": kind, "x-content-type-options": "nosniff", "cache-control": "private, no-store",
        }  # fmt: skip
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
        tag = answer.headers["etag"]
        again = site.api.get(answer.request.url, headers=bearer(run.view) | {"If-None-Match": f"W/{tag}"})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["0" * 32, "x", "A" * 32, "0" * 31, "0" * 64, "%00", "é" * 32])
def test_an_item_that_is_not_there_is_not_found(site: Site, name: str) -> None:
    run = site.run()
    send_media(site, run, media_item())
    assert code(site.get(run, f"/media/{name}")) == "media_not_found"


def test_pages_follow_each_other_by_bytes(site: Site) -> None:
    run = site.run()
    send_media(site, run, *(media_item(f"k{n}", "x" * 1_500) for n in range(10)))
    keys, after, pages = [], 0, 0
    while True:
        page = site.get(run, f"/media?after={after}&most=4096").json()
        keys += [item["key"] for item in page["items"]]
        after, pages = page["position"], pages + 1
        if page["end"]:
            break
    assert keys == [f"k{n}" for n in range(10)]
    assert pages == 5


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=9223372036854775808", "most=1023", "most=8388609", "kind=sound", "key=%00"]
)
def test_a_query_that_cannot_be_meant_is_refused(site: Site, query: str) -> None:
    assert code(site.get(site.run(), f"/media?{query}")) == "request_invalid"


# Whatever is sent, the answer is a decided one

_LONE = "\ud800"
_BAD: dict[str, dict[str, Any]] = {
    "no base64": picture() | {"content": "=?"},
    "base64 of something else": picture() | {"content": base64.b64encode(b"GIF89a").decode()},
    "base64 that is no ASCII": picture() | {"content": "éé"},
    "another type": picture() | {"type": "image/svg+xml"},
    "text as HTML": media_item(type="text/html"),
    "an unknown kind": media_item(kind="sound"),
    "a kind that is a list": media_item() | {"kind": ["text"]},
    "a lone surrogate in the content": media_item(content=_LONE),
    "a lone surrogate in a picture": picture() | {"content": _LONE},
    "a lone surrogate in the caption": media_item(caption=_LONE),
    "a lone surrogate in the key": media_item(_LONE),
    "a lone surrogate in a field that nobody knows": media_item(more={_LONE: 1}),
    "NUL in the caption": media_item(caption="\0"),
    "NUL in the key": media_item("a\0b"),
    "an empty key": media_item(""),
    "a long key": media_item("x" * 257),
    "a long caption": media_item(caption="x" * (MAX_CAPTION_CHARS + 1)),
    "an id of another form": media_item(media_id="0A" * 16),
    "an id with a NUL": media_item(media_id="0" * 31 + "\0"),
    "a step beyond 64 bits": media_item(step=2**63),
    "a step that is true": media_item(step=True),
    "a step that is a float": media_item(step=1.0),
    "a place that is negative": media_item(index=-1),
    "a time without an offset": media_item(time="2026-12-01T12:00:00"),
    "a time before all times": media_item(time="0001-01-01T00:00:00+23:59"),
    "a time after all times": media_item(time="9999-12-31T23:59:59-23:59"),
    "a time that is a number": media_item(time=1),
    "deep JSON in the content": media_item(content="[" * 100_000, kind="figure", type="application/json"),
    "deep objects in the content": media_item(
        content='{"data":[],"layout":' * 20_000 + "{}" + "}" * 20_000, kind="figure", type="application/json"
    ),
    "deep JSON beside": media_item(more=json.loads("[" * 50 + "]" * 50)),
    "a huge number in the content": media_item(
        content='{"columns":["a"],"rows":[[' + "9" * 5_000 + "]]}", kind="table", type="application/json"
    ),
    "NaN in the content": media_item(
        content='{"edges":[0,NaN],"counts":[1]}', kind="histogram", type="application/json"
    ),
    "infinity in the content": media_item(
        content='{"edges":[0,1e999],"counts":[1]}', kind="histogram", type="application/json"
    ),
    "other fields in the content": media_item(content='{"a":1}', kind="table", type="application/json"),
    "no field": {},
}


@pytest.mark.parametrize("what", _BAD)
def test_an_item_that_cannot_be_stored_is_named_by_its_place_and_nothing_is_stored(site: Site, what: str) -> None:
    run = site.run()
    answer = raw(site, run, json.dumps({"items": [media_item(), _BAD[what], {}]}).encode())
    assert (answer.status_code, code(answer), answer.json()["item"]) == (422, "media_invalid", 1), answer.text
    assert "items[1]" in answer.json()["detail"]
    assert items_of(site, run) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b"1", b'"items"', b"\xff", b"{}", b'{"items":null}', b'{"items":{}}',
        b'{"items":[]}',
        b"[" * 100_000, b'{"items":' * 5_000 + b"1" + b"}" * 5_000, b'{"items":[' + b"9" * 5_000 + b"]}",
        b'{"items":[' + b"[]," * 99_999 + b"[]]}", b'{"items":[' + b'"",' * 99_999 + b'""]}',
    ],
    ids=range(16),
)  # fmt: skip
def test_what_is_no_batch_is_refused(site: Site, body: bytes) -> None:
    assert code(raw(site, site.run(), body)) == "request_invalid"


@pytest.mark.parametrize("item", [None, 1, "text", [], [[]], True], ids=repr)
def test_an_item_that_is_no_object_is_refused(site: Site, item: object) -> None:
    answer = raw(site, site.run(), json.dumps({"items": [item]}).encode())
    assert (code(answer), answer.json()["item"]) == ("media_invalid", 0)


def test_another_content_type_is_refused(site: Site) -> None:
    assert code(raw(site, site.run(), b"{}", "text/plain")) == "media_type"


def test_a_batch_has_256_items_and_not_one_more(site: Site) -> None:
    run = site.run()
    items = [media_item(content="") for _ in range(MAX_BATCH_ITEMS + 1)]
    assert code(send_media(site, run, *items)) == "body_too_large"
    assert send_media(site, run, *items[1:]).json() == {"stored": 256, "position": 256}


def test_a_request_has_2_mib_and_an_item_1_and_not_a_byte_more(site: Site) -> None:
    run = site.run()
    largest = media_item(content="x" * MAX_CONTENT_BYTES)
    assert send_media(site, run, largest).status_code == 200
    assert code(send_media(site, run, media_item(content="x" * (MAX_CONTENT_BYTES + 1)))) == "media_invalid"
    half = PNG[:8] + bytes(MAX_CONTENT_BYTES - 8)
    assert send_media(site, run, picture(content=half)).status_code == 200
    assert code(send_media(site, run, picture(content=half + b"1"))) == "media_invalid"
    body = json.dumps({"items": [media_item()]}).encode()
    exact = body + b" " * (DEFAULT_LIMITS.request_bytes - len(body))
    assert raw(site, run, exact).status_code == 200
    assert code(raw(site, run, exact + b" ")) == "body_too_large"


def test_a_large_table_is_no_bomb(site: Site) -> None:
    run = site.run()
    rows = json.dumps({"columns": [str(n) for n in range(200)], "rows": [[1] * 200] * 500}, separators=(",", ":"))
    assert send_media(site, run, media_item(content=rows, kind="table", type="application/json")).status_code == 200


def test_commas_within_texts_count_for_nothing_whatever_is_escaped_there() -> None:
    for text in ("," * 200_000, '"' * 150_000, "\\" * 150_001, '\\"[' * 60_000):
        assert parse_json(json.dumps({"a": text}).encode()) == {"a": text}
    with pytest.raises(ProblemError):
        parse_json(b'{"a":"\\\\",' + b'"b":[[[' * 40_000)


def test_a_body_that_is_compressed_is_not_unpacked(site: Site) -> None:
    run = site.run()
    body = zlib.compress(json.dumps({"items": [media_item()]}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "deflate", **bearer(run.write)}
    assert code(site.api.post(f"{run.path}/media", content=body, headers=headers)) == "request_invalid"


# Quotas


def test_an_anonymous_run_has_so_many_items_and_is_told_in_words(tmp_path: Path, database: Place) -> None:
    with running_site(tmp_path, database, media_per_run=3) as site:
        run, browser = site.run(), site.user("ada")
        assert send_media(site, run, media_item(), media_item()).status_code == 200
        refused = send_media(site, run, media_item(), media_item())
        assert (refused.status_code, code(refused)) == (403, "quota_exceeded")
        assert refused.json()["detail"] == "An anonymous run holds at most 3 items of media."
        assert send_media(site, run, media_item()).status_code == 200
        assert code(send_media(site, run, media_item())) == "quota_exceeded"
        assert site.send(run, segment([1.0])).status_code == 200, "points go on"
        assert site.claim(run, browser).status_code == 200
        assert send_media(site, run, media_item()).json() == {"stored": 1, "position": 4}


def test_megabytes_are_those_of_history_and_media_together(tmp_path: Path, database: Place) -> None:
    with running_site(tmp_path, database, megabytes_per_run=1) as site:
        run = site.run()
        assert send_media(site, run, media_item(content="x" * (MAX_CONTENT_BYTES - 10))).status_code == 200
        refused = send_media(site, run, media_item(content="x" * 11))
        assert refused.json()["detail"] == "An anonymous run holds at most 1048576 bytes of history and media."
        assert code(site.send(run, segment([1.0]))) == "quota_exceeded"
        assert send_media(site, run, media_item(content="x" * 10)).status_code == 200


def test_the_room_for_anonymous_runs_is_for_media_and_points_together(tmp_path: Path, database: Place) -> None:
    with running_site(tmp_path, database, anonymous_megabytes=1) as site:
        one, two = site.run(), site.run()
        assert send_media(site, one, media_item(content="x" * MAX_CONTENT_BYTES)).status_code == 200
        refused = [send_media(site, two, media_item()), site.send(two, segment([1.0]))]
        assert [code(answer) for answer in refused] == ["storage_full"] * 2
        assert all(answer.headers["retry-after"] for answer in refused)
        site.api.delete(one.path, headers=bearer(one.write))


def test_media_and_segments_are_deliveries_alike(tmp_path: Path, database: Place) -> None:
    with running_site(tmp_path, database, flushes_per_second=2) as site:
        run = site.run()
        assert site.send(run, segment([1.0])).status_code == 200
        assert send_media(site, run, media_item()).status_code == 200
        refused = send_media(site, run, media_item())
        assert (code(refused), refused.headers["retry-after"]) == ("too_many_requests", "1")
        site.clock.forward(seconds=1)
        assert send_media(site, run, media_item()).status_code == 200


# With the run


def test_media_come_and_go_with_their_run_as_segments_do(site: Site) -> None:
    def both(run: MadeRun) -> set[tuple[int, str | None]]:
        answers = (send_media(site, run, media_item()), site.send(run, segment([1.0])))
        return {(answer.status_code, code(answer)) for answer in answers}

    ended, deleted, claimed, expired = (site.run() for _ in range(4))
    site.api.patch(ended.path, json={"state": "finished"}, headers=bearer(ended.write))
    assert both(ended) == {(200, None)}, "what waited on a disk comes late"
    site.api.delete(deleted.path, headers=bearer(deleted.write))
    assert both(deleted) == {(410, "run_deleted")}
    browser = site.user("ada")
    assert site.claim(claimed, browser).status_code == 200
    assert both(claimed) == {(200, None)}
    site.clock.forward(days=1, us=1)
    assert len(both(claimed)) == 1
    site.clock.forward(days=6, us=-2)
    send_media(site, expired, media_item(media_id="0" * 32))
    assert len(items_of(site, expired)) == 1
    site.clock.forward(us=1)
    assert both(expired) == {(410, "run_expired")}
    for what in ("/media", f"/media/{'0' * 32}"):
        assert code(site.get(expired, what)) == "run_expired"
        assert code(site.get(expired, what, token=site.anonymous_key())) == "run_not_found"
    assert len(browser.get(f"{claimed.path}/media").json()["items"]) >= 1


def test_a_run_that_is_claimed_while_the_body_comes_keeps_to_what_its_token_may(site: Site) -> None:
    run, browser = site.run(), site.user("ada")
    body = json.dumps({"items": [media_item()]}).encode()
    headers = {"Content-Type": "application/json", **bearer(run.write)}
    request = httpx.Request("POST", f"http://127.0.0.1{run.path}/media", headers=headers)
    deleted = site.transport.with_late_body(
        request, body, lambda: site.api.delete(run.path, headers=bearer(run.claim)).raise_for_status()
    )
    assert code(deleted) == "run_deleted"
    assert browser.get(f"{run.path}/media").status_code == 404


def test_two_clients_at_once_store_each_item_once(site: Site) -> None:
    run = site.run()
    items = [media_item(str(n)) for n in range(60)]
    answers: list[httpx.Response] = []

    def send() -> None:
        answers.extend(send_media(site, run, *items[first : first + 6]) for first in range(0, 60, 3))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer.json()["stored"] for answer in answers) == 60
    found = items_of(site, run)
    assert [item["position"] for item in found] == list(range(1, 61))
    assert sorted(item["key"] for item in found) == sorted(str(n) for n in range(60))


def test_a_stream_tells_that_there_are_more_media_and_nothing_where_there_are_not(site: Site) -> None:
    run = site.run()
    told = bytearray()

    def runs_told() -> list[int]:
        lines = bytes(told).decode().splitlines()
        found = (json.loads(line[6:]) for line in lines if line.startswith('data: {"run_id"'))
        return [info["media"] for info in found]

    with site.transport.following(site.app, f"{run.path}/live", bearer(run.view), told):
        until(lambda: runs_told() == [0])
        item = media_item()
        send_media(site, run, item, picture())
        until(lambda: runs_told() == [0, 2])
        send_media(site, run, item)
        site.send(run, segment([1.0]))
        until(lambda: b"event: points" in told)
        site.api.delete(run.path, headers=bearer(run.write))
    assert runs_told() == [0, 2]
    assert b"event: gone" in told


# Who sees what


@pytest.fixture
def hers(site: Site) -> tuple[MadeRun, str]:
    """A run of a user's with media that tell and media that do not; and her key."""
    key = site.user_key(site.user("grace-hopper"))
    run = site.run(key, project="secret-lab", name="first try", id="quiet-river")
    table = json.dumps({"columns": ["who"], "rows": [["Secret-Läb"]]}).replace("\\u00e4", "\\u0061")
    send_media(
        site, run, media_item("ok", "a harmless sample", caption="epoch 3"), picture("ok", caption="by grace-hopper"),
        media_item("console", "/home/ghopper $ train", kind="console"), media_item("told", "by GRACE-hopper"),
        media_item("mail", "write to a.b@c.example"), media_item("home", "saved to /home/gh/x"),
        media_item("secret-lab/loss", "x"), media_item("esc", table, kind="table", type="application/json"),
        media_item("file", "~/x/best.pt is fine in a text", caption="/data/x"),
    )  # fmt: skip
    return run, key


def test_a_blind_link_shows_what_does_not_tell_whose_it_is(site: Site, hers: tuple[MadeRun, str]) -> None:
    run, key = hers
    blind = blind_link(site, run, key)
    shown = items_of(site, run, token=blind)
    assert [(item["key"], item["caption"]) for item in shown] == [
        ("ok", "epoch 3"), ("ok", "(hidden)"), ("file", "(hidden)"),
    ]  # fmt: skip
    everything = items_of(site, run, token=key)
    assert len(everything) == 9
    singly = {item["media_id"] for item in everything if site.get(run, f"/media/{item['media_id']}", blind).is_success}
    assert singly == {item["media_id"] for item in shown}
    downloaded = json.loads(site.get(run, "/export?format=json", blind).text)["media"]
    assert [item["media_id"] for item in downloaded] == [item["media_id"] for item in shown]
    page = site.get(run, "/media?kind=console", blind).json()
    assert page == {"items": [], "position": 9, "end": True}


def test_printed_text_is_for_who_may_read_files_only(site: Site, hers: tuple[MadeRun, str]) -> None:
    run, key = hers
    printed = next(item for item in items_of(site, run, token=key) if item["kind"] == "console")
    published = site.api.put(f"{run.path}/publication", json={}, headers=bearer(key))
    assert published.status_code == 200
    nobody = site.api.get(f"{run.path}/media").json()
    assert len(nobody["items"]) == 8
    assert "console" not in {item["kind"] for item in nobody["items"]}
    assert site.api.get(f"{run.path}/media?kind=console").json()["items"] == []
    one = site.api.get(f"{run.path}/media/{printed['media_id']}")
    assert (one.status_code, code(one)) == (404, "media_not_found")
    for token in (key, run.view):
        assert len(items_of(site, run, "?kind=console", token)) == 1
        assert site.get(run, f"/media/{printed['media_id']}", token).status_code == 200


def test_who_holds_a_token_of_a_run_that_was_moved_is_told_where(site: Site) -> None:
    key = site.user_key(site.user("ada"))
    run = site.run(key)
    send_media(site, run, media_item(media_id="0" * 32))
    heard = site.get(run).json()["heartbeat_at"]
    said = {"to": "https://runs.example.org", "heartbeat_at": heard, "points": 0}
    refused = site.api.post(f"{run.path}/departure", json=said, headers=bearer(key))
    assert (refused.status_code, code(refused)) == (409, "run_changed"), "a client that knows of no media left them"
    gone = site.api.post(f"{run.path}/departure", json=said | {"media": 1}, headers=bearer(key))
    assert gone.status_code == 204
    for answer in (send_media(site, run, media_item()), site.get(run, "/media"), site.get(run, f"/media/{'0' * 32}")):
        assert (answer.status_code, code(answer)) == (410, "run_moved")
