"""Reading artifacts: by run, by name, and their files. What is downloaded is never shown as a page of this server's."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from anonrun.core.artifacts import ArtifactInfo, ArtifactList, RunArtifacts
from anonrun.server.access import core_of, read_as, read_run, write_as
from anonrun.server.actors import Actor
from anonrun.server.bodies import check_plain
from anonrun.server.paging import after_of, next_of
from anonrun.server.policy import Action, may
from anonrun.server.problems import ProblemError
from anonrun.server.ranges import is_held, requested_range
from anonrun.server.routing import Operations, Param, answer, integer, no_content
from anonrun.server.services import artifacts as service
from anonrun.server.services.guard import require
from anonrun.server.services.uploads import read_blob
from anonrun.store import artifacts, blobs
from anonrun.store.artifacts import Artifact, File
from anonrun.store.blobs import Part
from anonrun.store.objects import Objects
from anonrun.store.records import Run
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("artifacts")

_MOST_ON_A_PAGE = 200
_MOST_DIGITS = 6


@operations.get(
    "/runs/{run_id}/artifacts",
    who="view, unless the link is blind",
    answers={200: RunArtifacts},
    codes=("run_not_found", "forbidden", "key_scope"),
)
async def list_run_artifacts(request: Request) -> Response:
    """List the artifacts that a run logged, with their files, and those that it used."""

    def both(tx: Tx, actor: Actor, run: Run) -> RunArtifacts:
        logged = [service.info(tx, artifact) for artifact in artifacts.of_run(tx, run.run_id)]
        owns = actor.account is not None and actor.account.account_id == run.account.account_id
        used = artifacts.used_by(tx, run.run_id) if may(actor, Action.LIST_ARTIFACTS) and owns else []
        return RunArtifacts(logged=logged, used=service.infos(tx, used))

    return answer(await read_run(request, Action.READ_FILES, both))


@operations.get(
    "/artifacts",
    who="key, session, local",
    answers={200: ArtifactList},
    codes=("sign_in_needed", "key_scope"),
    query=(
        Param("project", "only artifacts of this project"),
        Param("name", "only versions of this artifact"),
        Param("version", "only `v3`, `latest` or what an alias names; needs project and name"),
        Param("limit", f"versions on a page, 1 … {_MOST_ON_A_PAGE}; 50 if absent", "integer"),
        Param("after", "`next` of the page before"),
    ),
)
async def list_artifacts(request: Request) -> Response:
    """List the versions of the account's artifacts, newest first, or find the one that a version or alias names."""
    limit = integer(request, "limit", low=1, high=_MOST_ON_A_PAGE, default=50) or 50
    after = after_of(request)
    project, name, version = (request.query_params.get(key) for key in ("project", "name", "version"))
    for text in (project, name, version):
        check_plain(text, "the query")

    def page(tx: Tx, actor: Actor) -> ArtifactList:
        require(actor, Action.LIST_ARTIFACTS)
        if version is not None:
            return ArtifactList(artifacts=service.infos(tx, _resolved(tx, actor, project, name, version)))
        found = artifacts.listed(
            tx,
            account_id=None if actor.account is None else actor.account.account_id,
            project=project,
            name=name,
            limit=limit + 1,
            after=after,
        )
        shown = found[:limit]
        more = next_of(shown[-1].created_at, shown[-1].artifact_id) if len(found) > limit else None
        return ArtifactList(artifacts=service.infos(tx, shown), next=more)

    return answer(await read_as(request, page))


def _resolved(tx: Tx, actor: Actor, project: str | None, name: str | None, version: str) -> list[Artifact]:
    if project is None or name is None:
        raise ProblemError("request_invalid", "version needs project and name.")
    if actor.account is None:  # the person whose machine it is sees several accounts' artifacts, which share names
        raise ProblemError("request_invalid", "A version is asked for by its account: use an API key.")
    artifact = artifacts.resolve(tx, actor.account.account_id, project, name, version)
    return [] if artifact is None else [artifact]


@operations.get(
    "/artifacts/{artifact_id}",
    who="view of the run that logged it, unless the link is blind",
    answers={200: ArtifactInfo},
    codes=("artifact_not_found",),
)
async def get_artifact(request: Request) -> Response:
    """Read a version of an artifact, with its files."""
    artifact_id = request.path_params["artifact_id"]
    return answer(await read_as(request, lambda tx, actor: service.info(tx, service.readable(tx, actor, artifact_id))))


@operations.delete(
    "/artifacts/{artifact_id}",
    who="write or claim token of the run that logged it, owner, local",
    answers={204: None},
    codes=("artifact_not_found",),
)
async def delete_artifact(request: Request) -> Response:
    """Delete a version of an artifact at once, for good; its number is not given again."""
    core, artifact_id = core_of(request), request.path_params["artifact_id"]
    await read_as(request, lambda tx, actor: service.readable(tx, actor, artifact_id, Action.DELETE))

    def delete(tx: Tx, actor: Actor) -> uuid.UUID:
        artifact = service.readable(tx, actor, artifact_id, Action.DELETE)
        artifacts.delete_one(tx, artifact)
        return artifact.run_id

    core.hub.publish(await write_as(request, delete))
    return no_content()


@operations.get(
    "/artifacts/{artifact_id}/files/{number}",
    who="view of the run that logged it, unless the link is blind",
    answers={200: "application/octet-stream", 206: "application/octet-stream", 304: None},
    codes=("artifact_not_found", "range_invalid", "files_unavailable"),
)
async def download_file(request: Request) -> Response:
    """Download a file of a version by its place in the list of files, from 0; `Range` and `If-Range` are understood."""
    core, artifact_id = core_of(request), request.path_params["artifact_id"]
    text = request.path_params["number"]
    if not (text.isascii() and text.isdecimal()) or len(text) > _MOST_DIGITS:
        raise ProblemError("request_invalid", "A file is named by its number, from 0.")

    def find(tx: Tx, actor: Actor) -> tuple[File, list[Part]]:
        artifact = service.readable(tx, actor, artifact_id)
        found = artifacts.files(tx, artifact, int(text))
        if not found:
            raise ProblemError("artifact_not_found")
        blob = blobs.find(tx, artifact.account_id, found[0].digest)
        assert blob is not None, "a committed version's files are stored"
        return found[0], blobs.parts(tx, blob.blob_id)

    file, held = await read_as(request, find)
    return await _download(request, core.objects, file, held)


async def _download(request: Request, objects: Objects, file: File, held: list[Part]) -> Response:
    tag = f'"{file.digest.hex()}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": _disposition(file.path),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if is_held(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    whole = request.headers.get("if-range", tag) != tag
    try:
        asked = None if whole else requested_range(request.headers.get("range"), file.size_bytes)
    except ValueError:
        raise ProblemError("range_invalid", headers={"Content-Range": f"bytes */{file.size_bytes}"}) from None
    start, end = asked or (0, file.size_bytes)
    headers["Content-Length"] = str(end - start)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size_bytes}"
    status, kind = (206 if asked else 200), "application/octet-stream"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=kind)
    blocks = read_blob(objects, held, start, end)
    first = await anext(blocks, b"")  # before the status is sent, so that a file that cannot be read is told by it
    return StreamingResponse(_with(first, blocks), status, headers, media_type=kind)


async def _with(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for block in rest:
        yield block


def _disposition(path: str) -> str:
    """Return the header that has a browser save a file under its own name, and never show it."""
    name = path.rpartition("/")[2]
    plain = "".join(char if char.isascii() and (char.isalnum() or char in " ._-+=()[]") else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
