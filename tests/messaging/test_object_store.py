"""Chunks in a real S3-compatible server (rclone's), and what the settings say of one."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from deploy import services
from messaging.chunks.disk import DiskChunks
from messaging.chunks.errors import ChunkMissing, StoreFailed
from messaging.chunks.objects import ObjectChunks
from messaging.chunks.store import chunk_name, chunk_store
from messaging.models import Attachment
from messaging.sealed.attachment import CHUNK
from network.project.settings import Bucket, object_store
from tests.factories import answer, call, code_of, open_offices
from tests.messaging.test_attachments import Sending, fetch
from tests.object_store import KEY, SECRET, object_store_in
from tests.personas import Cast

NAME = chunk_name("ab" * 32, "cd" * 16, 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bucket, Path]]:
    """Give a started server with an empty bucket, and the folder it keeps."""
    folder = tmp_path_factory.mktemp("objects")
    with object_store_in(folder) as bucket:
        yield bucket, folder


def test_chunks_are_stored_given_back_replaced_and_removed(store: tuple[Bucket, Path]) -> None:
    bucket, folder = store
    with closing(ObjectChunks(bucket)) as chunks:
        keep_and_forget(chunks, folder)


def keep_and_forget(chunks: ObjectChunks, folder: Path) -> None:
    """Store, read, replace and remove a chunk."""
    data = bytes(range(256)) * 4096 + bytes(16)
    chunks.put(NAME, data)
    assert chunks.get(NAME) == data
    assert (folder / "chunks" / NAME).read_bytes() == data
    chunks.put(NAME, b"other")
    assert chunks.get(NAME) == b"other"
    chunks.remove(NAME)
    chunks.remove(NAME)
    with pytest.raises(ChunkMissing):
        chunks.get(NAME)


@pytest.mark.parametrize("wrong", [{"secret": "another"}, {"key": "another"}])
def test_who_does_not_hold_the_key_is_refused(store: tuple[Bucket, Path], wrong: dict[str, str]) -> None:
    bucket, folder = store
    with closing(ObjectChunks(bucket._replace(**wrong))) as stranger:
        with pytest.raises(StoreFailed, match="status 403"):
            stranger.put(NAME, b"x")
        with pytest.raises(StoreFailed, match="status 403"):
            stranger.get(NAME)
    assert not (folder / "chunks" / NAME).exists()


def test_a_store_that_is_away_says_so(store: tuple[Bucket, Path]) -> None:
    bucket = store[0]._replace(origin=f"http://127.0.0.1:{services.free_port()}")
    with closing(ObjectChunks(bucket)) as away, pytest.raises(StoreFailed, match="ConnectError"):
        away.put(NAME, b"x")


@pytest.fixture
def in_objects(settings: Any, store: tuple[Bucket, Path]) -> Iterator[Path]:
    """Let the product keep its chunks there."""
    chunk_store.cache_clear()
    settings.OBJECT_STORE = store[0]
    yield store[1]
    leave_store()


def leave_store() -> None:
    """Let the product choose its store anew."""
    present = chunk_store()
    if isinstance(present, ObjectChunks):
        present.close()
    chunk_store.cache_clear()


def test_a_file_goes_through_the_store_from_one_authority_to_the_other(cast: Cast, in_objects: Path) -> None:
    offices = open_offices(cast)
    thread = offices.officer_a.open_thread(offices.officer_b)
    sending = Sending(offices.officer_a, thread, CHUNK + 999).whole()
    assert "receipt" in sending.send()
    kept = [path for path in (in_objects / "chunks" / thread).rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in kept) == sorted(sending.chunks)
    offices.officer_b.read(thread)
    assert fetch(offices.officer_b, thread, sending.file) == sending.data
    gone = Sending(offices.officer_a, thread).whole()
    answer(call(gone.desk.http, "DELETE", gone.path))
    assert not (in_objects / "chunks" / thread / gone.new.id.hex() / "0").exists()


def test_while_the_store_is_away_nothing_is_lost(cast: Cast, settings: Any, in_objects: Path) -> None:
    offices = open_offices(cast)
    thread = offices.officer_a.open_thread(offices.officer_b)
    sending = Sending(offices.officer_a, thread)
    answer(sending.begin())
    there = settings.OBJECT_STORE
    settings.OBJECT_STORE = there._replace(origin=f"http://127.0.0.1:{services.free_port()}")
    leave_store()
    assert code_of(sending.put(0)) == (503, "unavailable")
    assert call(sending.desk.http, "DELETE", sending.path).status_code == 200
    assert Attachment.objects.get().ended_at  # its bytes are removed when the store is back
    leave_store()
    settings.OBJECT_STORE = there


def test_what_the_settings_say_of_a_store() -> None:
    found = object_store("s3+https://store.example:9000/files?region=eu-west-1", KEY, SECRET)
    assert found == Bucket("https://store.example:9000", "files", "eu-west-1", KEY, SECRET)
    assert object_store("", "", "") is None
    assert object_store("s3+http://localhost:9000/files", KEY, SECRET)
    wrong = (
        "https://store.example/files",
        "s3+https://store.example",
        "s3+https://store.example/files/deeper",
        "s3+https://key:secret@store.example/files",
        "s3+https://store.example/files?style=path",
        "s3+http://store.example/files",
    )
    for url in wrong:
        with pytest.raises(ImproperlyConfigured, match=re.escape("s3+https://")):
            object_store(url, KEY, SECRET)
    with pytest.raises(ImproperlyConfigured, match="NETWORK_CHUNKS_KEY"):
        object_store("s3+https://store.example/files", "", SECRET)


def test_a_chunk_on_the_disk_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = DiskChunks(tmp_path)
    chunks.put(NAME, b"first")

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(StoreFailed, match="No space left"):
        chunks.put(NAME, b"second")
    monkeypatch.undo()
    assert chunks.get(NAME) == b"first"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
