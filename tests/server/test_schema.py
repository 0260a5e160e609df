"""Every operation keeps to its description, whatever is asked of it by whom: schemathesis, over the API in process.

`ANONRUN_SCHEMA_CASES` says how many requests of each kind are made for each operation and actor.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from anonrun.core.tokens import TokenKind, mint
from anonrun.core.wire import CONTENT_TYPE
from anonrun.server.app import OPERATIONS
from anonrun.server.openapi import description
from support.artifacts import logged
from support.site import Site, bearer, running_site, segment, sha

_CASES = int(os.environ.get("ANONRUN_SCHEMA_CASES", "3"))


def _decided(_context: object, answer: Any, _case: object) -> None:
    """Find no failure of the server's own."""
    assert answer.status_code < 500, answer.text


_CHECKS: list[Any] = [
    _decided, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
_SCHEMA = schemathesis.openapi.from_dict(description(OPERATIONS))
_NAMES = sorted(operation.name for operation in OPERATIONS if operation.listed)
ACTORS = ("anonymous", "user", "run token", "browser")


@schemathesis.serializer(CONTENT_TYPE)
def segments(_context: object, value: Any) -> bytes:
    """Send what stands for a segment as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


class Asked:
    """A site, and for each actor what is sent beside a request."""

    def __init__(self, site: Site) -> None:
        self.site = site
        # Somebody new for each operation: one of them deletes the account, another signs out.
        self.browser = site.user(f"user-{secrets.token_hex(6)}")
        self.key = site.user_key(self.browser)
        self.own, self.other = site.run(self.key), site.run()
        for run in (self.own, self.other):
            site.send(run, segment([1.0, 2.0, 3.0]))
        link = mint(TokenKind.SHARE)
        made = site.api.post(f"{self.own.path}/links", json={"token_hash": sha(link)}, headers=bearer(self.key))
        self.link_id = str(made.json()["link_id"])
        self.artifact = logged(site.api, self.own, {"weights": b"1234"})

    def send(self, actor: str, request: dict[str, Any]) -> Any:
        headers = {name: value for name, value in request.pop("headers", {}).items() if name.lower() != "authorization"}
        request.pop("cookies", None)
        client = self.browser if actor == "browser" else self.site.api
        secret = {"user": self.key, "run token": self.other.write}.get(actor)
        self.site.core.hub.close()  # an event stream ends as soon as it has begun
        if isinstance(request.get("data"), (bytes, str)):
            request["content"] = request.pop("data")
        answer = client.request(**request, headers=headers | (bearer(secret) if secret else {}))
        answer.elapsed = timedelta(0)  # nothing is asked of it, but it must be there
        return answer

    def places(self, name: str) -> dict[str, str]:
        """Return what is really there for the parameters of an operation's path."""
        path = next(operation.path for operation in OPERATIONS if operation.name == name)
        there = {"run_id": self.own.run_id, "writer": "1", "link_id": self.link_id, "key_id": "x",
                 "artifact_id": self.artifact["artifact_id"], "digest": self.artifact["files"][0]["digest"],
                 "number": "0"}  # fmt: skip
        return {key: value for key, value in there.items() if f"{{{key}}}" in path}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all."""
    with running_site(tmp_path_factory.mktemp("schema"), runs_per_hour=0, sign_ups_per_hour=0) as site:
        yield site


@pytest.fixture
def asked(served: Site) -> Asked:
    return Asked(served)


def cases(name: str, mode: GenerationMode, places: dict[str, str]) -> st.SearchStrategy[Any]:
    """Return requests for an operation; where it has something in its path, half of them for what is there."""
    operation = _SCHEMA.find_operation_by_id(name)
    found = operation.as_strategy(generation_mode=mode)
    return st.one_of(operation.as_strategy(generation_mode=mode, path_parameters=places), found) if places else found


@pytest.mark.parametrize("name", _NAMES)
def test_an_operation_keeps_to_its_description(asked: Asked, name: str) -> None:
    operation = next(operation for operation in OPERATIONS if operation.name == name)
    can_be_wrong = bool(operation.body or operation.query or "{" in operation.path)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)[: 2 if can_be_wrong else 1]:
        for actor in ACTORS:
            ask(asked, name, actor, cases(name, mode, asked.places(name)))()


def ask(asked: Asked, name: str, actor: str, requests: st.SearchStrategy[Any]) -> Callable[[], None]:
    @settings(
        max_examples=_CASES, deadline=None, database=None, phases=[Phase.generate], derandomize=_CASES < 10,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(requests)
    def run(case: Any) -> None:
        request = case.as_transport_kwargs(base_url="http://127.0.0.1")
        answer = asked.send(actor, request)
        case.validate_response(answer, checks=_CHECKS)

    return run
