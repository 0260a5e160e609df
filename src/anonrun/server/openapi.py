"""The description of the API, made from the operations themselves: `/openapi.json`.

`python -m anonrun.server.openapi` prints it. Messages become schemas by the types of their fields; nothing of
it is written by hand but the words that stand in docstrings anyway.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from anonrun._version import __version__
from anonrun.core.messages import Problem
from anonrun.core.tokens import TOKEN_PATTERN
from anonrun.server.bodies import hints_of
from anonrun.server.examples import FIELD_SCHEMAS, example_of, problem_example
from anonrun.server.problems import CODES
from anonrun.server.routing import Operation, Param

__all__ = ["description"]

_ANY_OPERATION = ("internal", "store_unavailable")
_WITH_BODY = ("media_type", "request_invalid", "body_too_large")
_PATH_PARAMS = {
    "run_id": {"type": "string", "format": "uuid"},
    "writer": {"type": "string", "pattern": "^[0-9]{1,20}$"},
    "link_id": {"type": "string"},
    "key_id": {"type": "string"},
    "session_id": {"type": "string"},
    "invitation_id": {"type": "string"},
    "artifact_id": {"type": "string", "format": "uuid"},
    "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "number": {"type": "string", "pattern": "^[0-9]{1,6}$"},
    "identity_id": {"type": "string"},
    "media_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
_PLAIN = {
    str: {"type": "string"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    type(None): {"type": "null"},
}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema(hint: Any, seen: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401, PLR0911  type hints have no narrower type; one return a case
    if hint is Any:
        return {}
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(option, seen) for option in args]}
    if origin is typing.Literal:
        return {"type": "string", "enum": list(args)}
    if origin is list:
        return {"type": "array", "items": _schema(args[0], seen)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(args[1], seen)}
    if issubclass(hint, enum.Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if hint.__name__ not in seen:
        seen[hint.__name__] = {}  # so that a message that holds itself comes to an end
        seen[hint.__name__] = _message(hint, seen)
    return _ref(hint.__name__)


def _message(cls: Any, seen: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  a dataclass
    hints = hints_of(cls)
    required = [
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    schema: dict[str, Any] = {
        "type": "object",
        "description": inspect.cleandoc(cls.__doc__ or ""),
        "properties": {name: _field(name, hint, seen) for name, hint in hints.items()},
        "examples": [example_of(cls)],
    }
    return schema | ({"required": required} if required else {})


def _field(name: str, hint: Any, seen: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  type hints have no narrower type
    schema = _schema(hint, seen)
    form = FIELD_SCHEMAS.get(name)
    if form is None:
        return schema
    if schema == _PLAIN[str]:
        return dict(form)
    return {"anyOf": [dict(form), dict(_PLAIN[type(None)])]} if _PLAIN[str] in schema.get("anyOf", ()) else schema


def _content(what: Any, seen: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  a message, a list of one, or a media type
    if isinstance(what, str):
        binary = {"type": "string", "format": "binary"}
        return {what: {"schema": {} if what == "application/json" else binary}}
    if isinstance(what, list):
        return {"application/json": {"schema": {"type": "array", "items": _schema(what[0], seen)}}}
    return {"application/json": {"schema": _schema(what, seen)}}


def _param(param: Param) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": param.kind}
    if param.many:
        schema = {"type": "array", "items": schema}
    return {
        "name": param.name,
        "in": "query",
        "required": param.required,
        "description": param.about,
        "schema": schema,
    }


def _problems(codes: Iterable[str]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CODES[code][0], []).append(code)
    return {
        str(status): {
            "description": "; ".join(f"`{code}`: {CODES[code][2]}" for code in sorted(found)),
            "content": {
                "application/problem+json": {
                    "schema": _ref("Problem"),
                    "examples": {code: problem_example(code) for code in sorted(found)},
                }
            },
        }
        for status, found in sorted(by_status.items())
    }


def _operation(operation: Operation, seen: dict[str, Any]) -> dict[str, Any]:
    path_names = re.findall(r"{(\w+)}", operation.path)
    codes = [*operation.codes, *_ANY_OPERATION]
    if operation.path.startswith("/api/") and operation.who != "all":
        codes.append("token_invalid")
    if operation.method != "GET":
        codes.append("cross_site")
    if operation.body is not None:
        codes += _WITH_BODY
    if operation.query or {"writer", "number"} & set(path_names):
        codes.append("request_invalid")
    if "run_id" in path_names:
        codes += ["run_expired", "run_claimed", "run_deleted", "run_moved"]
    answers = {
        str(status): {"description": "Done" if what is None else "Answer"}
        | ({} if what is None else {"content": _content(what, seen)})
        for status, what in operation.answers.items()
    }
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": inspect.cleandoc(operation.handler.__doc__ or "").partition("\n")[0],
        "description": f"Who: {operation.who}.",
        "tags": [operation.tag],
        "responses": answers | _problems(dict.fromkeys(codes)),
        "security": [{}] if operation.who == "all" else [{"bearer": []}, {"session": []}],
    }
    params = [
        *({"name": name, "in": "path", "required": True, "schema": _PATH_PARAMS[name]} for name in path_names),
        *map(_param, operation.query),
    ]
    if params:
        described["parameters"] = params
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body, seen)}
    return described


def description(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of operations."""
    seen: dict[str, Any] = {"Problem": _message(Problem, {})}
    paths: dict[str, Any] = {}
    for operation in operations:
        if operation.listed:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, seen)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "anonrun",
            "version": __version__,
            "summary": "Metrics of runs, without an account.",
            "description": "Errors are RFC 9457 problems with a stable `code`. Tokens match "
            f"`{TOKEN_PATTERN.pattern}` and travel in the Authorization header or a body, never in an address.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted(seen.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or the token of one run."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-anonrun_{instance}",
                    "description": "A browser's session. Writes must come from the server's own pages.",
                },
            },
        },
    }


if __name__ == "__main__":
    from anonrun.server.app import OPERATIONS

    sys.stdout.write(json.dumps(description(OPERATIONS), indent=1, ensure_ascii=False) + "\n")
