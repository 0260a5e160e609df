"""Where the bytes of files lie: a folder, or a bucket that speaks S3."""

from __future__ import annotations

from anonrun.store.objects.base import Listed, Objects, ObjectsError, ObjectsFullError
from anonrun.store.objects.folder import FolderObjects

__all__ = ["FolderObjects", "Listed", "Objects", "ObjectsError", "ObjectsFullError"]
