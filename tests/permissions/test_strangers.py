"""Whoever has no part in a correspondence gets nothing of it: every route, command and event is tried."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from messaging.models import (
    Assignment,
    Attachment,
    AttachmentChunk,
    Card,
    Draft,
    Hold,
    Progress,
    Report,
    ReportedMessage,
    Retention,
    Thread,
    ThreadItem,
)
from messaging.sealed.attachment import NewFile
from messaging.sealed.encoding import sha256
from messaging.sealed.message import Note, Plaintext
from messaging.sealed.own_cards import OwnCards
from messaging.sealed.record_source import report_messages
from network.frames import Command, to_json
from network.models import EventRecord
from network.project.catalogue import COMMANDS
from network.project.hub import hub_of_process
from tests.factories import Offices, Workplace, now, on_wire, open_offices, request_device, to_text
from tests.permissions.doors import SAMPLES, Door, all_routes
from tests.personas import Cast, Persona, make_cast
from tests.realtime.conftest import Socket

STRANGERS = (
    "supervisor_c",
    "officer_c",
    "administrator_a",
    "prosecutor_a",
    "former_officer_a",
    "directory_officer",
    "signed_out",
)
WORDS = "What the reporter of State A says"
DRAFT = base64.b64encode(b"a sealed draft of the officer of State A").decode()


class Correspondence:
    """A thread of A and B with everything that can hang on one, and what nobody else may receive."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.offices: Offices = open_offices(cast)
        a, b = self.offices.officer_a, self.offices.officer_b
        self.thread = a.open_thread(b, "Only for the two of us.")
        a.send(self.thread, "Nor is this.")
        b.read(self.thread)
        self.opened = to_text(b.mailbox.make_opened(bytes.fromhex(self.thread), at=1))
        b.post(f"/threads/{self.thread}/opened", {"opened": self.opened})
        a.http.put(f"/api/drafts/{self.thread}", {"sealed": DRAFT}, content_type="application/json")
        asking = request_device(cast.supervisor_a, a.mailbox.principal)
        self.device = asking.mailbox.device.id.hex()
        self.file, self.hashes = self._send_file(a)
        self.card = to_text(OwnCards(a.mailbox).seal(bytes.fromhex(self.thread)).encode())
        a.post("/cards", {"cards": [{"thread": self.thread, "card": self.card}]})
        self.message = a.seal(self.thread, "Third.")
        statement, disclosed = report_messages(
            b.mailbox, bytes.fromhex(self.thread), [2, 3], cause="other", words=WORDS, at=now()
        )
        self.report = {
            "report": to_text(statement),
            "messages": [{"blind": to_text(one.blind), "padded": to_text(one.padded)} for one in disclosed],
        }
        items = list(ThreadItem.objects.all())
        self.canaries = [
            DRAFT,
            self.opened,
            self.hashes,
            self.card,
            *(to_text(bytes(item.envelopes)) for item in items if item.envelopes),
            *(to_text(bytes(item.item)) for item in items),
            *(to_text(bytes(item.receipt)) for item in items),
            *(to_text(bytes(item.ciphertext)) for item in items if item.ciphertext),
            Thread.objects.get().transcript,
        ]
        self.samples = {
            **SAMPLES,
            "thread": self.thread,
            "principal": a.principal,
            "device": self.device,
            "key": self.thread,
            "file": self.file,
        }

    def _send_file(self, a: Workplace) -> tuple[str, str]:
        """Send a message with a file; return the file's id and the hashes of its chunks."""
        data = b"a sealed file"
        new = NewFile(a.mailbox.net, bytes.fromhex(self.thread), sha256(data), len(data))
        sealed = new.seal_chunk(0, data)
        path = f"/threads/{self.thread}/attachments"
        a.post(path, {"file": new.id.hex(), "size": new.padded})
        a.http.generic("PUT", f"/api{path}/{new.id.hex()}/chunks/0", sealed, "application/octet-stream")
        file = new.finish([sha256(sealed)], "file.txt", "text/plain")
        note = Plaintext(Note("With a file.", files=(file,)), "en")
        a.append(on_wire(a.mailbox.seal(bytes.fromhex(self.thread), note, at=now())))
        a.read(self.thread)
        return new.id.hex(), to_text(sha256(sealed))

    def body(self, command: Command) -> dict[str, Any]:
        """Return a body for a command that would be right if its actor were a member."""
        known: dict[str, Any] = {
            "thread": self.thread,
            "seq": 2,
            "opened": self.opened,
            "messages": [self.message],
            "cursors": {f"authority:{self.cast.officer_a.actor.authority_id.hex}": 0},
            "only": None,
        }
        return {name: known[name] for name in command.body.model_fields}

    def leaked(self, received: bytes) -> list[str]:
        """Return which canaries stand in what somebody received."""
        return [canary for canary in self.canaries if canary.encode() in received]

    def state(self) -> list[Any]:
        """Return everything of the thread that a stranger must not be able to change."""
        rows = (
            Thread,
            ThreadItem,
            Progress,
            Draft,
            Hold,
            Retention,
            Assignment,
            Attachment,
            AttachmentChunk,
            Card,
            Report,
            ReportedMessage,
        )
        return [list(model.objects.order_by("pk").values()) for model in rows]


def bodies_for(correspondence: Correspondence) -> list[dict[str, Any]]:
    """Return bodies that fit one route or another; the wrong ones are refused as such."""
    return [
        {"seq": 2},
        {"opened": correspondence.opened},
        {"messages": [correspondence.message]},
        {"sealed": DRAFT},
        {"cards": [{"thread": correspondence.thread, "card": correspondence.card}]},
        {"file": "1f" * 16, "size": 1024},
        correspondence.report,
        {},
    ]


def received(client: Client, door: Door, body: dict[str, Any]) -> bytes:
    response = client.generic(door.method, door.path, json.dumps(body), "application/json")
    assert response.status_code < 500, (str(door), response.status_code)
    return response.content + str(response.headers).encode()


@pytest.mark.parametrize("name", STRANGERS)
def test_no_route_gives_a_stranger_anything(cast: Cast, name: str) -> None:
    correspondence = Correspondence(cast)
    doors = all_routes(correspondence.samples)
    before = correspondence.state()
    for door in doors:
        client = cast.everybody()[name].client()
        for body in bodies_for(correspondence) if door.method != "GET" else [{}]:
            assert correspondence.leaked(received(client, door, body)) == [], str(door)
    assert correspondence.state() == before


def test_the_same_search_finds_what_a_member_receives(cast: Cast) -> None:
    correspondence = Correspondence(cast)
    client = cast.officer_a.client()
    found = {
        canary
        for door in all_routes(correspondence.samples)
        if door.method == "GET"
        for canary in correspondence.leaked(received(client, door, {}))
    }
    assert found == set(correspondence.canaries)


@pytest.fixture
async def live(transactional_db: None) -> AsyncIterator[Correspondence]:
    """Give the correspondence in a database whose commits are real."""
    yield await sync_to_async(lambda: Correspondence(make_cast()))()
    await (await hub_of_process()).stop()


async def socket_of(persona: Persona) -> Socket | None:
    """Return an open socket, or None for whoever is refused at the door."""
    socket = Socket(await sync_to_async(persona.session_cookie)())
    return socket if (await socket.connect(timeout=5))[0] else None


@pytest.mark.parametrize("name", STRANGERS)
async def test_no_command_gives_a_stranger_anything(live: Correspondence, name: str) -> None:
    socket = await socket_of(live.cast.everybody()[name])
    if socket is None:
        assert name in {"former_officer_a", "signed_out"}
        return
    before = await sync_to_async(live.state)()
    for command in COMMANDS.values():
        body = await sync_to_async(live.body)(command)
        await socket.send_json_to({"id": "x", "command": command.name, "body": body})
    heard = to_json(await socket.frames_until_quiet(seconds=1)).encode()
    assert live.leaked(heard) == []
    assert await sync_to_async(live.state)() == before
    await socket.disconnect()


async def test_the_same_search_finds_what_a_members_socket_receives(live: Correspondence) -> None:
    socket = await socket_of(live.cast.officer_b)
    assert socket
    audience = await sync_to_async(lambda: f"authority:{live.cast.officer_b.actor.authority_id.hex}")()
    assert await EventRecord.objects.filter(audience=audience).aexists()
    await socket.ask("network.session.resume", {"cursors": {audience: 0}})
    heard = to_json(await socket.frames_until_quiet(seconds=1)).encode()
    assert live.leaked(heard) != []
    await socket.disconnect()
