"""Examples for the description of the API: every message has one, made from its fields' names and types.

A name means the same in every message, so that what a field looks like is said once. No example is a secret: those of
tokens do not have a token's form.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from datetime import datetime
from typing import Any

from anonrun.server.bodies import hints_of
from anonrun.server.problems import CODES

__all__ = ["FIELD_SCHEMAS", "example_of", "problem_example"]

_RUN_ID = "0192f7d0-5b1c-7cc3-98c4-dc0c0c07398f"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TIME = "2026-11-24T13:00:00.000000Z"
_BY_NAME: dict[str, Any] = {
    "account": "ada", "acc": 0.91, "aliases": ["best"], "artifact_id": _RUN_ID,
    "description": "best so far", "metadata": {"epochs": 10}, "size_bytes": 1024, "type": "model",
    "code": "run_not_found", "config": {"lr": 0.1}, "current": "a long passphrase",
    "count": [64, 64], "damaged": 0, "exit_code": 0, "first": [1.0, 0.5], "group": "seeds", "id": "quiet-river",
    "instance": "6f1ed002ab559585", "job_type": "train", "key": "(told once)", "key_id": "4c1a9be2d0f35e77",
    "label": "for reviewers", "last_step": 127, "link_id": "4c1a9be2d0f35e77", "name": "quiet-river",
    "new": "another passphrase", "next": None, "notes": "baseline", "password": "a long passphrase", "points": 256,
    "position": 2, "project": "uncategorized", "provider": "orcid", "retention_days": 7.0,
    "right": "view", "run_id": _RUN_ID, "step": [0, 64], "suggested_name": "ada",
    "summary": {"loss": 0.25}, "tags": ["baseline"], "time": [1795525200.0, 1795525264.0],
    "token": "(a secret)", "url_path": f"r/{_RUN_ID}", "username": "ada", "version": "0.1.0", "x": [],
}  # fmt: skip
_BY_CLASS: dict[str, dict[str, Any]] = {
    "AccountInfo": {"name": "ada"},
    "Cursor": {"next": 128},
    "ArtifactFile": {"path": "weights.pt"},
    "ArtifactInfo": {"missing": [], "version": "v0"},
    "MetricInfo": {"name": "loss", "n": 128, "last": 0.25, "min": 0.25, "max": 1.0},
    "Problem": dict(zip(("status", "title", "detail"), CODES["run_not_found"], strict=True)) | {"type": "about:blank"},
    "ProjectInfo": {"name": "uncategorized", "runs": 12, "url_path": "p/ada/uncategorized"},
    "RunInfo": {"exit_code": None, "finished_at": None},
    "IdentityInfo": {"issuer": "https://orcid.org", "subject": "0000-0002-1825-0097", "label": "ORCID"},
    "NewcomerInfo": {"label": "ORCID", "next": "/claim"},
    "ProviderAnswer": {"state": "(a secret)", "code": "(a secret)", "error": None, "iss": "https://orcid.org"},
    "ProviderVisit": {"next": "/claim", "invitation": None},
    "SampledMetric": {"total": 128, "min": [0.5, 0.25], "max": [1.0, 0.5], "last": [0.5, 0.25]},
    "VisitBegun": {"url": "https://orcid.org/oauth/authorize?response_type=code&…"},
    "VisitEnded": {"next": "/claim", "newcomer": None},
}
_HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
FIELD_SCHEMAS: dict[str, dict[str, Any]] = {
    "run_id": {"type": "string", "format": "uuid"}, "artifact_id": {"type": "string", "format": "uuid"},
    "digest": _HEX, "key_hash": _HEX, "token_hash": _HEX, "write": _HEX, "view": _HEX, "claim": _HEX,
}  # fmt: skip
"""What a text must look like, by the name of its field."""


def example_of(hint: Any, name: str = "", cls: str = "") -> Any:  # noqa: ANN401, PLR0911  type hints have no narrower type; one return a case
    """Return an example of what a type hint allows, as it looks in JSON.

    Args:
        hint: a message or the type of a field.
        name: of the field.
        cls: name of the message that it is a field of.
    """
    if name in _BY_CLASS.get(cls, {}):
        return _BY_CLASS[cls][name]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        chosen = next(option for option in args if option is not type(None))
        return None if _BY_NAME.get(name, ...) is None else example_of(chosen, name, cls)
    if origin is typing.Literal:
        return args[0]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return {field: example_of(of, field, hint.__name__) for field, of in hints_of(hint).items()}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint)).value
    if hint is datetime:
        return _TIME
    if hint is str and name in FIELD_SCHEMAS and FIELD_SCHEMAS[name] is _HEX:
        return _HASH
    if name in _BY_NAME and _fits(_BY_NAME[name], hint):
        return _BY_NAME[name]
    if origin is list:
        return [example_of(args[0], name.removesuffix("s"))]
    if origin is dict:
        return {"loss": example_of(args[1])}
    return {bool: True, int: 1, float: 0.5, str: "text"}.get(hint)


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401  type hints have no narrower type
    kind = typing.get_origin(hint) or hint
    return isinstance(kind, type) and isinstance(value, kind) and (kind is bool) == isinstance(value, bool)


def problem_example(code: str) -> dict[str, Any]:
    """Return an example of a refusal."""
    status, title, detail = CODES[code]
    value = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    return {"summary": title, "value": value}
