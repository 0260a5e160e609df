"""Many clients at once, cheaply: a few processes, sockets by asyncio's protocols, requests made before.

A process (`python -m benchmarks.load`) is told by one line of JSON what to send, says `ready` when all is made, begins
at the next line, and answers with what it saw. Each connection has one request in flight, as the client has.

With a pace, a request's latency counts from the moment at which it was due, not from when it could be sent: a
server that falls behind does not hide it by slowing its clients down (https://github.com/giltene/wrk2).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.flushes import bodies, head
from benchmarks.processes import cpu_s
from benchmarks.served import Made, Server, environ
from benchmarks.setup import ROOT

__all__ = ["Load", "Seen", "generate"]

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Load:
    """What one process sends.

    Attributes:
        runs: path and write token of each run; one connection a run.
        flushes: how many each run sends.
        rows: of ten metrics in each flush.
        per_second: flushes a second of each run; None for as fast as they are answered.
        most_s: no flush is sent later than this, so that a slow server does not hold up the benchmark.
        metrics: in each row.
        seed: of the values.
    """

    port: int
    runs: tuple[tuple[str, str], ...]
    flushes: int
    rows: int
    per_second: float | None
    most_s: float = 60.0
    metrics: int = 10
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What all processes saw together.

    Attributes:
        seconds: from the first request to the last answer.
        latencies_ms: of every flush.
        server_cpu_s: processor time that the server used meanwhile.
        client_cpu_s: likewise the processes that made the load.
    """

    flushes: int
    points: int
    seconds: float
    latencies_ms: tuple[float, ...]
    server_cpu_s: float
    client_cpu_s: float


def generate(server: Server, runs: Sequence[Made], load: Load, *, processes: int) -> Seen:
    """Send a load from several processes, `runs` shared among them."""
    started = []
    try:
        for number in range(processes):
            mine = tuple((f"/api/v1/runs/{run.run_id}/segments", run.write) for run in runs[number::processes])
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.load"],
                cwd=ROOT, env=environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            started.append(process)
            spec = asdict(load) | {"port": server.port, "runs": mine, "seed": number}
            _tell(process, json.dumps(spec))
        for process in started:
            if _heard(process) != "ready":
                raise RuntimeError("A process that makes load did not get ready.")
        before = cpu_s(server.pid)
        for process in started:
            _tell(process, "go")
        answers = [json.loads(_heard(process)) for process in started]
        used = cpu_s(server.pid) - before
    finally:
        for process in started:
            process.kill()
            process.communicate()
    failed = next((answer["error"] for answer in answers if answer["error"]), None)
    if failed is not None:
        raise RuntimeError(f"A flush was refused: {failed}")
    latencies = tuple(ms for answer in answers for ms in answer["latencies_ms"])
    return Seen(
        flushes=len(latencies),
        points=len(latencies) * load.rows * load.metrics,
        seconds=max(answer["ended"] for answer in answers) - min(answer["began"] for answer in answers),
        latencies_ms=latencies,
        server_cpu_s=used,
        client_cpu_s=sum(answer["cpu_s"] for answer in answers),
    )


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None, "it was opened with a pipe"
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None, "it was opened with a pipe"
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("A process that makes load ended early; its message is above.")
    return line.strip()


class _Client(asyncio.Protocol):
    """One run's connection: sends the next flush when the last was answered and its time has come."""

    def __init__(self, heads: Sequence[bytes], flushes: Sequence[bytes], pace_s: float | None) -> None:
        self._heads = heads
        self._flushes = flushes
        self._pace_s = pace_s
        self._due_s = self._until_s = 0.0
        self._sent_s = 0.0
        self._next = 0
        self._buffer = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self.latencies_ms: list[float] = []
        self.done: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "TCP connections are"
        self._transport = transport

    def start_at(self, at_s: float, until_s: float) -> None:
        """Send the first flush at a time of the loop's clock, and the last no later than another."""
        self._due_s, self._until_s = at_s, until_s
        self._loop.call_at(at_s, self._send)

    def _send(self) -> None:
        body = self._flushes[self._next]
        self._sent_s = self._loop.time() if self._pace_s is None else self._due_s
        self._transport.write(self._heads[self._next] + body)

    def data_received(self, data: bytes) -> None:
        self._buffer = data = self._buffer + data
        end = data.find(_END)
        if end < 0:
            return
        if not data.startswith(b"HTTP/1.1 200"):
            self._fail(data[:300].decode("latin-1"))
            return
        lower = data[:end].lower()
        at = lower.index(_LENGTH) + len(_LENGTH)
        if len(data) < end + len(_END) + int(lower[at:].partition(b"\r\n")[0]):
            return
        self._buffer = b""
        now = self._loop.time()
        self.latencies_ms.append((now - self._sent_s) * 1e3)
        self._next += 1
        if self._next == len(self._flushes) or now >= self._until_s:
            self.done.set_result(None)
        elif self._pace_s is None:
            self._send()
        else:
            self._due_s += self._pace_s
            if self._due_s <= now:
                self._send()
            else:
                self._loop.call_at(self._due_s, self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(str(exc or "the server closed the connection"))

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


async def _send_all(spec: dict[str, Any]) -> dict[str, Any]:
    flushes = bodies(spec["flushes"], rows=spec["rows"], metrics=spec["metrics"], seed=spec["seed"])
    loop = asyncio.get_running_loop()
    pace_s = None if spec["per_second"] is None else 1 / spec["per_second"]
    clients = []
    for path, token in spec["runs"]:
        heads = {size: head(path, token, size) for size in set(map(len, flushes))}
        one = _Client([heads[len(body)] for body in flushes], flushes, pace_s)
        await loop.create_connection(lambda one=one: one, "127.0.0.1", spec["port"])  # type: ignore[misc]  # the default binds the loop's value
        clients.append(one)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.readline)
    began, cpu = time.monotonic(), time.process_time()
    for number, one in enumerate(clients):  # spread over the pace, as runs that began at any time are
        first_s = loop.time() + (0 if pace_s is None else pace_s * number / len(clients))
        one.start_at(first_s, first_s + spec["most_s"])
    outcomes = await asyncio.gather(*(one.done for one in clients), return_exceptions=True)
    return {
        "began": began,
        "ended": time.monotonic(),
        "cpu_s": time.process_time() - cpu,
        "latencies_ms": [round(ms, 3) for one in clients for ms in one.latencies_ms],
        "error": next((str(outcome) for outcome in outcomes if outcome is not None), None),
    }


def main() -> None:
    """Send what the first line of standard input says, from the second line on."""
    spec = json.loads(sys.stdin.readline())
    sys.stdout.write(json.dumps(asyncio.run(_send_all(spec))) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
