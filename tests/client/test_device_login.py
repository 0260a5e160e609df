"""Waiting for an approval, with a server that answers from a list and a clock that the waiting moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from anonrun.client.device import wait
from anonrun.client.remote import Remote
from anonrun.client.transport import Request, Response
from anonrun.core.messages import DeviceCodes
from anonrun.core.tokens import TokenKind, mint
from anonrun.errors import AuthenticationError, ServerError, ServerUnavailableError
from client.fakes import answer, problem

KEY = mint(TokenKind.API_KEY)
GRANT = answer(200, {"access_token": KEY, "token_type": "Bearer", "account": "ada"})
PENDING = problem(400, "authorization_pending", interval=5)
CODES = DeviceCodes(
    device_code="secret",
    user_code="BCDF-GHJK",
    verification_uri="http://server.test/device",
    expires_in=600,
    interval=5,
)


@dataclass
class Waiting:
    """Implements `Transport`; `waits` are the pauses that were made."""

    answers: Iterable[Response | None]
    waits: list[float] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        assert request.path == "/api/v1/device/token"
        given = next(self._given, PENDING)
        if given is None:
            raise ServerUnavailableError("not there")
        return given

    def close(self) -> None:
        pass

    def key(self) -> str:
        self._given = iter(self.answers)
        return wait(Remote(self), CODES, sleep=self.waits.append, clock_s=lambda: sum(self.waits))


def test_it_asks_at_the_interval_until_it_is_let_in() -> None:
    waiting = Waiting([PENDING, None, GRANT])
    assert waiting.key() == KEY
    assert waiting.waits == [5.25] * 3


def test_it_becomes_slower_when_it_is_told_to() -> None:
    waiting = Waiting([problem(400, "slow_down", interval=10), PENDING, problem(429, "x", retry_after=30), GRANT])
    assert waiting.key() == KEY
    assert waiting.waits == [5.25, 10.25, 10.25, 30.25]


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (problem(400, "access_denied"), AuthenticationError),
        (problem(400, "expired_token"), AuthenticationError),
        (problem(500, "internal"), ServerError),
    ],
)
def test_what_ends_it_is_told(last: Response, error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        Waiting([PENDING, last]).key()
    assert "secret" not in str(refused.value)


def test_it_gives_up_after_ten_minutes() -> None:
    waiting = Waiting([])
    with pytest.raises(AuthenticationError, match="ten minutes"):
        waiting.key()
    assert 600 <= sum(waiting.waits) < 606
