from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from typing import Any

import pytest

from anonrun.core.media import (
    MAX_BINS,
    MAX_CONTENT_BYTES,
    MediaItem,
    MediaKind,
    content_bytes,
    content_problem,
    item_problem,
)

_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
_CURVE = {"name": "cat", "x": [0, 1], "y": [1, 0.5], "area": 0.7}
_SOUND: dict[MediaKind, tuple[str, Any]] = {
    MediaKind.HISTOGRAM: ("application/json", {"edges": [0, 0.5, 1], "counts": [3, 0]}),
    MediaKind.TABLE: ("application/json", {"columns": ["a", "b"], "rows": [[1, "x"], [None, True]]}),
    MediaKind.CONFUSION_MATRIX: ("application/json", {"labels": ["cat", "dog"], "counts": [[5, 1], [0, 7]]}),
    MediaKind.CURVES: ("application/json", {"x_title": "recall", "y_title": "precision", "lines": [_CURVE]}),
    MediaKind.FIGURE: ("application/json", {"data": [{"type": "bar", "y": [1]}], "layout": {}}),
    MediaKind.TEXT: ("text/plain", "a text\nof two lines"),
    MediaKind.CONSOLE: ("text/plain", ""),
    MediaKind.IMAGE: ("image/png", _PNG),
}


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)


@pytest.mark.parametrize("kind", MediaKind)
def test_what_is_sound_is_taken(kind: MediaKind) -> None:
    content_type, content = _SOUND[kind]
    assert content_problem(kind, content_type, _text(content)) is None


@pytest.mark.parametrize("kind", MediaKind)
def test_a_kind_has_its_own_types(kind: MediaKind) -> None:
    assert "type" in str(content_problem(kind, "text/html", _text(_SOUND[kind][1])))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (MediaKind.HISTOGRAM, {"edges": [0, 1], "counts": []}),
        (MediaKind.HISTOGRAM, {"edges": list(range(MAX_BINS + 2)), "counts": [1] * (MAX_BINS + 1)}),
        (MediaKind.HISTOGRAM, {"edges": [1, 0], "counts": [1]}),
        (MediaKind.HISTOGRAM, {"edges": [0, 1], "counts": [-1]}),
        (MediaKind.HISTOGRAM, {"edges": [0, 10**400], "counts": [1]}),
        (MediaKind.HISTOGRAM, {"edges": ["0", "1"], "counts": [1]}),
        (MediaKind.HISTOGRAM, {"edges": [0, 1], "counts": [1], "more": 1}),
        (MediaKind.HISTOGRAM, [0, 1]),
        (MediaKind.HISTOGRAM, {"edges": None, "counts": None}),
        (MediaKind.TABLE, {"columns": [], "rows": []}),
        (MediaKind.TABLE, {"columns": ["a"], "rows": [[1, 2]]}),
        (MediaKind.TABLE, {"columns": ["a"], "rows": [1]}),
        (MediaKind.TABLE, {"columns": ["a"], "rows": [[{"b": 1}]]}),
        (MediaKind.TABLE, {"columns": ["a", "b"], "rows": [[1, 2]] * 60_000}),
        (MediaKind.CONFUSION_MATRIX, {"labels": ["a"], "counts": [[1, 2]]}),
        (MediaKind.CONFUSION_MATRIX, {"labels": ["a", "b"], "counts": [[1, 2]]}),
        (MediaKind.CONFUSION_MATRIX, {"labels": ["a"], "counts": [[-2]]}),
        (MediaKind.CURVES, {"x_title": "x", "y_title": "y", "lines": []}),
        (MediaKind.CURVES, {"x_title": "x", "y_title": "y", "lines": [{"name": "a", "x": [1], "y": []}]}),
        (MediaKind.CURVES, {"x_title": "x", "y_title": "y", "lines": [{"name": "a", "x": [1], "y": ["b"]}]}),
        (MediaKind.CURVES, {"x_title": "x", "y_title": "y", "lines": [3]}),
        (MediaKind.CURVES, {"x_title": 3, "y_title": "y", "lines": [_CURVE]}),
        (MediaKind.CURVES, {"x_title": "x"}),
        (MediaKind.FIGURE, {"data": 3}),
        (MediaKind.FIGURE, {"data": [], "layout": []}),
    ],
)
def test_what_is_not_sound_is_refused_with_a_reason(kind: MediaKind, content: Any) -> None:
    assert content_problem(kind, "application/json", json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"data": [NaN]}', '{"data": [-Infinity]}', "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    assert "JSON" in str(content_problem(MediaKind.FIGURE, "application/json", text))


def test_a_picture_is_what_its_type_says() -> None:
    assert content_problem(MediaKind.IMAGE, "image/jpeg", _PNG) == "the content is no image/jpeg"
    assert content_problem(MediaKind.IMAGE, "image/png", "<svg>") == "a picture's content is base64"
    assert content_bytes(MediaKind.IMAGE, _PNG).startswith(b"\x89PNG")


def test_what_is_too_large_is_refused_with_its_size() -> None:
    problem = content_problem(MediaKind.TEXT, "text/plain", "x" * (MAX_CONTENT_BYTES + 1))
    assert problem == "an item holds at most 1,048,576 bytes; this one has 1,048,577"
    assert content_problem(MediaKind.TEXT, "text/plain", "\ud800") == "the content is Unicode text"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"key": ""}, "A metric needs a name"),
        ({"media_id": "F" * 32}, "hexadecimal"),
        ({"step": 1 << 63}, "64 bits"),
        ({"index": -1}, "index"),
        ({"caption": "c" * 1_001}, "caption"),
    ],
)
def test_an_item_is_checked(change: dict[str, Any], said: str | None) -> None:
    fields: dict[str, Any] = {
        "media_id": "0123456789abcdef" * 2,
        "kind": MediaKind.TEXT,
        "key": "note",
        "step": 3,
        "time": datetime.now(timezone.utc),
        "type": "text/plain",
        "content": "hello",
    }
    problem = item_problem(MediaItem(**fields | change))
    assert problem is None if said is None else said in str(problem)
