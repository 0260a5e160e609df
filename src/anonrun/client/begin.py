"""How a run begins: its ids and tokens, and which refusals are the caller's own mistake."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from anonrun.client.announce import Greeting
from anonrun.client.connect import Connector
from anonrun.client.identity import EMBEDDED, Credential, IdentityStore, choose
from anonrun.client.keys import KeyRing
from anonrun.client.notices import Notices
from anonrun.client.paths import data_dir
from anonrun.client.receipts import Receipts
from anonrun.client.recording import Recording
from anonrun.client.remote import Refusal, as_public_error
from anonrun.client.resuming import Resumption
from anonrun.client.run import Run, first_info
from anonrun.client.settings import Settings
from anonrun.client.spool.folder import RunFile
from anonrun.core.messages import RunInfo, RunRequest, TokenHashes, to_json
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.errors import AnonrunError, UsageError

__all__ = ["credential_of", "keep_receipt", "raise_for_mistakes", "run_file", "start"]


_NAMED_SERVER_S = 1.8
_EMBEDDED_S = 0.95
_RESUMED_S = 5.0  # beyond those: at which step a run goes on is worth waiting for a server that is merely slow


def start(settings: Settings, *, announce: bool, notices: Notices) -> Run:
    """Start a run that records, and wait for its server a little.

    Args:
        settings: what was asked for; its mode is not `disabled`.
        announce: say where the run can be watched.
        notices: where warnings go that concern the session.

    Raises:
        AccountRequiredError: an account is needed, and there is none.
        AuthenticationError: the account's key was refused.
        NotFoundError: there is no run to resume.
        UsageError: the key has not the form of one, or the id is taken.
    """
    data = data_dir(os.environ)
    if data.problem:
        notices.warn_once("data dir", data.problem)
    own_notices = Notices()
    store = IdentityStore(data.identity, own_notices)
    where = settings.server or EMBEDDED
    credential = choose(store, where, anonymous=settings.anonymous, api_key=settings.api_key, environ=os.environ)
    info = first_info(settings, anonymous=credential.source == "anonymous")
    greeting = Greeting(announce=announce, notices=own_notices)
    resumption = Resumption(settings, own_notices)

    def settled() -> None:
        keep_receipt(data.root, where, recording, own_notices)
        greeting.settled()
        resumption.settled(recording)

    recording = Recording(
        data.spool if settings.dir is None else Path(settings.dir).absolute() / "spool",
        run_file(settings, info, credential),
        keys=KeyRing(store, where, credential),
        keys_for=lambda left: KeyRing(store, where, credential_of(left, store, where)),
        connect=Connector(settings.server, data.server),
        notices=own_notices,
        on_settled=settled,
        limit_bytes=settings.spool_bytes,
        tells_end=not settings.assists,
    )
    run = greeting.run = resumption.run = Run(settings, info, recording, own_notices)
    recording.wait_settled(_NAMED_SERVER_S if settings.server else _EMBEDDED_S)
    if settings.resume != "never":
        recording.wait_settled(_RESUMED_S, only_without_trouble=True)
    if recording.refusal is not None:
        raise_for_mistakes(recording, recording.refusal, settings)
    resumption.begin(recording)
    if settings.system_every_s is not None:
        recording.sample_system(settings.system_every_s, rank=settings.rank if settings.assists else 0)
    greeting.say()
    if settings.console:
        recording.keep_console()
    return run


def keep_receipt(root: Path, where: str, recording: Recording, notices: Notices) -> None:
    """Remember by which token an anonymous run can be claimed once its spool folder is gone."""
    info, claim = recording.delivery.info, recording.file.claim
    if info is not None and claim is not None and info.expires_at is not None:
        Receipts(root, notices).keep(info.run_id, server=where, claim=claim, until=info.expires_at)


def credential_of(file: RunFile, store: IdentityStore, where: str) -> Credential:
    """Return the key for a run that an earlier process left over."""
    if file.account == "anonymous":
        return store.anonymous(where)
    return choose(store, where, anonymous="never", api_key=None, environ=os.environ)


def run_file(settings: Settings, info: RunInfo, credential: Credential) -> RunFile:
    """Return a new run as it is kept on disk, with new tokens; a claim token only where it is anonymous."""
    anonymous = credential.source == "anonymous"
    write, view = mint(TokenKind.WRITE), mint(TokenKind.VIEW)
    claim = mint(TokenKind.CLAIM) if anonymous else None
    # A run that is resumed keeps its name where none is given; the server makes one where there is no such run.
    name = info.name if settings.resume == "never" else settings.name
    request = RunRequest(
        run_id=info.run_id,
        tokens=TokenHashes(
            write=token_hash(write).hex(),
            view=token_hash(view).hex(),
            claim=None if claim is None else token_hash(claim).hex(),
        ),
        project=info.project, id=info.id, name=name, config=info.config, tags=info.tags, notes=info.notes,
        group=info.group, job_type=info.job_type, resume=settings.resume, total=settings.total,
    )  # fmt: skip
    return RunFile(
        run_id=info.run_id, server=settings.server, account=credential.source, request=to_json(request),
        write=write, view=view, claim=claim, offline=settings.mode == "offline",
    )  # fmt: skip


def raise_for_mistakes(recording: Recording, refusal: Refusal, settings: Settings) -> None:
    """Raise where the server refused what the caller asked for; anything else is trouble, and training goes on.

    Raises:
        AuthenticationError: the account's key was refused.
        NotFoundError: there is no run to resume.
        UsageError: the id is taken.
    """
    error: AnonrunError
    if refusal.status == 401 and recording.file.account != "anonymous":  # noqa: PLR2004  HTTP's number
        error = as_public_error(refusal, "init()")
    elif refusal.code == "run_exists":
        error = UsageError(
            f"Project {settings.project} has a run {settings.id!r} already; use another id, or resume='allow' to go on "
            "with it."
        )
    elif refusal.status == 404 and settings.resume == "must":  # noqa: PLR2004
        error = as_public_error(refusal, f"There is no run {settings.id!r} to resume")
    else:
        return
    with contextlib.suppress(OSError):
        recording.discard()
    raise error  # not from the refusal: one traceback says it
