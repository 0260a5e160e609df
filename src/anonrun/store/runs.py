"""Runs: making, finding, changing and deleting them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, insert, select, update

from anonrun.store import audit
from anonrun.store.accounts import ACCOUNT_COLUMNS
from anonrun.store.live import LIVE, beyond_live, is_expired, is_live
from anonrun.store.records import Account, Run
from anonrun.store.schema import ACCOUNT, GONE, MOVED, RUN
from anonrun.store.transaction import Tx

__all__ = [
    "SOURCE",
    "change",
    "count_live",
    "create",
    "delete",
    "delete_all",
    "depart",
    "find",
    "find_by_name",
    "free_id",
    "heartbeat",
    "is_known",
    "publish",
    "resume",
    "run_of",
    "unpublish",
]

SOURCE: Select[Any] = select(RUN, *ACCOUNT_COLUMNS[1:]).join_from(
    RUN, ACCOUNT, RUN.c.account_id == ACCOUNT.c.account_id
)


_FIND = SOURCE.where(RUN.c.run_id == bindparam("of", type_=RUN.c.run_id.type), LIVE)
_HOLD = _FIND.with_for_update(of=RUN, key_share=True)

_OF_PEOPLE = frozenset({"name", "notes", "tags", "project"})
"""What is changed by who looks after runs; all else is told by a run's own program too."""


def run_of(row: Row[Any]) -> Run:
    """Return the run that a row of `SOURCE` holds."""
    return Run(
        run_id=row.run_id,
        account=Account(row.account_id, row.account_name, row.account_kind, row.account_created_at),
        project=row.project,
        id=row.id,
        name=row.name,
        state=row.state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        heartbeat_at=row.heartbeat_at,
        finished_at=row.finished_at,
        exit_code=row.exit_code,
        config=json.loads(row.config),
        summary=json.loads(row.summary),
        tags=json.loads(row.tags),
        notes=row.notes,
        group=row.group_name,
        job_type=row.job_type,
        points=row.points,
        stored_bytes=row.stored_bytes,
        position=row.position,
        published_at=row.published_at,
        embed=row.embed,
        total=row.total_steps,
        error=row.error,
        media=row.media,
        flushes_until=row.flushes_until,
    )


def find(tx: Tx, run_id: uuid.UUID) -> Run | None:
    """Return a live run, or None. A writer holds it from then on: nobody claims, deletes or changes it meanwhile."""
    row = tx.conn.execute(_HOLD if tx.writes else _FIND, {"of": run_id, "now_us": tx.now_us}).first()
    return run_of(row) if row else None


def find_by_name(tx: Tx, account_id: int, project: str, id_: str) -> Run | None:
    """Return the live run that has a short id in an account's project, or None."""
    place = and_(RUN.c.account_id == account_id, RUN.c.project == project, RUN.c.id == id_)
    row = tx.conn.execute(SOURCE.where(place, is_live(tx.now_us))).first()
    return run_of(row) if row else None


def free_id(tx: Tx, account_id: int, project: str, id_: str) -> str:
    """Return a run's short id, with a number where the account's project has a live run of that id."""
    candidate, number = id_, 1
    while find_by_name(tx, account_id, project, candidate) is not None:
        number += 1
        candidate = f"{id_[:120]}-{number}"
    return candidate


def is_known(tx: Tx, run_id: uuid.UUID) -> bool:
    """Whether there is or has been a run with this id, as far as the store remembers."""
    here = beyond_live(select(RUN.c.run_id).where(RUN.c.run_id == run_id), reason="a run id is never given twice")
    gone = select(GONE.c.run_id).where(GONE.c.run_id == run_id)
    return tx.conn.execute(here).first() is not None or tx.conn.execute(gone).first() is not None


def create(
    tx: Tx,
    *,
    run_id: uuid.UUID,
    account: Account,
    project: str,
    id_: str,
    name: str,
    expires_at: int | None,
    fields: Mapping[str, Any],
    origin: bytes | None = None,
    created_at: int | None = None,
) -> None:
    """Make a run. Its id in the project must be free among live runs; an expired one gives it up.

    Args:
        tx: the transaction.
        run_id: not known yet.
        account: the owner.
        project: name of the project.
        id_: short id, free in the project.
        name: display name.
        expires_at: None for one that is kept.
        fields: `config`, `tags`, `notes`, `group` and `job_type`; `total` where somebody said so.
        origin: mark of the address whence it was made; None where nobody counts.
        created_at: when it was made, on another server; None for now.
    """
    _free_place(tx, account.account_id, project, id_)
    tx.conn.execute(
        insert(RUN).values(
            run_id=run_id, account_id=account.account_id, project=project, id=id_, name=name, state="running",
            created_at=tx.now_us if created_at is None else created_at, expires_at=expires_at, extended=False,
            heartbeat_at=tx.now_us, config=json.dumps(fields["config"]), summary="{}", tags=json.dumps(fields["tags"]),
            notes=fields["notes"], group_name=fields["group"], job_type=fields["job_type"],
            metrics=0, points=0, stored_bytes=0, position=0, origin=origin, total_steps=fields.get("total"),
        )
    )  # fmt: skip


def _free_place(tx: Tx, account_id: int, project: str, id_: str) -> None:
    place = and_(RUN.c.account_id == account_id, RUN.c.project == project, RUN.c.id == id_)
    tx.conn.execute(
        beyond_live(
            update(RUN).where(place, is_expired(tx.now_us)).values(deleted_at=tx.now_us, deleted_by="expired"),
            reason="an expired run gives up its name",
        )
    )


def resume(tx: Tx, run_id: uuid.UUID) -> bool:
    """Have a live run go on; return whether it is still there."""
    return _update(tx, run_id, state="running", finished_at=None, exit_code=None, error=None, heartbeat_at=tx.now_us)


def heartbeat(tx: Tx, run_id: uuid.UUID) -> bool:
    """Note that a live run's client was heard; return whether the run is still there."""
    return _update(tx, run_id, heartbeat_at=tx.now_us)


def change(tx: Tx, run: Run, fields: Mapping[str, Any]) -> bool:
    """Change a live run; return whether it is still there.

    Args:
        tx: the transaction in which `run` was read.
        run: the run as it was.
        fields: new values by the names of `Run`; what is absent stays. `config` and `summary` add key by key, and
            `config_removed` names keys of the config that go. A state other than `running` sets the time at which it
            ended (`finished_at` where that is given, else now, the first time); `running` forgets what ended it. A
            `total` of 0 takes back what was said. Its id must be free in a new `project`, as in `create`.
    """
    # Whoever tidies up a run that has fallen silent must not make it look alive again, but `depart` must see it.
    tidied = bool(fields) and fields.keys() <= _OF_PEOPLE
    values: dict[str, Any] = {"heartbeat_at": RUN.c.heartbeat_at + 1 if tidied else tx.now_us}
    plain = ("name", "notes", "exit_code", "state", "error", "project")
    values |= {name: fields[name] for name in plain if name in fields}
    if "total" in fields:
        values["total_steps"] = fields["total"] or None
    if "project" in fields:
        _free_place(tx, run.account.account_id, fields["project"], run.id)
    if "tags" in fields:
        values["tags"] = json.dumps(fields["tags"])
    if "config" in fields or "config_removed" in fields:
        gone = frozenset(fields.get("config_removed", ()))
        kept = {key: value for key, value in run.config.items() if key not in gone}
        values["config"] = json.dumps(kept | fields.get("config", {}))
    if "summary" in fields:
        values["summary"] = json.dumps(run.summary | fields["summary"])
    if "state" in fields:
        ended = fields["state"] != "running"
        values["finished_at"] = fields.get("finished_at", run.finished_at or tx.now_us) if ended else None
        values["error"] = fields.get("error", run.error) if ended else None
    return _update(tx, run.run_id, **values)


def _update(tx: Tx, run_id: uuid.UUID, **values: object) -> bool:
    done = tx.conn.execute(update(RUN).where(RUN.c.run_id == run_id, is_live(tx.now_us)).values(**values))
    return done.rowcount == 1


def publish(tx: Tx, run: Run, *, embed: bool) -> bool:
    """Let anybody read a live run from now on; return whether it is still there. Published again, it keeps its date."""
    return _update(tx, run.run_id, published_at=run.published_at or tx.now_us, embed=embed)


def unpublish(tx: Tx, run_id: uuid.UUID) -> bool:
    """Let nobody read a live run who was not let in; return whether it is still there."""
    return _update(tx, run_id, published_at=None, embed=False)


def delete(tx: Tx, run_id: uuid.UUID) -> bool:
    """Have a live run cease to exist at once; return whether this did it. Its bytes go with the next sweep."""
    if not _update(tx, run_id, deleted_at=tx.now_us, deleted_by="user"):
        return False
    audit.note(tx, "deleted", run_id=run_id, reason="asked for")
    return True


def depart(tx: Tx, run_id: uuid.UUID, *, heartbeat_at: int, points: int, media: int, to: str | None) -> bool:
    """Have a live run cease to exist here, since it is whole on another server; return whether this did it.

    Args:
        tx: a writer's transaction.
        run_id: the run.
        heartbeat_at: what it was when the run was read; every change of a run sets it anew, and then it stays.
        points: likewise.
        media: likewise.
        to: the other server's address; None where it is not to be told.
    """
    counted = and_(RUN.c.points == points, RUN.c.media == media)
    unchanged = and_(RUN.c.run_id == run_id, RUN.c.heartbeat_at == heartbeat_at, counted)
    done = tx.conn.execute(
        update(RUN).where(unchanged, is_live(tx.now_us)).values(deleted_at=tx.now_us, deleted_by="moved")
    )
    if done.rowcount != 1:
        return False
    tx.conn.execute(insert(MOVED).values(run_id=run_id, server=to, at=tx.now_us))
    audit.note(tx, "deleted", run_id=run_id, reason="moved", counts={"points": points})
    return True


def delete_all(tx: Tx, account_id: int) -> list[uuid.UUID]:
    """Have all live runs of an account cease to exist at once; return which. Their bytes go with the next sweeps."""
    done = tx.conn.execute(
        update(RUN)
        .where(RUN.c.account_id == account_id, is_live(tx.now_us))
        .values(deleted_at=tx.now_us, deleted_by="user")
        .returning(RUN.c.run_id)
    )
    return list(done.scalars())


def count_live(tx: Tx) -> int:
    """Return how many runs are live."""
    return int(tx.conn.execute(select(func.count()).select_from(RUN).where(is_live(tx.now_us))).scalar_one())
