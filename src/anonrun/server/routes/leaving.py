"""Taking along everything that an account has, and leaving for good."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from anonrun.core.media import MediaKind
from anonrun.core.messages import to_json
from anonrun.core.times import from_us
from anonrun.server import security
from anonrun.server.access import confirmed_owner, core_of, read_as
from anonrun.server.actors import Actor
from anonrun.server.messages import AccountExport, ExportHead
from anonrun.server.policy import Action
from anonrun.server.routes.account_sessions import session_entry
from anonrun.server.routes.export import about, csv_parts
from anonrun.server.routes.keys import key_info
from anonrun.server.routing import Operations, no_content
from anonrun.server.services import media
from anonrun.server.services.archive import Archive
from anonrun.server.services.core import Core
from anonrun.server.services.guard import require
from anonrun.server.services.identities import identities_of
from anonrun.server.services.sessions import session_of
from anonrun.server.services.uploads import read_blob
from anonrun.server.services.views import account_info
from anonrun.store import artifacts, blobs, leaving, listing, recovery, sessions, tokens
from anonrun.store.artifacts import Artifact
from anonrun.store.blobs import Part
from anonrun.store.records import Account, Reach, Run
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("accounts")

_RUNS_AT_ONCE = 50


@operations.get(
    "/account/export",
    who="session of a user, full key",
    answers={200: "application/zip"},
    codes=("sign_in_needed", "account_required", "key_scope"),
)
async def export_account(request: Request) -> Response:
    """Download all that one's account has: `account.json`, each run's `run.json`, `history.csv`, media and files."""
    core = core_of(request)

    def begin(tx: Tx, actor: Actor) -> tuple[Actor, Account, AccountExport]:
        require(actor, Action.EXPORT_ACCOUNT)
        account, session = actor.account, session_of(actor)
        assert account is not None, "the policy gives this to accounts only"
        current = session.session_hash if session else None
        return (
            actor,
            account,
            AccountExport(
                account=account_info(account),
                keys=[key_info(token) for token in tokens.keys(tx, account)],
                sessions=[session_entry(found, current) for found in sessions.of_account(tx, account.account_id)],
                recovery_codes_left=recovery.count(tx, account.account_id),
                identities=identities_of(tx, account, core.settings),
            ),
        )

    actor, account, head = await read_as(request, begin)
    headers = {"Content-Disposition": f'attachment; filename="anonrun-{account.name}.zip"'}
    return StreamingResponse(_zip(core, actor, account, head), media_type="application/zip", headers=headers)


async def _zip(core: Core, actor: Actor, account: Account, head: AccountExport) -> AsyncIterator[bytes]:
    archive = Archive(from_us(core.db.clock.now_us()))
    async for part in archive.add("account.json", _json(head)):
        yield part
    async for run_head, run in _runs(core, actor, account):
        folder = f"runs/{run.project}/{run.id}-{run.run_id}"  # both are checked to be no path
        names = [metric.name for metric in run_head.metrics]
        async for part in archive.add(f"{folder}/run.json", _json(run_head)):
            yield part
        async for part in archive.add(f"{folder}/history.csv", csv_parts(core, run, names)):
            yield part
        if run.media:
            async for part in archive.add(f"{folder}/media.jsonl", _media(core, actor, run)):
                yield part
            async for name, picture in _pictures(core, actor, run):
                async for part in archive.add(f"{folder}/media/{name}", picture, packed=False):
                    yield part
        async for name, parts in _files(core, run.run_id):  # paths are checked to lead nowhere else
            async for part in archive.add(f"{folder}/artifacts/{name}", parts, packed=False):
                yield part
    yield archive.end()


async def _files(core: Core, run_id: uuid.UUID) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    """Yield the files of the artifacts that a run logged, each with its path and its bytes."""

    def listed(tx: Tx) -> list[tuple[str, Artifact, int]]:
        return [
            (f"{artifact.name}-v{artifact.version}/{file.path}", artifact, file.number)
            for artifact in artifacts.of_run(tx, run_id)
            for file in artifacts.files(tx, artifact)
        ]

    def held(tx: Tx, artifact: Artifact, number: int) -> tuple[int, list[Part]]:
        """Return size and place of a file; nothing where it was deleted meanwhile."""
        found = artifacts.files(tx, artifact, number)
        blob = blobs.find(tx, artifact.account_id, found[0].digest) if found else None
        return (blob.size_bytes, blobs.parts(tx, blob.blob_id)) if blob else (0, [])

    for name, artifact, number in await core.db.read(listed):
        size, parts = await core.db.read(lambda tx, of=artifact, n=number: held(tx, of, n))  # type: ignore[misc]  # the default binds the loop's value
        yield name, read_blob(core.objects, parts, 0, size)


async def _media(core: Core, actor: Actor, run: Run) -> AsyncIterator[str]:
    """Yield a line of JSON for each item of a run's media, with its content but for pictures'."""
    async for items in media.whole_items(core.db, actor, run, pictures=False):
        for item in items:
            text = json.dumps(to_json(media.info(actor, run, item)), ensure_ascii=False, allow_nan=False)
            yield text + "\n"


async def _pictures(core: Core, actor: Actor, run: Run) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    """Yield the pictures of a run, each with the name of its file, which is its position, and its bytes."""

    async def alone(content: bytes) -> AsyncIterator[bytes]:
        yield content

    async for items in media.whole_items(core.db, actor, run, kinds=[MediaKind.IMAGE.value]):
        for item in items:
            yield f"{item.position:06}.{item.type.rpartition('/')[2]}", alone(item.content or b"")


async def _json(message: object) -> AsyncIterator[str]:
    yield json.dumps(to_json(message), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


async def _runs(core: Core, actor: Actor, account: Account) -> AsyncIterator[tuple[ExportHead, Run]]:
    """Yield an account's runs, newest first."""
    after: tuple[int, uuid.UUID] | None = None

    def page(tx: Tx, after: tuple[int, uuid.UUID] | None) -> list[tuple[ExportHead, Run]]:
        asked = listing.Asked(limit=_RUNS_AT_ONCE, after=after)
        listed = listing.runs(tx, Reach(owners=(account.account_id,)), asked)
        return [(about(tx, actor, run), run) for run in listed]

    while found := await core.db.read(lambda tx, after=after: page(tx, after)):  # type: ignore[misc]  # the default binds the loop's value
        for head, run in found:
            yield head, run
        after = (found[-1][1].created_at, found[-1][1].run_id)


@operations.delete(
    "/account",
    who="session of a user",
    answers={204: None},
    codes=("sign_in_needed", "account_required", "confirm_needed"),
)
async def delete_account(request: Request) -> Response:
    """Delete one's account with its runs, keys and sessions, at once and for good; asks for the password."""
    core = core_of(request)
    account = await read_as(request, confirmed_owner)
    for run_id in await core.db.write(lambda tx: leaving.delete_account(tx, account)):
        core.hub.publish(run_id)
    response = no_content()
    security.clear_cookies(request, response, instance=core.db.instance)
    return response
