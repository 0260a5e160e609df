"""Objects in a bucket that speaks S3, by obstore (extra `s3`); imported when a bucket is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from anonrun.core.batches import batches
from anonrun.store.errors import StoreError
from anonrun.store.objects.base import Listed, ObjectsError

if TYPE_CHECKING:
    from obstore.store import S3Store

__all__ = ["Bucket", "BucketObjects"]

_LISTED_AT_ONCE = 1_000
_DELETED_AT_ONCE = 500
_PART = 8 << 20


@dataclass(frozen=True, slots=True)
class Bucket:
    """Which bucket, where.

    Attributes:
        name: of the bucket.
        prefix: begins every key in it, without a slash at its ends; empty for none.
        endpoint: address of the service; empty for Amazon's.
        region: empty for what AWS's own variables say.
        access_key_id: whose; empty for what AWS's own variables, files or machine say.
        secret_access_key: belongs to it.
    """

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)


def _store_of(bucket: Bucket) -> S3Store:
    try:
        from obstore.store import S3Store  # noqa: PLC0415  only who has a bucket needs it
    except ImportError as exc:
        raise StoreError('Files in a bucket need obstore: pip install "anonrun[s3]".') from exc
    options: dict[str, Any] = {}
    if bucket.endpoint:
        options["endpoint"] = bucket.endpoint
    if bucket.region or bucket.endpoint:
        options["region"] = bucket.region or "us-east-1"
    if bucket.access_key_id:
        options["access_key_id"] = bucket.access_key_id
        options["secret_access_key"] = bucket.secret_access_key
    client: Any = {"allow_http": bucket.endpoint.startswith("http://"), "timeout": "300s", "connect_timeout": "10s"}
    return S3Store(bucket.name, prefix=bucket.prefix or None, client_options=client, **options)


class BucketObjects:
    """A bucket.

    Args:
        bucket: which.

    Raises:
        StoreError: obstore is not installed, or what is said of the bucket cannot be.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.place = f"s3://{bucket.name}/{bucket.prefix}"
        self._bucket = bucket
        try:
            self._store = _store_of(bucket)
        except StoreError:
            raise
        except Exception as exc:
            raise StoreError(f"The bucket {self.place} cannot be used: {self._said(exc)}") from exc

    def _said(self, exc: Exception) -> str:
        """Return what went wrong in one line, without what is secret."""
        lines = str(exc).strip().splitlines() or [type(exc).__name__]
        text = lines[0][:300]
        for secret in (self._bucket.secret_access_key, self._bucket.access_key_id):
            text = text.replace(secret, "…") if secret else text
        return text

    @contextmanager
    def _reached(self, what: str) -> Iterator[None]:
        from obstore.exceptions import BaseError  # noqa: PLC0415  only who has a bucket needs it

        try:
            yield
        except (BaseError, OSError) as exc:  # a missing object is a FileNotFoundError
            raise ObjectsError(f"{self.place}: {what}: {self._said(exc)}") from exc

    async def put(self, key: str, blocks: AsyncIterator[bytes]) -> None:
        """Write an object; see `Objects.put`. What is larger than a few megabytes goes in parts."""
        import obstore  # noqa: PLC0415  only who has a bucket needs it

        with self._reached("writing"):
            await obstore.put_async(self._store, key, blocks, chunk_size=_PART)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield bytes of an object; see `Objects.read`."""
        if start >= end:
            return
        import obstore  # noqa: PLC0415  only who has a bucket needs it

        with self._reached("reading"):
            found = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for block in found.stream(min_chunk_size=1 << 20):
                start += len(block)
                yield bytes(block)
        if start != end:
            raise ObjectsError(f"{self.place}: an object ends before byte {end}.")

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; see `Objects.delete`."""
        import obstore  # noqa: PLC0415  only who has a bucket needs it

        for some in batches(keys, _DELETED_AT_ONCE):
            with self._reached("removing"):
                await obstore.delete_async(self._store, list(some))

    async def listed(self) -> AsyncIterator[list[Listed]]:
        """Yield every object below the prefix; see `Objects.listed`."""
        import obstore  # noqa: PLC0415  only who has a bucket needs it

        with self._reached("listing"):
            async for batch in obstore.list(self._store, chunk_size=_LISTED_AT_ONCE):
                yield [
                    Listed(found["path"], found["size"], round(found["last_modified"].timestamp() * 1e6))
                    for found in batch
                ]

    async def close(self) -> None:
        """Nothing is open between two requests."""
