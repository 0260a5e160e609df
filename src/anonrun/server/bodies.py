"""Bodies of requests: bounded, JSON, and of the form that a message asks for.

What passes here can be stored and sent again by any database and any client: no NaN, no lone surrogate, no
NUL, no number beyond 64 bits, no endless nesting. Fields that this version does not know are ignored.

Bodies are read on the event loop, so work is bounded by bytes and, before JSON is parsed, by the values that it can
hold: half a megabyte of `[],` would cost a hundred times as much as half a megabyte of text.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import types
import typing
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from anonrun.core.messages import from_json
from anonrun.core.times import parse_time
from anonrun.server.problems import ProblemError

__all__ = [
    "MAX_JSON_BYTES",
    "check_plain",
    "hints_of",
    "message",
    "parse_json",
    "read_bytes",
    "read_json",
    "read_message",
]

T = TypeVar("T")

MAX_JSON_BYTES = 512 * 1024
_MOST_VALUES = 100_000
_DEEPEST = 32
_MOST_LENGTH_DIGITS = 18
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
    if announced.isdecimal() and (len(announced) > _MOST_LENGTH_DIGITS or int(announced) > most):
        raise ProblemError("body_too_large", f"The body may have {most} bytes. Send less at once.")
    body = bytearray()  # not a list: a body that comes in parts of two bytes would take thirty times its size
    try:
        async for part in request.stream():
            if len(body) + len(part) > most:
                raise ProblemError("body_too_large", f"The body may have {most} bytes. Send less at once.")
            body += part
    except ClientDisconnect:
        raise ProblemError("request_invalid", "The connection ended within the body.") from None
    return bytes(body)


async def read_message(request: Request, cls: type[T], *, most: int = MAX_JSON_BYTES) -> T:
    """Return the message that a request's JSON body spells; it may have `most` bytes.

    Raises:
        ProblemError: `media_type`, `body_too_large`, or `request_invalid`, which names the field.
    """
    data = parse_json(await read_json(request, most=most))
    return message(cls, data, "the body")


async def read_json(request: Request, *, most: int) -> bytes:
    """Return the body of a request that says that it is JSON, unparsed.

    Raises:
        ProblemError: `media_type`, or as `read_bytes`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError("media_type")
    return await read_bytes(request, most=most)


def message(cls: type[T], data: Any, where: str, *, raw: Collection[str] = ()) -> T:  # noqa: ANN401  JSON has no narrower type
    """Return the message that parsed JSON spells.

    Args:
        cls: the message.
        data: the JSON.
        where: what it is called in a refusal.
        raw: fields whose texts may hold anything, for whoever checks them elsewhere.

    Raises:
        ProblemError: `request_invalid`, which names the field.
    """
    plain = {key: value for key, value in data.items() if key not in raw} if raw and isinstance(data, dict) else data
    check_plain(plain, where)
    _check(cls, data, where)
    return from_json(cls, data)


def parse_json(raw: bytes) -> Any:  # noqa: ANN401  JSON has no narrower type
    """Return what a JSON text spells.

    Raises:
        ProblemError: `request_invalid`: it is not JSON, or has so many values that it is not even parsed.
    """
    if _marks(raw) > _MOST_VALUES and _marks(_outside_of_texts(raw)) > _MOST_VALUES:
        raise ProblemError("request_invalid", f"The body may have {_MOST_VALUES} values. Send less at once.")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ProblemError("request_invalid", "The body is not JSON.") from None


def _marks(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _outside_of_texts(raw: bytes) -> bytes:
    """Return a JSON text without what stands between quotes; all of it where there are too many quotes to look."""
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    return raw if bare.count(b'"') > _MOST_VALUES else b"".join(bare.split(b'"')[::2])


def check_plain(value: object, where: str) -> None:
    """Refuse JSON that not every database and client can hold.

    Raises:
        ProblemError: `request_invalid`, which says where.
    """
    level = [value]
    for _ in range(_DEEPEST + 1):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, dict):
                deeper += item.keys()
                deeper += item.values()
            elif isinstance(item, list):
                deeper += item
            else:
                _check_scalar(item, where)
        if not deeper:
            return
        level = deeper
    raise ProblemError("request_invalid", f"The body is nested more than {_DEEPEST} deep.")


def _check_scalar(value: object, where: str) -> None:
    if isinstance(value, str):
        if "\0" in value or not (value.isascii() or _is_unicode(value)):
            raise ProblemError("request_invalid", f"A text in {where} has characters that are not Unicode text.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ProblemError("request_invalid", f"A number in {where} is not finite; send it as text.")
    elif isinstance(value, int) and not -_LARGEST_INT <= value < _LARGEST_INT:
        raise ProblemError("request_invalid", f"A number in {where} does not fit into 64 bits.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(hint: Any, value: object, where: str) -> None:  # noqa: ANN401  type hints have no narrower type
    """Refuse a value that is not of the type that a hint names; types are never converted."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if value is not None:
            _check(options[0], value, where)
    elif words := _words_of(hint):
        if not isinstance(value, str) or value not in words:
            raise ProblemError("request_invalid", f"{where} must be one of {', '.join(words)}.")
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


def _words_of(hint: Any) -> tuple[str, ...]:  # noqa: ANN401  type hints have no narrower type
    """Return the texts that a type allows; none where it is not one of texts."""
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    is_enum = isinstance(hint, type) and issubclass(hint, enum.Enum)
    return tuple(member.value for member in hint) if is_enum else ()


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
