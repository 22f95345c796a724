"""Files beside messages: sealed and sent, fetched and opened chunk by chunk; both go on after a cut."""

import asyncio
import hashlib
import mimetypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from messaging.sdk.core import Core
from messaging.sdk.device_file import Begun, from_base64, to_base64
from messaging.sdk.errors import ClientError, InvalidMessage, ServerRefused, protocol_rules
from messaging.sdk.socket import Socket
from messaging.sealed.attachment import (
    CHUNK,
    FILE_LIMIT,
    FILES_LIMIT,
    MEDIA_TYPE,
    File,
    NewFile,
    Whole,
    check_root,
    is_name,
    open_chunk,
)
from messaging.sealed.encoding import sha256

AHEAD = 3  # chunks on the line at once
BEGUN_KEPT = 100  # files that were begun and not sent, remembered to go on with


@dataclass(frozen=True)
class Outside:
    """A file on this machine as it will be called by whoever reads it."""

    path: Path
    name: str
    media_type: str


def described(paths: Sequence[Path]) -> list[Outside]:
    """Return the files as they will be called; raises `InvalidMessage` for what no reader takes."""
    if len(paths) > FILES_LIMIT:
        raise InvalidMessage(f"At most {FILES_LIMIT} files go with a message.")
    found = []
    for path in paths:
        guessed = (mimetypes.guess_type(path.name)[0] or "").lower()
        media_type = guessed if MEDIA_TYPE.fullmatch(guessed) else "application/octet-stream"
        if not is_name(path.name):
            raise InvalidMessage("The name of a file has characters that no reader takes.")
        if path.stat().st_size > FILE_LIMIT:
            raise InvalidMessage("A file has at most 1 GiB.")
        found.append(Outside(path, path.name, media_type))
    return found


class Attachments:
    """Sends and fetches files. The same bytes go on where they stopped, in this process or the next."""

    def __init__(self, core: Core, socket: Socket) -> None:
        self._core = core
        self._socket = socket

    # sending

    async def send(self, thread: str, files: Sequence[Outside]) -> tuple[File, ...]:
        """Seal and store files for a thread; returns what goes into the message."""
        return tuple([await self._send_one(thread, outside) for outside in files])

    async def _send_one(self, thread: str, outside: Outside) -> File:
        digest, size = await asyncio.to_thread(_digest, outside.path)
        known = self._known(thread, digest, size)
        new, missing = await self._begin(thread, digest, size, known)
        with outside.path.open("rb") as source:
            hashes = await self._send_chunks(thread, new, source, missing)
        return new.finish(hashes, outside.name, outside.media_type)

    def _known(self, thread: str, digest: bytes, size: int) -> NewFile | None:
        """Return a file that was begun with these bytes: only they may be sealed under its key again."""
        for begun in self._core.file.contents.begun:
            if (begun.thread, begun.digest, begun.size) == (thread, to_base64(digest), size):
                secret = [from_base64(value) for value in (begun.id, begun.key, begun.prefix)]
                return NewFile(self._core.session.net, bytes.fromhex(thread), digest, size, *secret)
        return None

    async def _begin(
        self, thread: str, digest: bytes, size: int, known: NewFile | None
    ) -> tuple[NewFile, set[int]]:
        """Make room on the server; what cannot go on (cleared away, or sent meanwhile) begins anew."""
        new = known or NewFile(self._core.session.net, bytes.fromhex(thread), digest, size)
        if known is None:
            self._remember(thread, new)
        path = f"/api/threads/{thread}/attachments"
        body = {"file": new.id.hex(), "size": new.padded}
        try:
            found = await self._socket.patiently(lambda: self._core.http.post(path, body))
        except ServerRefused as refused:
            if refused.code != "attachment-differs" or known is None:
                raise
            self.forget([known.id])
            return await self._begin(thread, digest, size, None)
        return new, set(found["missing"])

    def _remember(self, thread: str, new: NewFile) -> None:
        begun = Begun(
            thread,
            to_base64(new.id),
            to_base64(new.key),
            to_base64(new.prefix),
            to_base64(new.digest),
            new.size,
        )
        contents = self._core.file.contents
        contents.begun = [*contents.begun, begun][-BEGUN_KEPT:]
        self._core.save()

    def forget(self, ids: Sequence[bytes]) -> None:
        """A message has taken these files: their keys are needed here no more."""
        gone = {to_base64(one) for one in ids}
        contents = self._core.file.contents
        if any(begun.id in gone for begun in contents.begun):
            contents.begun = [begun for begun in contents.begun if begun.id not in gone]
            self._core.save()

    async def _send_chunks(
        self, thread: str, new: NewFile, source: BinaryIO, missing: set[int]
    ) -> list[bytes]:
        hashes: list[bytes] = []
        underway: set[asyncio.Task[Any]] = set()
        try:
            for index in range(new.chunks):
                sealed = await asyncio.to_thread(_seal_next, new, index, source)
                hashes.append(sha256(sealed))
                if index in missing:
                    if len(underway) == AHEAD:
                        done, underway = await asyncio.wait(underway, return_when=asyncio.FIRST_COMPLETED)
                        _raise_first(done)
                    path = f"{_path(thread, new.id)}/chunks/{index}"
                    underway.add(asyncio.create_task(self._put(path, sealed)))
            while underway:
                done, underway = await asyncio.wait(underway)
                _raise_first(done)
        finally:
            for task in underway:
                task.cancel()
        return hashes

    async def _put(self, path: str, sealed: bytes) -> None:
        await self._socket.patiently(partial(self._core.http.put_bytes, path, sealed))

    # fetching

    async def save(self, thread: str, file: File, to: Path) -> None:
        """Write a file of a message to a path that does not exist yet, once all of it was verified.

        What was fetched before a cut lies beside it as `….part` and is not fetched again. Raises
        `Distrusted`, naming the part that was altered; `FileExistsError`.
        """
        if await asyncio.to_thread(to.exists):
            raise FileExistsError(to)
        net = self._core.session.net
        found = await self._socket.patiently(lambda: self._core.http.get(_path(thread, file.id)))
        blob = from_base64(found["hashes"] or "")
        hashes = [blob[place : place + 32] for place in range(0, len(blob), 32)]
        with protocol_rules():
            check_root(net, file, hashes)
        part = to.with_name(f"{to.name}.part")
        whole = Whole(file)
        handle = os.open(part, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as written:
            first = await asyncio.to_thread(_take_up, written, whole, file)
            for index in range(first, len(hashes)):
                text = await self._fetch(thread, file, index, hashes[index])
                written.write(text)
                whole.add(text)
            written.flush()
            os.fsync(written.fileno())
        try:
            with protocol_rules():
                whole.check()
        except ClientError:
            part.unlink()
            raise
        os.link(part, to)  # never over something that came meanwhile
        part.unlink()

    async def _fetch(self, thread: str, file: File, index: int, expected: bytes) -> bytes:
        path = f"{_path(thread, file.id)}/chunks/{index}"
        sealed = await self._socket.patiently(partial(self._core.http.get_bytes, path))
        net = self._core.session.net
        with protocol_rules():
            return open_chunk(net, bytes.fromhex(thread), file, index, sealed, expected)


def _path(thread: str, file_id: bytes) -> str:
    return f"/api/threads/{thread}/attachments/{file_id.hex()}"


def _digest(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").digest()
        return digest, source.tell()


def _seal_next(new: NewFile, index: int, source: BinaryIO) -> bytes:
    part = source.read(CHUNK) if index * CHUNK < new.size else b""
    try:
        return new.seal_chunk(index, part)
    except ValueError as error:
        raise ClientError("The file has changed while it was being sent.") from error


def _take_up(written: BinaryIO, whole: Whole, file: File) -> int:
    """Keep the whole chunks that were fetched before; returns the first one that is missing."""
    kept = min(os.fstat(written.fileno()).st_size, file.size) // CHUNK
    for _ in range(kept):
        whole.add(written.read(CHUNK))
    written.truncate(kept * CHUNK)
    written.seek(kept * CHUNK)
    return kept


def _raise_first(done: set[asyncio.Task[Any]]) -> None:
    for task in done:
        task.result()
