"""Writes the golden database of the schema that this code has, as JSON: `python tests/vectors/make_database.py`.

Each release that changes the schema adds one, made by its own code; they are never made anew. Rows stand as the code of
that time wrote them, beside what a reader must find in them.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from anonrun.core.wire import Frame, decode, encode
from anonrun.store import accounts, artifacts, blobs, compaction, identities, media, runs, sessions, tokens
from anonrun.store.database import Database
from anonrun.store.ingest import Incoming, append
from anonrun.store.schema import SCHEMA_VERSION
from anonrun.store.transaction import Tx

NOW_US = 1_800_000_000_000_000
WEEK_US = 7 * 86_400 * 1_000_000
ANONYMOUS, KEPT, DELETED, ARTIFACT = (
    uuid.UUID(int=(0x0192F7D0 << 96) | (7 << 76) | (2 << 62) | n) for n in (1, 2, 3, 4)
)
_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_1234))[0]
_ODD = [0.0, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, _NAN, 0.1]


class _Clock:
    def now_us(self) -> int:
        return NOW_US


class _Content:
    """Fills a database, and notes what should be read from it: by run and metric a list of step, time and bits."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.expected: dict[str, dict[str, list[tuple[int, int, str]]]] = {}
        self._next: dict[tuple[uuid.UUID, int], int] = {}

    def add(self, run_id: uuid.UUID, *frames: Frame, writer: int = 1) -> None:
        seq = self._next.get((run_id, writer), 0)
        payload = encode(list(frames), writer=writer, seq=seq)
        names = tuple(dict.fromkeys(name for frame in frames for name in frame.names))
        self.db.write_now(lambda tx: append(tx, run_id, [Incoming(decode(payload).header, payload, names)], None))
        self._next[run_id, writer] = seq + sum(len(frame.steps) for frame in frames)
        for frame in frames:
            for name, column in zip(frame.names, frame.columns, strict=True):
                points = zip(frame.steps, frame.times_us, column, strict=True)
                series = self.expected.setdefault(str(run_id), {}).setdefault(name, [])
                series += ((step, time_us, struct.pack("<d", value).hex()) for step, time_us, value in points)

    def compact(self, run_id: uuid.UUID) -> None:
        while (plan := self.db.read_now(lambda tx: compaction.prepare(tx, run_id))) is not None:
            self.db.write_now(lambda tx, plan=plan: compaction.apply(tx, plan))  # type: ignore[misc]  # the default binds the loop's value


def _fill(content: _Content) -> None:
    def begin(tx: Tx) -> None:
        ada = accounts.create(tx, name="Ada", kind="user", password_hash="$argon2id$a")
        somebody = accounts.create(tx, name="anon-x", kind="anonymous")
        assert ada is not None
        assert somebody is not None
        sessions.create(tx, b"s" * 32, account_id=ada.account_id, local=False)
        identities.link(tx, ada.account_id, "https://login.example", "ada")
        for run_id, owner, keep_us in ((ANONYMOUS, somebody, WEEK_US), (KEPT, ada, None), (DELETED, somebody, WEEK_US)):
            runs.create(
                tx, run_id=run_id, account=owner, project="p", id_=f"r{run_id.int % 10}", name="näme",
                expires_at=None if keep_us is None else NOW_US + keep_us,
                fields={"config": {"lr": 0.1}, "tags": ["a"], "notes": None, "group": None, "job_type": None},
            )  # fmt: skip
            for kind in "wvc":
                tokens.add(tx, token_hash=kind.encode() * 16 + run_id.bytes, kind=kind, scope="run", run_id=run_id)

    content.db.write_now(begin)
    steps = range(200)
    content.add(
        ANONYMOUS, Frame.of(("loss", "acc"), steps, [10 * s for s in steps], [[math.sin(s) for s in steps]] * 2)
    )
    content.add(KEPT, Frame.of(("odd",), range(8), range(8), [_ODD]), Frame.of(("odd", "b"), [9], [9], [[1.0], [2.0]]))
    content.add(KEPT, Frame.of(("odd",), [-(2**63), 2**63 - 1], [0, -1], [[3.0, _NAN]]), writer=2**64 - 1)
    for run_id in (ANONYMOUS, KEPT):
        content.compact(run_id)
    content.add(ANONYMOUS, Frame.of(("loss", "late"), [200, 201], [2_000, 2_010], [[1.0, 2.0], [3.0, 4.0]]))
    content.add(ANONYMOUS, Frame.of(("loss",), [7], [1], [[-1.0]]), writer=2)
    content.add(DELETED, Frame.of(("x",), [0], [0], [[1.0]]))
    content.db.write_now(_log_artifact)
    for run_id in (ANONYMOUS, KEPT, DELETED):
        content.db.write_now(lambda tx, of=run_id: _log_media(tx, of))  # type: ignore[misc]  # the default binds the loop's value
    content.expected.pop(str(DELETED))
    content.db.write_now(lambda tx: runs.delete(tx, DELETED))


def _log_artifact(tx: Tx) -> None:
    """Log a version of an artifact with a file of two parts, as if its bytes had come."""
    run = runs.find(tx, KEPT)
    assert run is not None
    digest = bytes(range(32))
    blob = blobs.want(tx, run.account.account_id, {digest: 5})[digest]
    made = artifacts.begin(
        tx, run, artifact_id=ARTIFACT, name="model", type_="model", digest=bytes(32),
        files=[("a/b.bin", digest, 5), ("c.bin", digest, 5)],
        fields={"aliases": ["best"], "description": "d", "metadata": {"epochs": 3}},
    )  # fmt: skip
    for key, size in (("00/x-1", 2), ("00/x-2", 3)):
        assert blobs.begin_part(tx, blob, key)
        assert blobs.end_part(tx, blob, key, size)
        found = blobs.find(tx, run.account.account_id, digest)
        assert found is not None
        blob = found
    assert blobs.store(tx, blob)
    artifacts.commit(tx, made)
    artifacts.use(tx, KEPT, ARTIFACT)


def _log_media(tx: Tx, run_id: uuid.UUID) -> None:
    """Log an item of text, a picture, and a piece of what was printed."""
    run = runs.find(tx, run_id)
    assert run is not None
    contents = {
        "text": ("text/plain", "größer als\0".encode()),
        "image": ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
        "console": ("text/plain", b""),
    }
    items = [
        media.Item.of(
            content, media_id=bytes([n]) * 16, kind=kind, key=f"m/{kind}", step=n - (1 << 63), time_us=NOW_US + n,
            type=type_, place=n, caption="Ä" * n,
        )
        for n, (kind, (type_, content)) in enumerate(contents.items())
    ]  # fmt: skip
    assert media.add(tx, run, items, None) == media.Added(3, 3)


def _rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    conn = sqlite3.connect(path)
    conn.row_factory = sqlite3.Row
    names = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = {
        name: [
            {key: {"hex": row[key].hex()} if isinstance(row[key], bytes) else row[key] for key in row.keys()}  # noqa: SIM118  a Row's keys are not its items
            for row in conn.execute(f"SELECT * FROM {name}")
        ]
        for name in names
        if not name.startswith(("sqlite_", "alembic_"))
    }
    conn.close()
    return found


def main() -> None:
    """Write it to standard output."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "golden.db"
        db = Database.open(path, clock=_Clock())
        content = _Content(db)
        _fill(content)
        db.close()
        golden = {"schema": SCHEMA_VERSION, "now_us": NOW_US, "tables": _rows(path), "expected": content.expected}
    json.dump(golden, sys.stdout, indent=None, separators=(",", ":"), ensure_ascii=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
