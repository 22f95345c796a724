"""E8, M3 and M5 for files: sealed in chunks, opened only as they were signed."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from messaging.sealed.attachment import (
    CHUNK,
    FILE_LIMIT,
    File,
    NewFile,
    Whole,
    check_root,
    chunk_count,
    is_name,
    open_chunk,
    padded_size,
    root_of,
    sealed_size,
)
from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.message import Note, Plaintext, open_message, read_message
from tests.sealed.world import NET, seal, seed, world
from tests.vectors.make_files import content

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "files"
ROWS = [
    pytest.param(row, id=f"{name} {row['size']}")
    for name in ("python", "typescript")
    for row in json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["files"]
]
THREAD = seed("thread")


def sealed_file(size: int = 2 * CHUNK + 5) -> tuple[File, list[bytes], list[bytes]]:
    """A file, its sealed chunks and their hashes."""
    data = content(size)
    new = NewFile(NET, THREAD, hashlib.sha256(data).digest(), size)
    chunks = [new.seal_chunk(n, data[n * CHUNK : (n + 1) * CHUNK]) for n in range(new.chunks)]
    hashes = [sha256(chunk) for chunk in chunks]
    return new.finish(hashes, "request.pdf", "application/pdf"), chunks, hashes


@pytest.mark.parametrize("row", ROWS)
def test_e8_m5_both_implementations_seal_and_open_alike(row: dict[str, Any]) -> None:
    data = content(row["size"])
    thread, names = bytes.fromhex(row["thread"]), ("id", "key", "prefix")
    keys = {name: bytes.fromhex(row[name]) for name in names}
    new = NewFile(NET, thread, bytes.fromhex(row["digest"]), row["size"], **keys)
    chunks = [new.seal_chunk(n, data[n * CHUNK : (n + 1) * CHUNK]) for n in range(new.chunks)]
    hashes = [sha256(chunk) for chunk in chunks]
    assert [one.hex() for one in hashes] == row["hashes"]
    file = new.finish(hashes, row["name"], row["type"])
    assert (file.header.size, file.header.chunks, file.root.hex()) == (
        row["padded"],
        row["chunks"],
        row["root"],
    )
    if row["first"] is not None:
        assert chunks[0].hex() == row["first"]
    whole = Whole(file)
    opened = [open_chunk(NET, thread, file, n, chunk, hashes[n]) for n, chunk in enumerate(chunks)]
    for part in opened:
        whole.add(part)
    whole.check()
    assert b"".join(opened) == data


def test_m5_chunks_missing_doubled_or_in_another_order_are_refused() -> None:
    file, _, (one, two, three) = sealed_file()
    check_root(NET, file, [one, two, three])
    for other in ([one, two], [one, three, two], [one, two, two], [one, two, three, three]):
        with pytest.raises(Refused, match="M5 wrong-root"):
            check_root(NET, file, other)


def test_m5_a_chunk_that_is_altered_cut_or_another_is_named() -> None:
    file, chunks, hashes = sealed_file()
    altered = bytes([chunks[0][0] ^ 1]) + chunks[0][1:]
    for chunk in (altered, chunks[0][1:], chunks[1], b""):
        with pytest.raises(Refused, match="M5 wrong-chunk"):
            open_chunk(NET, THREAD, file, 0, chunk, hashes[0])


def test_e8_a_chunk_opens_only_at_its_place_and_in_its_thread() -> None:
    file, chunks, hashes = sealed_file()
    with pytest.raises(Refused, match="E8 cannot-open"):
        open_chunk(NET, seed("another thread"), file, 0, chunks[0], hashes[0])
    with pytest.raises(Refused, match="E8 cannot-open"):
        open_chunk(NET, THREAD, file, 1, chunks[0], hashes[0])
    with pytest.raises(Refused, match="E8 cannot-open"):
        open_chunk(NET, THREAD, replace(file, prefix=bytes(7)), 0, chunks[0], hashes[0])
    first = replace(file, size=2 * CHUNK)  # were the second chunk the last one
    with pytest.raises(Refused, match="E8 cannot-open"):
        open_chunk(NET, THREAD, first, 1, chunks[1], hashes[1])


def test_m5_padding_and_whole_are_what_was_signed() -> None:
    file, chunks, hashes = sealed_file()
    shorter = replace(file, size=file.size - 1)
    assert shorter.header.size == file.header.size
    with pytest.raises(Refused, match="M5 wrong-file"):
        open_chunk(NET, THREAD, shorter, 2, chunks[2], hashes[2])
    whole = Whole(file)
    whole.add(b"another file")
    with pytest.raises(Refused, match="M5 wrong-file"):
        whole.check()


def test_m5_files_go_with_a_note_and_come_out_as_they_went_in() -> None:
    made = world()
    files = (sealed_file(10)[0], sealed_file(5000)[0])
    state = made.server.states[3]
    note = Plaintext(Note("Two files.", urgency=1, reason="custody ends", files=files), "en")
    secret = made.server.secrets[state.n]
    sealed = seal(state, secret, made.a.by(), made.elin, note, label="files")
    message = read_message(NET, sealed.item)
    assert message.files == tuple(file.header for file in files)
    assert open_message(NET, message, sealed.ciphertext, secret) == note


def test_m5_a_writer_names_only_files_that_readers_take() -> None:
    made = world()
    state = made.server.states[3]
    for wrong in ({"name": "../x"}, {"media_type": "none"}, {"size": FILE_LIMIT + 1}):
        note = Plaintext(Note("A file.", files=(replace(sealed_file(10)[0], **wrong),)), "en")
        with pytest.raises(Refused, match="M5 wrong-files"):
            seal(state, made.server.secrets[state.n], made.a.by(), made.elin, note, label="files")


@given(some.integers(1, FILE_LIMIT))
def test_the_size_that_is_seen_says_little(size: int) -> None:
    padded = padded_size(size)
    assert size <= padded <= size * 1.12 + 1
    assert padded <= FILE_LIMIT
    assert padded_size(padded) == padded
    assert sum(sealed_size(padded, n) - 16 for n in range(chunk_count(padded))) == padded


def test_names_are_short_and_show_what_they_are() -> None:
    assert all(map(is_name, ("request.pdf", "ملف.pdf", "文件 1.docx", "x" * 200)))
    never = ("", " ", ".", "..", "a/b", "a\\b", "a\nb", "fdp\u202eexe", "x" * 201, "a\u200bb")
    assert not any(map(is_name, never))


def test_a_part_of_another_length_is_not_sealed() -> None:
    new = NewFile(NET, THREAD, bytes(32), 10)
    with pytest.raises(ValueError, match="not the bytes"):
        new.seal_chunk(0, b"x" * 11)
    assert root_of(NET, []) != root_of(NET, [bytes(32)])
