"""Logs as JSON, one object a line, in which no secret survives (R8)."""

from __future__ import annotations

import json
import logging
import logging.handlers
from pathlib import Path

from anonrun.core.times import format_time, from_us
from anonrun.core.tokens import redact

__all__ = ["JsonFormatter", "set_up"]

_BYTES = 1 << 20


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
