"""Bodies are refused before they cost more than their bytes justify."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.requests import Request

from anonrun.server.bodies import MAX_JSON_BYTES, check_plain, parse_json, read_bytes
from anonrun.server.problems import ProblemError


def request_of(parts: Iterable[bytes], **headers: str) -> tuple[Request, list[int]]:
    """Return a request whose body comes in parts, and a list that grows with each part that is asked for."""
    asked: list[int] = []
    coming = iter(parts)

    async def receive() -> dict[str, Any]:
        part = next(coming, b"")
        asked.append(len(part))
        return {"type": "http.request", "body": part, "more_body": bool(part)}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive), asked


def refusal(function: Any, *arguments: Any) -> str:
    """Return the reason that a function gives for its refusal of a request."""
    with pytest.raises(ProblemError) as caught:
        function(*arguments)
    assert caught.value.code == "request_invalid"
    return str(caught.value.body["detail"])


@pytest.mark.parametrize("announced", ["1001", "9" * 18, "9" * 5_000])
def test_a_body_that_is_announced_too_large_is_not_read(announced: str) -> None:
    request, asked = request_of([b"x"], content_length=announced)
    with pytest.raises(ProblemError) as caught:
        asyncio.run(read_bytes(request, most=1_000))
    assert caught.value.code == "body_too_large"
    assert not asked


def test_a_body_that_is_too_large_is_read_no_further_than_the_part_that_is_too_much() -> None:
    request, asked = request_of([b"x" * 100] * 50)
    with pytest.raises(ProblemError) as caught:
        asyncio.run(read_bytes(request, most=1_000))
    assert caught.value.code == "body_too_large"
    assert len(asked) == 11


def test_a_body_in_tiny_parts_takes_a_small_multiple_of_its_size() -> None:
    size = 200_000
    whole = bytes(range(200)) * (size // 200)
    request, _ = request_of(whole[at : at + 2] for at in range(0, size, 2))

    async def peak() -> int:
        tracemalloc.start()
        try:
            assert await read_bytes(request, most=size) == whole
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert asyncio.run(peak()) < 12 * size


@pytest.mark.parametrize("value", ["[]", "{}", "1", '""', "[[]]", '{"":1}'])
def test_a_body_of_countless_values_is_not_even_parsed(value: str) -> None:
    raw = ("[" + ",".join([value] * ((MAX_JSON_BYTES - 2) // (len(value) + 1))) + "]").encode()
    assert len(raw) <= MAX_JSON_BYTES
    tracemalloc.start()
    try:
        problem = refusal(parse_json, raw)
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()
    assert "may have 100000 values" in problem


def test_a_config_of_the_most_values_is_parsed() -> None:
    config = {f"{i:x}": i for i in range(8_000)}
    assert parse_json(json.dumps({"config": config}).encode()) == {"config": config}


def test_digits_without_end_are_refused() -> None:
    assert "not JSON" in refusal(parse_json, b"9" * MAX_JSON_BYTES)


def nested(depth: int, inner: object) -> object:
    for i in range(depth):
        inner = [inner] if i % 2 else {"k": inner}
    return inner


def test_nesting_may_be_32_deep_and_not_one_more() -> None:
    check_plain(nested(32, "x"), "the body")
    assert "nested more than 32 deep" in refusal(check_plain, nested(33, "x"), "the body")


@pytest.mark.parametrize(
    "value",
    ["\0", "a\ud800", "\udfff", 2**63, -(2**63) - 1, float("nan"), float("inf"), {"\ud800": 1}, {"a\0": 1}],
    ids=range(9),
)
def test_what_not_every_database_can_hold_is_refused_wherever_it_stands(value: object) -> None:
    for depth in (0, 1, 5):
        assert " in the body " in refusal(check_plain, nested(depth, value), "the body")


@pytest.mark.parametrize(
    "value", [None, True, 2**63 - 1, -(2**63), -0.0, 1.7e308, "", "ä🙂\uffff", [], {}, {"": []}], ids=range(11)
)
def test_what_can_be_held_passes(value: object) -> None:
    for depth in (0, 1, 5):
        check_plain(nested(depth, value), "the body")
