"""Run every benchmark: `python -m benchmarks [--repeat N] [--out DIR]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import client, notebook, server
from benchmarks.figures import write


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure anonrun.")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of each measurement (default: 5)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="where bench.json and bench.md go (default: out)")
    options = parser.parse_args()
    figures = [figure for part in (client, server, notebook) for figure in part.run(options.repeat)]
    write(figures, options.out)


main()
