"""Where sealed chunks of files lie: on the disk of this machine, or in an S3-compatible store, by setting."""

from functools import cache
from typing import Protocol

from django.conf import settings

from messaging.chunks.disk import DiskChunks


class ChunkStore(Protocol):
    """Keeps bytes by name. A name is hexadecimal parts and a number, joined by `/`."""

    def put(self, name: str, data: bytes) -> None:
        """Store bytes durably before returning; the same name again replaces them. Raises `StoreFailed`."""

    def get(self, name: str) -> bytes:
        """Return the bytes. Raises `ChunkMissing`, `StoreFailed`."""

    def remove(self, name: str) -> None:
        """Forget the bytes; those that are not there are forgotten already. Raises `StoreFailed`."""


@cache
def chunk_store() -> ChunkStore:
    """Return the store that the settings name."""
    if settings.OBJECT_STORE is None:
        return DiskChunks(settings.CHUNK_DIR)
    from messaging.chunks.objects import ObjectChunks  # asks by HTTP, which a disk does without

    return ObjectChunks(settings.OBJECT_STORE)


def chunk_name(thread_id: str, file_id: str, index: int) -> str:
    """Return the name of a chunk."""
    return f"{thread_id}/{file_id}/{index}"
