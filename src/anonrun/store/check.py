"""Reads through everything that is stored and names what is damaged: run, metric, place, and what is wrong.

Nothing is changed, and a server may go on serving meanwhile. Checksums alone would not do: `run_check.py` decodes each
column and compares what is kept twice; here the database is asked about itself, and for rows that belong to no run. The
invariants stand in `docs/storage.md`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import DBAPIError

from anonrun.store.file_check import check_rows
from anonrun.store.findings import Fault, Report
from anonrun.store.inspecting import Inspected
from anonrun.store.run_check import RunCheck, everything
from anonrun.store.schema import ARTIFACT, AXIS, CHUNK, MEDIA, METRIC, RUN, SEG, TAIL, USE, WRITER
from anonrun.store.transaction import Tx

__all__ = ["check"]

_RUNS_AT_ONCE = 500
_HISTORY = (SEG, AXIS, CHUNK, MEDIA, METRIC, WRITER, TAIL, ARTIFACT, USE)


def check(where: Path | str, *, within_s: float | None = None) -> Report:
    """Look through a database.

    Args:
        where: path of an SQLite file, or URL of a PostgreSQL database.
        within_s: seconds after which to stop, with what was found so far; None to look at everything.

    Raises:
        StoreError: it is not there, cannot be opened, or has another schema.
    """
    until_s = None if within_s is None else time.monotonic() + within_s
    while True:
        report = Report()
        db = Inspected.open(where, give_up_s=until_s)
        try:
            _look_through(db, report, until_s)
        finally:
            db.close()
        if not db.disturbed:
            return report


def _look_through(db: Inspected, report: Report, until_s: float | None) -> None:
    def late() -> bool:
        return until_s is not None and time.monotonic() >= until_s

    def guarded(run_id: uuid.UUID | None, place: str, exc: DBAPIError) -> None:
        """Note that the database could not read; an interruption by our own deadline is no fault."""
        if late():
            report.complete = False
        else:
            report.faults.append(Fault(run_id, None, place, f"the database cannot read it: {exc.orig}"))

    looks: tuple[tuple[Callable[[Tx], Iterator[Fault]], str], ...] = (
        (lambda tx: _check_file(tx, is_sqlite=db.is_sqlite), "the database"),
        (_check_orphans, "rows of no run"),
        (lambda tx: check_rows(tx, report), "the tables of files"),
    )
    for look, place in looks:
        try:
            with db.snapshot() as tx:
                report.faults += look(tx)
        except DBAPIError as exc:  # noqa: PERF203  three times
            guarded(None, place, exc)
    last: uuid.UUID | None = None
    while True:
        try:
            with db.snapshot() as tx:
                run_ids = list(tx.conn.execute(_runs_after(last)).scalars())
        except DBAPIError as exc:
            guarded(None, "the table of runs", exc)
            return
        for run_id in run_ids:
            if late():
                report.complete = False
                return
            try:
                with db.snapshot() as tx:
                    RunCheck(tx, run_id, report).check()
            except DBAPIError as exc:
                guarded(run_id, "its rows", exc)
        if len(run_ids) < _RUNS_AT_ONCE:
            return
        last = run_ids[-1]


def _runs_after(last: uuid.UUID | None) -> Select[Any]:
    query = select(RUN.c.run_id).order_by(RUN.c.run_id).limit(_RUNS_AT_ONCE)
    return everything(query if last is None else query.where(RUN.c.run_id > last))


def _check_file(tx: Tx, *, is_sqlite: bool) -> Iterator[Fault]:
    """Ask the database about itself."""
    if is_sqlite:
        for row in tx.conn.exec_driver_sql("PRAGMA integrity_check").all():
            if row[0] != "ok":
                yield Fault(None, None, "SQLite's own check", str(row[0]))
        for row in tx.conn.exec_driver_sql("PRAGMA foreign_key_check").all():
            yield Fault(None, None, f"table {row[0]} row {row[1]}", f"what it refers to in {row[2]} is not there")
        return
    failures = tx.conn.exec_driver_sql(
        "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
    ).scalar()
    if failures:
        yield Fault(None, None, "PostgreSQL's data checksums", f"{failures} pages were damaged when they were read")


def _check_orphans(tx: Tx) -> Iterator[Fault]:
    for table in _HISTORY:
        lost = (
            select(table.c.run_id)
            .distinct()
            .outerjoin(RUN, RUN.c.run_id == table.c.run_id)
            .where(RUN.c.run_id.is_(None))
        )
        for run_id in tx.conn.execute(everything(lost)).scalars():
            yield Fault(run_id, None, f"table {table.name}", "it has rows of a run that is not there")
