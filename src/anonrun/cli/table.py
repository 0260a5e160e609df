"""Columns on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import click

__all__ = ["print_table"]


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Collection[str] = ()) -> None:
    """Print rows in columns below their heads; those of `numbers` end in line."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in [heads, *rows]:
        cells = (
            cell.rjust(width) if head in numbers else cell.ljust(width)
            for cell, width, head in zip(row, widths, heads, strict=True)
        )
        click.echo("  ".join(cells).rstrip())
