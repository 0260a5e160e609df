"""What a store's database holds, seen from outside: its size, and many more runs than anyone would log.

Knows of the schema only that there is a table `run` with these few columns, so that it goes on working as the rest
of the schema changes.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import Any

from benchmarks.served import Store

__all__ = ["add_runs", "expire_runs", "settled_bytes", "used_bytes", "vacuum"]


def used_bytes(store: Store) -> int:
    """Return what the database takes, without pages that are free."""
    if store.url is not None:
        return _ask_postgres(store.url, "SELECT pg_database_size(current_database())")
    with closing(sqlite3.connect(f"file:{store.file}?mode=ro", uri=True)) as db:
        pages, free, size = (_pragma(db, name) for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def _ask_postgres(url: str, statement: str) -> int:
    import psycopg  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415  where there is PostgreSQL only

    with psycopg.connect(url, autocommit=True) as postgres:
        answer = postgres.execute(statement)
        row = answer.fetchone() if answer.description else (0,)
        assert row is not None, "a function returns a number"
        return int(row[0])


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def settled_bytes(store: Store, *, still_s: float = 2.0, within_s: float = 120.0) -> int:
    """Return what the database takes once a running server has tidied up: when it has not changed for a while."""
    size, since, deadline = used_bytes(store), time.monotonic(), time.monotonic() + within_s
    while time.monotonic() - since < still_s and time.monotonic() < deadline:
        time.sleep(0.1)
        now = used_bytes(store)
        if now != size:
            size, since = now, time.monotonic()
    vacuum(store)
    return used_bytes(store)


def vacuum(store: Store) -> None:
    """Do at once what PostgreSQL's autovacuum does every minute."""
    if store.url is not None:
        _ask_postgres(store.url, "VACUUM")


def add_runs(store: Store, count: int) -> None:
    """Copy the newest run's row `count` times, each under its own id and a millisecond older."""
    with closing(sqlite3.connect(store.file)) as db, db:
        names = [row[1] for row in db.execute("PRAGMA table_info(run)")]
        [row] = db.execute(f"SELECT {', '.join(names)} FROM run ORDER BY created_at DESC LIMIT 1").fetchall()
        template: dict[str, Any] = dict(zip(names, row, strict=True))
        rows = (
            template
            | {
                "run_id": os.urandom(16),
                "id": os.urandom(8).hex(),
                "created_at": template["created_at"] - 1000 * number,
            }
            for number in range(_runs(db), _runs(db) + count)
        )
        db.executemany(f"INSERT INTO run ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})", rows)


def _runs(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM run").fetchone()[0])


def expire_runs(store: Store, count: int) -> None:
    """Have the oldest `count` runs be past their time."""
    with closing(sqlite3.connect(store.file)) as db, db:
        oldest = "SELECT run_id FROM run WHERE deleted_at IS NULL ORDER BY created_at LIMIT ?"
        db.execute(f"UPDATE run SET expires_at = created_at + 1 WHERE run_id IN ({oldest})", (count,))
