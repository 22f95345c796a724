"""What all parts of a client share: the session, the device file, the mailbox, keyrings kept up to date."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from messaging.sdk.device_file import DeviceFile, from_base64, to_base64
from messaging.sdk.errors import Distrusted, NotReady, protocol_rules
from messaging.sdk.facts import Authority, Session
from messaging.sdk.http import Http
from messaging.sealed.client import Device, Mailbox

PAGE = 100


class Core:
    """One device of one membership: what it holds and how it asks the server."""

    def __init__(self, http: Http, file: DeviceFile, session: Session) -> None:
        self.http = http
        self.file = file
        self.session = session
        self.mailbox_or_none: Mailbox | None = None
        self.authorities: dict[str, Authority] = {}
        self._check_pins()
        if file.contents.device is not None:
            stored = {name: from_base64(value) for name, value in file.contents.device.items()}
            self.mailbox_or_none = self._open_mailbox(Device.load(stored))

    @property
    def mailbox(self) -> Mailbox:
        """Return the mailbox of this device; raises `NotReady` while there is none."""
        if self.mailbox_or_none is None:
            raise NotReady("This file holds no device yet: create a keyring or request a device.")
        return self.mailbox_or_none

    @property
    def is_ready(self) -> bool:
        """Return whether this device is listed and its authority's secrets are open."""
        found = self.mailbox_or_none
        if found is None or not found.is_listed():
            return False
        own = found.newest(found.principal)
        return own is not None and own.n in found.rings[found.principal].secrets

    def take_device(self, device: Device) -> None:
        """Keep a new device in the file."""
        self.file.contents.device = {name: to_base64(value) for name, value in device.export().items()}
        self.mailbox_or_none = self._open_mailbox(device)
        self.save()

    def drop_device(self) -> None:
        """Forget a device that the server never listed."""
        self.file.contents.device = None
        self.file.contents.public_state = None
        self.file.contents.founding = None
        self.mailbox_or_none = None
        self.save()

    def save(self) -> None:
        """Store what must outlive the process."""
        if self.mailbox_or_none is not None:
            self.file.contents.public_state = to_base64(self.mailbox_or_none.export_state())
        self.file.save()

    def _open_mailbox(self, device: Device) -> Mailbox:
        mailbox = Mailbox(self.session.net, from_base64(self.session.server_key), device)
        if self.file.contents.public_state is not None:
            with protocol_rules():
                mailbox.load_state(from_base64(self.file.contents.public_state))
        return mailbox

    def _check_pins(self) -> None:
        met = {"net": self.session.net, "server_key": self.session.server_key}
        pinned = self.file.contents.pinned
        if pinned is None:
            self.file.contents.pinned = met
            self.file.save()
        elif pinned != met:
            raise Distrusted("The server has another name or key than when this device first met it.")

    # keyrings

    async def load_keyring(self, principal: bytes) -> None:
        """Fetch and verify what is new in a keyring. Raises `Distrusted`."""
        while True:
            first = self.mailbox.keyring_from(principal)
            found = await self.http.get(f"/api/keyrings/{principal.hex()}", **{"from": first})
            self._apply_keyring(principal, found)
            if len(found["entries"]) < PAGE:
                return

    def _apply_keyring(self, principal: bytes, found: dict[str, Any]) -> None:
        entries = [
            (from_base64(row["entry"]), from_base64(row["envelopes"]) if row["envelopes"] else None)
            for row in found["entries"]
        ]
        statements = [from_base64(raw) for raw in found["statements"]]
        with protocol_rules():  # K8: an authority and its principal keep each other from first sight on
            self.mailbox.apply_keyring(principal, entries, statements, found["authority"]["id"])
        row = Authority.from_json(found["authority"])
        self.authorities[principal.hex()] = replace(row, principal=principal.hex())

    async def load_keyrings(self, principals: Iterable[bytes]) -> None:
        """Bring several keyrings up to date, the own one first."""
        own = self.mailbox.principal
        for principal in sorted(set(principals), key=lambda found: (found != own, found)):
            await self.load_keyring(principal)
