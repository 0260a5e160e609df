"""wandb in its offline mode: the documented way to log without an account."""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers.adapters.disk import log_all, size_bytes, until_still

_FILE_HEADER, _BLOCK = 7, 32_768
_RECORD = struct.Struct("<IHB")
_FULL, _LAST = 1, 4


class _Log:
    def __init__(self, run: Any) -> None:
        self._log = run.log
        self.finish = run.finish

    def log(self, row: Mapping[str, float], _: int) -> None:
        self._log(row)


def prepare(folder: Path) -> None:
    os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(folder)}


def load() -> None:
    import wandb  # noqa: F401


def begin(folder: Path) -> _Log:
    import wandb

    return _Log(wandb.init(project="bench", dir=str(folder), settings={"x_disable_stats": True, "console": "off"}))


def fill(folder: Path, columns: Mapping[str, array[float]]) -> None:
    log = begin(folder)
    log_all(log.log, columns)
    log.finish()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("run-*.wandb"))


def _payloads(data: bytes) -> Iterator[bytes]:
    """Yield the whole records of a file: LevelDB's log format after a header; what is cut off ends it.

    https://github.com/google/leveldb/blob/main/doc/log_format.md
    """
    at, parts = _FILE_HEADER, b""
    while at + _RECORD.size <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _RECORD.size:
            at += left
            continue
        _, size, kind = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if kind == 0 or at + size > len(data):
            return
        parts += data[at : at + size]
        at += size
        if kind in {_FULL, _LAST}:
            yield parts
            parts = b""


def _history(folder: Path) -> Iterator[Any]:
    """Yield history records; wandb itself reads such a file only to send it to a server."""
    from wandb.proto import wandb_internal_pb2

    for file in _files(folder):
        for payload in _payloads(file.read_bytes()):
            record = wandb_internal_pb2.Record.FromString(payload)
            if record.WhichOneof("record_type") == "history":
                yield record.history


def _name(item: Any) -> str:
    return item.key or "/".join(item.nested_key)


def count(folder: Path) -> int:
    until_still(lambda: size_bytes(folder))  # its helper process goes on for a moment
    return sum(1 for _ in _history(folder))


def read(folder: Path, metric: str) -> int:
    values = [float(item.value_json) for history in _history(folder) for item in history.item if _name(item) == metric]
    return len(values)


def stored_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in _files(folder))


def close(_: Path) -> None:
    """Nothing: what it starts ends by itself."""
