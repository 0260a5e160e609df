"""Runs inside one program's environment: `python -m benchmarks.peers.driver ADAPTER ACTION FOLDER RESULT [OPTIONS]`.

What it found is written into the file RESULT as JSON, since programs print as they like. Every program is measured by
this same code; nothing is imported from it before the clock runs. Where calls are counted for a `kill -9`, the count is
in a shared mapping of a file: the kernel keeps it when the process is gone.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import mmap
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.curves import METRICS, column, rows

if TYPE_CHECKING:
    from benchmarks.peers.adapters.contract import Adapter, Log

_COUNT = struct.Struct("<Q")
_WARM_CALLS = 200
_ROWS = 1_000


def _import(adapter: Adapter, _: argparse.Namespace) -> dict[str, Any]:
    start = time.perf_counter()
    adapter.load()
    return {"import_s": time.perf_counter() - start}


def _paced(log: Log, *, seconds: float, most: int, per_second: float | None) -> list[int]:
    """Log for a while; return what each call took, in nanoseconds."""
    table = list(rows(_ROWS))
    clock = time.perf_counter_ns
    spent: list[int] = []
    began = clock()
    end = began + int(seconds * 1e9)
    for number in range(most):
        row = table[number % _ROWS]
        start = clock()
        log.log(row, _WARM_CALLS + number)  # noqa: G003  no logger of messages
        now = clock()
        spent.append(now - start)
        if now > end:
            break
        if per_second is not None:
            time.sleep(max(0.0, (began + (number + 1) * 1e9 / per_second - now) / 1e9))
    return spent


def _log(adapter: Adapter, options: argparse.Namespace) -> dict[str, Any]:
    adapter.load()
    start = time.perf_counter()
    log = adapter.begin(options.folder)
    init_s = time.perf_counter() - start
    for step, row in enumerate(rows(_WARM_CALLS)):
        log.log(row, step)
    gc.collect()
    began = time.perf_counter()
    spent = _paced(log, seconds=options.seconds, most=options.calls, per_second=options.per_second)
    took_s = time.perf_counter() - began
    start = time.perf_counter()
    log.finish()
    finish_s = time.perf_counter() - start
    ranked = sorted(spent)
    return {
        "init_s": init_s,
        "calls": len(spent),
        "calls_per_s": len(spent) / took_s,
        "p50_us": ranked[len(ranked) // 2] / 1e3,
        "p99_us": ranked[len(ranked) * 99 // 100] / 1e3,
        "max_us": ranked[-1] / 1e3,
        "finish_s": finish_s,
    }


def _until_killed(adapter: Adapter, options: argparse.Namespace) -> dict[str, Any]:
    """Log until killed; `options.counter` tells how many calls have returned."""
    log = adapter.begin(options.folder)
    table = list(rows(_ROWS))
    options.counter.write_bytes(bytes(_COUNT.size))
    with options.counter.open("r+b") as file, mmap.mmap(file.fileno(), _COUNT.size) as returned:
        sys.stdout.write("logging\n")
        sys.stdout.flush()
        began = time.monotonic()
        for number in range(1 << 62):
            log.log(table[number % _ROWS], number)
            _COUNT.pack_into(returned, 0, number + 1)
            if options.per_second is not None:
                time.sleep(max(0.0, began + (number + 1) / options.per_second - time.monotonic()))
    raise AssertionError("nobody killed this process")


def _fill(adapter: Adapter, options: argparse.Namespace) -> dict[str, Any]:
    names = METRICS[: options.metrics]
    columns = {name: column(name, options.rows) for name in names}
    start = time.perf_counter()
    adapter.fill(options.folder, columns)
    fill_s = time.perf_counter() - start
    stored = adapter.stored_bytes(options.folder)
    return {"fill_s": fill_s, "bytes": stored, "points": options.rows * len(names)}


def _count(adapter: Adapter, options: argparse.Namespace) -> dict[str, Any]:
    return {"rows": adapter.count(options.folder)}


def _read(adapter: Adapter, options: argparse.Namespace) -> dict[str, Any]:
    """Read twice: what the first time imports late counts, and the second time may come from memory."""
    adapter.load()
    spent = []
    points = 0
    for _ in range(2):
        start = time.perf_counter()
        points = adapter.read(options.folder, METRICS[0])
        spent.append(time.perf_counter() - start)
    return {"first_s": spent[0], "again_s": spent[1], "points": points}


def _close(adapter: Adapter, options: argparse.Namespace) -> dict[str, Any]:
    adapter.close(options.folder)
    return {}


_ACTIONS = {
    "import": _import,
    "log": _log,
    "until-killed": _until_killed,
    "fill": _fill,
    "count": _count,
    "read": _read,
    "close": _close,
}


def main() -> None:
    """Do one thing and print what it took."""
    parser = argparse.ArgumentParser(prog="driver")
    parser.add_argument("adapter")
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--per-second", type=float)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--metrics", type=int, default=len(METRICS))
    parser.add_argument("--counter", type=Path)
    options = parser.parse_args()
    adapter: Any = importlib.import_module(f"benchmarks.peers.adapters.{options.adapter}")
    adapter.prepare(options.folder)
    result = _ACTIONS[options.action](adapter, options)
    options.result.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
