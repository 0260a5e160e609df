"""Whatever is sent, the answer is a decided one: never a 5xx, always a problem with a code."""

from __future__ import annotations

import json
import zlib
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonrun.core.limits import DEFAULT_LIMITS
from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import Frame, encode
from anonrun.server.app import OPERATIONS
from anonrun.server.bodies import MAX_JSON_BYTES
from support.site import Site, bearer, code, segment, sha

_QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = [
    "run_id", "tokens", "write", "view", "claim", "project", "id", "name", "config", "tags", "notes", "resume",
    "state", "exit_code", "summary", "token", "token_hash", "key_hash", "username", "password", "current", "new",
    "label", "blind",
]  # fmt: skip
_bodies = _json | st.dictionaries(st.sampled_from(_NAMES), _json, max_size=6)
_JSON_OPERATIONS = [operation for operation in OPERATIONS if isinstance(operation.body, type)]


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert code(answer), answer.text


@pytest.mark.parametrize("operation", _JSON_OPERATIONS, ids=lambda operation: operation.name)
def test_any_json_gets_a_decided_answer(site: Site, operation: Any) -> None:
    run, key = site.run(), site.anonymous_key()
    browser = site.user("ada")
    path = operation.path.format(run_id=run.run_id, link_id="x", key_id="x")

    @_QUICK
    @given(body=_bodies)
    def ask(body: object) -> None:
        raw = json.dumps(body).encode()
        for client, headers in ((site.api, bearer(run.write)), (site.api, bearer(key)), (browser, {})):
            sent = {"Content-Type": "application/json", **headers}
            check(client.request(operation.method, path, content=raw, headers=sent))

    ask()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"null", b"[]", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"key_hash": 1e999}', b'{"key_hash": NaN}',
        b'{"key_hash": "\\ud800"}', b'{"key_hash": "\\u0000"}', b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"key_hash": ' + b"9" * 5_000 + b"}",
    ],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_json_object_is_refused_with_a_reason(site: Site, raw: bytes) -> None:
    sent = {"Content-Type": "application/json"}
    answer = site.api.post("/api/v1/accounts/anonymous", content=raw, headers=sent)
    assert code(answer) == "request_invalid"


def test_a_body_may_be_as_large_as_that_and_not_a_byte_more(site: Site) -> None:
    sent = {"Content-Type": "application/json"}
    body = json.dumps({"key_hash": sha(mint(TokenKind.API_KEY))}).encode()
    exact = body + b" " * (MAX_JSON_BYTES - len(body))
    assert site.api.post("/api/v1/accounts/anonymous", content=exact, headers=sent).status_code == 201
    assert code(site.api.post("/api/v1/accounts/anonymous", content=exact + b" ", headers=sent)) == "body_too_large"


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "\u202eevil", "../../etc/passwd", "x" * 4_000, "☃", "a\nb"]
)
def test_hostile_names_are_data(site: Site, name: str) -> None:
    key = site.anonymous_key()
    run = site.run(key, name=name, notes=name, tags=[name], config={name: name}, group=name)
    info = site.get(run).json()
    assert (info["name"], info["notes"], info["config"]) == (name, name, {name: name})
    page = site.browser(**{"X-Anonrun-Vouch": "x"}).get(f"/r/{run.run_id}").text
    assert name not in page


@pytest.mark.parametrize("field", ["name", "notes", "group", "job_type"])
def test_a_text_may_be_4000_characters_long_and_not_one_more(site: Site, field: str) -> None:
    key = site.anonymous_key()
    site.run(key, **{field: "x" * DEFAULT_LIMITS.text_chars})
    body = site.new_run().request(**{field: "x" * (DEFAULT_LIMITS.text_chars + 1)})
    assert code(site.api.post("/api/v1/runs", json=body, headers=bearer(key))) == "request_invalid"


def test_a_config_may_have_64000_bytes_and_not_one_more(site: Site) -> None:
    key = site.anonymous_key()
    config = {f"k{i}": "x" * DEFAULT_LIMITS.text_chars for i in range(15)}
    config["rest"] = "x" * (DEFAULT_LIMITS.config_bytes - len(json.dumps(config | {"rest": ""})))
    site.run(key, config=config)
    body = site.new_run().request(config=config | {"rest": config["rest"] + "x"})
    assert code(site.api.post("/api/v1/runs", json=body, headers=bearer(key))) == "request_invalid"


@pytest.mark.parametrize("place", ["config", "summary"])
def test_no_text_of_an_anonymous_run_is_longer_than_4000_characters_however_deep(site: Site, place: str) -> None:
    run = site.run()

    def change(text: str) -> str | None:
        body = {place: {"a": [{"b": text}]}}
        return code(site.api.patch(run.path, json=body, headers=bearer(run.write)))

    assert change("x" * DEFAULT_LIMITS.text_chars) is None
    assert change("x" * (DEFAULT_LIMITS.text_chars + 1)) == "request_invalid"
    keyed = site.new_run().request(config={"x" * (DEFAULT_LIMITS.text_chars + 1): 1})
    key = site.anonymous_key()
    assert code(site.api.post("/api/v1/runs", json=keyed, headers=bearer(key))) == "request_invalid"
    assert site.claim(run, site.user("ada")).status_code == 200
    owned = site.run(site.user_key(site.user("eve")), config={"prompt": "x" * 10_000})
    assert owned.run_id


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/not-a-uuid", "/api/v1/runs/%00", "/api/v1/runs/..%2f..%2fetc", "/api/v1/runs?limit=0",
        "/api/v1/runs?limit=201", "/api/v1/runs?limit=x", "/api/v1/runs?limit=9999999999999999999999",
        "/api/v1/runs?after=1.x", "/api/v1/runs?after=%ff", "/api/v1/runs?project=%00%ff", "/static/../../settings.py",
        "/static/..%2f..%2fsettings.py", "/r/%3Cscript%3E", "/r/../../x", "/api/v1/runs/" + "a" * 5_000, "/%",
    ],
)  # fmt: skip
def test_hostile_addresses_get_a_decided_answer(site: Site, path: str) -> None:
    key = site.anonymous_key()
    answer = site.api.get(path, headers=bearer(key))
    assert answer.status_code < 500
    assert "<script>" not in answer.text


@pytest.mark.parametrize("query", ["points=0", "points=20001", "points=1.5", "start=x", "end=99999999999999999999"])
def test_a_query_that_cannot_be_meant_is_refused(site: Site, query: str) -> None:
    assert code(site.get(site.run(), f"/sampled?{query}")) == "request_invalid"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "OPTIONS", "DELETE"])
def test_a_method_that_an_address_does_not_take_is_refused(site: Site, method: str) -> None:
    assert code(site.api.request(method, "/api/v1/server")) == "method_not_allowed"


_GOOD = segment([1.0, 2.0, 3.0])


@_QUICK
@given(at=st.integers(0, len(_GOOD) - 1), bit=st.integers(0, 7), cut=st.integers(0, len(_GOOD)))
def test_a_damaged_segment_is_refused_and_stores_nothing(site: Site, at: int, bit: int, cut: int) -> None:
    run = site.run(SHARED.setdefault(id(site), site.anonymous_key()))
    flipped = bytearray(_GOOD)
    flipped[at] ^= 1 << bit
    for body in (bytes(flipped), _GOOD[:cut]):
        answer = site.send(run, body)
        if body != _GOOD:
            assert code(answer) == "segment_damaged"
            assert site.get(run).json()["points"] == 0


SHARED: dict[int, str] = {}


@_QUICK
@given(body=st.binary(max_size=400))
def test_any_bytes_as_segments_get_a_decided_answer(site: Site, body: bytes) -> None:
    run = site.run(SHARED.setdefault(id(site), site.anonymous_key()))
    assert code(site.send(run, body)) == "segment_damaged"


def test_a_segment_that_unpacks_to_more_than_it_may_is_refused_before_it_is_unpacked(site: Site) -> None:
    rows = DEFAULT_LIMITS.segment_raw_bytes // 24 + 1
    bomb = encode([Frame.of(["x"], range(rows), range(rows), [[0.0] * rows])], writer=1, seq=0)
    assert len(bomb) < DEFAULT_LIMITS.request_bytes
    assert code(site.send(site.run(), bomb)) == "segment_damaged"


def test_a_segment_that_lies_about_its_size_is_refused(site: Site) -> None:
    honest = encode([Frame.of(["x"], range(1000), range(1000), [[0.0] * 1000])], writer=1, seq=0)
    lying = bytearray(honest)
    lying[32:36] = (100).to_bytes(4, "little")
    lying[40:44] = zlib.crc32(bytes(lying[44:]), zlib.crc32(bytes(lying[:40]))).to_bytes(4, "little")
    assert code(site.send(site.run(), bytes(lying))) == "segment_damaged"


def test_many_small_bombs_together_are_refused(site: Site) -> None:
    rows = 80_000
    one = [
        encode([Frame.of(["x"], range(rows), [0] * rows, [[0.0] * rows])], writer=1, seq=rows * i) for i in range(12)
    ]
    assert sum(map(len, one)) < DEFAULT_LIMITS.request_bytes
    assert code(site.send(site.run(), b"".join(one))) == "body_too_large"


def test_more_names_than_a_database_takes_at_once_are_refused(site: Site) -> None:
    run = site.run()
    parts = []
    for i in range(5):
        names = [f"{i}-{n}" for n in range(9_000)]
        parts.append(encode([Frame.of(names, [i], [0], [[1.0]] * len(names))], writer=1, seq=i))
    assert code(site.send(run, b"".join(parts))) == "body_too_large"
    assert code(site.send(run, parts[0])) == "quota_exceeded"


def test_a_request_may_have_2_mib_and_not_a_byte_more(site: Site) -> None:
    body = b"x" * DEFAULT_LIMITS.request_bytes
    assert code(site.send(site.run(), body)) == "segment_damaged"
    assert code(site.send(site.run(), body + b"x")) == "body_too_large"


@pytest.mark.parametrize("names", [("",), ("a\nb",), ("x" * 257,), ("same", "same"), ("\x00",)])
def test_a_metric_that_cannot_be_named_so_is_refused(site: Site, names: tuple[str, ...]) -> None:
    body = encode([Frame.of(names, [0], [0], [[1.0]] * len(names))], writer=1, seq=0)
    assert code(site.send(site.run(), body)) == "segment_damaged"


def test_an_anonymous_artifact_is_refused_before_its_body_is_read(site: Site) -> None:
    run = site.run()

    headers = bearer(run.write) | {"Content-Length": str(10**12)}
    request = httpx.Request("POST", f"http://127.0.0.1{run.path}/artifacts", headers=headers)
    answer = site.transport.handle_request(request)
    answer.read()
    assert code(answer) == "anonymous_artifacts_forbidden"
