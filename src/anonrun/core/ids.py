"""Names and identifiers of accounts, projects and runs.

`run_id` is a UUIDv7 made by the client; it never changes, also not by a claim. `id` is the short
name that people type; it is unique within one account's project.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from anonrun.errors import UsageError

__all__ = ["DEFAULT_PROJECT", "check_id", "check_project", "new_id", "new_name", "new_run_id", "parse_run_id"]

DEFAULT_PROJECT = "uncategorized"

_RANDOM_BYTES = 10
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_ADJECTIVES = (
    "amber", "bold", "brisk", "calm", "clear", "cosmic", "crisp", "dapper", "deep", "eager", "early", "fair",
    "fresh", "gentle", "golden", "happy", "honest", "keen", "light", "lively", "lucid", "lunar", "mellow", "mild",
    "neat", "noble", "patient", "polar", "proud", "quick", "quiet", "rapid", "ruby", "sage", "silver", "smooth",
    "solar", "steady", "still", "stoic", "sunny", "swift", "tidal", "vivid", "warm", "wise", "young", "zesty",
)  # fmt: skip
_NOUNS = (
    "aspen", "badger", "beacon", "birch", "brook", "cedar", "cliff", "cloud", "comet", "coral", "crane", "delta",
    "dune", "ember", "falcon", "fern", "field", "finch", "fjord", "forest", "glade", "grove", "harbor", "heron",
    "island", "lark", "leaf", "maple", "meadow", "moss", "oak", "ocean", "orbit", "otter", "pebble", "pine",
    "prairie", "quartz", "reef", "ridge", "river", "sparrow", "spruce", "summit", "thicket", "tide", "valley", "willow",
)  # fmt: skip


def new_run_id(now_ms: int, random_bytes: bytes) -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562, section 5.7).

    Args:
        now_ms: milliseconds since the Unix epoch.
        random_bytes: 10 random bytes.
    """
    if len(random_bytes) != _RANDOM_BYTES:
        raise UsageError(f"new_run_id needs {_RANDOM_BYTES} random bytes, got {len(random_bytes)}.")
    rand = int.from_bytes(random_bytes, "big")
    value = (now_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (rand >> 68 & 0xFFF) << 64 | 0b10 << 62 | rand & (1 << 62) - 1
    return uuid.UUID(int=value)


def parse_run_id(text: str) -> uuid.UUID | None:
    """Return the run id that `text` spells in canonical form (36 characters), or None."""
    try:
        parsed = uuid.UUID(text)
    except (ValueError, AttributeError):
        return None
    return parsed if str(parsed) == text else None


def new_id(choose: Callable[[str], str]) -> str:
    """Return a short id of 8 characters, such as `k3x9p0wz`."""
    return "".join(choose(_ID_ALPHABET) for _ in range(8))


def new_name(choose: Callable[[tuple[str, ...]], str]) -> str:
    """Return a display name of two words, such as `quiet-river`."""
    return f"{choose(_ADJECTIVES)}-{choose(_NOUNS)}"


def check_id(text: object) -> str:
    """Return `text` if it can be a run's id.

    Raises:
        UsageError: it is empty, longer than 128 characters, or has other characters than letters,
            digits and `. _ -`.
    """
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise UsageError(
            f"Run id {text!r} cannot be used: start with a letter or digit, then up to 127 letters, digits or . _ -"
        )
    return text


def check_project(text: object) -> str:
    """Return `text` if it can be a project's name; the rule is that of `check_id`.

    Raises:
        UsageError: the name breaks the rule.
    """
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise UsageError(
            f"Project name {text!r} cannot be used: start with a letter or digit, then up to 127 letters, "
            "digits or . _ -"
        )
    return text
