"""How a route is declared: with what it does and everything its description needs.

An `Operation` is a handler with its method, path, body, answer and refusals. The application is made from
operations, and so is `openapi.json`, which therefore cannot lie about what there is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.messages import to_json
from anonrun.server.problems import ProblemError

__all__ = ["Handler", "Operation", "Operations", "Param", "answer", "integer", "no_content", "number"]

Handler = Callable[[Request], Awaitable[Response]]

_MOST_NUMBER_CHARS = 32


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter in the query; `many` where it may be given more than once."""

    name: str
    about: str
    kind: str = "string"
    many: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        method: HTTP method.
        path: with `{run_id}` and the like.
        handler: what answers; its docstring's first line is the summary, its name the operation's id.
        who: whom it is for, in words.
        tag: the resource.
        body: message that is asked for; text names a media type; None for no body.
        answers: what comes back, by status: a message, a list of one, text for a media type, None for nothing.
        codes: refusals beside those that every operation may give.
        query: parameters.
        listed: whether it stands in the description.
    """

    method: str
    path: str
    handler: Handler
    who: str
    tag: str
    body: type | str | None = None
    answers: dict[int, Any] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    query: tuple[Param, ...] = ()
    listed: bool = True

    @property
    def name(self) -> str:
        """The stable id of this operation."""
        return self.handler.__name__


class Operations:
    """The operations of one module, in order of declaration.

    Args:
        tag: the resource that they are about.
        prefix: begins every path.
    """

    def __init__(self, tag: str, *, prefix: str = "/api/v1") -> None:
        self._tag = tag
        self._prefix = prefix
        self.all: list[Operation] = []

    def add(self, method: str, path: str, *, who: str, **more: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401  Operation's fields
        """Declare the decorated handler as an operation; the keywords are those of `Operation`."""

        def declare(handler: Handler) -> Handler:
            full = self._prefix + path
            self.all.append(Operation(method=method, path=full, handler=handler, who=who, tag=self._tag, **more))
            return handler

        return declare

    def get(self, path: str, **more: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401  Operation's fields
        """Declare a GET."""
        return self.add("GET", path, **more)

    def post(self, path: str, **more: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401  Operation's fields
        """Declare a POST."""
        return self.add("POST", path, **more)

    def put(self, path: str, **more: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401  Operation's fields
        """Declare a PUT."""
        return self.add("PUT", path, **more)

    def patch(self, path: str, **more: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401  Operation's fields
        """Declare a PATCH."""
        return self.add("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401  Operation's fields
        """Declare a DELETE."""
        return self.add("DELETE", path, **more)


def answer(message: object, status: int = 200) -> Response:
    """Return a message as JSON."""
    body = json.dumps(to_json(message), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(body.encode(), status, media_type="application/json")


def no_content() -> Response:
    """Return the answer that says only that it is done."""
    return Response(status_code=204)


def number(request: Request, name: str) -> float | None:
    """Return a finite number from a request's query; None where it is absent.

    Raises:
        ProblemError: `request_invalid`.
    """
    raw = request.query_params.get(name)
    if raw is None:
        return None
    try:
        value = float(raw) if raw.isascii() and len(raw) <= _MOST_NUMBER_CHARS else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ProblemError("request_invalid", f"{name} must be a number.")
    return value


def integer(request: Request, name: str, *, low: int, high: int, default: int | None = None) -> int | None:
    """Return an integer from a request's query; `default` where it is absent.

    Raises:
        ProblemError: `request_invalid`.
    """
    raw = request.query_params.get(name)
    if raw is None:
        return default
    digits = raw[1:] if raw[:1] == "-" else raw
    value = int(raw) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None  # noqa: PLR2004  digits of 2^63
    if value is None or not low <= value <= high:
        raise ProblemError("request_invalid", f"{name} must be an integer from {low} to {high}.")
    return value
