"""What a store of chunks says when it cannot."""


class StoreFailed(Exception):
    """The store does not answer, is full, or refuses; what was stored before is not touched."""


class ChunkMissing(StoreFailed):
    """There are no bytes of this name."""
