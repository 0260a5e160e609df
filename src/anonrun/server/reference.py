"""The reference page of the API, made from its description: `python -m anonrun.server.reference > docs/api.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from anonrun.server.problems import CODES

__all__ = ["reference"]


def reference(described: dict[str, Any]) -> str:
    """Return the page, as Markdown, of a description as `openapi.description` returns it."""
    return "\n".join(_lines(described)) + "\n"


def _lines(described: dict[str, Any]) -> Iterator[str]:
    yield "# API reference"
    yield ""
    yield "Made from `openapi.json` by `make docs`; [Protocol](protocol.md) tells how the parts work together."
    yield ""
    yield described["info"]["description"]
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    for tag, operations in sorted(by_tag.items()):
        yield ""
        yield f"## {tag.capitalize()}"
        for method, path, operation in operations:
            yield from _operation(method, path, operation)
    yield ""
    yield "## Messages"
    for name, schema in described["components"]["schemas"].items():
        yield from _message(name, schema)
    yield ""
    yield "## Codes of refusals"
    yield "| code | status | what it says |"
    yield "|---|---|---|"
    for code, (status, _, detail) in sorted(CODES.items()):
        yield f"| `{code}` | {status} | {detail} |"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"### `{method} {path}`"
    yield f"`{operation['operationId']}`: {operation['summary']} {operation['description']}"
    queries = [param for param in operation.get("parameters", ()) if param["in"] == "query"]
    if queries:
        yield ""
        yield "| query | type | what |"
        yield "|---|---|---|"
        for param in queries:
            needed = " (required)" if param["required"] else ""
            yield f"| `{param['name']}` | {_kind(param['schema'])}{needed} | {param['description']} |"
    yield ""
    if "requestBody" in operation:
        yield f"- body: {_content(operation['requestBody']['content'])}"
    for status, answer in operation["responses"].items():
        problems = answer.get("content", {}).get("application/problem+json")
        if problems:
            yield f"- {status}: {', '.join(f'`{code}`' for code in problems['examples'])}"
        else:
            yield f"- {status}: {_content(answer.get('content', {}))}"


def _content(content: dict[str, Any]) -> str:
    if not content:
        return "no body"
    return ", ".join(
        f"{_kind(what['schema'])} as `{media}`" if what["schema"] else f"`{media}`" for media, what in content.items()
    )


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"object of {_kind(inner)}" if inner else "object"
    return str(schema.get("format", schema.get("type", "anything")))


def _message(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"### {name}"
    yield schema["description"].partition("\n\nAttributes:")[0]
    yield ""
    yield "| field | type | |"
    yield "|---|---|---|"
    required = schema.get("required", ())
    for field, of in schema["properties"].items():
        yield f"| `{field}` | {_kind(of)} | {'' if field in required else 'optional'} |"
    yield ""
    yield "```json"
    yield json.dumps(schema["examples"][0], indent=1, ensure_ascii=False)
    yield "```"


if __name__ == "__main__":
    from anonrun.server.app import OPERATIONS
    from anonrun.server.openapi import description

    sys.stdout.write(reference(description(OPERATIONS)))
