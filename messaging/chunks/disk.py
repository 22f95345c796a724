"""Chunks in a folder: written beside, synced, then put in place, so that a name never shows half of them."""

import os
import tempfile
from pathlib import Path

from messaging.chunks.errors import ChunkMissing, StoreFailed


class DiskChunks:
    """One file for each chunk, one folder for each attachment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def put(self, name: str, data: bytes) -> None:
        """Store bytes; they are on the disk, and so is their name, when this returns."""
        path = self._path(name)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=path.parent, prefix="new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(beside).replace(path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreFailed(error.strerror or type(error).__name__) from error

    def get(self, name: str) -> bytes:
        """Return the bytes of a name."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise ChunkMissing from error
        except OSError as error:
            raise StoreFailed(error.strerror or type(error).__name__) from error

    def remove(self, name: str) -> None:
        """Forget the bytes of a name, and its folder with the last of them."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
            _remove_if_empty(path.parent)
        except OSError as error:
            raise StoreFailed(error.strerror or type(error).__name__) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # not empty, or gone already
        return
