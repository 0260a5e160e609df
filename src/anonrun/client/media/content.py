"""What all media have in common: each makes a `Content`, or says why it cannot."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any

from anonrun.core.media import (
    MAX_CAPTION_CHARS,
    Curves,
    Histogram,
    Matrix,
    MediaKind,
    Table,
    content_problem,
)

__all__ = ["MAX_ESCAPED_BYTES", "Content", "Media", "Unloggable", "caption_of", "escaped_bytes", "json_content"]


MAX_ESCAPED_BYTES = 2_000_000
"""Of a text within a request, whose bound is 2 MiB."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an item holds, as it is stored.

    Attributes:
        kind: what it is.
        type: content type.
        text: text, or base64 of a picture's bytes.
        caption: what its maker says of it.
        notes: sentences about what was changed to make it fit.
    """

    kind: MediaKind
    type: str
    text: str
    caption: str = ""
    notes: tuple[str, ...] = ()


class Unloggable(Exception):  # noqa: N818  nothing went wrong in the program: it becomes a warning and reaches nobody
    """Something cannot be logged; the text says why, and what to do."""


class Media(ABC):
    """Something that `run.log` takes beside numbers.

    To make one raises nothing for what it is made from, so that a training goes on; `content` is where that is said.
    """

    @abstractmethod
    def content(self) -> Content:
        """Return what is stored.

        Raises:
            Unloggable: it cannot be stored.
        """


def caption_of(caption: object) -> str:
    """Return a caption as it may be."""
    text = "" if caption is None else str(caption).encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= MAX_CAPTION_CHARS else text[: MAX_CAPTION_CHARS - 1] + "…"


def json_content(
    kind: MediaKind,
    said: Histogram | Table | Matrix | Curves | dict[str, Any],
    *,
    caption: str = "",
    notes: tuple[str, ...] = (),
) -> Content:
    """Return the content of one of the shapes of `anonrun.core.media`.

    Raises:
        Unloggable: it is not as it must be, or too large.
    """
    plain = said if isinstance(said, dict) else asdict(said)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    problem = content_problem(kind, "application/json", text)
    if problem is None and escaped_bytes(text) > MAX_ESCAPED_BYTES:
        problem = "it is too large"
    if problem is not None:
        raise Unloggable(f"{problem[0].upper()}{problem[1:]}.")
    return Content(kind, "application/json", text, caption, notes)


def escaped_bytes(text: str) -> int:
    """Return how many bytes a text takes in a request, where quotation marks and foreign letters take more than one."""
    return len(json.dumps(text))
