"""What `%anonrun status`, `share`, `claim`, `export`, `delete`, `finish` and `off` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["COMMANDS"]

COMMANDS: dict[str, Callable[[Sequence[str]], object]] = {}
