"""Making and changing runs: what a request may say of one, and what comes of saying it twice."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from anonrun.core.ids import check_id, check_project, new_id, new_name, parse_run_id
from anonrun.core.messages import RunRequest, RunUpdate
from anonrun.core.progress import MOST_STEPS
from anonrun.core.times import from_us, to_us
from anonrun.errors import UsageError
from anonrun.server.actors import Actor, KeyHolder
from anonrun.server.policy import Action, can
from anonrun.server.problems import ProblemError
from anonrun.server.services.guard import ended_problem, found, hash_of_hex, require
from anonrun.server.services.limits import admit_run
from anonrun.server.services.moves import check_arrival, check_date
from anonrun.server.settings import Settings
from anonrun.store import runs, tokens
from anonrun.store.claims import AFTER_REPORT_US
from anonrun.store.records import Run
from anonrun.store.transaction import Tx

__all__ = ["Wish", "change", "hear", "make", "wish_of"]

_MOST_TAGS = 100
_MOST_EXIT = 1 << 31
_MOST_ERROR_CHARS = 80


@dataclass(frozen=True, slots=True)
class Wish:
    """A checked request for a run: `hashes` by the letter of the token's kind."""

    run_id: uuid.UUID
    request: RunRequest
    hashes: dict[str, bytes]


def _check_text(what: str, text: str | None, most: int) -> None:
    if text is not None and len(text) > most:
        raise ProblemError("request_invalid", f"{what} has {len(text)} characters; use at most {most}.")


def _check_values(values: dict[str, Any] | None, settings: Settings) -> None:
    """Refuse long texts in what an anonymous run was given: it is for the inputs of a training, not for pages (R26)."""
    level: list[object] = [values]
    while level:
        deeper: list[object] = []
        for item in level:
            if isinstance(item, str):
                _check_text("A text in config or summary", item, settings.limits.text_chars)
            elif isinstance(item, dict):
                deeper += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                deeper += item
        level = deeper


def _check_config(config: dict[str, Any] | None, settings: Settings) -> None:
    if config is None:
        return
    size = len(json.dumps(config).encode())
    if size > settings.limits.config_bytes:
        raise ProblemError(
            "request_invalid", f"The config has {size} bytes as JSON; use at most {settings.limits.config_bytes}."
        )


def _check_texts(message: RunRequest | RunUpdate, settings: Settings) -> None:
    most = settings.limits.text_chars
    _check_text("The name", message.name, most)
    _check_text("The notes", message.notes, most)
    tags = message.tags or []
    if len(tags) > _MOST_TAGS:
        raise ProblemError("request_invalid", f"There are {len(tags)} tags; use at most {_MOST_TAGS}.")
    for tag in tags:
        _check_text("A tag", tag, most)


def _check_total(total: int | None, *, least: int) -> None:
    if total is not None and not least <= total <= MOST_STEPS:
        raise ProblemError("request_invalid", f"A total of {total} steps cannot be; use {least} to {MOST_STEPS}.")


def wish_of(request: RunRequest, settings: Settings) -> Wish:
    """Check a request for a run.

    Raises:
        ProblemError: `request_invalid`.
    """
    run_id = parse_run_id(request.run_id)
    if run_id is None:
        raise ProblemError("request_invalid", "run_id must be a UUID in its canonical form of 36 characters.")
    try:
        check_project(request.project)
        if request.id is not None:
            check_id(request.id)
    except UsageError as exc:
        raise ProblemError("request_invalid", str(exc)) from None
    _check_texts(request, settings)
    _check_text("The group", request.group, settings.limits.text_chars)
    _check_text("The job type", request.job_type, settings.limits.text_chars)
    _check_total(request.total, least=1)
    _check_config(request.config, settings)
    given = {"w": request.tokens.write, "v": request.tokens.view, "c": request.tokens.claim}
    hashes = {kind: hash_of_hex(text) for kind, text in given.items() if text is not None}
    if len(set(hashes.values())) != len(hashes):
        raise ProblemError("request_invalid", "The run's secrets must differ from each other.")
    return Wish(run_id, request, hashes)


def make(tx: Tx, owner: KeyHolder, wish: Wish, settings: Settings, *, address: str) -> tuple[Run, bool]:
    """Make the run that is wished for, or find it again; return it and whether it is new.

    A run that is resumed takes up what the request says: config key by key, name, tags and notes where they are given.
    The newer word counts: what a process left on its disk before the run was made only adds what is not there.

    Args:
        tx: a writer's transaction.
        owner: whose it will be.
        wish: what was asked for.
        settings: what the operator chose.
        address: whence it was asked for, to which limits of anonymous runs apply.

    Raises:
        ProblemError: `run_exists`, `run_not_found`, `token_exists`, `anonymous_disabled`, `key_scope`,
            `account_required`, `request_invalid`, `too_many_requests`, or 410 where it was this very run and is gone.
    """
    request, account = wish.request, owner.account
    before = runs.find(tx, wish.run_id)
    if before is not None and before.account.account_id == account.account_id and _is_its_writer(tx, wish):
        return before, False
    if before is not None or runs.is_known(tx, wish.run_id):
        raise _refusal(tx, wish)
    arrives = request.made_at is not None
    if arrives:
        check_arrival(account, request)
    there = runs.find_by_name(tx, account.account_id, request.project, request.id) if request.id else None
    if there is not None and not arrives:
        if request.resume == "never":
            raise ProblemError("run_exists")
        require(owner, Action.RESUME_RUN)
        there = _again(tx, there.run_id)  # held from here on, so that of several that resume it none is overwritten
        _add_tokens(tx, there, wish)
        fields = _of_resumed(there, wish)
        _check_config(there.config | fields.get("config", {}), settings)
        runs.change(tx, there, fields)
        runs.resume(tx, there.run_id)
        return _again(tx, there.run_id), False
    if request.resume == "must":
        require(owner, Action.RESUME_RUN)
        raise ProblemError("run_not_found")
    anonymous = account.kind == "anonymous"
    if anonymous:
        _check_values(request.config, settings)
    origin = admit_run(tx, address, settings) if anonymous else None
    runs.create(
        tx,
        run_id=wish.run_id,
        account=account,
        project=request.project,
        id_=_new_id(tx, account.account_id, request),
        name=request.name or new_name(secrets.choice),
        expires_at=to_us(settings.retention.expires_at(from_us(tx.now_us))) if anonymous else None,
        fields={
            "config": request.config,
            "tags": request.tags,
            "notes": request.notes,
            "group": request.group,
            "job_type": request.job_type,
            "total": request.total,
        },
        origin=origin,
        created_at=None if request.made_at is None else check_date("made_at", request.made_at, tx.now_us),
    )
    run = _again(tx, wish.run_id)
    _add_tokens(tx, run, wish)
    return run, True


def _of_resumed(run: Run, wish: Wish) -> dict[str, Any]:
    """Return what a request changes of the run that it resumes."""
    asked = wish.request
    if wish.run_id.bytes < run.run_id.bytes:  # ids of version 7 sort by the time at which `init` was called
        return {"config": {key: value for key, value in asked.config.items() if key not in run.config}}
    given = {
        "config": asked.config,
        "name": asked.name,
        "tags": asked.tags,
        "notes": asked.notes,
        "total": asked.total,
    }
    return {name: value for name, value in given.items() if value}


def _again(tx: Tx, run_id: uuid.UUID) -> Run:
    run = runs.find(tx, run_id)
    if run is None:
        raise ProblemError("run_not_found")
    return run


def _is_its_writer(tx: Tx, wish: Wish) -> bool:
    token = tokens.find(tx, wish.hashes["w"])
    return token is not None and token.run_id == wish.run_id and token.kind == "w"


def _refusal(tx: Tx, wish: Wish) -> ProblemError:
    """Return what to say of a run id that is taken: more to who holds the run's secret than to others."""
    token = tokens.find(tx, wish.hashes["w"])
    if token is not None and token.run_id == wish.run_id:
        return ended_problem(token.ended) if token.ended else ProblemError("run_claimed")
    return ProblemError("run_exists", "There is a run with this run id. Make a new one.")


def _add_tokens(tx: Tx, run: Run, wish: Wish) -> None:
    for kind, token_hash in wish.hashes.items():
        if kind == "c" and not run.anonymous:
            continue
        if tokens.add(tx, token_hash=token_hash, kind=kind, scope="run", run_id=run.run_id) is None:
            token = tokens.find(tx, token_hash)
            if token is None or token.run_id != run.run_id or token.kind != kind:
                raise ProblemError("token_exists")


def _new_id(tx: Tx, account_id: int, request: RunRequest) -> str:
    if request.id is not None:
        # One that another program takes at this moment is resumed; only a run from elsewhere makes way.
        arrives = request.made_at is not None
        return runs.free_id(tx, account_id, request.project, request.id) if arrives else request.id
    while True:
        candidate = new_id(secrets.choice)
        if runs.find_by_name(tx, account_id, request.project, candidate) is None:
            return candidate


def _check_move(tx: Tx, run: Run, project: str) -> None:
    try:
        check_project(project)
    except UsageError as exc:
        raise ProblemError("request_invalid", str(exc)) from None
    there = runs.find_by_name(tx, run.account.account_id, project, run.id)
    if there is not None and there.run_id != run.run_id:
        raise ProblemError("run_exists", f"Project {project} has a run with the id {run.id} already.")


def change(tx: Tx, actor: Actor, run_id: uuid.UUID, update: RunUpdate, settings: Settings) -> Run:
    """Change a run and return it.

    How a run goes and ends may be told by whoever may ingest; its name, project, notes and tags by who may update it.
    The last word of a write token that outlived a claim ends it a few minutes later, so that the word may be repeated.

    Raises:
        ProblemError: as `access.found`, `run_exists`, or `request_invalid`.
    """
    own = any(value is not None for value in (update.name, update.project, update.notes, update.tags))
    run = found(tx, actor, run_id, Action.INGEST)
    if own and not can(actor, Action.UPDATE, run):
        if isinstance(actor, KeyHolder):
            raise ProblemError("key_scope")
        raise ProblemError(
            "forbidden", "After a claim this token only delivers: name, project, notes and tags are the owner's."
        )
    _check_texts(update, settings)
    if run.anonymous:
        _check_values(update.config, settings)
        _check_values(update.summary, settings)
    _check_config(run.config | update.config if update.config is not None else None, settings)
    _check_config(run.summary | update.summary if update.summary is not None else None, settings)
    if update.exit_code is not None and abs(update.exit_code) > _MOST_EXIT:
        raise ProblemError("request_invalid", f"exit_code {update.exit_code} is no process's exit code.")
    _check_total(update.total, least=0)
    _check_text("The error", update.error, _MOST_ERROR_CHARS)
    if update.project is not None:
        _check_move(tx, run, update.project)
    names = (
        "name", "project", "notes", "tags", "config", "config_removed", "summary", "state", "exit_code", "total",
        "error",
    )  # fmt: skip
    fields = {name: value for name in names if (value := getattr(update, name)) is not None}
    if update.finished_at is not None:
        if update.state not in {"finished", "failed"}:
            raise ProblemError("request_invalid", "finished_at is told with a state in which the run has ended.")
        earliest_us = min(run.created_at, tx.now_us)
        fields["finished_at"] = check_date("finished_at", update.finished_at, tx.now_us, earliest_us=earliest_us)
    runs.change(tx, run, fields)
    token = actor.token_of(run_id)
    if token is not None and token.scope == "ingest" and update.state in {"finished", "failed"}:
        tokens.end_write_token(tx, token.token_hash, at_us=tx.now_us + AFTER_REPORT_US)
    return _again(tx, run_id)


def hear(tx: Tx, actor: Actor, run_id: uuid.UUID) -> tuple[Run, bool]:
    """Note that one of a run's processes is alive; return the run, and whether that made it go on.

    A run that several processes write ends with the last of them: where another one has told the end, who is still
    alive takes it back.

    Raises:
        ProblemError: as `access.found`.
    """
    run = found(tx, actor, run_id, Action.INGEST)
    ended = run.state != "running"
    if ended:
        runs.resume(tx, run_id)
    else:
        runs.heartbeat(tx, run_id)
    return _again(tx, run_id), ended
