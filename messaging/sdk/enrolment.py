"""How a device comes into a keyring: by making the authority's, or by asking its stewards."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from messaging.sdk.core import Core
from messaging.sdk.device_file import Founding, from_base64, to_base64
from messaging.sdk.errors import ClientError, DeviceExists, Distrusted, NotReady, ServerRefused
from messaging.sdk.facts import DeviceRequest
from messaging.sdk.outbox import now
from messaging.sdk.socket import Socket
from messaging.sealed.client import Person, make_device, make_keyring
from messaging.sealed.device import read_device
from messaging.sealed.errors import Refused
from messaging.sealed.keys import device_words

logger = logging.getLogger(__name__)


class Enrolment:
    """What is made is stored before the server hears of it, and sent until there is a definite answer."""

    def __init__(self, core: Core, socket: Socket, become_ready: Callable[[], Awaitable[None]]) -> None:
        self._core = core
        self._socket = socket
        self._become_ready = become_ready

    @property
    def holds_kit(self) -> bool:
        """Return whether the file still holds a recovery kit."""
        return self._core.file.contents.founding is not None

    async def create_keyring(self) -> str:
        """As `Client.create_keyring`."""
        founding = self._core.file.contents.founding
        if founding is None or founding.path:
            founding = await self._found()
        if not self._core.mailbox.is_listed():
            await self._send(founding)
        return founding.kit

    async def begin_anew(self) -> str:
        """As `Client.begin_anew`."""
        founding = self._core.file.contents.founding
        if founding is None or founding.path:
            founding = await self._begin_anew()
        if not self._core.mailbox.is_listed():
            await self._send(founding)
        return founding.kit

    async def _begin_anew(self) -> Founding:
        own, found = await self._own_principal(), self._core.mailbox_or_none
        if own is None:
            raise NotReady("The authority has no keyring yet: create one instead.")
        if found is not None and found.is_listed():
            raise DeviceExists("This device is listed in the keys of its authority: nothing is lost.")
        self._core.drop_device()
        return self._make(succeeds=bytes.fromhex(own))

    async def _found(self) -> Founding:
        """Make a keyring and store it with its kit."""
        own = await self._own_principal()
        if self._core.mailbox_or_none is not None:
            raise DeviceExists("This file holds a device already, and its recovery kit was called safe.")
        if own is not None:
            raise NotReady("The authority has a keyring already: request a device instead.")
        return self._make()

    def _make(self, *, succeeds: bytes | None = None) -> Founding:
        session = self._core.session
        kind = "secretariat" if session.authority_kind == "secretariat" else "authority"
        made = make_keyring(
            session.net,
            self._person(),
            at=now(),
            roles=session.device_roles,
            kind=kind,
            succeeds=succeeds,
        )
        founding = self._core.file.contents.founding = Founding(
            to_base64(made.entry),
            to_base64(made.envelopes),
            [to_base64(raw) for raw in made.statements],
            made.kit.print(),
        )
        self._core.take_device(made.device)
        return founding

    async def _send(self, founding: Founding) -> None:
        """Post the same bytes until there is a definite answer; a refusal leaves nothing behind."""
        try:
            await self._socket.patiently(lambda: self._core.http.post("/api/keyrings", founding.as_body()))
        except ServerRefused:
            if not await self._is_known():  # an earlier try may have been taken, its answer lost
                self._core.drop_device()
                raise
        try:
            await self._become_ready()
        except ClientError as error:  # the keyring is there: the kit must reach its owner in any case
            logger.warning("the new keyring could not be loaded yet: %s", error)

    async def _is_known(self) -> bool:
        """Return whether the server has the own keyring, in whatever state."""
        try:
            await self._socket.patiently(lambda: self._core.load_keyring(self._core.mailbox.principal))
        except ServerRefused:
            return False
        except Distrusted:
            return True
        return True

    def kit_is_safe(self) -> None:
        """As `Client.kit_is_safe`."""
        if self._core.file.contents.founding is None:
            return
        if not self._core.mailbox.is_listed():
            raise NotReady("The server has not answered for this keyring yet: call create_keyring again.")
        self._core.file.contents.founding = None
        self._core.save()

    async def request_device(self, roles: Sequence[str]) -> str:
        """As `Client.request_device`."""
        own = await self._own_principal()
        if own is None:
            raise NotReady("The authority has no keyring yet: a supervisor or administrator creates it.")
        found = self._core.mailbox_or_none
        if found is not None and found.principal.hex() == own:
            raise DeviceExists("This file holds a device of this authority already.")
        self._core.file.contents.founding = None  # of a keyring that never came to be: another one is there
        device = make_device(self._core.session.net, bytes.fromhex(own), self._person(), at=now())
        self._core.take_device(device)
        try:
            await self._socket.patiently(lambda: self._post_request(roles))
        except ServerRefused:
            self._core.drop_device()
            raise
        return self.words

    async def ask_again(self) -> None:
        """Post the stored request of an unlisted device: an earlier process may not have got so far."""
        mailbox = self._core.mailbox
        statement = read_device(mailbox.net, mailbox.device.statement)
        if statement.principal is None or mailbox.is_listed():
            return
        try:
            await self._post_request(())
        except ServerRefused as refused:
            if refused.is_temporary:
                raise
            logger.warning("the request of this device was refused: %s", refused)

    async def _post_request(self, roles: Sequence[str]) -> Any:
        body = {"statement": to_base64(self._core.mailbox.device.statement), "roles": list(roles)}
        return await self._core.http.post("/api/devices/requests", body)

    async def list_requests(self) -> list[DeviceRequest]:
        """As `Client.list_device_requests`."""
        found = await self._core.http.get("/api/devices/requests")
        waiting = [row for row in found["requests"] if row["status"] == "requested"]
        return [request for row in waiting if (request := self._read_request(row["statement"]))]

    def _read_request(self, statement: str) -> DeviceRequest | None:
        net = self._core.session.net
        try:
            device = read_device(net, from_base64(statement))
        except Refused:
            logger.warning("a device request does not hold and is left out")
            return None
        words = device_words(net, device.id)
        return DeviceRequest(device.id.hex(), device.person, device.name, device.office, words, statement)

    @property
    def words(self) -> str:
        """Return the words of the own device, to be compared by voice."""
        return device_words(self._core.session.net, self._core.mailbox.device.id)

    def forget_device(self) -> None:
        """As `Client.forget_device`."""
        has_ended = self._core.status == "ended"
        if (self._core.mailbox.is_listed() and not has_ended) or self.holds_kit:
            raise DeviceExists("This device is listed, or its keyring is on its way: it is not forgotten.")
        self._core.drop_device()

    async def _own_principal(self) -> str | None:
        found = await self._socket.patiently(lambda: self._core.http.get("/api/session"))
        principal: str | None = found["principal"]
        return principal

    def _person(self) -> Person:
        session = self._core.session
        return Person(session.person, session.name, session.office)
