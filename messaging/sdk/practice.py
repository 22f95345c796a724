"""Practitioners: a prosecutor or judge who writes under a mandate, and the authority that answers for one."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, Self

from messaging.sdk.core import Core
from messaging.sdk.device_file import from_base64, to_base64
from messaging.sdk.errors import (
    ApprovalNeeded,
    DeviceExists,
    Distrusted,
    NotReady,
    ServerRefused,
    protocol_rules,
)
from messaging.sdk.facts import DeviceRequest
from messaging.sdk.keys import Keys
from messaging.sdk.outbox import now
from messaging.sdk.socket import Socket
from messaging.sealed.client import Person
from messaging.sealed.device import read_device
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import Change
from messaging.sealed.keys import device_words
from messaging.sealed.practice import OWN_ROLES, make_first_device, make_practitioner

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
BEGIN_SECONDS = 300.0


@dataclass(frozen=True)
class Practitioner:
    """Somebody who asks the own authority to answer, or for whom it does. Compare `words` by voice first.

    `principal` is None until a keyring was made with the statement of whoever answers.
    """

    device: str
    person: str
    name: str
    office: str
    words: str
    principal: str | None
    statement: bytes = field(repr=False)
    sponsoring: bytes | None = field(repr=False)

    @classmethod
    def from_json(cls, net: str, found: dict[str, Any]) -> Self:
        """Read a row of GET /api/practitioners; what it says of the device is what the device has signed."""
        statement = from_base64(found["statement"])
        device = read_device(net, statement)
        return cls(
            device=device.id.hex(),
            person=device.person,
            name=device.name,
            office=device.office,
            words=device_words(net, device.id),
            principal=found["principal"],
            statement=statement,
            sponsoring=from_base64(found["sponsoring"]) if found["sponsoring"] else None,
        )


class Practice:
    """What a practitioner does to begin, and what a supervisor does for practitioners of the own State."""

    def __init__(self, core: Core, socket: Socket, keys: Keys) -> None:
        self._core = core
        self._socket = socket
        self._keys = keys

    # a practitioner

    async def ask(self) -> str:
        """Make this device and ask to be answered for; returns the words that a supervisor compares.

        When a supervisor answers, the keyring is made by itself: see `Client.wait_until_ready`.
        Raises `DeviceExists`, `ServerRefused`.
        """
        if self._core.mailbox_or_none is not None:
            raise DeviceExists("This file holds a device already.")
        session = self._core.session
        person = Person(session.person, session.name, session.office)
        device = make_first_device(session.net, person, at=now())
        self._core.take_device(device)
        body = {"statement": to_base64(device.statement), "roles": []}
        try:
            await self._socket.patiently(lambda: self._core.http.post("/api/devices/requests", body))
        except ServerRefused:
            self._core.drop_device()
            raise
        return device_words(session.net, device.id)

    @property
    def waits(self) -> bool:
        """Return whether this device waits for somebody to answer for it."""
        found = self._core.mailbox_or_none
        return found is not None and not found.principal

    async def go_on(self) -> bool:
        """Make the keyring if somebody answers by now; returns whether it is there.

        Cut off and called again it does the same: the fingerprint follows from the statement.
        Raises `Distrusted` where the statement does not hold.
        """
        if not self.waits:
            return self._core.mailbox_or_none is not None
        device, net = self._core.mailbox.device, self._core.session.net
        own = [row for row in await self.list() if row.device == device.id.hex()]
        if not own or own[0].sponsoring is None:
            return False
        with protocol_rules():
            begun = make_practitioner(net, device, own[0].sponsoring, at=now())
        if own[0].principal is None:
            made = begun.made
            body = {
                "entry": to_base64(made.entry),
                "envelopes": to_base64(made.envelopes),
                "statements": [to_base64(device.statement)],
            }
            await self._socket.patiently(lambda: self._core.http.post("/api/keyrings", body))
        elif own[0].principal != begun.device.principal.hex():
            raise Distrusted("The server names another fingerprint for this device than follows from it.")
        self._core.take_device(begun.device)
        return True

    async def put_forward(self, request: DeviceRequest) -> Change:
        """Ask who answers to agree to a further own device; then `add_device` carries it out."""
        own = self._core.mailbox.stewardship
        await self._core.load_keyring(self._core.mailbox.principal)
        with protocol_rules():
            change = own.addition([(bytes.fromhex(request.device), OWN_ROLES)])
        body = {"change": to_base64(change.encode()), "approval": None}
        await self._core.http.post(f"{self._path(self._core.mailbox.principal)}/approvals", body)
        return change

    async def add_device(self, request: DeviceRequest) -> None:
        """List a further own device once a supervisor of who answers has agreed (K9).

        Raises `ApprovalNeeded` before that, `ServerRefused`.
        """
        change = await self.put_forward(request)
        path = f"{self._path(self._core.mailbox.principal)}/approvals"
        waiting = (await self._core.http.get(path))["approvals"]
        encoded = to_base64(change.encode())
        given = [raw for row in waiting if row["change"] == encoded for raw in row["approvals"]]
        if not given:
            raise ApprovalNeeded(change, by_kit=False)
        statement = from_base64(request.statement)
        await self._keys.change(lambda _: change, acts=[from_base64(given[0])], statements=[statement])

    @staticmethod
    def _path(principal: bytes) -> str:
        return f"/api/keyrings/{principal.hex()}"

    # an authority

    async def list(self) -> list[Practitioner]:
        """Return the practitioners of the own State, the newest first; to a practitioner only itself."""
        found = await self._core.http.get("/api/practitioners")
        return [row for one in found["practitioners"] if (row := self._read(one))]

    def _read(self, found: dict[str, Any]) -> Practitioner | None:
        try:
            return Practitioner.from_json(self._core.session.net, found)
        except Refused:
            logger.warning("a practitioner's device does not hold and is left out")
            return None

    async def sponsor(self, practitioner: Practitioner, *, until: int | None = None) -> None:
        """Answer for a practitioner, for a year at most; takes a supervisor's device. Compare `words` first.

        It takes effect by `enlist`, once the practitioner has made a keyring with it.
        """
        with protocol_rules():
            made = self._core.mailbox.practice.sponsor(practitioner.statement, at=now(), until=until)
        body = {"statement": to_base64(made)}
        await self._core.http.post(f"/api/practitioners/{practitioner.device}/sponsor", body)

    async def enlist(self, device: str, *, seconds: float = BEGIN_SECONDS) -> str:
        """List a practitioner in the own keyring as soon as there is a keyring; returns the principal.

        Raises `NotReady` when the practitioner has not made one in time.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            row = next((one for one in await self.list() if one.device == device), None)
            if row is not None and row.principal is not None and row.sponsoring is not None:
                break
            if asyncio.get_running_loop().time() > deadline:
                raise NotReady("The practitioner has not made a keyring yet.")
            await asyncio.sleep(LOOK_SECONDS)
        principal, statement = bytes.fromhex(row.principal), row.sponsoring
        await self._core.load_keyring(principal)
        mailbox = self._core.mailbox
        await self._keys.change(lambda _: mailbox.practice.listing(principal, statement))
        return principal.hex()

    async def answer_for(
        self, practitioner: Practitioner, *, until: int | None = None, seconds: float = BEGIN_SECONDS
    ) -> str:
        """Answer for a practitioner and wait until it is in force; returns the principal."""
        await self.sponsor(practitioner, until=until)
        return await self.enlist(practitioner.device, seconds=seconds)

    async def end(self, principal: str) -> None:
        """Answer for a practitioner no more: he or she writes and is written to no more, from now on."""
        await self._core.load_keyring(self._core.mailbox.principal)
        practice, practitioner = self._core.mailbox.practice, bytes.fromhex(principal)
        with protocol_rules():
            _, end = practice.ending(practitioner, at=now())
        await self._keys.change(lambda _: practice.ending(practitioner, at=now())[0], acts=[end])

    async def approve_devices(self, principal: str) -> int:
        """Agree to every further device that a practitioner has put forward; returns how many.

        Takes a supervisor's device. Compare the device's words with the person first.
        """
        practitioner = bytes.fromhex(principal)
        await self._core.load_keyring(practitioner)
        path = f"{self._path(practitioner)}/approvals"
        found = await self._core.http.get(path)
        for row in found["approvals"]:
            with protocol_rules():
                change = Change.decode(from_base64(row["change"]))
                approval = self._core.mailbox.practice.approve(practitioner, change, at=now())
            body = {"change": row["change"], "approval": to_base64(approval)}
            await self._core.http.post(path, body)
        return len(found["approvals"])
