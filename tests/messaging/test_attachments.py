"""Files beside messages: stored chunk by chunk, taken with their message, refused, given up, cleared away."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.actions.attachments import BEGUN_MOST, KEPT_FOR, clear_attachments
from messaging.chunks.store import chunk_name, chunk_store
from messaging.models import Attachment, AttachmentChunk, ThreadItem
from messaging.sealed.attachment import CHUNK, File, NewFile, Whole, check_root, open_chunk
from messaging.sealed.encoding import sha256
from messaging.sealed.message import Note, Plaintext
from network.models import AuditEntry
from tests.factories import Offices, Workplace, answer, call, code_of, now, on_wire, open_offices
from tests.personas import Cast
from tests.vectors.make_files import content


@pytest.fixture(autouse=True)
def chunk_folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Keep the chunks of a test in a folder of its own."""
    chunk_store.cache_clear()
    settings.CHUNK_DIR = tmp_path / "chunks"
    settings.OBJECT_STORE = None
    yield settings.CHUNK_DIR
    chunk_store.cache_clear()


@pytest.fixture
def offices(cast: Cast) -> Offices:
    return open_offices(cast)


@pytest.fixture
def thread(offices: Offices) -> str:
    return offices.officer_a.open_thread(offices.officer_b)


class Sending:
    """A file on its way from a desk."""

    def __init__(
        self, desk: Workplace, thread: str, size: int = 5000, *, file_id: bytes | None = None
    ) -> None:
        self.desk, self.thread = desk, thread
        self.data = content(size)
        named = {} if file_id is None else {"id": file_id}
        self.new = NewFile(
            desk.mailbox.net, bytes.fromhex(thread), hashlib.sha256(self.data).digest(), size, **named
        )
        parts = range(self.new.chunks)
        self.chunks = [self.new.seal_chunk(n, self.data[n * CHUNK : (n + 1) * CHUNK]) for n in parts]

    @property
    def path(self) -> str:
        return f"/threads/{self.thread}/attachments/{self.new.id.hex()}"

    @property
    def file(self) -> File:
        hashes = [sha256(chunk) for chunk in self.chunks]
        return self.new.finish(hashes, "Order of the court.pdf", "application/pdf")

    def begin(self, **changes: Any) -> Any:
        body = {"file": self.new.id.hex(), "size": self.new.padded} | changes
        return call(self.desk.http, "POST", f"/threads/{self.thread}/attachments", body)

    def put(self, index: int, data: bytes | None = None, client: Client | None = None) -> Any:
        sent = self.chunks[index] if data is None else data
        return (client or self.desk.http).generic(
            "PUT", f"/api{self.path}/chunks/{index}", sent, "application/octet-stream"
        )

    def whole(self) -> "Sending":
        answer(self.begin())
        for index in range(len(self.chunks)):
            answer(self.put(index))
        return self

    def message(self, *files: File) -> dict[str, str]:
        plaintext = Plaintext(Note("With a file.", files=files or (self.file,)), "en")
        key = bytes.fromhex(self.thread)
        return on_wire(self.desk.mailbox.seal(key, plaintext, at=now()))

    def send(self, *files: File) -> dict[str, Any]:
        (result,) = self.desk.append(self.message(*files))
        return result


def fetch(desk: Workplace, thread: str, file: File) -> bytes:
    """Return the bytes of a file as a reader gets them: root, chunks, padding and digest checked."""
    path = f"/threads/{thread}/attachments/{file.id.hex()}"
    blob = base64.b64decode(desk.get(path)["hashes"])
    hashes = [blob[place : place + 32] for place in range(0, len(blob), 32)]
    check_root(desk.mailbox.net, file, hashes)
    whole, found = Whole(file), []
    for index, expected in enumerate(hashes):
        response = call(desk.http, "GET", f"{path}/chunks/{index}")
        assert response.status_code == 200
        part = open_chunk(desk.mailbox.net, bytes.fromhex(thread), file, index, response.content, expected)
        whole.add(part)
        found.append(part)
    whole.check()
    return b"".join(found)


def test_a_file_of_several_chunks_reaches_the_other_side(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread, 2 * CHUNK + 70_000)
    answer(sending.begin())
    for index in (2, 0):  # in any order, after any cut
        answer(sending.put(index))
    assert answer(sending.begin())["missing"] == [1]
    answer(sending.put(1))
    assert "receipt" in sending.send()
    *_, applied = offices.officer_b.read(thread)
    assert applied.plaintext
    assert isinstance(applied.plaintext.body, Note)
    (file,) = applied.plaintext.body.files
    assert (file.name, file.size) == ("Order of the court.pdf", len(sending.data))
    assert fetch(offices.officer_b, thread, file) == sending.data


def test_nothing_of_a_file_but_its_padded_size_is_kept(
    offices: Offices, thread: str, chunk_folder: Path
) -> None:
    sending = Sending(offices.officer_a, thread).whole()
    assert "receipt" in sending.send()
    (row,) = Attachment.objects.values()
    assert (row["size"], row["chunks"]) == (sending.new.padded, 1)
    kept = str(row) + str(list(AttachmentChunk.objects.values()))
    (chunk,) = [path for path in chunk_folder.rglob("*") if path.is_file()]
    for secret in (sending.file.key, sending.file.digest, sending.data[:64], b"court"):
        assert secret not in chunk.read_bytes() + str(chunk).encode()
        assert secret.hex() not in kept
        assert str(secret) not in kept


def test_who_begins_a_file_and_who_gives_it_up_stands_in_the_audit_record(
    offices: Offices, thread: str
) -> None:
    sending = Sending(offices.officer_a, thread)
    for _ in range(2):  # the same again is one beginning
        answer(sending.begin())
    refused = Sending(offices.officer_a, thread).begin(size=CHUNK + 1)
    assert refused.status_code == 422
    answer(call(sending.desk.http, "DELETE", sending.path))
    entries = AuditEntry.objects.filter(act__startswith="attachment:").order_by("n")
    assert [(entry.act, entry.subject, entry.facts) for entry in entries] == [
        ("attachment:begin", thread, {"size": sending.new.padded}),
        ("attachment:cancel", thread, {"size": sending.new.padded}),
    ]


def test_a_chunk_comes_as_bytes_that_no_browser_shows(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread).whole()
    response = sending.desk.http.get(f"/api{sending.path}/chunks/0", headers={"accept-encoding": "gzip"})
    assert response.content == sending.chunks[0]
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == "attachment"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


def test_until_a_message_has_taken_it_the_other_side_cannot_tell_that_it_is_there(
    offices: Offices, thread: str
) -> None:
    sending = Sending(offices.officer_a, thread).whole()
    b = offices.officer_b.http
    unknown = call(b, "GET", sending.path.replace(sending.new.id.hex(), "0" * 32))
    for response in (
        call(b, "GET", sending.path),
        call(b, "GET", f"{sending.path}/chunks/0"),
        call(b, "DELETE", sending.path),
        sending.put(0, client=b),
    ):
        assert (response.status_code, response.content) == (404, unknown.content)
    assert Attachment.objects.get().ended_at is None


def test_a_third_authority_finds_neither_thread_nor_file(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread).whole()
    sending.send()
    c = offices.supervisor_c.http
    assert call(c, "GET", sending.path).status_code == 404
    assert call(c, "GET", f"{sending.path}/chunks/0").status_code == 404
    assert sending.put(0, client=c).status_code == 404
    body = {"file": "1f" * 16, "size": 1024}
    assert call(c, "POST", f"/threads/{thread}/attachments", body).status_code == 404


def test_m3_a_message_is_refused_unless_its_files_are_stored_whole(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread, CHUNK + 1)
    missing = sending.message()
    before = ThreadItem.objects.count()
    for step in (lambda: None, sending.begin, lambda: sending.put(0)):
        step()
        (result,) = sending.desk.append(missing)
        assert result["error"]["code"] == "attachment-missing"
    answer(sending.put(1))
    assert ThreadItem.objects.count() == before
    assert Attachment.objects.get().seq is None
    (result,) = sending.desk.append(missing)
    assert "receipt" in result
    assert Attachment.objects.get().seq == result["seq"]
    assert sending.desk.append(missing) == [result]  # the same bytes are answered as the first time


def test_m3_another_root_size_or_thread_than_stored_is_refused(offices: Offices, thread: str) -> None:
    a = offices.officer_a
    sending = Sending(a, thread).whole()
    for wrong in (replace(sending.file, root=bytes(32)), replace(sending.file, size=9000)):
        assert sending.send(wrong)["error"]["code"] == "attachment-missing"
        a.mailbox.mark_refused(bytes.fromhex(thread))
    other = a.open_thread(offices.supervisor_c)
    elsewhere = Sending(a, other, file_id=sending.new.id)
    assert elsewhere.send()["error"]["code"] == "attachment-missing"


def test_a_file_belongs_to_one_message(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread).whole()
    assert "receipt" in sending.send()
    sending.desk.read(thread)
    assert sending.send()["error"]["code"] == "attachment-missing"


def test_a_file_of_one_side_does_not_go_with_a_message_of_the_other(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread).whole()
    offices.officer_b.read(thread)
    theirs = Sending(offices.officer_b, thread, file_id=sending.new.id)
    assert code_of(theirs.begin()) == (409, "attachment-differs")
    assert theirs.send(sending.file)["error"]["code"] == "attachment-missing"


def test_a_chunk_of_another_size_place_or_content_is_refused(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread, CHUNK + 1)
    assert sending.put(0).status_code == 404
    answer(sending.begin())
    for index, data in ((0, b""), (0, sending.chunks[0][1:]), (1, sending.chunks[0]), (0, sending.chunks[1])):
        assert code_of(sending.put(index, data)) == (422, "wrong-chunk")
    assert code_of(sending.put(0, sending.chunks[0] + b"x"))[0] in {413, 422}
    beyond = sending.put(2, b"x")
    assert code_of(beyond) == (422, "wrong-chunk")
    answer(sending.put(0))
    answer(sending.put(0))  # the same again
    altered = bytes([sending.chunks[0][0] ^ 1]) + sending.chunks[0][1:]
    assert code_of(sending.put(0, altered)) == (409, "attachment-differs")
    assert chunk_store().get(chunk_name(thread, sending.new.id.hex(), 0)) == sending.chunks[0]


def test_a_size_that_no_file_has_is_refused(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread)
    for size in (1025, 2**30 + 2**25, 2**52):
        assert code_of(sending.begin(size=size)) == (422, "wrong-files")
    assert code_of(sending.begin(size=0))[0] == 422
    assert code_of(sending.begin(file="x"))[0] == 422
    answer(sending.begin())
    assert code_of(sending.begin(size=1024)) == (409, "attachment-differs")


def test_what_was_given_up_is_gone_with_its_bytes(offices: Offices, thread: str, chunk_folder: Path) -> None:
    sending = Sending(offices.officer_a, thread, CHUNK + 1).whole()
    answer(call(sending.desk.http, "DELETE", sending.path))
    assert not Attachment.objects.exists()
    assert [path for path in chunk_folder.rglob("*") if path.is_file()] == []
    assert sending.put(0).status_code == 404
    assert sending.send()["error"]["code"] == "attachment-missing"


def test_a_file_that_a_message_has_taken_stays(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread).whole()
    sending.send()
    assert call(sending.desk.http, "DELETE", sending.path).status_code == 404
    assert sending.put(0).status_code == 404
    Attachment.objects.update(changed_at=timezone.now() - 2 * KEPT_FOR)
    clear_attachments()
    assert fetch(offices.officer_a, thread, sending.file) == sending.data


def test_half_a_file_is_cleared_away_in_time(offices: Offices, thread: str, chunk_folder: Path) -> None:
    late = Sending(offices.officer_a, thread, CHUNK + 1)
    answer(late.begin())
    answer(late.put(1))
    Attachment.objects.update(changed_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
    fresh = Sending(offices.officer_a, thread).whole()
    clear_attachments()
    assert [row.file for row in Attachment.objects.all()] == [fresh.new.id.hex()]
    assert len([path for path in chunk_folder.rglob("*") if path.is_file()]) == 1
    assert answer(late.begin())["missing"] == [0, 1]


def test_an_authority_has_room_for_so_much(offices: Offices, thread: str, settings: Any) -> None:
    settings.ATTACHMENT_BYTES = 20_000
    Sending(offices.officer_a, thread, 9000).whole()
    assert code_of(Sending(offices.officer_a, thread, 12_000).begin()) == (409, "no-room")
    offices.officer_b.read(thread)
    answer(Sending(offices.officer_b, thread, 12_000).begin())


def test_an_authority_begins_so_many_files_at_once(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread)
    answer(sending.begin())
    row = Attachment.objects.get()
    rows = [
        Attachment(thread_id=thread, file=f"{n:032x}", principal_id=row.principal_id, size=1, chunks=1,
                   begun_at=row.begun_at, changed_at=row.changed_at)
        for n in range(BEGUN_MOST - 1)
    ]  # fmt: skip
    Attachment.objects.bulk_create(rows)
    assert code_of(Sending(offices.officer_a, thread).begin()) == (409, "no-room")


def test_a_chunk_that_the_store_has_lost_is_not_given_as_something_else(
    offices: Offices, thread: str
) -> None:
    sending = Sending(offices.officer_a, thread).whole()
    chunk_store().remove(chunk_name(thread, sending.new.id.hex(), 0))
    assert code_of(call(sending.desk.http, "GET", f"{sending.path}/chunks/0")) == (503, "unavailable")


def test_a_full_disk_loses_nothing(offices: Offices, thread: str, chunk_folder: Path) -> None:
    sending = Sending(offices.officer_a, thread)
    answer(sending.begin())
    chunk_folder.parent.mkdir(exist_ok=True)
    chunk_folder.write_text("a file where the folder should be")
    assert code_of(sending.put(0)) == (503, "unavailable")
    assert answer(sending.begin())["missing"] == [0]
    chunk_folder.unlink()
    answer(sending.put(0))


def test_the_first_message_of_a_new_thread_has_no_file_yet(offices: Offices, thread: str) -> None:
    a = offices.officer_a
    sending = Sending(a, thread).whole()
    a.learn(offices.supervisor_c.mailbox.principal)
    plaintext = Plaintext(Note("With a file.", files=(sending.file,)), "en")
    made = a.mailbox.open_thread([offices.supervisor_c.mailbox.principal], plaintext, at=now())
    body = {
        "entry": base64.b64encode(made.entry).decode(),
        "envelopes": base64.b64encode(made.envelopes).decode(),
        "messages": [on_wire(message) for message in made.messages],
    }
    assert code_of(call(a.http, "POST", "/threads", body)) == (409, "attachment-missing")


def test_answers_have_their_shape(offices: Offices, thread: str) -> None:
    sending = Sending(offices.officer_a, thread)
    found = json.loads(sending.begin().content)
    assert found == {
        "file": sending.new.id.hex(),
        "size": sending.new.padded,
        "chunks": 1,
        "missing": [0],
        "hashes": None,
        "seq": None,
    }
