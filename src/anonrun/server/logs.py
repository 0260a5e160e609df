"""Logs as JSON, one object a line, in which no secret survives (R8).

What is logged while a request is answered carries its id, which its answer has as `X-Request-Id`.
"""

from __future__ import annotations

import contextvars
import json
import logging
import logging.handlers
import re
import secrets
from pathlib import Path

from anonrun.core.times import format_time, from_us
from anonrun.core.tokens import redact

__all__ = ["JsonFormatter", "begin_request", "set_up"]

_BYTES = 1 << 20
_GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")
_request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("anonrun_request_id", default=None)


def begin_request(given: str | None) -> str:
    """Name the request that is answered from here on, and return its id.

    Args:
        given: what a proxy called it, which is kept where it is plainly an id; None where none did.
    """
    request_id = given if given is not None and _GIVEN.fullmatch(given) else secrets.token_hex(8)
    _request_id.set(request_id)
    return request_id


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object; every token in any part of it is replaced."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        entry = {
            "at": format_time(from_us(int(record.created * 1e6))),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        request_id = _request_id.get()
        if request_id is not None:
            entry["request"] = request_id
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return redact(json.dumps(entry, ensure_ascii=False, default=str))


def set_up(level: str, file: Path | None) -> None:
    """Send this process's logs to a file that is kept small, or to standard error where `file` is None."""
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler()
    else:
        handler = logging.handlers.RotatingFileHandler(file, maxBytes=_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("uvicorn.access").disabled = True  # requests are logged by our own middleware
