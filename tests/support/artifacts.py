"""Artifacts over HTTP, as a client logs them, and a bucket's service in a process of its own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from anonrun.core.ids import new_run_id
from support.jupyter import free_port
from support.process import until
from support.site import MadeRun, bearer


def new_artifact_id() -> str:
    return str(new_run_id(time.time_ns() // 1_000_000, secrets.token_bytes(10)))


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def request_of(files: Mapping[str, bytes], *, name: str = "model", **more: Any) -> dict[str, Any]:
    """Return the request for a version with these files."""
    listed = [{"path": path, "size_bytes": len(data), "digest": digest_of(data)} for path, data in files.items()]
    return {"artifact_id": new_artifact_id(), "name": name, "type": "model", "files": listed, **more}


def begin(api: httpx.Client, run: MadeRun, request: Mapping[str, Any], token: str | None = None) -> httpx.Response:
    return api.post(f"{run.path}/artifacts", json=request, headers=bearer(token or run.write))


def send(
    api: httpx.Client, run: MadeRun, artifact_id: str, digest: str, body: Any, *, offset: int = 0, **headers: str
) -> httpx.Response:
    path = f"{run.path}/artifacts/{artifact_id}/uploads/{digest}?offset={offset}"
    return api.put(path, content=body, headers=bearer(run.write) | headers)


def commit(api: httpx.Client, run: MadeRun, artifact_id: str) -> httpx.Response:
    return api.post(f"{run.path}/artifacts/{artifact_id}/commit", headers=bearer(run.write))


def logged(api: httpx.Client, run: MadeRun, files: Mapping[str, bytes], **request: Any) -> dict[str, Any]:
    """Log a version of an artifact whole; return what the server says of it."""
    begun = begin(api, run, request_of(files, **request))
    assert begun.status_code in {200, 201}, begun.text
    info: dict[str, Any] = begun.json()
    by_digest = {digest_of(data): data for data in files.values()}
    for digest in info["missing"]:
        sent = send(api, run, info["artifact_id"], digest, by_digest[digest])
        assert sent.status_code == 200, sent.text
        assert sent.json()["stored"]
    done = commit(api, run, info["artifact_id"])
    assert done.status_code == 200, done.text
    result: dict[str, Any] = done.json()
    return result


S3_SETTINGS = {"s3_bucket": "lab", "s3_region": "us-east-1", "s3_prefix": "anonrun/files",
               "s3_access_key_id": "AKIDFORTESTS", "s3_secret_access_key": "canary-of-the-bucket"}  # fmt: skip


@contextlib.contextmanager
def bucket_service(folder: Path) -> Iterator[str]:
    """Start a service that speaks S3, with the bucket of `S3_SETTINGS`; yield its address."""
    port = free_port()
    log = folder / "s3.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "1", "PYTHONWARNINGS": "ignore"}
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=environment, stdout=sink, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"

    def made() -> bool:
        assert process.poll() is None, log.read_text()[-2000:]
        request = urllib.request.Request(f"{url}/{S3_SETTINGS['s3_bucket']}", method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except OSError:
            return False

    try:
        until(made, within_s=60)
        yield url
    finally:
        process.kill()
        process.wait()
