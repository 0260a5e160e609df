"""The exception that ended a run, or the cell in which it was going: what of it is told, and to whom.

Its type goes to the server with the run. Its text does not: it may name a person, a path or a machine, and none of
that is collected. The text stays in the notebook, where the traceback stands already, without folders, without what
looks like a token, and short.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from anonrun.client.home import without_home
from anonrun.core.tokens import redact

__all__ = ["Failure", "failure_of"]

_MOST_KIND_CHARS = 80
_MOST_TEXT_CHARS = 300
_FOLDERS = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:|~)?(?:[/\\]+[^\s'\"/\\:<>|]+)+(?=[/\\])")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run stopped.

    Attributes:
        kind: name of the exception's type, such as `ValueError`.
        text: its message in one line, for the notebook only; empty where it has none.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}" if self.text else self.kind


def failure_of(exc: BaseException) -> Failure:
    r"""Return what is told of an exception.

    Example:
        >>> str(failure_of(FileNotFoundError(2, "No such file", "/data/ada/digits.csv")))
        "FileNotFoundError: [Errno 2] No such file: '…/digits.csv'"
    """
    kind = "".join(char for char in type(exc).__name__ if char.isprintable())[:_MOST_KIND_CHARS]
    try:
        text = " ".join(str(exc)[: 4 * _MOST_TEXT_CHARS].split())
    except Exception:  # noqa: BLE001  an exception of the user's own may do anything
        text = ""
    text = _FOLDERS.sub("…", redact(without_home(text)))
    return Failure(kind, text if len(text) <= _MOST_TEXT_CHARS else f"{text[: _MOST_TEXT_CHARS - 1]}…")
