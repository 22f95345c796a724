"""Files beside messages through the SDK: sent, gone on with after a cut, fetched, refused when altered."""

from pathlib import Path

import pytest

from messaging.sdk.errors import Distrusted, InvalidMessage, NotSent
from messaging.sealed.attachment import CHUNK
from tests.sdk.conftest import HEAD_A, Desks, Pair, next_message
from tests.vectors.make_files import content


def file_of(folder: Path, name: str, size: int) -> Path:
    """Make a file of this size."""
    path = folder / name
    path.write_bytes(content(size))
    return path


def chunks_of(pair_server_state: Path) -> list[Path]:
    """Return the files of the server's store."""
    return [path for path in (pair_server_state / "chunks").rglob("*") if path.is_file()]


async def test_files_reach_the_other_authority_as_they_were(pair: Pair, tmp_path: Path) -> None:
    paths = [file_of(tmp_path, "Order.pdf", 2 * CHUNK + 9), file_of(tmp_path, "empty.txt", 0)]
    await pair.a.send(pair.first.thread, "Two files.", files=paths)
    message = await next_message(pair.b)
    assert message.text == "Two files."
    assert [(file.name, file.media_type, file.size) for file in message.files] == [
        ("Order.pdf", "application/pdf", 2 * CHUNK + 9),
        ("empty.txt", "text/plain", 0),
    ]
    for number, file in enumerate(message.files):
        to = tmp_path / f"saved {number}"
        await pair.b.save_file(message, file, to)
        assert to.read_bytes() == paths[number].read_bytes()
    with pytest.raises(FileExistsError):
        await pair.b.save_file(message, message.files[0], tmp_path / "saved 0")


async def test_an_upload_goes_on_in_the_next_process(
    desks: Desks, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, "large.bin", 6 * CHUNK)
    put = pair.a.http.put_bytes

    async def put_until_cut(to: str, data: bytes) -> None:
        if to.endswith("/5"):
            raise ConnectionError("the process ends here")
        await put(to, data)

    monkeypatch.setattr(pair.a.http, "put_bytes", put_until_cut)
    with pytest.raises(ConnectionError):
        await pair.a.send(pair.first.thread, "Large.", files=[path])
    await pair.a.close()
    again = await desks.open(HEAD_A)
    put_again, sent = again.http.put_bytes, list[str]()

    async def count(to: str, data: bytes) -> None:
        sent.append(to)
        await put_again(to, data)

    monkeypatch.setattr(again.http, "put_bytes", count)
    await again.send(pair.first.thread, "Large.", files=[path])
    assert 0 < len(sent) < 6  # what was stored was not sent again
    message = await next_message(pair.b)
    await pair.b.save_file(message, message.files[0], tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == content(6 * CHUNK)


async def test_a_download_goes_on_where_it_was_cut(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, "large.bin", 4 * CHUNK + 5)
    await pair.a.send(pair.first.thread, "Large.", files=[path])
    message = await next_message(pair.b)
    fetched: list[str] = []
    get = pair.b.http.get_bytes

    async def get_until_cut(at: str) -> bytes:
        if len(fetched) == 2:
            raise ConnectionError("the process ends here")
        fetched.append(at)
        return await get(at)

    monkeypatch.setattr(pair.b.http, "get_bytes", get_until_cut)
    with pytest.raises(ConnectionError):
        await pair.b.save_file(message, message.files[0], tmp_path / "saved")
    assert not (tmp_path / "saved").exists()

    async def count(at: str) -> bytes:
        fetched.append(at)
        return await get(at)

    monkeypatch.setattr(pair.b.http, "get_bytes", count)
    await pair.b.save_file(message, message.files[0], tmp_path / "saved")
    assert len(fetched) == len(set(fetched)) == 5
    assert (tmp_path / "saved").read_bytes() == path.read_bytes()
    assert not (tmp_path / "saved.part").exists()


async def test_m5_an_altered_chunk_is_named_and_nothing_is_saved(
    desks: Desks, pair: Pair, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "evidence.bin", 2 * CHUNK)
    await pair.a.send(pair.first.thread, "Evidence.", files=[path])
    message = await next_message(pair.b)
    (stored,) = [path for path in chunks_of(desks.server.state) if path.name == "1"]
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(Distrusted, match="chunk 1"):
        await pair.b.save_file(message, message.files[0], tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    stored.write_bytes(whole)
    await pair.b.save_file(message, message.files[0], tmp_path / "saved")


async def test_m5_swapped_chunks_are_refused(desks: Desks, pair: Pair, tmp_path: Path) -> None:
    path = file_of(tmp_path, "evidence.bin", 2 * CHUNK)
    await pair.a.send(pair.first.thread, "Evidence.", files=[path])
    message = await next_message(pair.b)
    one, two = sorted(chunks_of(desks.server.state))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    with pytest.raises(Distrusted, match="chunk 0"):
        await pair.b.save_file(message, message.files[0], tmp_path / "saved")


async def test_what_no_reader_takes_is_not_sent(pair: Pair, tmp_path: Path) -> None:
    many = [file_of(tmp_path, f"{number}.txt", number) for number in range(11)]
    with pytest.raises(InvalidMessage, match="10 files"):
        await pair.a.send(pair.first.thread, "Many.", files=many)
    odd = file_of(tmp_path, "fdp\u202eexe", 1)
    with pytest.raises(InvalidMessage, match="name"):
        await pair.a.send(pair.first.thread, "Odd.", files=[odd])
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(1024 * CHUNK + 1)
    with pytest.raises(InvalidMessage, match="1 GiB"):
        await pair.a.send(pair.first.thread, "Large.", files=[large])


async def test_a_file_that_the_server_forgot_is_sent_anew(desks: Desks, pair: Pair, tmp_path: Path) -> None:
    path = file_of(tmp_path, "note.txt", 100)
    thread = pair.first.thread
    await pair.a.send(thread, "Once.", files=[path])
    await pair.a.send(thread, "Twice, with keys of its own.", files=[path])
    first, second = await next_message(pair.b), await next_message(pair.b)
    assert first.files[0].key != second.files[0].key
    assert NotSent not in {type(error) for _, error in pair.a.not_sent}


async def test_files_go_with_the_first_message_of_a_thread(pair: Pair, tmp_path: Path) -> None:
    path = file_of(tmp_path, "Request.pdf", CHUNK + 1)
    sent = await pair.a.open_thread(
        pair.b.principal or "", "The request.", subject="With a file", files=[path]
    )
    message = await next_message(pair.b)
    assert (message.thread, message.text, message.subject) == (sent.thread, "The request.", "With a file")
    await pair.b.save_file(message, message.files[0], tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == path.read_bytes()


async def test_no_thread_is_opened_for_a_file_that_cannot_be_sent(pair: Pair, tmp_path: Path) -> None:
    before = len(await pair.a.list_threads())
    with pytest.raises(InvalidMessage):
        await pair.a.open_thread(pair.b.principal or "", "Eleven.", files=[tmp_path / "x"] * 11)
    with pytest.raises(InvalidMessage):
        await pair.a.open_thread(pair.b.principal or "", "x" * 50_000, files=[file_of(tmp_path, "y", 1)])
    assert len(await pair.a.list_threads()) == before
