"""Chunks of files for who may have them."""

from messaging import access
from messaging.chunks.errors import ChunkMissing, StoreFailed
from messaging.chunks.store import chunk_name, chunk_store
from network.errors import NotFound, Unavailable
from network.policy import Actor


def read_chunk(actor: Actor, *, thread_id: str, file_id: str, index: int) -> bytes:
    """Return a sealed chunk; raises `NotFound`, `Unavailable` while the store does not answer."""
    row = access.get_attachment(actor, thread_id, file_id)
    if not row.stored.filter(index=index).exists():
        raise NotFound
    try:
        return chunk_store().get(chunk_name(thread_id, file_id, index))
    except ChunkMissing as error:
        raise Unavailable from error
    except StoreFailed as error:
        raise Unavailable from error
