"""Python values as JSON, for config and summary: never refuses, says what it changed.

Pure. NumPy scalars and one-element tensors become numbers, NaN and ±Inf the texts `NaN`, `Infinity`
and `-Infinity` (JSON has no such numbers), paths and whatever else is unknown their `str`.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from anonrun.core.limits import DEFAULT_LIMITS
from anonrun.core.metrics import to_float

__all__ = ["fit", "plain"]

_MAX_DEPTH = 16


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _items(value: object) -> Mapping[Any, object] | None:
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if type(value).__name__ == "Namespace" and hasattr(value, "__dict__"):
        return vars(value)
    return None


def plain(value: object, depth: int = 0) -> Any:  # noqa: ANN401, PLR0911  JSON has no narrower type; one return a case
    """Return `value` as something that `json.dumps(..., allow_nan=False)` takes.

    Example:
        >>> plain({"lr": 0.1, "shape": (2, 3), "best": float("inf")})
        {'lr': 0.1, 'shape': [2, 3], 'best': 'Infinity'}
    """
    if isinstance(value, enum.Enum):
        return plain(value.value, depth)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        text = str(value).encode("utf-8", "replace").decode("utf-8")
        most = DEFAULT_LIMITS.text_chars
        return text if len(text) <= most else text[: most - 1] + "…"
    if isinstance(value, float):
        return _number(float(value))
    if depth < _MAX_DEPTH:
        mapping = _items(value)
        if mapping is not None:
            return {plain(str(k)): plain(v, depth + 1) for k, v in mapping.items()}
        if isinstance(value, (Sequence, AbstractSet)) and not isinstance(value, (bytes, bytearray, memoryview)):
            return [plain(v, depth + 1) for v in value]
    number = to_float(value)
    if number is not None:
        return int(number) if number.is_integer() and "int" in type(value).__name__ else _number(number)
    return plain(str(value))


def fit(entries: dict[str, Any], most_bytes: int = DEFAULT_LIMITS.config_bytes) -> tuple[dict[str, Any], list[str]]:
    """Return the entries that fit into `most_bytes` of JSON, and the names of those that do not.

    The largest entries go first.
    """
    sizes = {name: len(json.dumps({name: value})) for name, value in entries.items()}
    total = sum(sizes.values())
    left_out = []
    for name in sorted(sizes, key=lambda n: sizes[n], reverse=True):
        if total <= most_bytes:
            break
        total -= sizes[name]
        left_out.append(name)
    return {name: value for name, value in entries.items() if name not in left_out}, left_out
