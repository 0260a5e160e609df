"""Run the benchmarks: `python -m benchmarks [--quick] [--only NAME …] [--database-url URL] [--docs]`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.figures import Absent, Result
from benchmarks.machine import this_machine
from benchmarks.report import Part, Report, as_json, as_markdown
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.setup import ROOT, Setup

_POSTGRESQL = 15
_DOCS = ROOT / "docs" / "benchmarks.md"
_MARK = "<!-- Below this line `make bench` writes. -->\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure anonrun, and its peers beside it.")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--quick", action="store_true", help="a minute for all, without the peers and the notebook")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--repeat", type=int, help="repetitions of what is short (default: 5, quick 2)")
    parser.add_argument(
        "--database-url",
        default=os.environ.get("ANONRUN_BENCH_DATABASE_URL"),
        help="an empty PostgreSQL database to measure on (or ANONRUN_BENCH_DATABASE_URL); by default one of its own",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "out", help="where bench.json and bench.md go")
    parser.add_argument("--docs", action="store_true", help="write the tables into docs/benchmarks.md as well")
    options = parser.parse_args()
    if options.docs and (options.quick or options.only):
        parser.error("--docs is for a full run: without --quick and --only.")
    return options


def _measure(scenario: Scenario, setup: Setup) -> Part:
    """Run one scenario; what it found before it failed is kept, and that it failed stands in the report."""
    found: list[Result] = []
    start = time.monotonic()
    try:
        for result in scenario.run(setup):
            found.append(result)  # noqa: PERF402  one by one, so that those before a failure are kept
    except Exception as exc:  # noqa: BLE001  whatever it is, the others go on
        traceback.print_exc()
        found.append(Absent(f"the rest of {scenario.name!r}", f"failed: {type(exc).__name__}"))
    return Part(scenario.name, scenario.title, tuple(found), time.monotonic() - start)


def _write_docs(text: str) -> None:
    before, mark, _ = _DOCS.read_text(encoding="utf-8").partition(_MARK)
    _DOCS.write_text(f"{before}{mark or _MARK}\n{text}", encoding="utf-8")


@contextlib.contextmanager
def _postgresql(url: str | None) -> Iterator[tuple[str | None, str]]:
    """Give the URL of an empty database: the one that was named, or one on a server of our own, as the tests have."""
    if url is not None:
        yield url, ""
        return
    with contextlib.ExitStack() as running:
        try:
            from support.postgres import postgres  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415  on the path where `make bench` runs

            cluster = running.enter_context(postgres(_POSTGRESQL, durable=True))
            found = cluster.url(running.enter_context(cluster.database()))
        except (ImportError, RuntimeError) as exc:
            yield None, f"there is none here, and --database-url names none ({exc})"
            return
        yield found, ""


def main() -> int:
    """Measure and write; return whether something failed."""
    options = _options()
    with _postgresql(options.database_url) as (url, why_not):
        setup = Setup(
            quick=options.quick,
            repeat=options.repeat or (2 if options.quick else 5),
            database_url=url,
            environments=options.out.resolve() / "bench-envs",
        )
        return _run(options, setup, why_not)


def _run(options: argparse.Namespace, setup: Setup, why_not: str) -> int:
    machine = this_machine()
    chosen = [
        scenario
        for scenario in SCENARIOS
        if (scenario.name in options.only if options.only else scenario.quick or not options.quick)
    ]
    parts = []
    for scenario in chosen:
        parts.append(_measure(scenario, setup))
        sys.stderr.write(f"{scenario.name}: {parts[-1].seconds:.0f} s\n")
    if setup.database_url is None:
        gone = Absent("everything on PostgreSQL", why_not)
        parts.append(Part("postgresql", "PostgreSQL", (gone,), 0))
    report = Report(machine, f"{datetime.now(timezone.utc):%B %Y}", options.quick, tuple(parts))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench.json").write_text(json.dumps(as_json(report), indent=1) + "\n", encoding="utf-8")
    text = as_markdown(report)
    (options.out / "bench.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    if options.docs:
        _write_docs(text)
    failed = any(isinstance(result, Absent) and "failed:" in result.reason for part in parts for result in part.results)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
