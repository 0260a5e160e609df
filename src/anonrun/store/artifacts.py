"""Versions of artifacts: making, committing, finding and removing them.

A version belongs to the run that logged it and goes with it, so that it can be seen only while that run is live. It is
seen, beside by who makes it, once it is committed: when all of its bytes are stored. Numbers are given then, under the
lock of the artifact's name, and none is given twice.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, delete, exists, func, insert, or_, select, update

from anonrun.core.artifacts import LATEST, version_number
from anonrun.store import audit, blobs
from anonrun.store.live import beyond_live, is_live
from anonrun.store.records import Run
from anonrun.store.schema import ALIAS, ARTIFACT, ARTIFACT_FILE, ARTIFACT_NAME, BLOB, RUN, USE
from anonrun.store.transaction import Tx

__all__ = [
    "Artifact",
    "File",
    "TypeDiffersError",
    "aliases_of",
    "begin",
    "commit",
    "delete_one",
    "end_stale",
    "files",
    "find",
    "holds",
    "is_known",
    "listed",
    "marked",
    "missing",
    "note_alias",
    "of_run",
    "purge_of_run",
    "purge_some",
    "resolve",
    "same_as_latest",
    "touch",
    "use",
    "used_by",
]

STALE_US = timedelta(days=3) // timedelta(microseconds=1)
"""How long a version waits for the next byte of its files."""
_WHY = "retention removes what is no longer live"


class TypeDiffersError(Exception):
    """Versions of an artifact have one type; `args[0]` is that of those before."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A version of an artifact; `version` is None until it is committed."""

    artifact_id: uuid.UUID
    run_id: uuid.UUID
    account_id: int
    project: str
    name: str
    type: str
    version: int | None
    digest: bytes
    file_count: int
    size_bytes: int
    description: str | None
    metadata: dict[str, Any]
    wanted_aliases: list[str]
    created_at: int


@dataclass(frozen=True, slots=True)
class File:
    """A file of a version; `number` counts from 0 in the order of the paths."""

    number: int
    path: str
    digest: bytes
    size_bytes: int


def _there(tx: Tx) -> Select[Any]:
    return (
        select(ARTIFACT)
        .join(RUN, RUN.c.run_id == ARTIFACT.c.run_id)
        .where(ARTIFACT.c.deleted_at.is_(None), is_live(tx.now_us))
    )


def _artifact(row: Row[Any]) -> Artifact:
    return Artifact(
        row.artifact_id, row.run_id, row.account_id, row.project, row.name, row.type, row.version, bytes(row.digest),
        row.file_count, row.size_bytes, row.description, json.loads(row.meta), json.loads(row.wanted_aliases),
        row.created_at,
    )  # fmt: skip


def find(tx: Tx, artifact_id: uuid.UUID) -> Artifact | None:
    """Return a version, committed or not; None where it is not there."""
    row = tx.conn.execute(_there(tx).where(ARTIFACT.c.artifact_id == artifact_id)).first()
    return _artifact(row) if row else None


def is_known(tx: Tx, artifact_id: uuid.UUID) -> bool:
    """Whether the store has rows of a version with this id, live or not."""
    known = select(ARTIFACT.c.artifact_id).where(ARTIFACT.c.artifact_id == artifact_id)
    return tx.conn.execute(known).first() is not None


def begin(
    tx: Tx,
    run: Run,
    *,
    artifact_id: uuid.UUID,
    name: str,
    type_: str,
    digest: bytes,
    files: Sequence[tuple[str, bytes, int]],
    fields: Mapping[str, Any],
) -> Artifact:
    """Make a version that waits for its bytes, which are wanted from now on.

    Args:
        tx: a writer's transaction, in which `blobs.want` was called for its files.
        run: live, and held.
        artifact_id: not known yet.
        name: of the artifact.
        type_: its type.
        digest: of its contents.
        files: path, digest and size of each, sorted by path.
        fields: `aliases`, `description` and `metadata`.

    Raises:
        TypeDiffersError: versions before have another type.
    """
    _hold_name(tx, run.account.account_id, run.project, name, type_)
    tx.conn.execute(
        insert(ARTIFACT).values(
            run_id=run.run_id, artifact_id=artifact_id, account_id=run.account.account_id, project=run.project,
            name=name, type=type_, version=None, digest=digest, file_count=len(files),
            size_bytes=sum(size for _, _, size in files), wanted_aliases=json.dumps(fields["aliases"]),
            description=fields["description"], meta=json.dumps(fields["metadata"]), created_at=tx.now_us,
            touched_at=tx.now_us,
        )
    )  # fmt: skip
    rows = [
        {"run_id": run.run_id, "artifact_id": artifact_id, "number": number, "path": path,
         "account_id": run.account.account_id, "digest": of}
        for number, (path, of, _) in enumerate(files)
    ]  # fmt: skip
    tx.conn.execute(insert(ARTIFACT_FILE), rows)
    made = find(tx, artifact_id)
    assert made is not None, "its run is live and held"
    return made


def _hold_name(tx: Tx, account_id: int, project: str, name: str, type_: str) -> int:
    """Hold an artifact's name until the commit; return the number that its next version gets."""
    place = {"account_id": account_id, "project": project, "name": name}
    mine = and_(*(ARTIFACT_NAME.c[key] == value for key, value in place.items()))
    tx.conn.execute(tx.dialect.insert_new(ARTIFACT_NAME), place | {"type": type_, "next_version": 0})
    row = tx.conn.execute(select(ARTIFACT_NAME).where(mine).with_for_update()).one()
    if row.type != type_:
        raise TypeDiffersError(row.type)
    # The row may have been made anew after all versions went, while another was being begun.
    highest = select(func.max(ARTIFACT.c.version)).where(*(ARTIFACT.c[key] == value for key, value in place.items()))
    top = tx.conn.execute(highest).scalar()
    return max(int(row.next_version), 0 if top is None else top + 1)


def commit(tx: Tx, artifact: Artifact) -> int:
    """Give a version its number and its aliases; all of its bytes are stored. Done again, it changes nothing."""
    number = _hold_name(tx, artifact.account_id, artifact.project, artifact.name, artifact.type)
    done = tx.conn.execute(
        update(ARTIFACT)
        .where(
            ARTIFACT.c.run_id == artifact.run_id,
            ARTIFACT.c.artifact_id == artifact.artifact_id,
            ARTIFACT.c.version.is_(None),
            ARTIFACT.c.deleted_at.is_(None),
        )
        .values(version=number, touched_at=tx.now_us)
    )
    if done.rowcount == 0:
        return -1 if artifact.version is None else artifact.version
    tx.conn.execute(
        update(ARTIFACT_NAME)
        .where(
            ARTIFACT_NAME.c.account_id == artifact.account_id,
            ARTIFACT_NAME.c.project == artifact.project,
            ARTIFACT_NAME.c.name == artifact.name,
        )
        .values(next_version=number + 1)
    )
    for alias in artifact.wanted_aliases:
        note_alias(tx, artifact, alias)
    return number


def note_alias(tx: Tx, artifact: Artifact, alias: str) -> None:
    """Have an alias name this version from now on."""
    row = {"account_id": artifact.account_id, "project": artifact.project, "name": artifact.name, "alias": alias}
    tx.conn.execute(
        tx.dialect.upsert(ALIAS, key=("account_id", "project", "name", "alias")),
        row | {"artifact_id": artifact.artifact_id},
    )


def _of_name(tx: Tx, account_id: int, project: str, name: str) -> Select[Any]:
    return _there(tx).where(
        ARTIFACT.c.account_id == account_id,
        ARTIFACT.c.project == project,
        ARTIFACT.c.name == name,
        ARTIFACT.c.version.is_not(None),
    )


def resolve(tx: Tx, account_id: int, project: str, name: str, which: str) -> Artifact | None:
    """Return the committed version that `v3`, `latest` or an alias names, or None."""
    query = _of_name(tx, account_id, project, name)
    number = version_number(which)
    if number is not None:
        query = query.where(ARTIFACT.c.version == number)
    elif which != LATEST:
        query = query.where(
            exists().where(
                ALIAS.c.account_id == account_id,
                ALIAS.c.project == project,
                ALIAS.c.name == name,
                ALIAS.c.alias == which,
                ALIAS.c.artifact_id == ARTIFACT.c.artifact_id,
            )
        )
    row = tx.conn.execute(query.order_by(ARTIFACT.c.version.desc()).limit(1)).first()
    return _artifact(row) if row else None


def same_as_latest(tx: Tx, run: Run, name: str, type_: str, digest: bytes) -> Artifact | None:
    """Return the newest version of a name if this very run logged it with the same contents."""
    latest = resolve(tx, run.account.account_id, run.project, name, LATEST)
    if latest is None or (latest.run_id, latest.type, latest.digest) != (run.run_id, type_, digest):
        return None
    return latest


def listed(
    tx: Tx,
    *,
    account_id: int | None,
    project: str | None,
    name: str | None,
    limit: int,
    after: tuple[int, uuid.UUID] | None,
) -> list[Artifact]:
    """Return committed versions, newest first.

    Args:
        tx: the transaction.
        account_id: whose; None for everyone's.
        project: only this project's; None for all.
        name: only this artifact's; None for all.
        limit: at most so many.
        after: creation time and id of the last one of the page before.
    """
    query = _there(tx).where(ARTIFACT.c.version.is_not(None))
    for column, value in ((ARTIFACT.c.account_id, account_id), (ARTIFACT.c.project, project), (ARTIFACT.c.name, name)):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        older = and_(ARTIFACT.c.created_at == after[0], ARTIFACT.c.artifact_id < after[1])
        query = query.where(or_(ARTIFACT.c.created_at < after[0], older))
    rows = tx.conn.execute(query.order_by(ARTIFACT.c.created_at.desc(), ARTIFACT.c.artifact_id.desc()).limit(limit))
    return [_artifact(row) for row in rows]


def of_run(tx: Tx, run_id: uuid.UUID) -> list[Artifact]:
    """Return the committed versions that a run logged, oldest first."""
    mine = _there(tx).where(ARTIFACT.c.run_id == run_id, ARTIFACT.c.version.is_not(None))
    return [_artifact(row) for row in tx.conn.execute(mine.order_by(ARTIFACT.c.created_at, ARTIFACT.c.artifact_id))]


def used_by(tx: Tx, run_id: uuid.UUID) -> list[Artifact]:
    """Return the versions that a run took, in the order in which it did."""
    mine = _there(tx).join(USE, USE.c.artifact_id == ARTIFACT.c.artifact_id).where(USE.c.run_id == run_id)
    return [_artifact(row) for row in tx.conn.execute(mine.order_by(USE.c.used_at, USE.c.artifact_id))]


def use(tx: Tx, run_id: uuid.UUID, artifact_id: uuid.UUID) -> None:
    """Note that a run took a version."""
    row = {"run_id": run_id, "artifact_id": artifact_id, "used_at": tx.now_us}
    tx.conn.execute(tx.dialect.insert_new(USE), row)


def aliases_of(tx: Tx, found: Collection[Artifact]) -> dict[uuid.UUID, list[str]]:
    """Return the names of versions, `latest` included, by id."""
    aliases: dict[uuid.UUID, list[str]] = {artifact.artifact_id: [] for artifact in found}
    newest: dict[tuple[int, str, str], Artifact | None] = {}
    for artifact in found:
        place = (artifact.account_id, artifact.project, artifact.name)
        if place not in newest:
            newest[place] = resolve(tx, *place, LATEST)
        latest = newest[place]
        if latest is not None and latest.artifact_id == artifact.artifact_id:
            aliases[artifact.artifact_id].append(LATEST)
    rows = tx.conn.execute(
        select(ALIAS.c.artifact_id, ALIAS.c.alias).where(ALIAS.c.artifact_id.in_(list(aliases))).order_by(ALIAS.c.alias)
    )
    for row in rows:
        aliases[row.artifact_id].append(row.alias)
    return aliases


def files(tx: Tx, artifact: Artifact, number: int | None = None) -> list[File]:
    """Return the files of a version in order, or only the one with a number."""
    query = (
        select(ARTIFACT_FILE, BLOB.c.size_bytes)
        .join(
            BLOB,
            and_(BLOB.c.account_id == ARTIFACT_FILE.c.account_id, BLOB.c.digest == ARTIFACT_FILE.c.digest),
        )
        .where(ARTIFACT_FILE.c.run_id == artifact.run_id, ARTIFACT_FILE.c.artifact_id == artifact.artifact_id)
        .order_by(ARTIFACT_FILE.c.number)
    )
    if number is not None:
        query = query.where(ARTIFACT_FILE.c.number == number)
    return [File(row.number, row.path, bytes(row.digest), row.size_bytes) for row in tx.conn.execute(query)]


def holds(tx: Tx, artifact: Artifact, digest: bytes) -> bool:
    """Whether a version has a file with these bytes."""
    mine = and_(
        ARTIFACT_FILE.c.run_id == artifact.run_id,
        ARTIFACT_FILE.c.artifact_id == artifact.artifact_id,
        ARTIFACT_FILE.c.digest == digest,
    )
    return tx.conn.execute(select(ARTIFACT_FILE.c.number).where(mine).limit(1)).first() is not None


def missing(tx: Tx, artifact: Artifact) -> list[bytes]:
    """Return the digests of what is still to arrive of a version."""
    rows = tx.conn.execute(
        select(BLOB.c.digest)
        .distinct()
        .join(
            ARTIFACT_FILE,
            and_(BLOB.c.account_id == ARTIFACT_FILE.c.account_id, BLOB.c.digest == ARTIFACT_FILE.c.digest),
        )
        .where(
            ARTIFACT_FILE.c.run_id == artifact.run_id,
            ARTIFACT_FILE.c.artifact_id == artifact.artifact_id,
            BLOB.c.stored_at.is_(None),
        )
        .order_by(BLOB.c.digest)
    )
    return [bytes(digest) for digest in rows.scalars()]


def touch(tx: Tx, artifact: Artifact) -> None:
    """Note that something of a version has arrived."""
    mine = and_(ARTIFACT.c.run_id == artifact.run_id, ARTIFACT.c.artifact_id == artifact.artifact_id)
    tx.conn.execute(update(ARTIFACT).where(mine).values(touched_at=tx.now_us))


def delete_one(tx: Tx, artifact: Artifact) -> None:
    """Have a version cease to exist at once; its bytes go with the next sweep."""
    mine = and_(ARTIFACT.c.run_id == artifact.run_id, ARTIFACT.c.artifact_id == artifact.artifact_id)
    tx.conn.execute(update(ARTIFACT).where(mine, ARTIFACT.c.deleted_at.is_(None)).values(deleted_at=tx.now_us))
    tx.conn.execute(delete(ALIAS).where(ALIAS.c.artifact_id == artifact.artifact_id))
    audit.note(tx, "artifact_deleted", run_id=artifact.artifact_id, reason="asked for")


def end_stale(tx: Tx, limit: int) -> None:
    """Mark up to `limit` versions as deleted whose bytes do not come any more."""
    waits = and_(ARTIFACT.c.version.is_(None), ARTIFACT.c.deleted_at.is_(None))
    old = select(ARTIFACT.c.artifact_id).where(waits, ARTIFACT.c.touched_at <= tx.now_us - STALE_US).limit(limit)
    found = list(tx.conn.execute(old).scalars())
    if found:
        tx.conn.execute(update(ARTIFACT).where(ARTIFACT.c.artifact_id.in_(found), waits).values(deleted_at=tx.now_us))


def marked(tx: Tx, limit: int) -> list[uuid.UUID]:
    """Return up to `limit` versions that are marked as deleted."""
    query = select(ARTIFACT.c.artifact_id).where(ARTIFACT.c.deleted_at.is_not(None)).order_by(ARTIFACT.c.deleted_at)
    return list(tx.conn.execute(query.limit(limit)).scalars())


def purge_some(tx: Tx, *, rows: int, among: Collection[uuid.UUID]) -> uuid.UUID | None:
    """Remove up to `rows` files of one marked version, or, when it has no more, the version itself.

    Returns:
        The version that was worked on; None where none of these is marked.
    """
    query = (
        select(ARTIFACT.c.run_id, ARTIFACT.c.artifact_id, ARTIFACT.c.account_id, ARTIFACT.c.project, ARTIFACT.c.name)
        .where(ARTIFACT.c.deleted_at.is_not(None), ARTIFACT.c.artifact_id.in_(list(among)))
        .limit(1)
    )
    row: Any = tx.conn.execute(query.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    _purge(tx, row, rows)
    found: uuid.UUID = row.artifact_id
    return found


def purge_of_run(tx: Tx, run_id: uuid.UUID, *, rows: int) -> bool:
    """Remove up to `rows` files of a run's versions, or one version; return whether there was anything to remove."""
    row = tx.conn.execute(select(ARTIFACT).where(ARTIFACT.c.run_id == run_id).limit(1)).first()
    if row is not None:
        _purge(tx, row, rows)
        return True
    tx.conn.execute(beyond_live(delete(USE).where(USE.c.run_id == run_id), reason=_WHY))
    return False


def _purge(tx: Tx, row: Row[Any], rows: int) -> None:
    mine = and_(ARTIFACT_FILE.c.run_id == row.run_id, ARTIFACT_FILE.c.artifact_id == row.artifact_id)
    some = tx.conn.execute(
        select(ARTIFACT_FILE.c.number, ARTIFACT_FILE.c.digest).where(mine).order_by(ARTIFACT_FILE.c.number).limit(rows)
    ).all()
    if some:
        tx.conn.execute(delete(ARTIFACT_FILE).where(mine, ARTIFACT_FILE.c.number.in_([one.number for one in some])))
        blobs.loosen(tx, row.account_id, {bytes(one.digest) for one in some})
        return
    for table in (ALIAS, USE):
        tx.conn.execute(delete(table).where(table.c.artifact_id == row.artifact_id))
    tx.conn.execute(delete(ARTIFACT).where(ARTIFACT.c.run_id == row.run_id, ARTIFACT.c.artifact_id == row.artifact_id))
    place = and_(
        ARTIFACT_NAME.c.account_id == row.account_id,
        ARTIFACT_NAME.c.project == row.project,
        ARTIFACT_NAME.c.name == row.name,
    )
    others = exists().where(
        ARTIFACT.c.account_id == row.account_id, ARTIFACT.c.project == row.project, ARTIFACT.c.name == row.name
    )
    tx.conn.execute(delete(ARTIFACT_NAME).where(place, ~others))
