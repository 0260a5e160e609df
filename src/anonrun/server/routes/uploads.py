"""Logging artifacts: a version is begun, its bytes are sent, and it is committed. Anonymous runs have none."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from anonrun.core.artifacts import ArtifactInfo, ArtifactRequest, ArtifactUse, UploadState
from anonrun.core.ids import parse_run_id
from anonrun.server.access import admitted, core_of, read_run, write_as
from anonrun.server.actors import Actor
from anonrun.server.bodies import read_message
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.routing import Operations, Param, answer, integer, no_content
from anonrun.server.services import artifacts as service
from anonrun.server.services.guard import found
from anonrun.store import artifacts
from anonrun.store.artifacts import Artifact
from anonrun.store.blobs import Blob
from anonrun.store.transaction import Tx

__all__ = ["operations"]

operations = Operations("artifacts")

_MOST_MANIFEST_BYTES = 8 << 20
_LARGEST = (1 << 63) - 1
_REFUSALS = ("run_not_found", "forbidden", "key_scope", "anonymous_artifacts_forbidden")


@operations.post(
    "/runs/{run_id}/artifacts",
    who="write",
    body=ArtifactRequest,
    answers={201: ArtifactInfo, 200: ArtifactInfo},
    codes=(*_REFUSALS, "artifact_exists", "artifact_type", "artifact_too_large", "artifact_quota_exceeded",
           "artifact_storage_full", "digest_mismatch"),
)  # fmt: skip
async def log_artifact(request: Request) -> Response:
    """Begin a version of an artifact, or find it again; `missing` says which bytes are to be sent.

    An anonymous run's is refused before the body is read.
    """
    core, run_id = core_of(request), await admitted(request, Action.ARTIFACT)
    message = await read_message(request, ArtifactRequest, most=_MOST_MANIFEST_BYTES)
    wish = service.wish_of(message, core.settings)

    def begin(tx: Tx, actor: Actor) -> tuple[ArtifactInfo, bool]:
        artifact, new = service.begin(tx, actor, run_id, wish, core.settings)
        return service.info(tx, artifact), new

    info, new = await write_as(request, begin)
    return answer(info, 201 if new else 200)


async def _upload(request: Request) -> tuple[Artifact, Blob]:
    artifact_id, digest = request.path_params["artifact_id"], request.path_params["digest"]
    return await read_run(
        request, Action.ARTIFACT, lambda tx, _actor, run: service.upload_of(tx, run, artifact_id, digest)
    )


@operations.get(
    "/runs/{run_id}/artifacts/{artifact_id}/uploads/{digest}",
    who="write",
    answers={200: UploadState},
    codes=(*_REFUSALS, "artifact_not_found"),
)
async def get_upload(request: Request) -> Response:
    """Say how far a file of a version has arrived."""
    return answer(service.upload_state((await _upload(request))[1]))


@operations.put(
    "/runs/{run_id}/artifacts/{artifact_id}/uploads/{digest}",
    who="write",
    body="application/octet-stream",
    answers={200: UploadState},
    codes=(*_REFUSALS, "artifact_not_found", "upload_offset", "part_too_small", "body_too_slow", "digest_mismatch",
           "too_many_requests", "artifact_storage_full", "files_unavailable", "request_invalid"),
    query=(Param("offset", "where the body begins in the file; 0, its beginning, if absent", "integer"),),
)  # fmt: skip
async def upload_file(request: Request) -> Response:
    """Send the bytes of a file from an offset on; an empty body at its end has it verified.

    A part but the last has 1 to 256 MiB. What has arrived stays, also where the connection breaks.
    """
    core = core_of(request)
    artifact, blob = await _upload(request)
    offset = integer(request, "offset", low=0, high=_LARGEST, default=0) or 0
    length = request.headers.get("content-length", "")
    announced = None if not length.isdecimal() else int(length[:18])
    arrived = await core.uploads.receive(blob, offset, request.stream(), announced)

    def touch(tx: Tx) -> None:
        if artifacts.find(tx, artifact.artifact_id) is not None:
            artifacts.touch(tx, artifact)

    await core.db.write(touch)
    return answer(service.upload_state(arrived))


@operations.post(
    "/runs/{run_id}/artifacts/{artifact_id}/commit",
    who="write",
    answers={200: ArtifactInfo},
    codes=(*_REFUSALS, "artifact_not_found", "artifact_incomplete"),
)
async def commit_artifact(request: Request) -> Response:
    """Have a version be there for its readers, once all of its files have arrived; it gets its number and aliases."""
    core, run_id = core_of(request), await admitted(request, Action.ARTIFACT)
    artifact_id = request.path_params["artifact_id"]
    info = await write_as(request, lambda tx, actor: service.info(tx, service.commit(tx, actor, run_id, artifact_id)))
    core.hub.publish(run_id)
    return answer(info)


@operations.post(
    "/runs/{run_id}/used-artifacts",
    who="write",
    body=ArtifactUse,
    answers={204: None},
    codes=(*_REFUSALS, "artifact_not_found"),
)
async def use_artifact(request: Request) -> Response:
    """Note that a run takes a version of an artifact of its account."""
    run_id = await admitted(request, Action.ARTIFACT)
    artifact_id = parse_run_id((await read_message(request, ArtifactUse)).artifact_id)

    def use(tx: Tx, actor: Actor) -> None:
        run = found(tx, actor, run_id, Action.ARTIFACT)
        artifact = None if artifact_id is None else artifacts.find(tx, artifact_id)
        if artifact is None or artifact.version is None or artifact.account_id != run.account.account_id:
            raise ProblemError("artifact_not_found")
        artifacts.use(tx, run_id, artifact.artifact_id)

    await write_as(request, use)
    return no_content()
