"""Every program by the same driver, one after the other, in one run; ratios are of figures taken minutes apart."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Absent, Comparison, Row, percentile
from benchmarks.peers.environments import Absent as Missing
from benchmarks.peers.environments import Environment, clean_environ, install, reason_of, source_digest
from benchmarks.setup import ROOT, Setup

__all__ = ["PROGRAMS", "Program", "compare"]

_COUNTER_BYTES = 8
_ACTION_S = 600


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is measured.

    Attributes:
        name: as the table shows it.
        adapter: module below `adapters`.
        package: distribution whose version is told.
        requirements: what is installed; the project itself where empty.
    """

    name: str
    adapter: str
    package: str
    requirements: tuple[str, ...] = ()


PROGRAMS = (
    Program("anonrun", "anonrun_", "anonrun"),
    Program("wandb offline", "wandb_", "wandb", ("wandb==0.31.*",)),
    Program("Trackio", "trackio_", "trackio", ("trackio==0.43.*",)),
    Program("TensorBoard writer", "tensorboard_", "tensorboard", ("tensorboard==2.21.*",)),
    Program("MLflow", "mlflow_", "mlflow", ("mlflow==3.17.*",)),
)
_OURS = PROGRAMS[0].name


@dataclass(frozen=True, slots=True)
class _Effort:
    """How long each part goes on."""

    imports: int
    seconds: float
    kills: int
    rows: int
    long_rows: int
    reads: int


_FULL = _Effort(imports=5, seconds=3, kills=10, rows=5_000, long_rows=100_000, reads=2)
_QUICK = _Effort(imports=1, seconds=1, kills=1, rows=500, long_rows=2_000, reads=1)


@dataclass(frozen=True, slots=True)
class _Driver:
    """Runs the driver's actions in one program's environment."""

    program: Program
    environment: Environment
    scratch: Path = field(repr=False)

    def command(self, action: str, folder: Path, result: Path, **options: object) -> list[str]:
        flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        module = "benchmarks.peers.driver"
        return [
            str(self.environment.python), "-m", module, self.program.adapter, action, str(folder), str(result), *flags,
        ]  # fmt: skip

    def environ(self, folder: Path) -> dict[str, str]:
        return clean_environ(PYTHONPATH=str(ROOT), HOME=str(folder))

    def do(self, action: str, folder: Path, **options: object) -> dict[str, Any]:
        result = self.scratch / "result.json"
        result.unlink(missing_ok=True)
        done = subprocess.run(
            self.command(action, folder, result, **options),
            cwd=folder, env=self.environ(folder), check=False, capture_output=True, text=True, timeout=_ACTION_S,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{action}: {reason_of(done.stderr)}")
        answer: dict[str, Any] = json.loads(result.read_text())
        return answer

    @contextmanager
    def folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.scratch, ignore_cleanup_errors=True) as name:
            try:
                yield Path(name)
            finally:
                self.do("close", Path(name))

    def lost_at_kill(self, after_s: float, **options: object) -> int:
        """Return how many calls that had returned cannot be read back after `kill -9`."""
        with self.folder() as folder, tempfile.TemporaryDirectory(dir=self.scratch) as aside:
            counter = Path(aside) / "returned"
            command = self.command("until-killed", folder, Path(aside) / "none", counter=counter, **options)
            process = subprocess.Popen(
                command, cwd=folder, env=self.environ(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            try:
                _until_counting(counter, process)
                time.sleep(after_s)  # the instant of the kill is what is varied
            finally:
                process.kill()
                process.communicate()
            returned = int.from_bytes(counter.read_bytes()[:_COUNTER_BYTES], "little")
            return max(0, returned - int(self.do("count", folder)["rows"]))


def _until_counting(counter: Path, process: subprocess.Popen[bytes], within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while not (counter.exists() and any(counter.read_bytes())):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("it did not begin to log")
        time.sleep(0.01)


def _measure(driver: _Driver, effort: _Effort) -> Iterator[tuple[str, float]]:
    """Yield quantities by name, in the table's order."""
    with driver.folder() as folder:
        imports = [driver.do("import", folder)["import_s"] for _ in range(effort.imports)]
    yield "install", driver.environment.install_mb
    yield "import", percentile(imports, 0.5) * 1e3
    for pace, per_second in (("flat out", None), ("at 100 calls/s", 100)):
        options: dict[str, object] = {} if per_second is None else {"per_second": per_second}
        with driver.folder() as folder:
            log = driver.do("log", folder, seconds=effort.seconds, **options)
        if per_second is None:
            yield "init", log["init_s"] * 1e3
            yield "calls", log["calls_per_s"]
        for which in ("p50", "p99", "max"):
            yield f"{which} {pace}", log[f"{which}_us"]
        if per_second is not None:
            yield "finish", log["finish_s"] * 1e3
        kills = [driver.lost_at_kill(0.25 + 0.07 * number, **options) for number in range(effort.kills)]
        yield f"lost {pace}", percentile(kills, 0.5)
        yield f"most lost {pace}", max(kills)
    with driver.folder() as folder:
        stored = driver.do("fill", folder, rows=effort.rows)
    yield "stored", stored["bytes"] / stored["points"]
    with driver.folder() as folder:
        driver.do("fill", folder, rows=effort.long_rows, metrics=1)
        reads = [driver.do("read", folder) for _ in range(effort.reads)]
    short = [read["points"] for read in reads if read["points"] != effort.long_rows]
    if short:
        raise RuntimeError(f"read: gave back {short[0]} of {effort.long_rows} points")
    for which in ("first", "again"):
        yield f"read {which}", percentile([read[f"{which}_s"] for read in reads], 0.5) * 1e3


def _rows(found: Mapping[str, Mapping[str, float]], effort: _Effort) -> tuple[Row, ...]:
    def row(key: str, name: str, unit: str, *, at_least: bool = False, ratio: bool = True) -> Row:
        values = {program: figures[key] for program, figures in found.items() if key in figures}
        return Row(name, unit, values, at_least=at_least, ratio=ratio)

    paces = ("flat out", "at 100 calls/s")
    return (
        row("install", "installed, beyond a bare environment", "MB"),
        row("import", "import", "ms"),
        row("init", "start a run", "ms"),
        row("calls", "`log()` of 10 metrics, flat out", "calls/s", at_least=True),
        *(row(f"{w} {p}", f"`log()` of 10 metrics, {w}, {p}", "µs") for p in paces for w in ("p50", "p99", "max")),
        *(
            row(f"{key} {p}", f"returned calls lost at `kill -9`, {word} of {effort.kills}, {p}", "calls", ratio=False)
            for p in paces
            for key, word in (("lost", "median"), ("most lost", "most"))
        ),
        row("finish", "finish, after logging at 100 calls/s", "ms"),
        row("stored", f"stored, {effort.rows:,} rows of 10 metrics", "bytes/point"),
        row("read first", f"read a series of {effort.long_rows:,} points, the first of a process", "ms"),
        row("read again", "the same series again", "ms"),
    )


def compare(setup: Setup) -> Iterator[Comparison]:
    """Yield one table of all programs; those that could not be installed or measured stand in it with the reason."""
    effort = _QUICK if setup.quick else _FULL
    found: dict[str, dict[str, float]] = {}
    columns: dict[str, str] = {}
    absent: list[Absent] = []
    for program in PROGRAMS:
        where = setup.environments / program.package
        key = "" if program.requirements else source_digest(ROOT)
        environment = install(where, package=program.package, requirements=program.requirements or [str(ROOT)], key=key)
        if isinstance(environment, Missing):
            absent.append(Absent(program.name, f"not installed: {environment.reason}"))
            continue
        columns[program.name] = environment.version
        found[program.name] = {}
        with tempfile.TemporaryDirectory() as scratch:
            try:
                found[program.name].update(_measure(_Driver(program, environment, Path(scratch)), effort))
            except (RuntimeError, subprocess.TimeoutExpired) as exc:
                absent.append(Absent(program.name, f"measured in part: {exc}"))
    yield Comparison(
        "Side by side",
        _OURS,
        columns,
        _rows(found, effort),
        tuple(absent),
        "Each in an environment of its own, by the same driver, one after the other. Nothing leaves the machine: "
        "anonrun and wandb log offline; for what is stored and read, anonrun sends to its server. "
        "The TensorBoard writer keeps single precision. What the first reading imports late counts; the same series "
        "again comes from Trackio's memory.",
    )
