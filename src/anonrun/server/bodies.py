"""Bodies of requests: bounded, JSON, and of the form that a message asks for.

What passes here can be stored and sent again by any database and any client: no NaN, no lone surrogate, no
NUL, no number beyond 64 bits, no endless nesting. Fields that this version does not know are ignored.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from anonrun.core.messages import from_json
from anonrun.core.times import parse_time
from anonrun.server.problems import ProblemError

__all__ = ["MAX_JSON_BYTES", "check_plain", "hints_of", "read_bytes", "read_message"]

T = TypeVar("T")

MAX_JSON_BYTES = 512 * 1024
_DEEPEST = 32
_LARGEST_INT = 1 << 63


@cache
def hints_of(cls: type) -> dict[str, Any]:
    """Return the types of a message's fields."""
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


async def read_bytes(request: Request, *, most: int) -> bytes:
    """Return the body of a request; what is larger than `most` bytes is not read to its end.

    Raises:
        ProblemError: `body_too_large`.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise ProblemError("body_too_large", f"The body may have {most} bytes. Send less at once.")
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise ProblemError("body_too_large", f"The body may have {most} bytes. Send less at once.")
            parts.append(part)
    except ClientDisconnect:
        raise ProblemError("request_invalid", "The connection ended within the body.") from None
    return b"".join(parts)


async def read_message(request: Request, cls: type[T]) -> T:
    """Return the message that a request's JSON body spells.

    Raises:
        ProblemError: `media_type`, `body_too_large`, or `request_invalid`, which names the field.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError("media_type")
    raw = await read_bytes(request, most=MAX_JSON_BYTES)
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise ProblemError("request_invalid", "The body is not JSON.") from None
    check_plain(data, "the body")
    _check(cls, data, "the body")
    return from_json(cls, data)


def check_plain(value: object, where: str, depth: int = 0) -> None:
    """Refuse JSON that not every database and client can hold.

    Raises:
        ProblemError: `request_invalid`, which says where.
    """
    if depth > _DEEPEST:
        raise ProblemError("request_invalid", f"The body is nested more than {_DEEPEST} deep.")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise ProblemError("request_invalid", f"A text in {where} has characters that are not Unicode text.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ProblemError("request_invalid", f"A number in {where} is not finite; send it as text.")
    elif isinstance(value, int):
        if not -_LARGEST_INT <= value < _LARGEST_INT:
            raise ProblemError("request_invalid", f"A number in {where} does not fit into 64 bits.")
    elif isinstance(value, list):
        for item in value:
            check_plain(item, where, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            check_plain(key, where, depth + 1)
            check_plain(item, where, depth + 1)


def _check(hint: Any, value: object, where: str) -> None:  # noqa: ANN401  type hints have no narrower type
    """Refuse a value that is not of the type that a hint names; types are never converted."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if value is not None:
            _check(options[0], value, where)
    elif origin is typing.Literal:
        if value not in typing.get_args(hint) or not isinstance(value, str):
            raise ProblemError("request_invalid", f"{where} must be one of {', '.join(typing.get_args(hint))}.")
    elif origin in (list, dict):
        _check_many(origin, hint, value, where)
    elif dataclasses.is_dataclass(hint) and isinstance(hint, type):
        _check_message(hint, value, where)
    elif hint is datetime:
        _check_time(value, where)
    elif hint is float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise ProblemError("request_invalid", f"{where} must be a number.")
    elif not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ProblemError("request_invalid", f"{where} must be of type {_WORDS[hint]}.")


_WORDS = {str: "text", int: "integer", bool: "true or false"}


def _check_many(origin: type, hint: Any, value: object, where: str) -> None:  # noqa: ANN401  type hints have no narrower type
    if origin is list:
        if not isinstance(value, list):
            raise ProblemError("request_invalid", f"{where} must be a list.")
        for i, item in enumerate(value):
            _check(typing.get_args(hint)[0], item, f"{where}[{i}]")
    else:
        if not isinstance(value, dict):
            raise ProblemError("request_invalid", f"{where} must be an object.")
        for key, item in value.items():
            _check(typing.get_args(hint)[1], item, f"{where}.{key[:40]}")


def _check_message(cls: type, value: object, where: str) -> None:
    if not isinstance(value, dict):
        raise ProblemError("request_invalid", f"{where} must be an object.")
    hints = hints_of(cls)
    for f in dataclasses.fields(cls):
        if f.name in value:
            _check(hints[f.name], value[f.name], f.name if where == "the body" else f"{where}.{f.name}")
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ProblemError("request_invalid", f"{where} lacks {f.name!r}.")


def _check_time(value: object, where: str) -> None:
    try:
        parse_time(value if isinstance(value, str) else "")
    except ValueError:
        raise ProblemError("request_invalid", f"{where} must be an RFC 3339 time with its offset.") from None
