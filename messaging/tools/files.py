"""Checks the attachments that lie beside a record, sealed or as they were saved from their message."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from messaging.sealed.attachment import FileHeader, root_of, sealed_size
from messaging.sealed.encoding import sha256
from messaging.sealed.record_check import Checked, Fault

BLOCK = 1024 * 1024


def check_files(checked: Checked, folder: Path) -> Iterator[Fault]:
    """Give a fault for each file that is missing, or is not what its message has signed for.

    A sealed one (`ID.sealed`: all chunks in order) is known by its root, without a key; one as it was saved
    by the SHA-256 in the text of its message, whatever its name is now, so the record has to be opened.
    """
    net = checked.facts.net if checked.facts else ""
    digests = {_digest(path) for path in folder.iterdir() if path.is_file()}
    for message in checked.messages():
        text = checked.texts.get(message.seq)
        known = {file.id: file for file in text.body.files} if text else {}
        for header in message.files:
            sealed = folder / f"{header.id.hex()}.sealed"
            file = known.get(header.id)
            if sealed.is_file():
                if not _is_signed(net, header, sealed):
                    yield Fault(sealed.name, "M5", "wrong-root", "the file is not the one that was signed")
            elif file is None or file.digest not in digests:
                name = file.name if file else sealed.name
                yield Fault(name, "R1", "missing-part", "this file is missing, or was changed")


def _digest(path: Path) -> bytes:
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            found.update(block)
    return found.digest()


def _is_signed(net: str, header: FileHeader, path: Path) -> bool:
    expected = [sealed_size(header.size, index) for index in range(header.chunks)]
    if path.stat().st_size != sum(expected):
        return False
    with path.open("rb") as stream:
        hashes = [sha256(stream.read(size)) for size in expected]
    return root_of(net, hashes) == header.root
